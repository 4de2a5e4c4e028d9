/* SPDX-License-Identifier: Apache-2.0 */
/* What was searched as rows: found early, confirmed late. Journeys that are too few for any pattern
 * give no table but what is missing; memory can run out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/math/order.h"
#include "server/math/special.h"
#include "server/measure/pattern_parts.h"

#define FALSE_SHARE 0.05
#define POWER 0.8

struct telling {
    struct measure_search search;
    struct measure_finding *findings; /* by candidate */
    double *p;                        /* of those that are corrected together */
    uint32_t *which;                  /* their candidates */
    const char *const *names;
    struct measure_table *table;
    size_t tested, found, held;
};

/* p[] of the `count` candidates in which[], corrected, into findings of that side. */
static bool corrected(struct telling *t, size_t count, int side,
                      void (*correct)(double *p, const uint32_t *order, size_t count))
{
    uint32_t *order = math_order_create(t->p, count);
    if (order == NULL) {
        return false;
    }
    correct(t->p, order, count);
    for (size_t i = 0; i < count; i++) {
        t->findings[t->which[i]].p[side] = t->p[i];
    }
    free(order);
    return true;
}

static bool found_find(struct telling *t)
{
    for (uint32_t c = 0; c < t->search.count; c++) {
        struct measure_finding *finding = &t->findings[c];
        *finding =
            (struct measure_finding){.p = {MEASURE_NAN, MEASURE_NAN}, .part = MEASURE_GRAM_NONE};
        for (int side = 0; side < 2; side++) {
            finding->z[side] = measure_odds_z(&t->search.candidates[c].odds[side]);
        }
        if (!isnan(finding->z[0])) {
            t->p[t->tested] = measure_two_sided(finding->z[0]);
            t->which[t->tested++] = c;
        }
    }
    return corrected(t, t->tested, 0, measure_yekutieli);
}

/* On the later journeys, in the direction of the earlier. */
static bool held_find(struct telling *t)
{
    for (uint32_t c = 0; c < t->search.count; c++) {
        struct measure_finding *finding = &t->findings[c];
        finding->found = finding->p[0] <= FALSE_SHARE; /* false of NAN */
        if (finding->found) {
            double z = finding->z[0] > 0 ? finding->z[1] : -finding->z[1];
            t->p[t->found] = isnan(z) ? 1 : measure_one_sided(z);
            t->which[t->found++] = c;
        }
    }
    if (!corrected(t, t->found, 1, measure_holm)) {
        return false;
    }
    for (uint32_t c = 0; c < t->search.count; c++) {
        t->findings[c].held = t->findings[c].found && t->findings[c].p[1] <= FALSE_SHARE;
        t->held += t->findings[c].held;
    }
    return true;
}

static void ratio_add(struct measure_table *table, double part, double n)
{
    measure_add_number(table, n > 0 ? part / n : MEASURE_NAN);
}

static void odds_add(struct measure_table *table, const struct measure_odds *odds)
{
    double ratio = 0;
    double low = 0;
    double high = 0;
    measure_odds_ratio(odds, &ratio, &low, &high);
    measure_add_number(table, isfinite(ratio) ? ratio : MEASURE_NAN);
    measure_add_number(table, low);
    measure_add_number(table, high);
}

static void all_add(const struct telling *t)
{
    const struct measure_search *search = &t->search;
    char text[160];
    (void)snprintf(text, sizeof text,
                   "%zu patterns tested, %zu found, %zu of them confirmed; %zu journeys too young",
                   t->tested, t->found, t->held, search->patterns->young);
    measure_add_text(t->table, "(all)");
    measure_add_text(t->table, "");
    measure_add_whole(t->table, (int64_t)search->patterns->count);
    measure_add_absent(t->table);
    ratio_add(t->table, (double)(search->won[0] + search->won[1]), (double)search->patterns->count);
    for (int i = 0; i < 5; i++) { /* without, odds, p */
        measure_add_absent(t->table);
    }
    measure_add_whole(t->table, (int64_t)search->cases[1]);
    for (int i = 0; i < 4; i++) {
        measure_add_absent(t->table);
    }
    measure_add_text(t->table, "");
    measure_add_text(t->table, text);
}

