/* SPDX-License-Identifier: Apache-2.0 */
/* icp auc: how well a column orders the rows that meet a label, with the interval of DeLong. */
#include <stdlib.h>

#include "server/filter/filter.h"
#include "server/math/auc.h"
#include "server/math/order.h"
#include "tools/cli/cmd.h"
#include "tools/cli/csv/csv_account.h"
#include "tools/cli/csv/key_column.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/label.h"

struct scores {
    double *scores;
    uint8_t *labels;
    size_t count;
    size_t capacity;
    size_t bad;      /* rows that could not be read */
    size_t unscored; /* rows without a score */
};

static bool scores_add(struct scores *scores, double score, bool label)
{
    if (scores->count == scores->capacity) {
        size_t capacity = scores->capacity * 2 + 4096;
        double *grown = realloc(scores->scores, capacity * sizeof *grown);
        if (grown != NULL) {
            scores->scores = grown;
        }
        uint8_t *labels = grown != NULL ? realloc(scores->labels, capacity) : NULL;
        if (labels == NULL) {
            return false;
        }
        scores->labels = labels;
        scores->capacity = capacity;
    }
    scores->scores[scores->count] = score;
    scores->labels[scores->count++] = label;
    return true;
}

struct bad_cells {
    const struct cli *cli;
    const struct csv_input *input;
    size_t count;
};

#define BAD_CELLS_SHOWN 5

static void on_bad_cell(void *context, const struct csv_row *row,
                        const struct csv_cell_fault *fault)
{
    struct bad_cells *bad = context;
    if (bad->count++ < BAD_CELLS_SHOWN) {
        cli_say(bad->cli, "%s, line %zu, field %s: %s; it counts as missing", csv_name(bad->input),
                row->line, fault->fault.field, fault->fault.message);
    }
}

static int rows_measure(const struct cli *cli, struct csv_input *input, struct csv_map *map,
                        const struct filter *label, const struct feature_field *score,
                        struct scores *scores)
{
    struct proto_fault fault = {.code = PROTO_OK};
    char place[CSV_PLACE_BYTES];
    struct csv_row row;
    struct bad_cells context = {cli, input, 0};
    while (csv_next(input, &row, &fault)) {
        if (row.bad) {
            scores->bad++;
            cli_say(cli, "%s: %s; the row is passed over",
                    csv_row_place(input, &row, place, sizeof place), row.message);
            continue;
        }
        if (!csv_map_read(map, &row, on_bad_cell, &context)) {
            return cli_fail(cli, EX_OSERR, "no memory for line %zu", row.line);
        }
        if (!map->values[score->id].present) {
            scores->unscored++;
            continue;
        }
        bool positive = filter_match(label, map->values, map->schema->id_count);
        if (!scores_add(scores, map->values[score->id].number, positive)) {
            return cli_fail(cli, EX_OSERR, "no memory for %zu scores", scores->count);
        }
    }
    return fault.code == PROTO_OK ? EX_OK : cli_fault(cli, &fault);
}

static int auc_print(const struct cli *cli, const struct scores *scores)
{
    uint32_t *order = math_order_create(scores->scores, scores->count);
    struct math_auc auc;
    if (order == NULL || !math_auc(scores->scores, scores->labels, order, scores->count, &auc)) {
        free(order);
        return cli_fail(cli, EX_OSERR, "no memory for %zu scores", scores->count);
    }
    double lift = math_lift(scores->scores, scores->labels, order, scores->count, 0.1);
    double ks = math_ks(scores->scores, scores->labels, order, scores->count);
    free(order);
    if (auc.positives == 0 || auc.negatives == 0) {
        return cli_fail(cli, EX_DATAERR,
                        "%zu rows are positive and %zu negative by the label; an AUC needs both",
                        auc.positives, auc.negatives);
    }
    if (cli->style.form == OUT_JSON) {
        return cli_json(cli, json_pack("{s:f, s:f, s:f, s:f, s:I, s:I, s:f, s:f, s:I, s:I}", "auc",
                                       auc.auc, "low", auc.low, "high", auc.high, "error",
                                       auc.error, "positives", (json_int_t)auc.positives,
                                       "negatives", (json_int_t)auc.negatives, "lift_top_decile",
                                       lift, "ks", ks, "bad", (json_int_t)scores->bad, "unscored",
                                       (json_int_t)scores->unscored));
    }
    cli_print(cli, "AUC %.4f  (95 %% interval %.4f to %.4f, DeLong)\n", auc.auc, auc.low, auc.high);
    cli_print(cli, "rows %zu, positive %zu (%.1f %%); lift in the top decile %.2f, KS %.3f\n",
              scores->count, auc.positives, 100 * (double)auc.positives / (double)scores->count,
              lift, ks);
    if (scores->unscored + scores->bad > 0) {
        cli_print(cli, "left out: %zu rows without a score, %zu that could not be read\n",
                  scores->unscored, scores->bad);
    }
    return EX_OK;
}

static int measure(const struct cli *cli, struct csv_input *input,
                   const struct feature_schema *schema)
{
    const char *name = cli_text(cli, CLI_AUC_SCORE);
    const struct feature_field *score = feature_schema_find(schema, proto_span_text(name));
    if (score == NULL) {
        struct proto_fault fault;
        (void)csv_column_absent(input, "score", name, &fault);
        return cli_fault(cli, &fault);
    }
    if (score->type != FEATURE_NUMBER) {
        return cli_fail(cli, EX_DATAERR, "--score: column '%s' of %s holds no numbers", name,
                        csv_name(input));
    }
    struct filter *label = label_parse(cli, schema, "label", cli_text(cli, CLI_AUC_LABEL));
    if (label == NULL) {
        return EX_DATAERR;
    }
    struct scores scores = {0};
    struct csv_map map;
    int status = csv_map_init(&map, schema, input) ? EX_OK : cli_fail(cli, EX_OSERR, "no memory");
    if (status == EX_OK) {
        status = rows_measure(cli, input, &map, label, score, &scores);
    }
    if (status == EX_OK) {
        status = auc_print(cli, &scores);
    }
    csv_map_fini(&map);
    filter_destroy(label);
    free(scores.scores);
    free(scores.labels);
    return status;
}

int cmd_auc(struct cli *cli)
{
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    if (!cli_has(cli, CLI_AUC_LABEL) || !cli_has(cli, CLI_AUC_SCORE)) {
        return cli_fail(cli, EX_USAGE, "both --label EXPRESSION and --score COLUMN are needed");
    }
    struct proto_fault fault = {.code = PROTO_OK};
    int status = EX_OK;
    struct csv_input *input = csv_told_open(cli, cli->arguments[0], &status);
    if (input == NULL) {
        return status;
    }
    struct feature_schema *schema = csv_schema_infer(input, &fault);
    status = schema != NULL ? measure(cli, input, schema) : cli_fault(cli, &fault);
    feature_schema_release(schema);
    csv_close(input);
    return status;
}
