/* SPDX-License-Identifier: Apache-2.0 */
/* A row's events by a map: whose they are, then what they tell, each member from its cell or the
 * value for all rows; then the id. An event that could not be stored is a fault here already, with
 * the cell that is to be mended, so that nothing of the row is sent. */
#include <stdlib.h>

#include "server/event/event_money.h"
#include "server/feature/date_text.h"
#include "server/feature/span_text.h"
#include "tools/cli/event_map.h"

/* A row on its way; the cell at fault is the one that was read last. */
struct telling {
    struct event_map *map;
    const struct csv_row *row;
    int64_t now_ms;
    struct event *events;
    size_t count;
    size_t column;
    struct proto_fault *fault;
};

/* One cell, or the value for all rows, as a row of its own for the readers of cells. */
struct lent {
    struct measure_pick pick;
    struct proto_span cell;
    struct csv_row row;
};

static void cell_lend(struct telling *telling, size_t cell, struct lent *lent)
{
    const struct event_map *map = telling->map;
    lent->pick = map->picks[cell];
    telling->column = lent->pick.column;
    lent->cell = (struct proto_span){NULL, 0};
    if (map->fixed[cell] != NULL) {
        lent->cell = proto_span_text(map->fixed[cell]);
        lent->pick.decimal = CSV_DECIMAL_POINT;
        lent->pick.column = 0;
    } else if (lent->pick.column != SIZE_MAX) {
        lent->cell = measure_cell_text(&lent->pick, telling->row);
        lent->pick.column = 0;
    }
    lent->row = (struct csv_row){.line = telling->row->line, .cells = &lent->cell, .cell_count = 1};
}

static struct proto_span text_of(struct telling *telling, size_t cell)
{
    struct lent lent;
    cell_lend(telling, cell, &lent);
    return lent.cell;
}

static bool refuse(struct telling *telling, const char *message)
{
    return proto_fault_set(telling->fault, PROTO_BAD_FIELD, "", "%s", message);
}

/* *told may be NULL: the day is needed. */
static bool day_of(struct telling *telling, size_t cell, int64_t *ms, bool *told)
{
    struct lent lent;
    bool there = false;
    cell_lend(telling, cell, &lent);
    if (!measure_cell_day(&lent.pick, &lent.row, ms, &there, telling->fault)) {
        return false;
    }
    if (told != NULL) {
        *told = there;
        return true;
    }
    return there || refuse(telling, "the cell is empty, and nothing else says when it happened; a "
                                    "date such as 2024-05-01 is right");
}

static bool account_read(struct telling *telling)
{
    struct event_map *map = telling->map;
    struct proto_span cell = text_of(telling, EVENT_CELL_ACCOUNT);
    if (cell.bytes == 0) {
        return refuse(telling, "the account is missing: whose event it is cannot be known");
    }
    if (map->through_told != NULL && !event_through_find(&map->through, cell, &cell)) {
        char shown[FEATURE_SHOWN_BYTES];
        return proto_fault_set(telling->fault, PROTO_BAD_FIELD, "",
                               "no row of the file of --through has '%s' as its %s",
                               feature_text_show(cell, shown, sizeof shown), map->through.name);
    }
    if (map->key.name_space[0] != '\0') {
        return key_column_make(&map->key, cell, map->account) == KEY_MADE ||
               refuse(telling, "no key can be made of the cell: whose event it is cannot be known");
    }
    if (cell.bytes > PROTO_ID_BYTES_MAX) {
        return refuse(telling, "the cell is longer than any id of an account");
    }
    snprintf(map->account, sizeof map->account, "%.*s", (int)cell.bytes, (const char *)cell.data);
    return true;
}

