/* SPDX-License-Identifier: Apache-2.0 */
/* icp measure: one measure over CSV files, or, where none is named, over what the server was told,
 * by the rules that are told; and the list of measures, their parameters, columns and rules. An
 * option that the measure does not know is refused, so that none is told in vain. */
#include <stdlib.h>

#include "tools/cli/cmd.h"
#include "tools/cli/measure_remote.h"
#include "tools/cli/measure_run.h"
#include "tools/cli/measure_show.h"

/* Handlers by measure.def of those that can be measured over files. */
static int (*const runs[MEASURE_IDS])(const struct measure_call *call) = {
    [MEASURE_ID_MRR] = measure_run_mrr,
    [MEASURE_ID_RETENTION] = measure_run_retention,
    [MEASURE_ID_SURVIVAL] = measure_run_survival,
    [MEASURE_ID_CLV_SBG] = measure_run_clv_sbg,
    [MEASURE_ID_CLV_PURCHASES] = measure_run_clv_purchases,
    [MEASURE_ID_BRIDGE] = measure_run_bridge,
    [MEASURE_ID_READINESS] = measure_run_readiness,
    [MEASURE_ID_ATTRIBUTION] = measure_run_attribution,
    [MEASURE_ID_HANDOFFS] = measure_run_handoffs,
    [MEASURE_ID_GAP] = measure_run_gap,
    [MEASURE_ID_LIFT] = measure_run_list,
    [MEASURE_ID_RATE] = measure_run_list,
    [MEASURE_ID_FORECAST] = measure_run_list,
    [MEASURE_ID_PROMISE] = measure_run_list,
    [MEASURE_ID_EROSION] = measure_run_erosion,
    [MEASURE_ID_FOCUS] = measure_run_focus,
    [MEASURE_ID_REFERRAL] = measure_run_referral,
    [MEASURE_ID_PATTERNS] = measure_run_patterns,
    [MEASURE_ID_ADHERENCE] = measure_run_keep,
    [MEASURE_ID_DIVERGENCE] = measure_run_keep,
    [MEASURE_ID_RESOURCES] = measure_run_keep,
};

/* A parameter of another measure is a mistake. */
static int parameters_check(const struct cli *cli, enum measure_id id)
{
    for (int other = 0; other < MEASURE_IDS; other++) {
        size_t count = 0;
        const struct measure_parameter *p = measure_parameters((enum measure_id)other, &count);
        for (size_t i = 0; i < count; i++) {
            if (cli_text_named(cli, p[i].name) != NULL &&
                measure_parameter_find(id, p[i].name) == NULL) {
                return cli_fail(cli, EX_USAGE, "%s has no parameter --%s; 'icp measure list %s'",
                                measure_info(id)->name, p[i].name, measure_info(id)->name);
            }
        }
    }
    return EX_OK;
}

static int unknown(const struct cli *cli, const char *name)
{
    return cli_fail(cli, EX_USAGE, "there is no measure '%s'; 'icp measure list' lists them", name);
}

int cmd_measure(struct cli *cli)
{
    if (cli->argument_count == 2) {
        return cli_fail(cli, EX_USAGE,
                        "'%s': a field of accounts is named by --segment FIELD, files by options "
                        "such as --subscriptions FILE.csv; 'icp measure --help' has them",
                        cli->arguments[1]);
    }
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    struct measure_call call = {.cli = cli, .id = measure_find(cli->arguments[0])};
    if (call.id == MEASURE_IDS) {
        return unknown(cli, cli->arguments[0]);
    }
    struct measure_definition definition;
    int status = parameters_check(cli, call.id);
    if (status == EX_OK) {
        status = measure_rules_told(cli, &call.rules, &definition);
    }
    if (status == EX_OK && measure_is_remote(&call)) {
        return measure_remote(&call, &definition);
    }
    if (status == EX_OK) {
        status = measure_local_check(&call);
    }
    return status == EX_OK ? runs[call.id](&call) : status;
}

