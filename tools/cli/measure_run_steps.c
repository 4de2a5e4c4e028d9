/* SPDX-License-Identifier: Apache-2.0 */
/* Handoffs over a file of steps: one row for each stage that a case enters, by account, time and
 * stage. A stage of the kind that is won or lost ends the case. Rows become events, cases accounts
 * of one journey each, so that a file and a timeline give the same figures. */
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/measure/handoff.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_rows.h"
#include "tools/cli/measure_run.h"
#include "tools/cli/measure_show.h"

#define NAMES_MAX 1000000

enum { ACCOUNT, AT, STAGE, PERSON, REASON, PICKS };

struct step {
    uint32_t account, stage, person, reason; /* numbers; MEASURE_NOBODY: not told */
    uint32_t row;
    int64_t time_ms;
};

struct steps {
    struct measure_pick picks[PICKS];
    struct text_count texts[PICKS]; /* that of AT stays empty */
    struct text_count numbered[3];  /* stages, owners, reasons as handoffs number them */
    struct step *items;
    size_t count, room;
    int64_t newest_ms;
    struct measure_journey_options options;
    struct measure_handoffs handoffs;
};

static bool text_number(struct text_count *texts, struct proto_span text, size_t line,
                        uint32_t *number, struct proto_fault *fault)
{
    const struct text_entry *entry = NULL;
    *number = MEASURE_NOBODY;
    if (text.bytes == 0) {
        return true;
    }
    if (!text_count_add(texts, text, line, &entry)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for names");
    }
    if (entry == NULL) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "more than %zu names", texts->most);
    }
    *number = (uint32_t)(entry - texts->entries);
    return true;
}

static bool name_number(void *context, struct proto_span text, uint32_t *number,
                        struct proto_fault *fault)
{
    return text_number(context, text, 0, number, fault);
}

static bool room_make(struct steps *steps, struct proto_fault *fault)
{
    if (steps->count < steps->room) {
        return true;
    }
    size_t room = steps->room * 2 + 1024;
    struct step *grown = room < UINT32_MAX ? realloc(steps->items, room * sizeof *grown) : NULL;
    if (grown == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu steps", room);
    }
    steps->items = grown;
    steps->room = room;
    return true;
}

static bool on_step(void *context, const struct csv_row *row, size_t *column,
                    struct proto_fault *fault)
{
    struct steps *steps = context;
    struct step step = {.row = (uint32_t)steps->count};
    uint32_t *const numbers[PICKS] = {&step.account, NULL, &step.stage, &step.person, &step.reason};
    bool told = false;
    *column = steps->picks[AT].column;
    if (!measure_cell_day(&steps->picks[AT], row, &step.time_ms, &told, fault)) {
        return false;
    }
    if (!told) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "", "the time is missing");
    }
    for (int pick = 0; pick < PICKS; pick++) {
        struct proto_span text = measure_cell_text(&steps->picks[pick], row);
        if (numbers[pick] == NULL) {
            continue;
        }
        *column = steps->picks[pick].column;
        if (steps->picks[pick].needed && text.bytes == 0) {
            return proto_fault_set(fault, PROTO_MISSING_FIELD, "", "the %s is missing",
                                   steps->picks[pick].option);
        }
        if (!text_number(&steps->texts[pick], text, row->line, numbers[pick], fault)) {
            return false;
        }
    }
    if (!room_make(steps, fault)) {
        return false;
    }
    steps->newest_ms = step.time_ms > steps->newest_ms ? step.time_ms : steps->newest_ms;
    steps->items[steps->count++] = step;
    return true;
}

static int by_account(const void *left, const void *right)
{
    const struct step *a = left;
    const struct step *b = right;
    if (a->account != b->account) {
        return a->account < b->account ? -1 : 1;
    }
    return (a->row > b->row) - (a->row < b->row);
}

static struct proto_span text_of(const struct text_count *texts, uint32_t number)
{
    return number == MEASURE_NOBODY ? (struct proto_span){NULL, 0} : texts->entries[number].text;
}

