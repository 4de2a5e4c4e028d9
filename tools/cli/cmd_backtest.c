/* SPDX-License-Identifier: Apache-2.0 */
/* icp backtest: a version against what came of accounts, and a profile written by hand beside it.
 * The answer first: how well each orders accounts; then the three lists, the conditions of the
 * profile, the values of the field. */
#include <stdlib.h>

#include "tools/cli/backtest_read.h"
#include "tools/cli/cmd.h"
#include "tools/cli/out/out_number.h"
#include "tools/cli/profile_file.h"

/* Everything that is asked and found. */
struct backtest {
    const struct cli *cli;
    struct icp_client *client;
    struct backtest_data data;
    const json_t *profile; /* NULL: none */
    struct backtest_condition *conditions;
    size_t condition_count;
    struct backtest_lists lists;
    struct backtest_part *parts;
    size_t part_count;
    double eta_squared;
    struct math_auc auc, profile_auc;
    double lift, profile_lift;
};

static const char *const list_names[BACKTEST_LISTS] = {"best", "poor", "control"};

static int no_memory(const struct cli *cli)
{
    return cli_fail(cli, EX_OSERR, "no memory for the accounts");
}

/* Which accounts meet each condition, and what that makes of the profile. */
static int profile_apply(struct backtest *test)
{
    struct backtest_data *data = &test->data;
    bool *meets = calloc(data->count + 1, sizeof *meets);
    test->condition_count = profile_count(test->profile);
    test->conditions = calloc(test->condition_count + 1, sizeof *test->conditions);
    bool room = meets != NULL && test->conditions != NULL;
    int status = room ? EX_OK : no_memory(test->cli);
    for (size_t i = 0; room && status == EX_OK && i < test->condition_count; i++) {
        struct backtest_condition *condition = &test->conditions[i];
        const char *text = profile_condition(test->profile, i, &condition->points);
        char what[48];
        (void)snprintf(what, sizeof what, "points[%zu] of the profile", i);
        memset(meets, 0, (data->count + 1) * sizeof *meets);
        status = backtest_meets(test->cli, test->client, data, what, text, meets);
        for (size_t a = 0; status == EX_OK && a < data->count; a++) {
            data->accounts[a].points += meets[a] ? condition->points : 0;
        }
        backtest_condition_judge(data->accounts, meets, data->count, condition);
    }
    free(meets);
    return status;
}

static int figures_make(struct backtest *test, size_t k, uint64_t seed, bool divided)
{
    const struct backtest_data *data = &test->data;
    struct backtest_rate all = backtest_rate_of(data->accounts, data->count);
    if (all.outcomes == 0 || all.outcomes == all.accounts) {
        return cli_fail(test->cli, EX_DATAERR,
                        "%zu accounts have an outcome and %zu of them had it: there is nothing to "
                        "compare",
                        all.accounts, all.outcomes);
    }
    bool ok = backtest_lists_make(data->accounts, data->count, k, seed, &test->lists) &&
              backtest_auc(data->accounts, data->count, false, &test->auc, &test->lift);
    ok = ok && (test->profile == NULL || backtest_auc(data->accounts, data->count, true,
                                                      &test->profile_auc, &test->profile_lift));
    ok = ok && (!divided || backtest_parts_make(data->accounts, data->count, &test->parts,
                                                &test->part_count, &test->eta_squared));
    return ok ? EX_OK : no_memory(test->cli);
}

static double percent(const struct backtest_rate *rate)
{
    return rate->accounts > 0 ? 100 * (double)rate->outcomes / (double)rate->accounts : 0;
}

static void rate_cells(struct out_table *table, const struct backtest_rate *rate)
{
    out_cell_number(table, "%zu", rate->accounts);
    out_cell_number(table, "%zu", rate->outcomes);
    out_cell_number(table, "%.1f", percent(rate));
    out_cell_number(table, "%.1f", 100 * rate->low);
    out_cell_number(table, "%.1f", 100 * rate->high);
}

static void head_print(const struct backtest *test)
{
    const struct cli *cli = test->cli;
    struct backtest_rate all = backtest_rate_of(test->data.accounts, test->data.count);
    cli_print(cli,
              "version %llu on %zu accounts with an outcome, of which %zu had it (%.1f %%): AUC "
              "%.3f, 95 %% interval %.3f to %.3f; its top tenth holds %.1f times as many\n",
              (unsigned long long)test->data.icp, all.accounts, all.outcomes, percent(&all),
              test->auc.auc, test->auc.low, test->auc.high, test->lift);
    if (test->profile != NULL) {
        const char *name = json_string_value(json_object_get(test->profile, "name"));
        cli_print(cli,
                  "%s: AUC %.3f, %.3f to %.3f; its top tenth holds %.1f times as many; the version "
                  "finds %.2f times as many there; %.0f %% of its points have evidence\n",
                  name != NULL ? name : "the profile", test->profile_auc.auc, test->profile_auc.low,
                  test->profile_auc.high, test->profile_lift,
                  test->profile_lift > 0 ? test->lift / test->profile_lift : 0,
                  100 * backtest_weight_with_evidence(test->conditions, test->condition_count));
    }
}

