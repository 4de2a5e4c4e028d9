/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns over a file of steps: stages are what they are made of, a column of strata stands for
 * fit. */
#include "server/measure/measure_mrr.h"
#include "server/measure/pattern.h"
#include "tools/cli/measure_show.h"
#include "tools/cli/measure_steps.h"

/* What a case is read into. */
struct sequencing {
    struct measure_steps steps;
    struct text_count names;
    struct measure_patterns patterns;
};

static bool step_number(void *context, const struct event *step, uint32_t *number,
                        struct proto_fault *fault)
{
    return measure_text_number(context, step->kind, 0, number, fault);
}

static bool journey_add(void *context, const struct measure_journey *journey,
                        struct proto_fault *fault)
{
    struct sequencing *all = context;
    uint32_t stratum = all->steps.here->text[MEASURE_STEP_STRATUM];
    all->patterns.fit = stratum == MEASURE_UNTOLD ? 0 : (int64_t)stratum + 1;
    if (all->patterns.fit >= MEASURE_SEGMENTS_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "--stratum: more than %d strata",
                               MEASURE_SEGMENTS_MAX - 1);
    }
    return measure_patterns_add(&all->patterns, journey, fault);
}

/* One of a few words. */
static bool word(const struct measure_call *call, const char *name, const char *const *words,
                 unsigned *place)
{
    const char *text = measure_text(call, name);
    for (*place = 0; words[*place] != NULL; (*place)++) {
        if (strcmp(words[*place], text) == 0) {
            return true;
        }
    }
    cli_say(call->cli, "--%s is %s%s%s%s%s, not '%s'", name, words[0],
            words[2] != NULL ? ", " : " or ", words[1], words[2] != NULL ? " or " : "",
            words[2] != NULL ? words[2] : "", text);
    return false;
}

static bool options_read(const struct measure_call *call, struct measure_pattern_options *options)
{
    static const char *const forms[] = {"adjacent", "gapped", "both", NULL};
    static const char *const shown[] = {"found", "all", NULL};
    unsigned form = 0;
    unsigned show = 0;
    unsigned window = 0;
    *options = (struct measure_pattern_options){.of = MEASURE_OF_STAGES};
    options->goal = proto_span_text(measure_text(call, "goal"));
    if (proto_span_is(options->goal, "won")) {
        options->goal.bytes = 0;
    }
    if (!word(call, "form", forms, &form) || !word(call, "show", shown, &show) ||
        !measure_count(call, "window", &window) || !measure_count(call, "first", &options->first) ||
        !measure_count(call, "longest", &options->longest) ||
        !measure_count(call, "top", &options->top) ||
        !measure_count(call, "least", &options->least)) {
        return false;
    }
    options->adjacent = form != 1;
    options->gapped = form != 0;
    options->all = show == 1;
    options->window_ms = window * MEASURE_DAY_MS;
    return true;
}

static int table_show(const struct measure_call *call, struct sequencing *all)
{
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    char **names = measure_names_make(&all->names);
    if (names == NULL) {
        return cli_fail(call->cli, EX_OSERR, "no memory for names");
    }
    bool good = measure_patterns_table(&all->patterns, (const char *const *)names, &table, &fault);
    if (good) {
        cli_say(call->cli, "%zu steps of %zu accounts", all->steps.count,
                all->steps.texts[MEASURE_STEP_ACCOUNT].count);
        cli_say(call->cli, "%s", measure_info(call->id)->correction);
    }
    int status = good ? measure_show(call->cli, &table, "") : cli_fault(call->cli, &fault);
    measure_table_fini(&table);
    measure_names_free(names, all->names.count);
    return status;
}

int measure_run_patterns(const struct measure_call *call)
{
    static const char *const served[] = {"unit",     "lookback", "typed-in",
                                         "steps-of", "channel",  "fit"};
    struct sequencing all = {.patterns = {.number = step_number}};
    struct proto_fault fault = {.code = PROTO_OK};
    measure_steps_init(&all.steps);
    text_count_init(&all.names, MEASURE_STEPS_NAMED_MAX);
    all.patterns.context = &all.names;
    int status =
        measure_steps_options(call, served, sizeof served / sizeof *served, &all.steps.options);
    if (status == EX_OK && !options_read(call, &all.patterns.options)) {
        status = EX_USAGE;
    }
    if (status == EX_OK) {
        status = measure_steps_read(call, &all.steps);
    }
    if (status == EX_OK) {
        all.patterns.as_of_ms = all.steps.options.as_of_ms;
        all.patterns.mature_ms = all.steps.options.mature_ms;
        status = measure_steps_each(&all.steps, journey_add, &all, &fault)
                     ? table_show(call, &all)
                     : cli_fault(call->cli, &fault);
    }
    measure_patterns_fini(&all.patterns);
    text_count_fini(&all.names);
    measure_steps_fini(&all.steps);
    return status;
}