static struct event event_of(const struct steps *steps, const struct step *step)
{
    struct event event = {.type = EVENT_STAGE,
                          .time_ms = step->time_ms,
                          .seq = step->row, /* rows of one time in their order */
                          .kind = text_of(&steps->texts[STAGE], step->stage),
                          .person = text_of(&steps->texts[PERSON], step->person),
                          .label = text_of(&steps->texts[REASON], step->reason)};
    if (proto_span_equal(event.kind, steps->options.won) ||
        proto_span_equal(event.kind, steps->options.lost)) {
        event.type = EVENT_OUTCOME;
    }
    return event;
}

/* The rows of one case. */
static bool case_read(struct steps *steps, struct measure_journey_reader *reader, size_t first,
                      size_t count, struct proto_fault *fault)
{
    struct event *events = calloc(count, sizeof *events);
    struct measure_event *items = calloc(count, sizeof *items);
    bool good = events != NULL && items != NULL;
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu steps", count);
    }
    for (size_t i = 0; i < count && good; i++) {
        events[i] = event_of(steps, &steps->items[first + i]);
        items[i] = (struct measure_event){steps->items[first].account, &events[i]};
    }
    good = good && measure_journeys_read(reader, items, count, &steps->options,
                                         measure_handoffs_add, &steps->handoffs, fault);
    free(events);
    free(items);
    return good;
}

static bool cases_read(struct steps *steps, struct proto_fault *fault)
{
    struct measure_journey_reader reader = {.room = 0};
    bool good = true;
    if (steps->count > 0) {
        qsort(steps->items, steps->count, sizeof *steps->items, by_account);
    }
    for (size_t i = 0; i < steps->count && good;) {
        size_t first = i;
        while (i < steps->count && steps->items[i].account == steps->items[first].account) {
            i++;
        }
        good = case_read(steps, &reader, first, i - first, fault);
    }
    measure_journey_reader_fini(&reader);
    return good;
}