static int list_all(const struct cli *cli)
{
    static const char *const headers[] = {"measure", "what it says", "input", "n and interval"};
    struct out_table table;
    out_table_init(&table, headers, 4);
    for (int id = 0; id < MEASURE_IDS; id++) {
        const struct measure_info *info = measure_info((enum measure_id)id);
        out_cell_text(&table, "%s", info->name);
        out_cell_text(&table, "%s", info->summary);
        out_cell_text(&table, "%s", info->inputs);
        out_cell_text(&table, "%s", info->interval);
    }
    int status = cli_table(cli, &table);
    out_table_fini(&table);
    return status;
}

static int list_rules(const struct cli *cli)
{
    static const char *const headers[] = {"rule", "choice", "meaning"};
    struct out_table table;
    struct measure_rules usual;
    measure_rules_default(&usual);
    out_table_init(&table, headers, 3);
    for (int c = 0; c < MEASURE_CHOICES; c++) {
        const struct measure_choice_info *info = measure_choice_info((enum measure_choice)c);
        bool first = usual.choice[info->rule] == c;
        out_cell_text(&table, "%s", measure_rule_name(info->rule));
        out_cell_text(&table, "%s%s", info->word, first ? " (default)" : "");
        out_cell_text(&table, "%s%s%s", first ? measure_rule_help(info->rule) : "",
                      first ? ": " : "", info->help);
    }
    int status = cli_table(cli, &table);
    out_table_fini(&table);
    return status;
}

/* A definition of the usual rules, to be kept and changed. */
static int list_definition(const struct cli *cli, const char *name)
{
    struct measure_definition definition = {.version = 1, .name = "usual"};
    definition.metric = measure_metric_find(name);
    if (definition.metric == MEASURE_METRICS) {
        return cli_fail(cli, EX_USAGE,
                        "there is no metric '%s'; 'icp measure list bridge' has them", name);
    }
    measure_rules_default(&definition.rules);
    measure_engagement_default(&definition.engagement);
    char *text = measure_definition_print(&definition);
    if (text == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory for the definition");
    }
    fprintf(cli->style.sink.file, "%s\n", text);
    free(text);
    return EX_OK;
}

/* Nothing where a parameter has no bounds. */
static void bound_add(struct out_table *table, const struct measure_parameter *parameter,
                      double bound)
{
    if (parameter->high > parameter->low) {
        out_cell_text(table, "%g", bound);
    } else {
        out_cell_text(table, "%s", "");
    }
}

static int list_one(const struct cli *cli, enum measure_id id)
{
    static const char *const headers[] = {"of", "name", "kind", "default", "from", "to", "meaning"};
    struct out_table table;
    size_t count = 0;
    out_table_init(&table, headers, 7);
    const struct measure_parameter *p = measure_parameters(id, &count);
    for (size_t i = 0; i < count; i++) {
        out_cell_text(&table, "parameter");
        out_cell_text(&table, "%s", p[i].name);
        out_cell_text(&table, "%s", measure_kind_name(p[i].kind));
        out_cell_text(&table, "%s", p[i].fallback);
        bound_add(&table, &p[i], p[i].low);
        bound_add(&table, &p[i], p[i].high);
        out_cell_text(&table, "%s", p[i].help);
    }
    const struct measure_column *c = measure_columns(id, &count);
    for (size_t i = 0; i < count; i++) {
        out_cell_text(&table, "column");
        out_cell_text(&table, "%s", c[i].name);
        out_cell_text(&table, "%s", measure_kind_name(c[i].kind));
        out_cell_text(&table, "%s", "");
        out_cell_text(&table, "%s", "");
        out_cell_text(&table, "%s", "");
        out_cell_text(&table, "%s", c[i].help);
    }
    int status = cli_table(cli, &table);
    out_table_fini(&table);
    return status;
}

int cmd_measure_list(struct cli *cli)
{
    if (!cli_arguments(cli, 0, 1)) {
        return EX_USAGE;
    }
    if (cli_has(cli, CLI_MEASURE_LIST_RULES)) {
        return list_rules(cli);
    }
    if (cli_has(cli, CLI_MEASURE_LIST_DEFINITION)) {
        return list_definition(cli, cli_text(cli, CLI_MEASURE_LIST_DEFINITION));
    }
    if (cli->argument_count == 0) {
        return list_all(cli);
    }
    enum measure_id id = measure_find(cli->arguments[0]);
    return id == MEASURE_IDS ? unknown(cli, cli->arguments[0]) : list_one(cli, id);
}
