/* SPDX-License-Identifier: Apache-2.0 */
/* What was added up as rows: unseen, agreement, channels. Too few outcomes give no table but what
 * is missing; memory can run out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/math/accuracy.h"
#include "server/math/auc.h"
#include "server/math/order.h"
#include "server/measure/attribution.h"

static const char *const model_names[MEASURE_MODELS] = {"first", "last",   "linear", "position",
                                                        "decay", "markov", "shapley"};

static void credits_absent(struct measure_table *table)
{
    for (int i = 0; i < MEASURE_MODELS + 1; i++) { /* and removal */
        measure_add_absent(table);
    }
}

static void unseen_add(const struct measure_attribution *a, struct measure_table *table)
{
    double low = 0;
    double high = 1;
    if (a->won > 0) {
        math_wilson((size_t)a->unseen, (size_t)a->won, &low, &high);
    }
    measure_add_text(table, "unseen");
    measure_add_text(table, "");
    credits_absent(table);
    measure_add_number(table, a->won > 0 ? a->unseen / a->won : MEASURE_NAN);
    measure_add_number(table, a->won > 0 ? low : MEASURE_NAN);
    measure_add_number(table, a->won > 0 ? high : MEASURE_NAN);
    measure_add_whole(table, (int64_t)a->won);
}

static void figure_add(const struct measure_attribution *a, const char *row, const char *of,
                       double value, struct measure_table *table)
{
    measure_add_text(table, row);
    measure_add_text(table, of);
    credits_absent(table);
    measure_add_number(table, value);
    measure_add_absent(table);
    measure_add_absent(table);
    measure_add_whole(table, (int64_t)(a->won - a->unseen));
}

static void agreement_add(const struct measure_attribution *a, double *const credit[MEASURE_MODELS],
                          struct measure_table *table)
{
    char pair[32] = "";
    double most = MEASURE_NAN;
    for (int m = 0; m < MEASURE_MODELS; m++) {
        for (int o = m + 1; o < MEASURE_MODELS; o++) {
            double bits = credit[m] == NULL || credit[o] == NULL
                              ? MEASURE_NAN
                              : measure_shares_divergence(credit[m], credit[o], a->channels);
            if (bits > most || (isnan(most) && !isnan(bits))) {
                most = bits;
                (void)snprintf(pair, sizeof pair, "%s, %s", model_names[m], model_names[o]);
            }
        }
    }
    figure_add(a, "kendall-w", "", measure_models_concordance(credit, a->channels), table);
    figure_add(a, "jsd", pair, most, table);
}

/* Of a sum of independent parts: the share of Shapley's credit, with the error of a ratio. */
static void share_add(const struct measure_attribution *a, uint32_t k, struct measure_table *table)
{
    double total = a->weight - a->unseen_weight;
    double share = total > 0 ? a->credit[MEASURE_MODEL_SHAPLEY][k] / total : MEASURE_NAN;
    double n = a->won - a->unseen;
    double spread = a->square[k] - 2 * share * a->cross[k] + share * share * a->squares;
    double error = total > 0 && n > 1 ? sqrt(fmax(spread, 0) * n / (n - 1)) / total : MEASURE_NAN;
    measure_add_number(table, share);
    bool known = isfinite(error); /* fmax and fmin would make a bound of NAN */
    measure_add_number(table, known ? fmax(share - MATH_Z_95 * error, 0) : MEASURE_NAN);
    measure_add_number(table, known ? fmin(share + MATH_Z_95 * error, 1) : MEASURE_NAN);
    measure_add_whole(table, (int64_t)a->seen[k]);
}

static void channel_add(const struct measure_attribution *a, double *const credit[MEASURE_MODELS],
                        const char *name, uint32_t k, struct measure_table *table)
{
    measure_add_text(table, "channel");
    measure_add_text(table, name);
    for (int m = 0; m < MEASURE_MODELS; m++) {
        measure_add_number(table, credit[m] != NULL ? credit[m][k] : MEASURE_NAN);
    }
    measure_add_number(table, a->removal[k]);
    share_add(a, k, table);
}

bool measure_attribution_table(struct measure_attribution *attribution, const char *const *names,
                               double least, struct measure_table *table, struct proto_fault *fault)
{
    struct measure_attribution *a = attribution;
    double *credit[MEASURE_MODELS];
    double seen = a->won - a->unseen;
    measure_table_init(table, MEASURE_ID_ATTRIBUTION);
    if (seen < least || seen < 1) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "insufficient: %.0f outcomes were won after a touch that was seen, "
                               "%.0f without; %.0f with one are needed",
                               seen, a->unseen, fmax(least, 1));
    }
    if (!measure_attribution_solve(a, fault)) {
        return false;
    }
    memcpy(credit, a->credit, sizeof credit);
    if (!a->timed) {
        credit[MEASURE_MODEL_DECAY] = NULL;
    }
    double *key = calloc((size_t)a->channels + 1, sizeof *key);
    for (uint32_t k = 0; k < a->channels && key != NULL; k++) {
        key[k] = -a->credit[MEASURE_MODEL_SHAPLEY][k];
    }
    uint32_t *order = key != NULL ? math_order_create(key, a->channels) : NULL;
    unseen_add(a, table);
    agreement_add(a, credit, table);
    for (uint32_t i = 0; i < a->channels && order != NULL; i++) {
        channel_add(a, credit, names[order[i]], order[i], table);
    }
    bool good = order != NULL && measure_table_good(table);
    free(order);
    free(key);
    return good || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}
