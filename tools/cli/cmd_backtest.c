/* SPDX-License-Identifier: Apache-2.0 */
/* icp backtest: a version against what came of accounts, and a profile written by hand beside it.
 * The answer first: how well each orders accounts; then the three lists, the conditions of the
 * profile, the values of the field. */
#include <stdlib.h>

#include "tools/cli/backtest_hand.h"
#include "tools/cli/cmd.h"
#include "tools/cli/out/out_number.h"
#include "tools/cli/profile_file.h"

/* Everything that is asked and found. */
struct backtest {
    const struct cli *cli;
    struct icp_client *client;
    struct backtest_data data;
    struct backtest_hand hand;
    struct backtest_lists lists;
    struct backtest_part *parts;
    size_t part_count;
    double eta_squared;
};

static const char *const list_names[BACKTEST_LISTS] = {"best", "poor", "control"};

static int no_memory(const struct cli *cli)
{
    return cli_fail(cli, EX_OSERR, "no memory for the accounts");
}

static int figures_make(struct backtest *test, size_t k, uint64_t seed, bool divided)
{
    const struct backtest_data *data = &test->data;
    bool ok = backtest_lists_make(data->accounts, data->count, k, seed, &test->lists);
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
    const struct backtest_hand *hand = &test->hand;
    struct backtest_rate all = backtest_rate_of(test->data.accounts, test->data.count);
    cli_print(cli,
              "version %llu on %zu accounts with an outcome, of which %zu had it (%.1f %%): AUC "
              "%.3f, 95 %% interval %.3f to %.3f; its top tenth holds %.1f times as many\n",
              (unsigned long long)test->data.icp, all.accounts, all.outcomes, percent(&all),
              hand->auc.auc, hand->auc.low, hand->auc.high, hand->lift);
    if (hand->profile != NULL) {
        const char *name = json_string_value(json_object_get(hand->profile, "name"));
        cli_print(cli,
                  "%s: AUC %.3f, %.3f to %.3f; its top tenth holds %.1f times as many; the version "
                  "finds %.2f times as many there; %.0f %% of its points have evidence\n",
                  name != NULL ? name : "the profile", hand->profile_auc.auc, hand->profile_auc.low,
                  hand->profile_auc.high, hand->profile_lift, backtest_hand_ratio(hand),
                  100 * backtest_weight_with_evidence(hand->conditions, hand->condition_count));
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
    for (size_t i = 0; i < test->hand.condition_count; i++) {
        const struct backtest_condition *condition = &test->hand.conditions[i];
        double points;
        out_cell_number(&table, "%+g", out_signed(condition->points, 17));
        out_cell_text(&table, "%s", profile_condition(test->hand.profile, i, &points));
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
    if (status == EX_OK && test->hand.profile != NULL) {
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
    if (status == EX_OK) {
        status = backtest_hand_make(cli, test->client, &test->data, &test->hand);
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
    test.hand.profile = profile;
    test.client = cli_connect(cli, &status);
    if (test.client != NULL) {
        status = test_run(&test, (size_t)k, seed);
        icp_close(test.client);
    }
    backtest_free(&test.data);
    backtest_lists_free(&test.lists);
    backtest_hand_free(&test.hand);
    free(test.parts);
    json_decref(profile);
    return status;
}
