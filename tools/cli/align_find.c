/* SPDX-License-Identifier: Apache-2.0 */
/* Each figure from those who answered what it is of; what nobody can say is told as such. Rankings
 * against a measure are two rankings of the same segments, so the p of their concordance is that of
 * their rank correlation. */
#include "tools/cli/align_find.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/math/special.h"

enum { SEED = 1 };
#define NAME_NONE UINT32_MAX
#define PERSISTENCE .9

static bool memory_out(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the answers");
}

static struct report_audit_row *row_add(struct report_audit *audit, const char *measure,
                                        const char *of)
{
    struct report_audit_row *row = &audit->rows[audit->row_count++];
    *row = (struct report_audit_row){.measure = measure,
                                     .of = of,
                                     .value = MATH_NAN,
                                     .low = MATH_NAN,
                                     .high = MATH_NAN,
                                     .p = MATH_NAN,
                                     .unit = "people",
                                     .words = "too few answers"};
    return row;
}

/* Rankings that have every segment. */
static bool concordance_add(const struct align_answers *answers, struct align_found *found,
                            struct proto_fault *fault)
{
    struct report_audit_row *row = row_add(&found->audit, "kendall-w", "order of segments");
    struct measure_concordance concordance;
    size_t items = answers->segments.count;
    double *whole = calloc(answers->people.count * items + 1, sizeof *whole);
    size_t people = 0;
    if (whole == NULL) {
        return memory_out(fault);
    }
    for (size_t i = 0; i < answers->people.count; i++) {
        bool all = items > 0;
        for (size_t s = 0; s < items; s++) {
            double rank = answers->ranks[i * MEASURE_ITEMS_MAX + s];
            whole[people * items + s] = rank;
            all = all && !isnan(rank);
        }
        people += all;
    }
    bool good = measure_concordance_of(whole, people, items, SEED, &concordance, fault);
    free(whole);
    row->value = concordance.w;
    row->p = concordance.p;
    row->n = people;
    if (!isnan(concordance.w)) {
        row->words = concordance.p <= .05 ? "they agree more than by chance"
                                          : "no more agreement than chance gives";
    }
    return good;
}

static const char *alpha_words(double alpha)
{
    return alpha >= .8     ? "reliable: they mean the same"
           : alpha >= .667 ? "tentative"
                           : "not reliable: they mean different things";
}

/* Answers are steps of a scale, so that the ordinal one is judged; the nominal one says beside it
 * how far they are the very same. */
static bool alpha_row(struct align_found *found, const double *values, size_t people, size_t units,
                      bool ordinal, struct proto_fault *fault)
{
    struct measure_alpha alpha;
    struct report_audit_row *row =
        row_add(&found->audit, ordinal ? "alpha-ordinal" : "alpha-nominal",
                ordinal ? "statements" : "statements, the very same");
    for (size_t i = 0; i < people; i++) {
        bool any = false;
        for (size_t s = 0; s < units; s++) {
            any = any || !isnan(values[i * units + s]);
        }
        row->n += any;
    }
    bool good = measure_alpha_of(values, people, units, ordinal, SEED, &alpha, fault);
    row->value = alpha.alpha;
    row->low = alpha.low;
    row->high = alpha.high;
    if (!isnan(alpha.alpha)) {
        row->words =
            ordinal ? alpha_words(alpha.alpha) : "1: the very same answers, 0: as by chance";
    }
    return good;
}

static bool alpha_add(const struct align_answers *answers, struct align_found *found,
                      struct proto_fault *fault)
{
    size_t units = answers->statements.count;
    size_t people = answers->people.count;
    double *values = calloc(people * units + 1, sizeof *values);
    if (values == NULL) {
        return memory_out(fault);
    }
    for (size_t i = 0; i < people; i++) {
        for (size_t s = 0; s < units; s++) {
            values[i * units + s] = answers->ratings[i * MEASURE_ITEMS_MAX + s];
        }
    }
    bool good = alpha_row(found, values, people, units, true, fault) &&
                alpha_row(found, values, people, units, false, fault);
    free(values);
    return good;
}

/* Places that were left empty are passed over. */
static bool lists_add(const struct align_answers *answers, struct align_found *found,
                      struct proto_fault *fault)
{
    struct report_audit_row *jaccard = row_add(&found->audit, "jaccard", "named accounts");
    struct report_audit_row *overlap = row_add(&found->audit, "rbo", "named accounts in order");
    uint32_t *names = calloc(answers->people.count * MEASURE_NAMES_MAX, sizeof *names);
    struct measure_names *lists = calloc(answers->people.count, sizeof *lists);
    size_t count = 0;
    if (names == NULL || lists == NULL) {
        free(names);
        free(lists);
        return memory_out(fault);
    }
    for (size_t i = 0; i < answers->people.count; i++) {
        uint32_t *own = names + i * MEASURE_NAMES_MAX;
        size_t named = 0;
        for (size_t k = 0; k < MEASURE_NAMES_MAX; k++) {
            uint32_t name = answers->named[i * MEASURE_NAMES_MAX + k];
            if (name != NAME_NONE) {
                own[named++] = name;
            }
        }
        if (named > 0) {
            lists[count++] = (struct measure_names){own, named};
        }
    }
    struct report_audit_row *const rows[] = {jaccard, overlap};
    for (size_t i = 0; i < 2; i++) {
        struct measure_mean mean = measure_pairs_mean(lists, count, i == 0 ? 0 : PERSISTENCE);
        rows[i]->value = mean.value;
        rows[i]->low = mean.low;
        rows[i]->high = mean.high;
        rows[i]->n = mean.n;
        rows[i]->words = isnan(mean.value) ? rows[i]->words
                         : i == 0          ? "of two leaders' names this share is named by both"
                                           : "the same, the first names counting most";
    }
    free(names);
    free(lists);
    return true;
}

