/* SPDX-License-Identifier: Apache-2.0 */
/* Which events a row is: one by its columns; of an opportunity its creation and how it ended; of a
 * subscription its beginning and its churn. What a plan needs and the row does not tell is a fault
 * with the cell, and then nothing of the row is told. */
#include "server/feature/date_text.h"
#include "tools/cli/event_parts.h"

static bool meets(const struct event_telling *telling, enum event_condition condition)
{
    const struct event_map *map = telling->map;
    return map->schema != NULL && map->conditions[condition] != NULL &&
           filter_match(map->conditions[condition], map->values.values, map->schema->id_count);
}

static bool one_read(struct event_telling *telling)
{
    struct event event = {.source = proto_span_text(telling->map->source)};
    uint32_t all = EVENT_HAS_ALL;
    if (!event_type_read(event_cell_text(telling, EVENT_CELL_TYPE), "type", &event.type,
                         telling->fault) ||
        !event_cell_day(telling, EVENT_CELL_AT, &event.time_ms, NULL) ||
        !event_row_members(telling, &event, all)) {
        return false;
    }
    if (event_map_makes_ids(telling->map)) {
        return event_row_digest(telling, &event) && event_row_join(telling, &event);
    }
    struct proto_span id = event_cell_text(telling, EVENT_CELL_ID);
    if (id.bytes == 0) {
        return event_row_refuse(telling, "the id is missing, by which the event would be known");
    }
    return event_row_id(telling, &event, id, "") && event_row_join(telling, &event);
}

/* What the events of an opportunity or a subscription have in common: id, subject. */
static bool subject_read(struct event_telling *telling, struct event *event, struct proto_span *id)
{
    *id = event_cell_text(telling, EVENT_CELL_ID);
    if (id->bytes == 0) {
        return event_row_refuse(telling,
                                "the id is missing: which opportunity or subscription it is cannot "
                                "be known");
    }
    if ((event->has & EVENT_HAS_SUBJECT) == 0) {
        event->subject = *id;
        event->has |= EVENT_HAS_SUBJECT;
    }
    return true;
}

/* What is known when an opportunity begins: neither what it will be worth nor how it ends. */
static bool created_read(struct event_telling *telling)
{
    const uint32_t known = EVENT_HAS_LABEL | EVENT_HAS_SUBJECT | EVENT_HAS_MOTION |
                           EVENT_HAS_FUNCTION | EVENT_HAS_CAMPAIGN | EVENT_HAS_PERSON;
    struct event event = {.source = proto_span_text(telling->map->source), .type = EVENT_STAGE};
    struct proto_span id;
    bool told = false;
    if (!event_cell_day(telling, EVENT_CELL_CREATED, &event.time_ms, &told)) {
        return false;
    }
    if (!told) {
        return true;
    }
    if (!event_row_members(telling, &event, known) || !subject_read(telling, &event, &id)) {
        return false;
    }
    event.kind = proto_span_text("created");
    event.has |= EVENT_HAS_KIND;
    return event_row_id(telling, &event, id, "created") && event_row_join(telling, &event);
}

static bool closed_read(struct event_telling *telling, const char *kind)
{
    struct event event = {.source = proto_span_text(telling->map->source), .type = EVENT_OUTCOME};
    struct proto_span id;
    if (!event_cell_day(telling, EVENT_CELL_AT, &event.time_ms, NULL) ||
        !event_row_members(telling, &event,
                           event_type_takes(EVENT_OUTCOME) & ~(uint32_t)EVENT_HAS_KIND) ||
        !subject_read(telling, &event, &id)) {
        return false;
    }
    event.kind = proto_span_text(kind);
    event.has |= EVENT_HAS_KIND;
    return event_row_id(telling, &event, id, kind) && event_row_join(telling, &event);
}

static bool deal_read(struct event_telling *telling)
{
    bool won = meets(telling, EVENT_WON);
    bool lost = meets(telling, EVENT_LOST);
    telling->column = SIZE_MAX;
    if (won && lost) {
        return event_row_refuse(telling, "the row is both won and lost by --won and --lost");
    }
    return created_read(telling) && (won    ? closed_read(telling, "won")
                                     : lost ? closed_read(telling, "lost")
                                            : true);
}