/* Names as texts that end in a zero; NULL: no memory. */
static char **names_make(const struct text_count *texts)
{
    char **names = calloc(texts->count + 1, sizeof *names);
    for (size_t i = 0; i < texts->count && names != NULL; i++) {
        names[i] = feature_text_copy(texts->entries[i].text);
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

static void names_free(char **names, size_t count)
{
    for (size_t i = 0; names != NULL && i < count; i++) {
        free(names[i]);
    }
    free(names);
}

static int table_show(const struct measure_call *call, struct steps *steps,
                      const struct measure_handoff_options *options)
{
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    char **stages = names_make(&steps->numbered[0]);
    char **owners = names_make(&steps->numbered[1]);
    char **reasons = names_make(&steps->numbered[2]);
    int status = EX_OK;
    if (stages == NULL || owners == NULL || reasons == NULL) {
        status = cli_fail(call->cli, EX_OSERR, "no memory for names");
    } else {
        const struct measure_handoff_names names = {
            (const char *const *)stages,        (const char *const *)owners,
            (const char *const *)reasons,       (uint32_t)steps->numbered[0].count,
            (uint32_t)steps->numbered[1].count, (uint32_t)steps->numbered[2].count};
        bool good = measure_handoffs_table(&steps->handoffs, &names, options, &table, &fault);
        if (good) {
            cli_say(call->cli, "%zu steps of %zu accounts", steps->count,
                    steps->texts[ACCOUNT].count);
        }
        status = good ? measure_show(call->cli, &table, "") : cli_fault(call->cli, &fault);
        measure_table_fini(&table);
    }
    names_free(stages, steps->numbered[0].count);
    names_free(owners, steps->numbered[1].count);
    names_free(reasons, steps->numbered[2].count);
    return status;
}

static int steps_read(const struct measure_call *call, struct steps *steps,
                      const struct measure_handoff_options *options)
{
    int status = EX_OK;
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_input *file = csv_told_open(call->cli, cli_text_named(call->cli, "steps"), &status);
    if (file == NULL) {
        return status;
    }
    status = measure_picks_open(call->cli, file, steps->picks, PICKS);
    if (status == EX_OK) {
        struct measure_walk walk = {.cli = call->cli, .file = file};
        status = measure_rows_walk(&walk, on_step, steps);
    }
    csv_close(file);
    if (status != EX_OK) {
        return status;
    }
    if (cli_text_named(call->cli, "as-of") == NULL) {
        steps->options.as_of_ms = steps->newest_ms;
    }
    steps->handoffs.as_of_ms = steps->options.as_of_ms;
    steps->handoffs.mature_ms = steps->options.mature_ms;
    return cases_read(steps, &fault) ? table_show(call, steps, options)
                                     : cli_fault(call->cli, &fault);
}

static int parameters_read(const struct measure_call *call,
                           struct measure_journey_options *journeys,
                           struct measure_handoff_options *options)
{
    static const char *const served[] = {"unit", "answered-by"};
    unsigned mature = 0;
    for (size_t i = 0; i < sizeof served / sizeof *served; i++) {
        if (cli_text_named(call->cli, served[i]) != NULL) {
            return cli_fail(call->cli, EX_USAGE,
                            "--%s is for what the server measures; a file of steps has no touches, "
                            "and each of its accounts is one journey",
                            served[i]);
        }
    }
    *journeys =
        (struct measure_journey_options){.by_account = true,
                                         .from_ms = INT64_MIN,
                                         .to_ms = INT64_MAX,
                                         .lookback_ms = EVENT_MS_MAX,
                                         .won = proto_span_text(measure_text(call, "won-kind")),
                                         .lost = proto_span_text(measure_text(call, "lost-kind"))};
    if (!measure_option_day(call->cli, "from", false, &journeys->from_ms) ||
        !measure_option_day(call->cli, "to", false, &journeys->to_ms) ||
        !measure_option_day(call->cli, "as-of", false, &journeys->as_of_ms) ||
        !measure_count(call, "mature", &mature) ||
        !measure_number(call, "within", &options->within_days) ||
        !measure_count(call, "owners", &options->owners) ||
        !measure_count(call, "least", &options->least)) {
        return EX_USAGE;
    }
    journeys->mature_ms = mature * MEASURE_DAY_MS;
    return EX_OK;
}

int measure_run_handoffs(const struct measure_call *call)
{
    static const struct measure_pick picks[PICKS] = {
        [ACCOUNT] = {.option = "account", .kind = CELL_TEXT, .needed = true},
        [AT] = {.option = "at", .kind = CELL_DAY, .needed = true},
        [STAGE] = {.option = "stage", .kind = CELL_TEXT, .needed = true},
        [PERSON] = {.option = "person", .kind = CELL_TEXT},
        [REASON] = {.option = "reason", .kind = CELL_TEXT}};
    struct measure_handoff_options options = {.least = 0};
    struct steps steps = {.newest_ms = INT64_MIN};
    int status = parameters_read(call, &steps.options, &options);
    if (status != EX_OK) {
        return status;
    }
    memcpy(steps.picks, picks, sizeof picks);
    options.owners_told = cli_text_named(call->cli, "person") != NULL;
    steps.handoffs.without_leads = true;
    for (int pick = 0; pick < PICKS; pick++) {
        text_count_init(&steps.texts[pick], pick == ACCOUNT ? MEASURE_ACCOUNTS_MAX : NAMES_MAX);
    }
    for (int i = 0; i < 3; i++) {
        text_count_init(&steps.numbered[i], NAMES_MAX);
    }
    steps.handoffs.namer = (struct measure_namer){name_number, &steps.numbered[0],
                                                  &steps.numbered[1], &steps.numbered[2]};
    status = steps_read(call, &steps, &options);
    measure_handoffs_fini(&steps.handoffs);
    for (int pick = 0; pick < PICKS; pick++) {
        text_count_fini(&steps.texts[pick]);
    }
    for (int i = 0; i < 3; i++) {
        text_count_fini(&steps.numbered[i]);
    }
    free(steps.items);
    return status;
}
