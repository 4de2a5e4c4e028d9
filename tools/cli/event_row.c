/* SPDX-License-Identifier: Apache-2.0 */
/* A row's events by a map: whose they are, then what they tell, each member from its cell or the
 * value for all rows; then the id. An event that could not be stored is a fault here already, with
 * the cell that is to be mended, so that nothing of the row is sent. */
#include <stdlib.h>

#include "server/event/event_money.h"
#include "server/feature/span_text.h"
#include "tools/cli/event_parts.h"

void event_cell_lend(struct event_telling *telling, size_t cell, struct event_lent *lent)
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

struct proto_span event_cell_text(struct event_telling *telling, size_t cell)
{
    struct event_lent lent;
    event_cell_lend(telling, cell, &lent);
    return lent.cell;
}

bool event_row_refuse(struct event_telling *telling, const char *message)
{
    return proto_fault_set(telling->fault, PROTO_BAD_FIELD, "", "%s", message);
}

bool event_cell_day(struct event_telling *telling, size_t cell, int64_t *ms, bool *told)
{
    struct event_lent lent;
    bool there = false;
    event_cell_lend(telling, cell, &lent);
    if (!measure_cell_day(&lent.pick, &lent.row, ms, &there, telling->fault)) {
        return false;
    }
    if (told != NULL) {
        *told = there;
        return true;
    }
    return there ||
           event_row_refuse(telling, "the cell is empty, and nothing else says when it happened; a "
                                     "date such as 2024-05-01 is right");
}

bool event_row_account(struct event_telling *telling)
{
    struct event_map *map = telling->map;
    struct proto_span cell = event_cell_text(telling, EVENT_CELL_ACCOUNT);
    if (cell.bytes == 0) {
        return event_row_refuse(telling,
                                "the account is missing: whose event it is cannot be known");
    }
    if (map->through_told != NULL && !event_through_find(&map->through, cell, &cell)) {
        char shown[FEATURE_SHOWN_BYTES];
        return proto_fault_set(telling->fault, PROTO_BAD_FIELD, "",
                               "no row of the file of --through has '%s' as its %s",
                               feature_text_show(cell, shown, sizeof shown), map->through.name);
    }
    if (map->key.name_space[0] != '\0') {
        return key_column_make(&map->key, cell, map->account) == KEY_MADE ||
               event_row_refuse(
                   telling, "no key can be made of the cell: whose event it is cannot be known");
    }
    if (cell.bytes > PROTO_ID_BYTES_MAX) {
        return event_row_refuse(telling, "the cell is longer than any id of an account");
    }
    snprintf(map->account, sizeof map->account, "%.*s", (int)cell.bytes, (const char *)cell.data);
    return true;
}

/* Three letters, in capitals as events have them. */
static bool currency_read(struct event_telling *telling, struct event *event)
{
    struct event_map *map = telling->map;
    struct proto_span cell = event_cell_text(telling, EVENT_CELL_MEMBER + EVENT_MEMBER_CURRENCY);
    if (cell.bytes == 0) {
        return event_row_refuse(telling, "the currency of the amount is missing; USD is one");
    }
    for (size_t i = 0; i < 3; i++) {
        uint8_t letter = cell.bytes == 3 ? cell.data[i] & 0xdf : 0;
        if (letter < 'A' || letter > 'Z') {
            return event_row_refuse(telling, "a currency is three letters, as USD");
        }
        map->currency[i] = (char)letter;
    }
    event->currency = (struct proto_span){(const uint8_t *)map->currency, 3};
    event->has |= EVENT_HAS_CURRENCY;
    return true;
}

/* The currency goes first, for it says how many digits an amount has. */
static bool amount_read(struct event_telling *telling, struct event *event)
{
    struct event_lent lent;
    bool told = false;
    event_cell_lend(telling, EVENT_CELL_MEMBER + EVENT_MEMBER_AMOUNT, &lent);
    if (lent.cell.bytes == 0) {
        return (event_type_needs(event->type) & EVENT_HAS_AMOUNT) == 0 ||
               proto_fault_set(telling->fault, PROTO_BAD_FIELD, "amount",
                               "the amount is missing, and an event of type %s needs it",
                               event_type_name(event->type));
    }
    if (!currency_read(telling, event)) {
        return false;
    }
    event_cell_lend(telling, EVENT_CELL_MEMBER + EVENT_MEMBER_AMOUNT, &lent);
    event->has |= EVENT_HAS_AMOUNT;
    return measure_cell_decimal(&lent.pick, &lent.row, event_money_digits(event->currency),
                                EVENT_AMOUNT_MAX, &event->amount, &told, telling->fault);
}

static bool number_read(struct event_telling *telling, struct event *event,
                        enum event_member member)
{
    struct event_lent lent;
    bool told = false;
    uint32_t months = 0;
    bool good = true;
    event_cell_lend(telling, EVENT_CELL_MEMBER + (size_t)member, &lent);
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

bool event_row_members(struct event_telling *telling, struct event *event, uint32_t wanted)
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
            struct proto_span text = event_cell_text(telling, EVENT_CELL_MEMBER + i);
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
static size_t column_of(const struct event_telling *telling, const struct event *event,
                        const char *field)
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

bool event_row_id(struct event_telling *telling, struct event *event, struct proto_span id,
                  const char *behind)
{
    char *out = telling->map->ids[telling->count];
    int bytes = snprintf(out, sizeof telling->map->ids[0], "%.*s%s%s",
                         (int)(id.bytes <= EVENT_ID_BYTES_MAX ? id.bytes : EVENT_ID_BYTES_MAX + 1),
                         (const char *)id.data, behind[0] != '\0' ? ":" : "", behind);
    event->id = (struct proto_span){(const uint8_t *)out, (size_t)bytes};
    return true;
}

bool event_row_digest(struct event_telling *telling, struct event *event)
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
    return event_row_id(telling, event, proto_span_text(digest), repeat);
}

bool event_row_join(struct event_telling *telling, const struct event *event)
{
    if (!event_check(event, telling->now_ms, telling->fault)) {
        telling->column = column_of(telling, event, telling->fault->field);
        return false;
    }
    telling->events[telling->count++] = *event;
    return true;
}