/* Who shares a first place among several chooses none alone, and is left out. */
static void entropy_add(const struct align_answers *answers, struct align_found *found)
{
    struct report_audit_row *row = row_add(&found->audit, "entropy", "first choices of segments");
    size_t counts[MEASURE_ITEMS_MAX] = {0};
    for (size_t i = 0; i < answers->people.count; i++) {
        size_t best = 0;
        size_t firsts = 0;
        double least = (double)INFINITY;
        for (size_t s = 0; s < answers->segments.count; s++) {
            double rank = answers->ranks[i * MEASURE_ITEMS_MAX + s];
            firsts = rank < least ? 1 : firsts + (rank == least);
            best = rank < least ? s : best;
            least = rank < least ? rank : least;
        }
        if (firsts == 1) {
            counts[best]++;
            row->n++;
        }
    }
    row->value = row->n > 1 ? measure_entropy(counts, answers->segments.count) : MATH_NAN;
    if (!isnan(row->value)) {
        row->words = "0: all name the same first, 1: as far apart as can be";
    }
}

/* Spearman's of a ranking and a measure, over the segments that have both. The chance of the
 * opposite is counted too: 1 - p leaves out the order itself, which among few is much. */
static bool rho_find(const struct align_answers *answers, size_t person, size_t measure,
                     struct align_found *found, struct proto_fault *fault)
{
    double pair[2 * MEASURE_ITEMS_MAX] = {0};
    struct measure_concordance both;
    struct measure_concordance against;
    size_t at = person * answers->measures.count + measure;
    size_t n = 0;
    for (size_t s = 0; s < answers->segments.count; s++) {
        n += !isnan(answers->ranks[person * MEASURE_ITEMS_MAX + s]) &&
             !isnan(answers->figures[s * MEASURE_ITEMS_MAX + measure]);
    }
    for (size_t s = 0, k = 0; s < answers->segments.count; s++) {
        double rank = answers->ranks[person * MEASURE_ITEMS_MAX + s];
        double figure = answers->figures[s * MEASURE_ITEMS_MAX + measure];
        if (!isnan(rank) && !isnan(figure)) {
            pair[k] = rank;
            pair[n + k++] = -figure; /* the most is the first */
        }
    }
    found->rho_n[at] = n;
    found->rho[at] = found->rho_p[at] = found->rho_against[at] = MATH_NAN;
    if (n < 3) {
        return true;
    }
    if (!measure_concordance_of(pair, 2, n, SEED, &both, fault)) {
        return false;
    }
    found->rho[at] = 2 * both.w - 1; /* of two rankings W is (1 + rho) / 2 */
    found->rho_p[at] = both.p;
    for (size_t k = 0; k < n; k++) {
        pair[n + k] = -pair[n + k];
    }
    bool good = measure_concordance_of(pair, 2, n, SEED, &against, fault);
    found->rho_against[at] = good ? against.p : MATH_NAN;
    return good;
}

static bool data_add(const struct align_answers *answers, struct align_found *found,
                     struct proto_fault *fault)
{
    size_t people = answers->people.count;
    size_t measures = answers->measures.count;
    size_t items = answers->segments.count;
    found->ranks = calloc(people * items + 1, sizeof *found->ranks);
    found->rho = calloc(people * measures + 1, sizeof *found->rho);
    found->rho_p = calloc(people * measures + 1, sizeof *found->rho_p);
    found->rho_against = calloc(people * measures + 1, sizeof *found->rho_against);
    found->rho_n = calloc(people * measures + 1, sizeof *found->rho_n);
    if (found->ranks == NULL || found->rho == NULL || found->rho_p == NULL ||
        found->rho_against == NULL || found->rho_n == NULL) {
        return memory_out(fault);
    }
    bool good = true;
    for (size_t i = 0; good && i < people; i++) {
        memcpy(found->ranks + i * items, answers->ranks + i * MEASURE_ITEMS_MAX,
               items * sizeof *found->ranks);
        for (size_t k = 0; good && k < measures; k++) {
            good = rho_find(answers, i, k, found, fault);
        }
    }
    return good;
}

bool align_find(const struct align_answers *answers, struct align_found *found,
                struct proto_fault *fault)
{
    *found = (struct align_found){.ranks = NULL};
    if (!concordance_add(answers, found, fault) || !alpha_add(answers, found, fault) ||
        !lists_add(answers, found, fault) || !data_add(answers, found, fault)) {
        return false;
    }
    entropy_add(answers, found);
    struct report_audit *audit = &found->audit;
    audit->people = answers->people.count;
    audit->names = (const char *const *)answers->people.words;
    audit->functions = (const char *const *)answers->functions.words;
    audit->segments = answers->segments.count;
    audit->segment_names = (const char *const *)answers->segments.words;
    audit->ranks = found->ranks;
    audit->measures = answers->measures.count;
    audit->measure_names = (const char *const *)answers->measures.words;
    audit->rho = found->rho;
    audit->rho_p = found->rho_p;
    audit->rho_against = found->rho_against;
    audit->rho_n = found->rho_n;
    return true;
}

void align_found_fini(struct align_found *found)
{
    free(found->ranks);
    free(found->rho);
    free(found->rho_p);
    free(found->rho_against);
    free(found->rho_n);
    *found = (struct align_found){.ranks = NULL};
}
