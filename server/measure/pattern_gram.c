/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of one sequence by arrays that are as long as there can be patterns: a mark says which
 * sequence had one last, so that none is counted twice. Memory can run out when they are made. */
#include <stdlib.h>

#include "server/math/order.h"
#include "server/measure/pattern_parts.h"

enum { SINGLE, ADJACENT_TWO, ADJACENT_THREE, GAPPED_TWO, GAPPED_THREE };

void measure_grams_fini(struct measure_grams *grams)
{
    free(grams->code_of);
    free(grams->mark);
    free(grams->found);
    free(grams->times);
    free(grams->pairs);
    free(grams->singles);
    *grams = (struct measure_grams){.seen = 0};
}

/* How many cases have each name, as keys that ascend with fewer. */
static bool names_rank(const struct measure_patterns *patterns, double *keys, uint32_t *last)
{
    for (size_t i = 0; i < MEASURE_STEPS_NAMED_MAX; i++) {
        keys[i] = 0;
        last[i] = 0;
    }
    for (size_t i = 0; i < patterns->count; i++) {
        const struct measure_case *item = &patterns->cases[i];
        for (size_t s = 0; s < item->count; s++) {
            uint16_t number = patterns->steps[item->first + s];
            keys[number] -= last[number] != (uint32_t)i + 1;
            last[number] = (uint32_t)i + 1;
        }
    }
    return true;
}

static bool codes_make(const struct measure_patterns *patterns, struct measure_grams *grams)
{
    double *keys = malloc(MEASURE_STEPS_NAMED_MAX * sizeof *keys);
    uint32_t *last = malloc(MEASURE_STEPS_NAMED_MAX * sizeof *last);
    grams->code_of = malloc(MEASURE_STEPS_NAMED_MAX);
    bool good =
        keys != NULL && last != NULL && grams->code_of != NULL && names_rank(patterns, keys, last);
    uint32_t *order = good ? math_order_create(keys, MEASURE_STEPS_NAMED_MAX) : NULL;
    if (order != NULL) {
        memset(grams->code_of, MEASURE_STEP_RARE, MEASURE_STEPS_NAMED_MAX);
        for (uint32_t i = 0; i < MEASURE_STEPS_SEEN && keys[order[i]] < 0; i++) {
            grams->code_of[order[i]] = (uint8_t)i;
            grams->named[i] = (uint16_t)order[i];
            grams->seen = i + 1;
        }
    }
    free(keys);
    free(last);
    good = order != NULL;
    free(order);
    return good;
}

bool measure_grams_make(const struct measure_patterns *patterns, struct measure_grams *grams,
                        struct proto_fault *fault)
{
    *grams = (struct measure_grams){.options = &patterns->options};
    bool good = codes_make(patterns, grams);
    uint32_t n = grams->seen;
    const uint32_t counts[5] = {n, n * n, n * n * n, n * n, n * n * n};
    for (int form = 0; form < 5; form++) {
        grams->bases[form] = grams->total;
        grams->total += counts[form];
    }
    if (good) {
        grams->mark = calloc((size_t)grams->total + 1, sizeof *grams->mark);
        grams->found = malloc(((size_t)grams->total + 1) * sizeof *grams->found);
        grams->times = calloc((size_t)grams->total + 1, sizeof *grams->times);
        grams->pairs = malloc(((size_t)n * n + 1) * sizeof *grams->pairs);
        grams->singles = malloc((size_t)n + 1);
    }
    good = good && grams->mark != NULL && grams->found != NULL && grams->times != NULL &&
           grams->pairs != NULL && grams->singles != NULL;
    return good || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for patterns of %u steps",
                                   grams->seen);
}

/* True the first time in a sequence. */
static inline bool pattern_mark(struct measure_grams *grams, uint32_t pattern)
{
    if (grams->mark[pattern] == grams->run) {
        return false;
    }
    grams->mark[pattern] = grams->run;
    grams->found[grams->found_count++] = pattern;
    return true;
}

