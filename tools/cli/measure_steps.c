/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are kept, sorted into cases and read as journeys. A row that cannot be read ends it, unless
 * bad rows may be left out. */
#include "tools/cli/measure_steps.h"

#include <stdlib.h>

#include "server/feature/span_text.h"
#include "tools/cli/csv_told.h"

void measure_steps_init(struct measure_steps *steps)
{
    static const struct measure_pick picks[MEASURE_STEP_PICKS] = {
        [MEASURE_STEP_ACCOUNT] = {.option = "account", .kind = CELL_TEXT, .needed = true},
        [MEASURE_STEP_AT] = {.option = "at", .kind = CELL_DAY, .needed = true},
        [MEASURE_STEP_STAGE] = {.option = "stage", .kind = CELL_TEXT, .needed = true},
        [MEASURE_STEP_PERSON] = {.option = "person", .kind = CELL_TEXT},
        [MEASURE_STEP_REASON] = {.option = "reason", .kind = CELL_TEXT},
        [MEASURE_STEP_STRATUM] = {.option = "stratum", .kind = CELL_TEXT}};
    *steps = (struct measure_steps){.newest_ms = INT64_MIN};
    memcpy(steps->picks, picks, sizeof picks);
    for (int pick = 0; pick < MEASURE_STEP_PICKS; pick++) {
        text_count_init(&steps->texts[pick],
                        pick == MEASURE_STEP_ACCOUNT ? MEASURE_ACCOUNTS_MAX : MEASURE_NAMES_MAX);
    }
}

void measure_steps_fini(struct measure_steps *steps)
{
    for (int pick = 0; pick < MEASURE_STEP_PICKS; pick++) {
        text_count_fini(&steps->texts[pick]);
    }
    free(steps->items);
    steps->items = NULL;
}

bool measure_text_number(struct text_count *texts, struct proto_span text, size_t line,
                         uint32_t *number, struct proto_fault *fault)
{
    const struct text_entry *entry = NULL;
    *number = MEASURE_UNTOLD;
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

static bool room_make(struct measure_steps *steps, struct proto_fault *fault)
{
    if (steps->count < steps->room) {
        return true;
    }
    size_t room = steps->room * 2 + 1024;
    struct measure_step *grown =
        room < UINT32_MAX ? realloc(steps->items, room * sizeof *grown) : NULL;
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
    struct measure_steps *steps = context;
    struct measure_step step = {.row = (uint32_t)steps->count};
    bool told = false;
    *column = steps->picks[MEASURE_STEP_AT].column;
    if (!measure_cell_day(&steps->picks[MEASURE_STEP_AT], row, &step.time_ms, &told, fault)) {
        return false;
    }
    if (!told) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "", "the time is missing");
    }
    for (int pick = 0; pick < MEASURE_STEP_PICKS; pick++) {
        struct proto_span text = measure_cell_text(&steps->picks[pick], row);
        if (pick == MEASURE_STEP_AT) {
            continue;
        }
        *column = steps->picks[pick].column;
        if (steps->picks[pick].needed && text.bytes == 0) {
            return proto_fault_set(fault, PROTO_MISSING_FIELD, "", "the %s is missing",
                                   steps->picks[pick].option);
        }
        if (!measure_text_number(&steps->texts[pick], text, row->line, &step.text[pick], fault)) {
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
    const struct measure_step *a = left;
    const struct measure_step *b = right;
    uint32_t x = a->text[MEASURE_STEP_ACCOUNT];
    uint32_t y = b->text[MEASURE_STEP_ACCOUNT];
    return x != y ? (x > y) - (x < y) : (a->row > b->row) - (a->row < b->row);
}

static struct proto_span text_of(const struct measure_steps *steps, const struct measure_step *step,
                                 enum measure_step_pick pick)
{
    uint32_t number = step->text[pick];
    return number == MEASURE_UNTOLD ? (struct proto_span){NULL, 0}
                                    : steps->texts[pick].entries[number].text;
}

static struct event event_of(const struct measure_steps *steps, const struct measure_step *step)
{
    struct event event = {.type = EVENT_STAGE,
                          .time_ms = step->time_ms,
                          .seq = step->row, /* rows of one time in their order */
                          .kind = text_of(steps, step, MEASURE_STEP_STAGE),
                          .person = text_of(steps, step, MEASURE_STEP_PERSON),
                          .label = text_of(steps, step, MEASURE_STEP_REASON)};
    if (proto_span_equal(event.kind, steps->options.won) ||
        proto_span_equal(event.kind, steps->options.lost)) {
        event.type = EVENT_OUTCOME;
    }
    return event;
}

/* A journey and who looks at it. */
struct reading {
    struct measure_journey_reader reader;
    measure_journey_each each;
    void *context;
};

/* The rows of one case. */
static bool case_read(struct measure_steps *steps, struct reading *reading, size_t first,
                      size_t count, struct proto_fault *fault)
{
    struct event *events = calloc(count, sizeof *events);
    struct measure_event *items = calloc(count, sizeof *items);
    bool good = events != NULL && items != NULL;
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu steps", count);
    }
    steps->here = &steps->items[first];
    for (size_t i = 0; i < count && good; i++) {
        events[i] = event_of(steps, &steps->items[first + i]);
        items[i] = (struct measure_event){steps->here->text[MEASURE_STEP_ACCOUNT], &events[i]};
    }
    good = good && measure_journeys_read(&reading->reader, items, count, &steps->options,
                                         reading->each, reading->context, fault);
    free(events);
    free(items);
    return good;
}

