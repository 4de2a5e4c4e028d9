/* SPDX-License-Identifier: Apache-2.0 */
/* Handoffs over a file of steps. */
#include "server/measure/handoff.h"
#include "tools/cli/measure_show.h"
#include "tools/cli/measure_steps.h"

enum { STAGES, OWNERS, REASONS, NAMED };

static bool name_number(void *context, struct proto_span text, uint32_t *number,
                        struct proto_fault *fault)
{
    return measure_text_number(context, text, 0, number, fault);
}

static int table_show(const struct measure_call *call, const struct measure_steps *steps,
                      struct measure_handoffs *handoffs, const struct text_count *numbered,
                      const struct measure_handoff_options *options)
{
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    char **names[NAMED];
    int status = EX_OK;
    for (int i = 0; i < NAMED; i++) {
        names[i] = measure_names_make(&numbered[i]);
        status = names[i] == NULL ? EX_OSERR : status;
    }
    if (status != EX_OK) {
        (void)cli_fail(call->cli, status, "no memory for names");
    } else {
        const struct measure_handoff_names told = {
            (const char *const *)names[STAGES],  (const char *const *)names[OWNERS],
            (const char *const *)names[REASONS], (uint32_t)numbered[STAGES].count,
            (uint32_t)numbered[OWNERS].count,    (uint32_t)numbered[REASONS].count};
        bool good = measure_handoffs_table(handoffs, &told, options, &table, &fault);
        if (good) {
            cli_say(call->cli, "%zu steps of %zu accounts", steps->count,
                    steps->texts[MEASURE_STEP_ACCOUNT].count);
        }
        status = good ? measure_show(call->cli, &table, "") : cli_fault(call->cli, &fault);
        measure_table_fini(&table);
    }
    for (int i = 0; i < NAMED; i++) {
        measure_names_free(names[i], numbered[i].count);
    }
    return status;
}

static int steps_show(const struct measure_call *call, struct measure_steps *steps,
                      const struct measure_handoff_options *options)
{
    struct text_count numbered[NAMED]; /* as handoffs number them */
    struct proto_fault fault = {.code = PROTO_OK};
    for (int i = 0; i < NAMED; i++) {
        text_count_init(&numbered[i], MEASURE_NAMES_MAX);
    }
    struct measure_handoffs handoffs = {
        .namer = {name_number, &numbered[STAGES], &numbered[OWNERS], &numbered[REASONS]},
        .as_of_ms = steps->options.as_of_ms,
        .mature_ms = steps->options.mature_ms,
        .without_leads = true};
    int status = measure_steps_each(steps, measure_handoffs_add, &handoffs, &fault)
                     ? table_show(call, steps, &handoffs, numbered, options)
                     : cli_fault(call->cli, &fault);
    measure_handoffs_fini(&handoffs);
    for (int i = 0; i < NAMED; i++) {
        text_count_fini(&numbered[i]);
    }
    return status;
}

int measure_run_handoffs(const struct measure_call *call)
{
    static const char *const served[] = {"unit", "answered-by"};
    struct measure_handoff_options options = {.owners_told =
                                                  cli_text_named(call->cli, "person") != NULL};
    struct measure_steps steps;
    measure_steps_init(&steps);
    int status = measure_steps_options(call, served, 2, &steps.options);
    if (status == EX_OK && (!measure_number(call, "within", &options.within_days) ||
                            !measure_count(call, "owners", &options.owners) ||
                            !measure_count(call, "least", &options.least))) {
        status = EX_USAGE;
    }
    if (status == EX_OK) {
        status = measure_steps_read(call, &steps);
    }
    if (status == EX_OK) {
        status = steps_show(call, &steps, &options);
    }
    measure_steps_fini(&steps);
    return status;
}