/* "email > call", "email ... call". */
static bool pattern_text(const struct telling *t, uint32_t place, char **text)
{
    const struct measure_grams *grams = &t->search.grams;
    struct measure_gram gram = measure_gram_read(grams, t->search.candidates[place].pattern);
    const char *const between = gram.gapped ? " ... " : " > ";
    const char *name[MEASURE_GRAM_MAX] = {"", "", ""};
    for (unsigned i = 0; i < gram.length; i++) {
        name[i] = t->names[grams->named[gram.steps[i]]];
    }
    return asprintf(text, "%s%s%s%s%s", name[0], gram.length > 1 ? between : "", name[1],
                    gram.length > 2 ? between : "", name[2]) >= 0;
}

/* How many later journeys with it would show the earlier ratio, at a power of 0.8. */
static double needed(const struct telling *t, uint32_t place)
{
    const struct measure_candidate *candidate = &t->search.candidates[place];
    double ratio = 0;
    double low = 0;
    double high = 0;
    measure_odds_ratio(&candidate->odds[0], &ratio, &low, &high);
    double shift = fabs(log(ratio)) * sqrt(candidate->odds[1].variance);
    double wanted =
        math_normal_point(1 - FALSE_SHARE / (double)t->found) + math_normal_point(POWER);
    return candidate->odds[1].with * (wanted / shift) * (wanted / shift);
}

static void verdict_add(const struct telling *t, uint32_t place)
{
    const struct measure_finding *finding = &t->findings[place];
    char text[80] = "";
    double n = finding->found && !finding->held ? needed(t, place) : 0;
    if (finding->held) {
        (void)snprintf(text, sizeof text, finding->z[0] > 0 ? "leads" : "loses");
    } else if (finding->found && isfinite(n) && n > t->search.candidates[place].odds[1].with) {
        (void)snprintf(text, sizeof text, "insufficient: %.0f later journeys are needed", ceil(n));
    } else if (finding->found && isnan(finding->z[1])) {
        (void)snprintf(text, sizeof text, "insufficient: too few later ones of either outcome");
    } else if (finding->found) {
        (void)snprintf(text, sizeof text, "not confirmed");
    } else if (isnan(finding->z[0])) {
        (void)snprintf(text, sizeof text, "insufficient: too few of either outcome");
    }
    measure_add_text(t->table, text);
}

static bool row_add(const struct telling *t, uint32_t place)
{
    static const char *const forms[] = {"adjacent", "gapped"};
    const struct measure_candidate *candidate = &t->search.candidates[place];
    const struct measure_finding *finding = &t->findings[place];
    const struct measure_search *search = &t->search;
    struct measure_gram gram = measure_gram_read(&search->grams, candidate->pattern);
    char *text = NULL;
    char *part = NULL;
    bool good = pattern_text(t, place, &text) &&
                (finding->part == MEASURE_GRAM_NONE || pattern_text(t, finding->part, &part));
    if (good) {
        double won = (double)(search->won[0] + search->won[1]);
        measure_add_text(t->table, text);
        measure_add_text(t->table, gram.length == 1 ? "single" : forms[gram.gapped]);
        measure_add_whole(t->table, (int64_t)candidate->n);
        if (gram.gapped) {
            measure_add_absent(t->table);
        } else {
            measure_add_whole(t->table, (int64_t)candidate->times);
        }
        ratio_add(t->table, (double)candidate->won, (double)candidate->n);
        ratio_add(t->table, won - (double)candidate->won,
                  (double)(search->patterns->count - candidate->n));
        odds_add(t->table, &candidate->odds[0]);
        measure_add_number(t->table, finding->p[0]);
        measure_add_whole(t->table, (int64_t)candidate->odds[1].with);
        odds_add(t->table, &candidate->odds[1]);
        measure_add_number(t->table, finding->p[1]);
        measure_add_text(t->table, part != NULL ? part : "");
        verdict_add(t, place);
    }
    free(text);
    free(part);
    return good;
}