bool measure_steps_each(struct measure_steps *steps, measure_journey_each each, void *context,
                        struct proto_fault *fault)
{
    struct reading reading = {.each = each, .context = context};
    bool good = true;
    if (steps->count > 0) {
        qsort(steps->items, steps->count, sizeof *steps->items, by_account);
    }
    for (size_t i = 0; i < steps->count && good;) {
        size_t first = i;
        uint32_t account = steps->items[first].text[MEASURE_STEP_ACCOUNT];
        while (i < steps->count && steps->items[i].text[MEASURE_STEP_ACCOUNT] == account) {
            i++;
        }
        good = case_read(steps, &reading, first, i - first, fault);
    }
    measure_journey_reader_fini(&reading.reader);
    return good;
}

char **measure_names_make(const struct text_count *texts)
{
    char **names = calloc(texts->count + 1, sizeof *names);
    for (size_t i = 0; i < texts->count && names != NULL; i++) {
        names[i] = feature_text_copy(texts->entries[i].text);
        if (names[i] == NULL) {
            measure_names_free(names, i);
            return NULL;
        }
    }
    return names;
}

void measure_names_free(char **names, size_t count)
{
    for (size_t i = 0; names != NULL && i < count; i++) {
        free(names[i]);
    }
    free(names);
}

int measure_steps_read(const struct measure_call *call, struct measure_steps *steps)
{
    int status = EX_OK;
    struct csv_input *file = csv_told_open(call->cli, cli_text_named(call->cli, "steps"), &status);
    if (file == NULL) {
        return status;
    }
    status = measure_picks_open(call->cli, file, steps->picks, MEASURE_STEP_PICKS);
    if (status == EX_OK) {
        struct measure_walk walk = {.cli = call->cli, .file = file};
        status = measure_rows_walk(&walk, on_step, steps);
    }
    csv_close(file);
    if (cli_text_named(call->cli, "as-of") == NULL) {
        steps->options.as_of_ms = steps->newest_ms;
    }
    return status;
}

int measure_steps_options(const struct measure_call *call, const char *const *served, size_t count,
                          struct measure_journey_options *options)
{
    unsigned mature = 0;
    for (size_t i = 0; i < count; i++) {
        if (cli_text_named(call->cli, served[i]) != NULL) {
            return cli_fail(call->cli, EX_USAGE,
                            "--%s is for what the server measures; a file of steps has no touches, "
                            "and each of its accounts is one journey",
                            served[i]);
        }
    }
    *options =
        (struct measure_journey_options){.by_account = true,
                                         .from_ms = INT64_MIN,
                                         .to_ms = INT64_MAX,
                                         .lookback_ms = EVENT_MS_MAX,
                                         .won = proto_span_text(measure_text(call, "won-kind")),
                                         .lost = proto_span_text(measure_text(call, "lost-kind")),
                                         .owner = proto_span_text(measure_text(call, "owner"))};
    if (proto_span_is(options->owner, "any")) {
        options->owner.bytes = 0;
    }
    if (!measure_option_day(call->cli, "from", false, &options->from_ms) ||
        !measure_option_day(call->cli, "to", false, &options->to_ms) ||
        !measure_option_day(call->cli, "as-of", false, &options->as_of_ms) ||
        !measure_count(call, "mature", &mature)) {
        return EX_USAGE;
    }
    options->mature_ms = mature * MEASURE_DAY_MS;
    return EX_OK;
}