static int lists_print(const struct backtest *test)
{
    static const char *const headers[] = {"list",   "accounts", "outcomes",       "%",
                                          "from %", "to %",     "version says %", "times the base"};
    struct out_table table;
    struct backtest_rate all = backtest_rate_of(test->data.accounts, test->data.count);
    out_table_init(&table, headers, sizeof headers / sizeof *headers);
    for (int list = 0; list < BACKTEST_LISTS; list++) {
        const struct backtest_rate *rate = &test->lists.rates[list];
        out_cell_text(&table, "%s", list_names[list]);
        rate_cells(&table, rate);
        out_cell_number(&table, "%.1f", 100 * rate->p);
        out_cell_number(&table, "%.2f", percent(rate) / percent(&all));
    }
    return cli_table(test->cli, &table);
}

static int conditions_print(const struct backtest *test)
{
    static const char *const headers[] = {"points", "condition", "with it", "had it",  "%",
                                          "from %", "to %",      "more by", "evidence"};
    struct out_table table;
    cli_print(test->cli, "\n");
    out_table_init(&table, headers, sizeof headers / sizeof *headers);
    for (size_t i = 0; i < test->condition_count; i++) {
        const struct backtest_condition *condition = &test->conditions[i];
        double points;
        out_cell_number(&table, "%+g", out_signed(condition->points, 17));
        out_cell_text(&table, "%s", profile_condition(test->profile, i, &points));
        rate_cells(&table, &condition->with);
        out_cell_number(&table, "%+.1f", out_signed(100 * condition->effect, 1));
        out_cell_text(&table, "%s", condition->evidence ? "yes" : "no");
    }
    return cli_table(test->cli, &table);
}

static int parts_print(const struct backtest *test, const char *field)
{
    static const char *const headers[] = {"value",  "accounts", "outcomes",       "%",
                                          "from %", "to %",     "version says %", "better than %"};
    struct out_table table;
    cli_print(test->cli, "\nvalues of %s explain %.1f %% of the spread of the scores\n", field,
              100 * test->eta_squared);
    out_table_init(&table, headers, sizeof headers / sizeof *headers);
    for (size_t i = 0; i < test->part_count; i++) {
        const struct backtest_part *part = &test->parts[i];
        out_cell_text(&table, "%s", part->value[0] != '\0' ? part->value : "(missing)");
        rate_cells(&table, &part->rate);
        out_cell_number(&table, "%.1f", 100 * part->rate.p);
        out_cell_number(&table, "%.1f", part->fit);
    }
    return cli_table(test->cli, &table);
}

/* As CSV the accounts of the lists. */
static int accounts_print(const struct backtest *test)
{
    static const char *const headers[] = {"list", "rank", "id", "outcome", "fit", "p", "grade"};
    struct out_table table;
    out_table_init(&table, headers, sizeof headers / sizeof *headers);
    for (int list = 0; list < BACKTEST_LISTS; list++) {
        for (size_t i = 0; i < test->lists.count; i++) {
            const struct backtest_account *account =
                &test->data.accounts[test->lists.places[list][i]];
            out_cell_text(&table, "%s", list_names[list]);
            out_cell_number(&table, "%zu", i + 1);
            out_cell_text(&table, "%s", account->id);
            out_cell_number(&table, "%d", account->outcome);
            out_cell_number(&table, "%.1f", account->fit);
            out_cell_number(&table, "%.4f", account->p);
            out_cell_text(&table, "%c", account->grade);
        }
    }
    return cli_table(test->cli, &table);
}

static int test_print(const struct backtest *test)
{
    int status = EX_OK;
    if (test->cli->style.form == OUT_CSV) {
        return accounts_print(test);
    }
    head_print(test);
    status = lists_print(test);
    if (status == EX_OK && test->profile != NULL) {
        status = conditions_print(test);
    }
    if (status == EX_OK && test->parts != NULL) {
        status = parts_print(test, cli_text(test->cli, CLI_BACKTEST_BY));
    }
    return status;
}

static int test_run(struct backtest *test, size_t k, uint64_t seed)
{
    const struct cli *cli = test->cli;
    int status = backtest_read(cli, test->client, cli_text(cli, CLI_BACKTEST_LABEL),
                               cli_text(cli, CLI_BACKTEST_WHERE), cli_text(cli, CLI_BACKTEST_BY),
                               &test->data);
    if (status == EX_OK && test->profile != NULL) {
        status = profile_apply(test);
    }
    if (status == EX_OK) {
        status = figures_make(test, k, seed, cli_has(cli, CLI_BACKTEST_BY));
    }
    return status == EX_OK ? test_print(test) : status;
}

int cmd_backtest(struct cli *cli)
{
    struct backtest test = {.cli = cli};
    uint64_t k;
    uint64_t seed;
    json_t *profile = NULL;
    int status = EX_OK;
    if (!cli_arguments(cli, 0, 1) || !cli_number(cli, CLI_BACKTEST_K, 1, INT32_MAX, 100, &k) ||
        !cli_number(cli, CLI_BACKTEST_SEED, 0, INT64_MAX, 1, &seed) ||
        (cli->argument_count == 1 &&
         !cli_version_argument(cli, cli->arguments[0], &test.data.icp))) {
        return EX_USAGE;
    }
    if (cli_has(cli, CLI_BACKTEST_PROFILE)) {
        profile = profile_file_read(cli, cli_text(cli, CLI_BACKTEST_PROFILE), &status);
        if (profile == NULL) {
            return status;
        }
    }
    test.profile = profile;
    test.client = cli_connect(cli, &status);
    if (test.client != NULL) {
        status = test_run(&test, (size_t)k, seed);
        icp_close(test.client);
    }
    backtest_free(&test.data);
    backtest_lists_free(&test.lists);
    free(test.conditions);
    free(test.parts);
    json_decref(profile);
    return status;
}