/* Three letters, in capitals as events have them. */
static bool currency_read(struct telling *telling, struct event *event)
{
    struct event_map *map = telling->map;
    struct proto_span cell = text_of(telling, EVENT_CELL_MEMBER + EVENT_MEMBER_CURRENCY);
    if (cell.bytes == 0) {
        return refuse(telling, "the currency of the amount is missing; USD is one");
    }
    for (size_t i = 0; i < 3; i++) {
        uint8_t letter = cell.bytes == 3 ? cell.data[i] & 0xdf : 0;
        if (letter < 'A' || letter > 'Z') {
            return refuse(telling, "a currency is three letters, as USD");
        }
        map->currency[i] = (char)letter;
    }
    event->currency = (struct proto_span){(const uint8_t *)map->currency, 3};
    event->has |= EVENT_HAS_CURRENCY;
    return true;
}

/* The currency goes first, for it says how many digits an amount has. */
static bool amount_read(struct telling *telling, struct event *event)
{
    struct lent lent;
    bool told = false;
    cell_lend(telling, EVENT_CELL_MEMBER + EVENT_MEMBER_AMOUNT, &lent);
    if (lent.cell.bytes == 0) {
        return (event_type_needs(event->type) & EVENT_HAS_AMOUNT) == 0 ||
               proto_fault_set(telling->fault, PROTO_BAD_FIELD, "",
                               "the amount is missing, and an event of type %s needs it",
                               event_type_name(event->type));
    }
    if (!currency_read(telling, event)) {
        return false;
    }
    cell_lend(telling, EVENT_CELL_MEMBER + EVENT_MEMBER_AMOUNT, &lent);
    event->has |= EVENT_HAS_AMOUNT;
    return measure_cell_decimal(&lent.pick, &lent.row, event_money_digits(event->currency),
                                EVENT_AMOUNT_MAX, &event->amount, &told, telling->fault);
}

static bool number_read(struct telling *telling, struct event *event, enum event_member member)
{
    struct lent lent;
    bool told = false;
    uint32_t months = 0;
    bool good = true;
    cell_lend(telling, EVENT_CELL_MEMBER + (size_t)member, &lent);
    if (lent.cell.bytes == 0) {
        return true;
    }
    if (member == EVENT_MEMBER_QUANTITY) {
        good = measure_cell_decimal(&lent.pick, &lent.row, EVENT_QUANTITY_DIGITS, EVENT_AMOUNT_MAX,
                                    &event->quantity, &told, telling->fault);
    } else if (member == EVENT_MEMBER_MONTHS) {
        good = measure_cell_term(&lent.pick, &lent.row, &months, telling->fault);
        event->months = months;
    } else {
        good = measure_cell_day(&lent.pick, &lent.row, &event->end_ms, &told, telling->fault);
    }
    event->has |= UINT32_C(1) << member;
    return good;
}

/* Those members of `wanted` that the row tells. */
static bool members_read(struct telling *telling, struct event *event, uint32_t wanted)
{
    for (unsigned i = 0; i < EVENT_MEMBER_COUNT; i++) {
        enum event_member member = (enum event_member)i;
        bool good = true;
        if ((wanted >> i & 1) == 0 || member == EVENT_MEMBER_CURRENCY) {
            continue;
        }
        if (member == EVENT_MEMBER_AMOUNT) {
            good = amount_read(telling, event);
        } else if (!event_member_is_text(member)) {
            good = number_read(telling, event, member);
        } else {
            struct proto_span text = text_of(telling, EVENT_CELL_MEMBER + i);
            *event_text(event, member) = text;
            event->has |= text.bytes > 0 ? UINT32_C(1) << i : 0;
        }
        if (!good) {
            return false;
        }
    }
    return true;
}

/* Which column holds the member at fault. */
static size_t column_of(const struct telling *telling, const struct event *event, const char *field)
{
    const struct event_map *map = telling->map;
    for (size_t i = 0; i < EVENT_CELLS; i++) {
        if (strcmp(map->picks[i].option, field) == 0) {
            return map->picks[i].column;
        }
    }
    if (strcmp(field, "time") != 0) {
        return SIZE_MAX;
    }
    size_t cell = event->type == EVENT_SUBSCRIPTION ? (size_t)EVENT_CELL_START
                  : map->plan == EVENT_PLAN_DEAL && event->type == EVENT_STAGE
                      ? (size_t)EVENT_CELL_CREATED
                      : (size_t)EVENT_CELL_AT;
    return map->picks[cell].column;
}

