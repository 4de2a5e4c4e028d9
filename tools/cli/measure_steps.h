/* SPDX-License-Identifier: Apache-2.0 */
/* A file of steps: one row for each stage that a case enters, by account, time and stage. A stage
 * of the kind that is won or lost ends the case. Rows become events, cases accounts of one journey
 * each, so that a file and a timeline give the same figures.
 *
 * Ownership: measure_steps_fini frees. Errors: exit statuses, messages printed. Threads: one.
 * Memory: 40 bytes a row and each text once. */
#ifndef CLI_MEASURE_STEPS_H
#define CLI_MEASURE_STEPS_H

#include "server/measure/journey.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_rows.h"
#include "tools/cli/measure_run.h"

#define MEASURE_NAMES_MAX 1000000
#define MEASURE_UNTOLD UINT32_MAX

enum measure_step_pick {
    MEASURE_STEP_ACCOUNT,
    MEASURE_STEP_AT,
    MEASURE_STEP_STAGE,
    MEASURE_STEP_PERSON,
    MEASURE_STEP_REASON,
    MEASURE_STEP_STRATUM,
    MEASURE_STEP_PICKS
};

struct measure_step {
    uint32_t text[MEASURE_STEP_PICKS]; /* numbers; MEASURE_UNTOLD. That of AT has none */
    uint32_t row;
    int64_t time_ms;
};

struct measure_steps {
    struct measure_pick picks[MEASURE_STEP_PICKS];
    struct text_count texts[MEASURE_STEP_PICKS]; /* that of AT stays empty */
    struct measure_step *items;
    size_t count, room;
    int64_t newest_ms;
    struct measure_journey_options options;
    const struct measure_step *here; /* the first row of the case under way */
};

void measure_steps_init(struct measure_steps *steps);
void measure_steps_fini(struct measure_steps *steps);
/* from, to, as-of, owner, mature, won-kind and lost-kind; the options that a file has no use for
 * are refused. */
int measure_steps_options(const struct measure_call *call, const char *const *served, size_t count,
                          struct measure_journey_options *options);
/* The file of --steps; the moment of looking is its latest if none is told. */
int measure_steps_read(const struct measure_call *call, struct measure_steps *steps);
/* Each case as a journey, in the order in which they first came. */
bool measure_steps_each(struct measure_steps *steps, measure_journey_each each, void *context,
                        struct proto_fault *fault);

/* A text's number among texts, made if it is new; MEASURE_UNTOLD for an empty one. */
bool measure_text_number(struct text_count *texts, struct proto_span text, size_t line,
                         uint32_t *number, struct proto_fault *fault);
/* Texts that end in a zero; NULL: no memory. */
char **measure_names_make(const struct text_count *texts);
void measure_names_free(char **names, size_t count);

#endif
