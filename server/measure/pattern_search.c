/* SPDX-License-Identifier: Apache-2.0 */
/* Cases are gone through twice: to see which patterns enough of them have, and, in the order of
 * their strata, to add up a table of two by two for each of those. Memory, and who asked, can end
 * it. */
#include <stdlib.h>

#include "server/measure/pattern_parts.h"

/* Well below a millisecond of places. */
#define PLACES_PER_ASKING 200000

bool measure_search_goes_on(struct measure_search *search, struct proto_fault *fault)
{
    if (search->grams.work < PLACES_PER_ASKING) {
        return true;
    }
    search->grams.work = 0;
    return measure_goes_on(search->patterns->pace, fault);
}

void measure_search_fini(struct measure_search *search)
{
    measure_grams_fini(&search->grams);
    free(search->strata);
    free(search->order);
    free(search->sizes);
    free(search->place_of);
    free(search->candidates);
}

static bool no_memory(const struct measure_search *search, struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u patterns",
                           search->grams.total);
}

static void case_grams(struct measure_search *search, uint32_t at)
{
    const struct measure_case *item = &search->patterns->cases[at];
    measure_grams_of(&search->grams, search->patterns->steps + item->first, item->count);
}

/* Patterns that enough of the earlier cases have, and have not. */
static bool candidates_find(struct measure_search *search, struct proto_fault *fault)
{
    const struct measure_pattern_options *options = &search->patterns->options;
    search->sizes = calloc((size_t)search->grams.total + 1, sizeof *search->sizes);
    search->place_of = malloc(((size_t)search->grams.total + 1) * sizeof *search->place_of);
    if (search->sizes == NULL || search->place_of == NULL) {
        return no_memory(search, fault);
    }
    for (size_t i = 0; i < search->patterns->count; i++) {
        bool later = (search->strata[i] & 1) != 0;
        case_grams(search, (uint32_t)i);
        for (uint32_t f = 0; f < search->grams.found_count && !later; f++) {
            search->sizes[search->grams.found[f]]++;
        }
        if (!measure_search_goes_on(search, fault)) {
            return false;
        }
    }
    for (uint32_t p = 0; p < search->grams.total; p++) {
        size_t size = search->sizes[p];
        bool enough =
            size > 0 && size >= options->least && search->cases[0] - size >= options->least;
        search->place_of[p] = enough ? (uint32_t)search->count++ : MEASURE_GRAM_NONE;
    }
    search->candidates = calloc(search->count + 1, sizeof *search->candidates);
    for (uint32_t p = 0; p < search->grams.total && search->candidates != NULL; p++) {
        if (search->place_of[p] != MEASURE_GRAM_NONE) {
            search->candidates[search->place_of[p]].pattern = p;
            search->candidates[search->place_of[p]].times = search->grams.times[p];
        }
    }
    return search->candidates != NULL || no_memory(search, fault);
}

/* The stratum under way: who has each candidate, and which of them anybody has. */
struct stratum {
    uint32_t *with, *won, *touched;
    uint32_t touched_count;
    size_t n, n_won;
};

static void stratum_end(struct measure_search *search, struct stratum *at, bool later)
{
    for (uint32_t t = 0; t < at->touched_count; t++) {
        uint32_t c = at->touched[t];
        struct measure_candidate *candidate = &search->candidates[c];
        double a = at->won[c];
        double b = at->with[c] - a;
        double lost = (double)(at->n - at->n_won);
        measure_odds_add(&candidate->odds[later], a, b, (double)at->n_won - a, lost - b);
        candidate->n += at->with[c];
        candidate->won += at->won[c];
        at->with[c] = at->won[c] = 0;
    }
    search->grams.work += at->touched_count;
    at->touched_count = 0;
    at->n = at->n_won = 0;
}

static void case_count(struct measure_search *search, struct stratum *at, uint32_t of)
{
    bool won = search->patterns->cases[of].won;
    case_grams(search, of);
    at->n++;
    at->n_won += won;
    for (uint32_t f = 0; f < search->grams.found_count; f++) {
        uint32_t c = search->place_of[search->grams.found[f]];
        if (c == MEASURE_GRAM_NONE) {
            continue;
        }
        if (at->with[c]++ == 0) {
            at->touched[at->touched_count++] = c;
        }
        at->won[c] += won;
    }
}

static bool odds_count(struct measure_search *search, struct proto_fault *fault)
{
    struct stratum at = {.n = 0};
    size_t count = search->patterns->count;
    at.with = calloc(search->count + 1, sizeof *at.with);
    at.won = calloc(search->count + 1, sizeof *at.won);
    at.touched = calloc(search->count + 1, sizeof *at.touched);
    bool good = at.with != NULL && at.won != NULL && at.touched != NULL;
    if (!good) {
        (void)no_memory(search, fault);
    }
    for (size_t i = 0; i < count && good; i++) {
        uint32_t of = search->order[i];
        case_count(search, &at, of);
        if (i + 1 == count || search->strata[search->order[i + 1]] != search->strata[of]) {
            stratum_end(search, &at, (search->strata[of] & 1) != 0);
        }
        good = measure_search_goes_on(search, fault);
    }
    free(at.with);
    free(at.won);
    free(at.touched);
    return good;
}

bool measure_search_make(struct measure_patterns *patterns, struct measure_search *search,
                         struct proto_fault *fault)
{
    *search = (struct measure_search){.patterns = patterns};
    return measure_grams_make(patterns, &search->grams, fault) &&
           measure_strata_make(search, fault) && candidates_find(search, fault) &&
           odds_count(search, fault);
}