/* "006-1:won", of the row's id and what is added to it. */
static bool id_put(struct telling *telling, struct event *event, struct proto_span id,
                   const char *behind)
{
    char *out = telling->map->ids[telling->count];
    int bytes = snprintf(out, sizeof telling->map->ids[0], "%.*s%s%s",
                         (int)(id.bytes <= EVENT_ID_BYTES_MAX ? id.bytes : EVENT_ID_BYTES_MAX + 1),
                         (const char *)id.data, behind[0] != '\0' ? ":" : "", behind);
    event->id = (struct proto_span){(const uint8_t *)out, (size_t)bytes};
    return true;
}

/* A digest of whose it is and what it tells, and which of those that tell the same it is. */
static bool digest_put(struct telling *telling, struct event *event)
{
    struct event_map *map = telling->map;
    uint8_t bytes[EVENT_BYTES_MAX];
    const struct text_entry *entry = NULL;
    char digest[24];
    event->id = proto_span_text("-");
    if (!event_check(event, telling->now_ms, telling->fault)) {
        telling->column = column_of(telling, event, telling->fault->field);
        return false;
    }
    struct proto_span told = {bytes, event_encode(event, bytes)};
    snprintf(digest, sizeof digest, "%016llx",
             (unsigned long long)event_hash(proto_span_text(map->account), told));
    if (!text_count_add(&map->digests, proto_span_text(digest), telling->row->line, &entry)) {
        return proto_fault_set(telling->fault, PROTO_NO_MEMORY, "", "no memory for line %zu",
                               telling->row->line);
    }
    char repeat[24] = "";
    if (entry->count > 1) {
        snprintf(repeat, sizeof repeat, "%zu", entry->count);
    }
    return id_put(telling, event, proto_span_text(digest), repeat);
}

/* The event is whole: it joins those of the row if it may be stored. */
static bool event_join(struct telling *telling, const struct event *event)
{
    if (!event_check(event, telling->now_ms, telling->fault)) {
        telling->column = column_of(telling, event, telling->fault->field);
        return false;
    }
    telling->events[telling->count++] = *event;
    return true;
}

static bool one_read(struct telling *telling)
{
    struct event event = {.source = proto_span_text(telling->map->source)};
    uint32_t all = EVENT_HAS_ALL;
    if (!event_type_read(text_of(telling, EVENT_CELL_TYPE), "type", &event.type, telling->fault) ||
        !day_of(telling, EVENT_CELL_AT, &event.time_ms, NULL) ||
        !members_read(telling, &event, all)) {
        return false;
    }
    if (event_map_makes_ids(telling->map)) {
        return digest_put(telling, &event) && event_join(telling, &event);
    }
    struct proto_span id = text_of(telling, EVENT_CELL_ID);
    if (id.bytes == 0) {
        return refuse(telling, "the id is missing, by which the event would be known");
    }
    return id_put(telling, &event, id, "") && event_join(telling, &event);
}

static bool meets(const struct telling *telling, enum event_condition condition)
{
    const struct event_map *map = telling->map;
    return map->schema != NULL && map->conditions[condition] != NULL &&
           filter_match(map->conditions[condition], map->values.values, map->schema->id_count);
}

/* What the events of an opportunity or a subscription have in common: id, subject. */
static bool subject_read(struct telling *telling, struct event *event, struct proto_span *id)
{
    *id = text_of(telling, EVENT_CELL_ID);
    if (id->bytes == 0) {
        return refuse(telling, "the id is missing: which opportunity or subscription it is cannot "
                               "be known");
    }
    if ((event->has & EVENT_HAS_SUBJECT) == 0) {
        event->subject = *id;
        event->has |= EVENT_HAS_SUBJECT;
    }
    return true;
}