static void adjacent_mark(struct measure_grams *grams, const uint8_t *codes, size_t count)
{
    uint32_t n = grams->seen;
    unsigned longest = grams->options->longest;
    for (size_t i = 0; i + 1 < count && longest >= 2; i++) {
        if (codes[i] == MEASURE_STEP_RARE || codes[i + 1] == MEASURE_STEP_RARE) {
            continue;
        }
        uint32_t pair = codes[i] * n + codes[i + 1];
        (void)pattern_mark(grams, grams->bases[ADJACENT_TWO] + pair);
        grams->times[grams->bases[ADJACENT_TWO] + pair]++;
        if (longest >= 3 && i + 2 < count && codes[i + 2] != MEASURE_STEP_RARE) {
            uint32_t three = grams->bases[ADJACENT_THREE] + pair * n + codes[i + 2];
            (void)pattern_mark(grams, three);
            grams->times[three]++;
        }
    }
}

/* Each step with the pairs, and then with the steps, that were before it. */
static void gapped_mark(struct measure_grams *grams, const uint8_t *codes, size_t count)
{
    uint32_t n = grams->seen;
    bool three = grams->options->longest >= 3;
    grams->pair_count = grams->single_count = 0;
    uint64_t singles = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t code = codes[i];
        if (code == MEASURE_STEP_RARE) {
            continue;
        }
        for (uint32_t p = 0; three && p < grams->pair_count; p++) {
            (void)pattern_mark(grams, grams->bases[GAPPED_THREE] + grams->pairs[p] * n + code);
        }
        grams->work += grams->pair_count;
        for (uint32_t s = 0; s < grams->single_count; s++) {
            uint32_t pair = grams->singles[s] * n + code;
            if (pattern_mark(grams, grams->bases[GAPPED_TWO] + pair)) {
                grams->pairs[grams->pair_count++] = (uint16_t)pair;
            }
        }
        if ((singles >> code & 1) == 0) {
            singles |= UINT64_C(1) << code;
            grams->singles[grams->single_count++] = code;
        }
    }
}

void measure_grams_of(struct measure_grams *grams, const uint16_t *steps, size_t count)
{
    uint8_t codes[MEASURE_WINDOW_MAX];
    grams->run++; /* cases are fewer than 2^31, and are gone through twice */
    grams->found_count = 0;
    grams->work += count + 1;
    for (size_t i = 0; i < count; i++) {
        codes[i] = grams->code_of[steps[i]];
        if (codes[i] != MEASURE_STEP_RARE) {
            (void)pattern_mark(grams, codes[i]);
            grams->times[codes[i]]++;
        }
    }
    if (grams->options->adjacent) {
        adjacent_mark(grams, codes, count);
    }
    if (grams->options->gapped && grams->options->longest >= 2) {
        gapped_mark(grams, codes, count);
    }
}

struct measure_gram measure_gram_read(const struct measure_grams *grams, uint32_t pattern)
{
    static const unsigned lengths[5] = {1, 2, 3, 2, 3};
    int form = GAPPED_THREE;
    while (pattern < grams->bases[form]) {
        form--;
    }
    struct measure_gram gram = {.length = lengths[form], .gapped = form >= GAPPED_TWO};
    uint32_t rest = pattern - grams->bases[form];
    for (unsigned i = gram.length; i > 0; i--) {
        gram.steps[i - 1] = (uint8_t)(rest % grams->seen);
        rest /= grams->seen;
    }
    return gram;
}

uint32_t measure_gram_number(const struct measure_grams *grams, const struct measure_gram *gram)
{
    int form = gram->length == 1 ? SINGLE
               : gram->gapped    ? GAPPED_TWO + (gram->length == 3)
                                 : ADJACENT_TWO + (gram->length == 3);
    uint32_t number = 0;
    for (unsigned i = 0; i < gram->length; i++) {
        number = number * grams->seen + gram->steps[i];
    }
    return grams->bases[form] + number;
}
