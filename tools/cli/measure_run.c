/* SPDX-License-Identifier: Apache-2.0 */
/* The measures of recurring revenue: files read, rules applied, one table shown. */
#include "tools/cli/measure_run.h"

#include <assert.h>

#include "server/feature/span_text.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_input.h"
#include "tools/cli/measure_show.h"

const char *measure_text(const struct measure_call *call, const char *name)
{
    const struct measure_parameter *parameter = measure_parameter_find(call->id, name);
    assert(parameter != NULL);
    const char *text = cli_text_named(call->cli, name);
    return text != NULL ? text : parameter->fallback;
}

bool measure_number(const struct measure_call *call, const char *name, double *number)
{
    const struct measure_parameter *parameter = measure_parameter_find(call->id, name);
    const char *text = measure_text(call, name);
    if (feature_number_read(proto_span_text(text), number) && *number >= parameter->low &&
        *number <= parameter->high) {
        return true;
    }
    cli_say(call->cli, "--%s: a number from %g to %g is wanted, not '%s'", name, parameter->low,
            parameter->high, text);
    return false;
}

bool measure_count(const struct measure_call *call, const char *name, unsigned *count)
{
    double number = 0;
    if (!measure_number(call, name, &number)) {
        return false;
    }
    *count = (unsigned)number;
    if (*count == number) {
        return true;
    }
    cli_say(call->cli, "--%s: a whole number is wanted", name);
    return false;
}

bool measure_days(const struct measure_call *call, int64_t *from_ms, int64_t *to_ms)
{
    if (!measure_option_day(call->cli, "from", true, from_ms) ||
        !measure_option_day(call->cli, "to", true, to_ms)) {
        return false;
    }
    if (*to_ms > *from_ms) {
        return true;
    }
    cli_say(call->cli, "--to must be a later day than --from");
    return false;
}

/* Files to spells. */
static int spells_read(const struct measure_call *call, struct measure_input *input,
                       struct measure_spells *spells)
{
    struct proto_fault fault = {.code = PROTO_OK};
    int status = measure_input_read(call->cli, &call->rules, input);
    if (status == EX_OK &&
        !measure_spells_make(input->subscriptions, input->count, (uint32_t)input->accounts.count,
                             &call->rules, spells, &fault)) {
        status = cli_fault(call->cli, &fault);
    }
    return status;
}

void measure_rules_tell(const struct measure_call *call)
{
    struct measure_rules usual;
    measure_rules_default(&usual);
    for (unsigned rule = 0; rule < MEASURE_RULE_RATES; rule++) {
        if (usual.choice[rule] != call->rules.choice[rule]) {
            cli_say(call->cli, "rule %s=%s", measure_rule_name((enum measure_rule)rule),
                    measure_choice_info((enum measure_choice)call->rules.choice[rule])->word);
        }
    }
}

static int table_end(const struct measure_call *call, const struct measure_input *input,
                     struct measure_table *table, bool good, const struct proto_fault *fault)
{
    if (good) {
        cli_say(call->cli, "%zu subscriptions of %zu accounts", input->count,
                input->accounts.count);
        measure_rules_tell(call);
    }
    int status =
        good ? measure_show(call->cli, table, call->rules.base) : cli_fault(call->cli, fault);
    measure_table_fini(table);
    return status;
}

int measure_run_mrr(const struct measure_call *call)
{
    struct measure_input input;
    struct measure_spells spells = {.accounts = 0};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    int months = measure_period_months(measure_text(call, "period"));
    if (!measure_days(call, &from_ms, &to_ms)) {
        return EX_USAGE;
    }
    if (months == 0) {
        return cli_fail(call->cli, EX_USAGE, "--period is month, quarter or year, not '%s'",
                        measure_text(call, "period"));
    }
    int status = spells_read(call, &input, &spells);
    if (status == EX_OK) {
        struct measure_segments segments = measure_input_segments(&input);
        bool good = measure_mrr_table(&spells, &call->rules, &segments, from_ms, to_ms, months,
                                      &table, &fault);
        status = table_end(call, &input, &table, good, &fault);
    }
    measure_spells_fini(&spells);
    measure_input_fini(&input);
    return status;
}

int measure_run_retention(const struct measure_call *call)
{
    struct measure_input input;
    struct measure_spells spells = {.accounts = 0};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    if (!measure_days(call, &from_ms, &to_ms)) {
        return EX_USAGE;
    }
    int status = spells_read(call, &input, &spells);
    if (status == EX_OK) {
        struct measure_segments segments = measure_input_segments(&input);
        bool good = measure_retention_table(&spells, &call->rules, &segments, from_ms, to_ms,
                                            &table, &fault);
        status = table_end(call, &input, &table, good, &fault);
    }
    measure_spells_fini(&spells);
    measure_input_fini(&input);
    return status;
}

static bool survival_options(const struct measure_call *call,
                             struct measure_survival_options *options)
{
    const char *cohort = measure_text(call, "cohort");
    options->cohort_months = measure_period_months(cohort);
    if (options->cohort_months == 0 && strcmp(cohort, "none") != 0) {
        cli_say(call->cli, "--cohort is none, month, quarter or year, not '%s'", cohort);
        return false;
    }
    return measure_option_day(call->cli, "as-of", true, &options->as_of_ms) &&
           measure_count(call, "step", &options->step_months) &&
           measure_count(call, "points", &options->points) &&
           measure_count(call, "grace", &options->grace_days);
}

int measure_run_survival(const struct measure_call *call)
{
    struct measure_input input;
    struct measure_spells spells = {.accounts = 0};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_survival_options options = {.as_of_ms = 0};
    if (!survival_options(call, &options)) {
        return EX_USAGE;
    }
    int status = spells_read(call, &input, &spells);
    if (status == EX_OK) {
        struct measure_segments segments = measure_input_segments(&input);
        bool good = measure_survival_table(&spells, &segments, &options, &table, &fault);
        status = table_end(call, &input, &table, good, &fault);
    }
    measure_spells_fini(&spells);
    measure_input_fini(&input);
    return status;
}