/* What is known when an opportunity begins: neither what it will be worth nor how it ends. */
static bool created_read(struct telling *telling)
{
    const uint32_t known = EVENT_HAS_LABEL | EVENT_HAS_SUBJECT | EVENT_HAS_MOTION |
                           EVENT_HAS_FUNCTION | EVENT_HAS_CAMPAIGN | EVENT_HAS_PERSON;
    struct event event = {.source = proto_span_text(telling->map->source), .type = EVENT_STAGE};
    struct proto_span id;
    bool told = false;
    if (!day_of(telling, EVENT_CELL_CREATED, &event.time_ms, &told)) {
        return false;
    }
    if (!told) {
        return true;
    }
    if (!members_read(telling, &event, known) || !subject_read(telling, &event, &id)) {
        return false;
    }
    event.kind = proto_span_text("created");
    event.has |= EVENT_HAS_KIND;
    return id_put(telling, &event, id, "created") && event_join(telling, &event);
}

static bool closed_read(struct telling *telling, const char *kind)
{
    struct event event = {.source = proto_span_text(telling->map->source), .type = EVENT_OUTCOME};
    struct proto_span id;
    if (!day_of(telling, EVENT_CELL_AT, &event.time_ms, NULL) ||
        !members_read(telling, &event,
                      event_type_takes(EVENT_OUTCOME) & ~(uint32_t)EVENT_HAS_KIND) ||
        !subject_read(telling, &event, &id)) {
        return false;
    }
    event.kind = proto_span_text(kind);
    event.has |= EVENT_HAS_KIND;
    return id_put(telling, &event, id, kind) && event_join(telling, &event);
}

static bool deal_read(struct telling *telling)
{
    bool won = meets(telling, EVENT_WON);
    bool lost = meets(telling, EVENT_LOST);
    telling->column = SIZE_MAX;
    if (won && lost) {
        return refuse(telling, "the row is both won and lost by --won and --lost");
    }
    return created_read(telling) && (won    ? closed_read(telling, "won")
                                     : lost ? closed_read(telling, "lost")
                                            : true);
}

static bool churned_read(struct telling *telling)
{
    struct event event = {.source = proto_span_text(telling->map->source), .type = EVENT_OUTCOME};
    struct proto_span id;
    if (!day_of(telling, EVENT_CELL_MEMBER + EVENT_MEMBER_END, &event.time_ms, NULL) ||
        !members_read(telling, &event, EVENT_HAS_SUBJECT) || !subject_read(telling, &event, &id)) {
        return false;
    }
    event.kind = proto_span_text("churned");
    event.has |= EVENT_HAS_KIND;
    return id_put(telling, &event, id, "churned") && event_join(telling, &event);
}

/* A subscription that has ended since is told under another id, its end in it: so the export of
 * today goes beside that of yesterday, and of one moment what became known later holds. */
static bool subscription_read(struct telling *telling)
{
    struct event event = {.source = proto_span_text(telling->map->source),
                          .type = EVENT_SUBSCRIPTION};
    struct proto_span id;
    struct lent lent;
    bool trial = false;
    char end[FEATURE_DATE_TEXT_BYTES] = "";
    if (!day_of(telling, EVENT_CELL_START, &event.time_ms, NULL) ||
        !members_read(telling, &event, event_type_takes(EVENT_SUBSCRIPTION)) ||
        !subject_read(telling, &event, &id)) {
        return false;
    }
    cell_lend(telling, EVENT_CELL_TRIAL, &lent);
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
    return id_put(telling, &event, id, end) && event_join(telling, &event) &&
           (!meets(telling, EVENT_CHURNED) || churned_read(telling));
}

/* A cell that a condition would have read: the row cannot be judged. */
static void on_bad_cell(void *context, const struct csv_row *row,
                        const struct csv_cell_fault *fault)
{
    struct telling *telling = context;
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
    struct telling telling = {.map = map,
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
    good = good && account_read(&telling);
    if (good) {
        good = map->plan == EVENT_PLAN_DEAL           ? deal_read(&telling)
               : map->plan == EVENT_PLAN_SUBSCRIPTION ? subscription_read(&telling)
                                                      : one_read(&telling);
    }
    *count = good ? telling.count : 0;
    *column = telling.column;
    return good;
}