static bool churned_read(struct event_telling *telling)
{
    struct event event = {.source = proto_span_text(telling->map->source), .type = EVENT_OUTCOME};
    struct proto_span id;
    if (!event_cell_day(telling, EVENT_CELL_MEMBER + EVENT_MEMBER_END, &event.time_ms, NULL) ||
        !event_row_members(telling, &event, EVENT_HAS_SUBJECT) ||
        !subject_read(telling, &event, &id)) {
        return false;
    }
    event.kind = proto_span_text("churned");
    event.has |= EVENT_HAS_KIND;
    return event_row_id(telling, &event, id, "churned") && event_row_join(telling, &event);
}

/* A subscription that has ended since is told under another id, its end in it: so the export of
 * today goes beside that of yesterday, and of one moment what became known later holds. */
static bool subscription_read(struct event_telling *telling)
{
    struct event event = {.source = proto_span_text(telling->map->source),
                          .type = EVENT_SUBSCRIPTION};
    struct proto_span id;
    struct event_lent lent;
    bool trial = false;
    char end[FEATURE_DATE_TEXT_BYTES] = "";
    if (!event_cell_day(telling, EVENT_CELL_START, &event.time_ms, NULL) ||
        !event_row_members(telling, &event, event_type_takes(EVENT_SUBSCRIPTION)) ||
        !subject_read(telling, &event, &id)) {
        return false;
    }
    event_cell_lend(telling, EVENT_CELL_TRIAL, &lent);
    if (!measure_cell_flag(&lent.pick, &lent.row, &trial, telling->fault)) {
        return false;
    }
    if (trial) {
        event.kind = proto_span_text("trial");
        event.has |= EVENT_HAS_KIND;
    }
    if ((event.has & EVENT_HAS_MONTHS) == 0) {
        event.months = 1;
        event.has |= EVENT_HAS_MONTHS;
    }
    if ((event.has & EVENT_HAS_END) != 0) {
        (void)feature_date_print(event.end_ms, end);
    }
    return event_row_id(telling, &event, id, end) && event_row_join(telling, &event) &&
           (!meets(telling, EVENT_CHURNED) || churned_read(telling));
}

/* A cell that a condition would have read: the row cannot be judged. */
static void on_bad_cell(void *context, const struct csv_row *row,
                        const struct csv_cell_fault *fault)
{
    struct event_telling *telling = context;
    const struct event_map *map = telling->map;
    uint16_t id = map->values.columns[fault->column].field->id;
    (void)row;
    for (size_t i = 0; i < EVENT_CONDITIONS; i++) {
        size_t count = 0;
        const uint16_t *fields =
            map->conditions[i] != NULL ? filter_fields(map->conditions[i], &count) : NULL;
        for (size_t f = 0; f < count; f++) {
            if (fields[f] == id) {
                telling->column = fault->column;
                *telling->fault = fault->fault;
            }
        }
    }
}

bool event_map_read(struct event_map *map, const struct csv_row *row, int64_t now_ms,
                    struct event events[EVENT_ROW_MAX], size_t *count, size_t *column,
                    struct proto_fault *fault)
{
    struct event_telling telling = {.map = map,
                                    .row = row,
                                    .now_ms = now_ms,
                                    .events = events,
                                    .column = SIZE_MAX,
                                    .fault = fault};
    bool good = true;
    *count = 0;
    if (map->schema != NULL) {
        good = csv_map_read(&map->values, row, on_bad_cell, &telling) ||
               proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for line %zu", row->line);
        good = good && fault->code == PROTO_OK;
    }
    if (good && map->conditions[EVENT_WHERE] != NULL && !meets(&telling, EVENT_WHERE)) {
        return true;
    }
    good = good && event_row_account(&telling);
    if (good) {
        good = map->plan == EVENT_PLAN_DEAL           ? deal_read(&telling)
               : map->plan == EVENT_PLAN_SUBSCRIPTION ? subscription_read(&telling)
                                                      : one_read(&telling);
    }
    *count = good ? telling.count : 0;
    *column = telling.column;
    return good;
}