/* Confirmed ones that lead, those that lose, found ones, others; the clearest first. */
static double row_key(const struct measure_finding *finding)
{
    double z = fabs(finding->held ? finding->z[1] : finding->z[0]);
    double group = finding->held ? (finding->z[0] > 0 ? 0 : 1) : finding->found ? 2 : 3;
    return group * 1e6 - (isnan(z) ? 0 : fmin(z, 1e5));
}

/* The candidates in the order of the rows; those that are told are marked. */
static uint32_t *rows_order(const struct telling *t)
{
    const struct measure_pattern_options *options = &t->search.patterns->options;
    size_t told = 0;
    for (uint32_t c = 0; c < t->search.count; c++) {
        t->p[c] = row_key(&t->findings[c]);
    }
    uint32_t *order = math_order_create(t->p, t->search.count);
    for (size_t i = 0; i < t->search.count && told < options->top && order != NULL; i++) {
        struct measure_finding *finding = &t->findings[order[i]];
        finding->told = options->all || finding->found;
        told += finding->told;
    }
    return order;
}

static bool rows_add(struct telling *t, struct proto_fault *fault)
{
    uint32_t *order = rows_order(t);
    bool good = order != NULL && measure_parts_find(&t->search, t->findings, fault);
    if (good) {
        all_add(t);
    }
    for (size_t i = 0; i < t->search.count && good; i++) {
        good = !t->findings[order[i]].told || row_add(t, order[i]);
    }
    free(order);
    return good && measure_table_good(t->table);
}

static bool enough(const struct measure_search *search, struct proto_fault *fault)
{
    const struct measure_patterns *all = search->patterns;
    size_t most = 0;
    for (uint32_t p = 0; p < search->grams.total; p++) {
        most = search->sizes[p] > most ? search->sizes[p] : most;
    }
    return search->count > 0 ||
           proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                           "insufficient: of %zu journeys (%zu more are too young, %zu have no "
                           "step) %zu are earlier, and the pattern seen most often is in %zu of "
                           "those; %u earlier ones with it and as many without it are needed",
                           all->count, all->young, all->empty, search->cases[0], most,
                           all->options.least);
}

/* Where no pattern could be tested there is nothing to read, unless counts were asked for. */
static bool tested(const struct telling *t, struct proto_fault *fault)
{
    const struct measure_search *search = &t->search;
    return t->tested > 0 || search->patterns->options.all ||
           proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                           "insufficient: %zu of %zu journeys reached the goal, and no pattern is "
                           "in enough of either sort: in strata of equal length and fit at least "
                           "%d earlier ones more and less must be possible",
                           search->won[0] + search->won[1], search->patterns->count,
                           MEASURE_ODDS_ROOM);
}

static bool told(struct telling *t, struct proto_fault *fault)
{
    size_t room = t->search.count + 1;
    t->findings = calloc(room, sizeof *t->findings);
    t->p = calloc(room, sizeof *t->p);
    t->which = calloc(room, sizeof *t->which);
    *fault = (struct proto_fault){.code = PROTO_OK};
    bool good = t->findings != NULL && t->p != NULL && t->which != NULL && found_find(t) &&
                tested(t, fault) && held_find(t) && rows_add(t, fault);
    free(t->findings);
    free(t->p);
    free(t->which);
    if (!good && fault->code == PROTO_OK) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
    }
    return good;
}

bool measure_patterns_table(struct measure_patterns *patterns, const char *const *names,
                            struct measure_table *table, struct proto_fault *fault)
{
    struct telling t = {.names = names, .table = table};
    measure_table_init(table, MEASURE_ID_PATTERNS);
    bool good = measure_search_make(patterns, &t.search, fault) && enough(&t.search, fault) &&
                told(&t, fault);
    measure_search_fini(&t.search);
    return good;
}
