/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge between two definitions: each by --definition and --against-definition, or the usual
 * rules with those of --rule, and of --against on top. Whatever names no definition, metric or rule
 * ends it before a file is read. */
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/measure/bridge.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_input.h"
#include "tools/cli/measure_run.h"
#include "tools/cli/measure_show.h"
#include "tools/cli/metric_find.h"

int measure_rules_told(const struct cli *cli, struct measure_rules *rules,
                       struct measure_definition *definition)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const char *path = cli_text_named(cli, "definition");
    size_t at = 0;
    *definition = (struct measure_definition){.version = 0};
    measure_rules_default(rules);
    if (path != NULL) {
        int status = metric_find(cli, path, definition);
        if (status != EX_OK) {
            return status;
        }
        *rules = definition->rules;
    }
    for (const char *text; (text = cli_each(cli, cli_option_named(cli, "rule"), &at)) != NULL;) {
        if (!measure_rules_set_text(rules, text, &fault)) {
            return cli_fail(cli, EX_USAGE, "--rule: %s", fault.message);
        }
    }
    return EX_OK;
}

int measure_against_read(const struct cli *cli, const struct measure_rules *first,
                         enum measure_metric metric, struct measure_rules *second)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_definition definition = {.version = 0};
    const char *path = cli_text_named(cli, "against-definition");
    size_t at = 0;
    size_t given = 0;
    *second = *first;
    if (path != NULL) {
        int status = metric_find(cli, path, &definition);
        if (status != EX_OK) {
            return status;
        }
        if (definition.metric != MEASURE_METRICS && definition.metric != metric) {
            return cli_fail(cli, EX_DATAERR, "%s is a definition of %s, not of %s", path,
                            measure_metric_info(definition.metric)->name,
                            measure_metric_info(metric)->name);
        }
        *second = definition.rules;
        given++;
    }
    for (const char *text; (text = cli_each(cli, cli_option_named(cli, "against"), &at)) != NULL;
         given++) {
        if (!measure_rules_set_text(second, text, &fault)) {
            return cli_fail(cli, EX_USAGE, "--against: %s", fault.message);
        }
    }
    return given > 0 ? EX_OK
                     : cli_fail(cli, EX_USAGE,
                                "--against NAME=CHOICE, or --against-definition with FILE.json or "
                                "the name of one that the server keeps, says how the second "
                                "definition differs");
}

/* The rule whose accounts are named; false with a message. */
static bool of_rule_read(const struct measure_call *call, enum measure_rule *rule)
{
    const char *name = measure_text(call, "of-rule");
    for (*rule = 0; *rule < MEASURE_RULES; (*rule)++) {
        if (strcmp(measure_rule_name(*rule), name) == 0) {
            return true;
        }
    }
    return strcmp(name, "all") == 0 ||
           cli_fail(call->cli, EX_USAGE,
                    "--of-rule: there is no rule '%s'; 'icp measure list --rules' has them",
                    name) == EX_OK;
}

int measure_metric_told(const struct cli *cli, enum measure_metric *metric)
{
    static const char *const from[] = {"definition", "against-definition"};
    const char *name = cli_text_named(cli, "metric");
    *metric = measure_metric_find(name != NULL ? name : "mrr");
    for (size_t i = 0; i < 2 && name == NULL; i++) {
        struct measure_definition definition;
        const char *text = cli_text_named(cli, from[i]);
        int status = text != NULL ? metric_find(cli, text, &definition) : EX_OK;
        if (status != EX_OK) {
            return status;
        }
        if (text != NULL && definition.metric != MEASURE_METRICS) {
            *metric = definition.metric;
            return EX_OK;
        }
    }
    return (int)*metric < MEASURE_METRICS_OF_REVENUE
               ? EX_OK
               : cli_fail(cli, EX_USAGE, "--metric: there is no metric '%s'; there are %s", name,
                          measure_parameter_find(MEASURE_ID_BRIDGE, "metric")->help);
}

/* Names of accounts as texts that end in a zero. */
static char **names_make(const struct measure_input *input)
{
    char **names = calloc(input->accounts.count + 1, sizeof *names);
    for (size_t i = 0; i < input->accounts.count && names != NULL; i++) {
        names[i] = feature_text_copy(input->accounts.entries[i].text);
        if (names[i] == NULL) {
            while (i > 0) {
                free(names[--i]);
            }
            free(names);
            return NULL;
        }
    }
    return names;
}

static int bridge_show(const struct measure_call *call, const struct measure_input *input,
                       const struct measure_bridge *bridge, const struct measure_rules *second,
                       const struct measure_bridge_told *told)
{
    struct measure_table table;
    char **names = names_make(input);
    if (names == NULL) {
        return cli_fail(call->cli, EX_OSERR, "no memory for the names of accounts");
    }
    bool good = measure_bridge_table(bridge, &call->rules, second, (const char *const *)names, told,
                                     &table);
    int status = good ? measure_show(call->cli, &table, call->rules.base)
                      : cli_fail(call->cli, EX_OSERR, "no memory for the table");
    measure_table_fini(&table);
    for (size_t i = 0; i < input->accounts.count; i++) {
        free(names[i]);
    }
    free(names);
    return status;
}

static int bridge_run(const struct measure_call *call, struct measure_input *input,
                      enum measure_metric metric, const struct measure_rules *second,
                      const int64_t days[2], const struct measure_bridge_told *told)
{
    struct measure_bridge bridge;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_company company = {
        .subscriptions = input->subscriptions,
        .count = input->count,
        .accounts = (uint32_t)input->accounts.count,
        .flagged = input->flagged,
        .churned = input->churned,
        .churned_ms = input->churned_ms,
        .churned_count = input->churned_count,
        .from_ms = days[0],
        .to_ms = days[1],
    };
    if (!measure_bridge_make(&company, metric, &call->rules, second, &bridge, &fault)) {
        return cli_fault(call->cli, &fault);
    }
    int status = bridge_show(call, input, &bridge, second, told);
    measure_bridge_fini(&bridge);
    return status;
}

int measure_run_bridge(const struct measure_call *call)
{
    struct measure_input input;
    struct measure_rules second;
    int64_t days[2] = {0, 0};
    struct measure_bridge_told told = {.top = 0};
    enum measure_metric metric = MEASURE_METRICS;
    int status = measure_metric_told(call->cli, &metric);
    if (status != EX_OK) {
        return status;
    }
    if (!measure_days(call, &days[0], &days[1]) || !measure_count(call, "top", &told.top) ||
        !measure_count(call, "skip", &told.skip) || !of_rule_read(call, &told.rule)) {
        return EX_USAGE;
    }
    status = measure_against_read(call->cli, &call->rules, metric, &second);
    if (status != EX_OK) {
        return status;
    }
    status = measure_input_read(call->cli, &call->rules, &input);
    if (status == EX_OK) {
        status = bridge_run(call, &input, metric, &second, days, &told);
    }
    measure_input_fini(&input);
    return status;
}
