/* SPDX-License-Identifier: Apache-2.0 */
/* An event for people is when, what, how much, of what, and in one more column whatever else it
 * has, in words. For programs each member has its column. */
#include "tools/cli/told_event.h"

#include <stdlib.h>

#include "server/event/event_money.h"
#include "server/feature/date_text.h"

/* Longer than all members of an event in words. */
#define MORE_BYTES 1024

/* A member of the table; what this program does not know is passed over, as a newer server may
 * tell more. */
static bool member_take(struct event *event, struct proto_span name, const struct icp_value *value)
{
    enum event_member member;
    if (!event_member_find(name, &member)) {
        return true;
    }
    event->has |= UINT32_C(1) << member;
    if (event_member_is_text(member)) {
        *event_text(event, member) =
            (struct proto_span){(const uint8_t *)value->text.data, value->text.bytes};
        return value->kind == ICP_KIND_TEXT;
    }
    *event_number(event, member) = value->integer;
    return value->kind == ICP_KIND_INT;
}

/* What every event has: one bit each, in the order of `names`. */
enum { HEAD_TYPE, HEAD_TIME, HEAD_KNOWN, HEAD_SEQ, HEAD_SOURCE, HEAD_ID, HEADS };

static bool head_take(struct event *event, int head, const struct icp_value *value)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_span text = {(const uint8_t *)value->text.data, value->text.bytes};
    bool is_text = value->kind == ICP_KIND_TEXT;
    switch (head) {
    case HEAD_TYPE:
        return is_text && event_type_read(text, "type", &event->type, &fault);
    case HEAD_SOURCE:
        event->source = text;
        return is_text;
    case HEAD_ID:
        event->id = text;
        return is_text;
    case HEAD_TIME:
        event->time_ms = value->integer;
        break;
    case HEAD_KNOWN:
        event->known_ms = value->integer;
        break;
    default:
        event->seq = (uint64_t)value->integer;
        break;
    }
    return value->kind == ICP_KIND_INT;
}

bool told_event_read(const struct icp_value *map, struct event *event, bool *retracted)
{
    static const char *const names[HEADS] = {"type", "time", "known", "seq", "source", "id"};
    struct icp_walk walk = icp_walk_over(map);
    struct icp_value value;
    struct icp_text key;
    unsigned heads = 0;
    bool good = true;
    *event = (struct event){.has = 0};
    *retracted = false;
    while (good && icp_next(&walk, &key, &value)) {
        struct proto_span name = {(const uint8_t *)key.data, key.bytes};
        int head = 0;
        while (head < HEADS && !proto_span_is(name, names[head])) {
            head++;
        }
        if (head < HEADS) {
            heads |= 1U << head;
            good = head_take(event, head, &value);
        } else if (proto_span_is(name, "retracted")) {
            *retracted = value.flag;
        } else {
            good = member_take(event, name, &value);
        }
    }
    return good && heads == (1U << HEADS) - 1;
}

const char *const *told_event_story_headers(void)
{
    static const char *const headers[TOLD_STORY_COLUMNS] = {
        "time", "type", "kind", "label", "amount", "subject", "more", "source:id"};
    return headers;
}

const char *const *told_event_cell_headers(void)
{
    static const char *const headers[TOLD_CELL_COLUMNS] = {"time",      "known", "type",
                                                           "source",    "id",
#define T(NAME, name, text, most, meaning) text,
#define N(NAME, name, text, low, high, meaning) text,
#include "server/event/event_member.def"
#undef T
#undef N
                                                           "retracted", "seq"};
    return headers;
}

/* "2024-05-01", or "2024-05-01 12:00:00" where it is no midnight, in UTC. */
static const char *moment_of(int64_t ms, char text[FEATURE_DATE_TEXT_BYTES])
{
    size_t bytes = feature_date_print(ms, text);
    char *time = strchr(text, 'T');
    if (time != NULL) {
        *time = ' ';
        text[bytes - 1] = '\0'; /* the Z */
    }
    return text;
}

static void span_cell(struct out_table *table, struct proto_span text)
{
    out_cell_text_n(table, (struct icp_text){(const char *)text.data, text.bytes});
}

static void amount_cell(struct out_table *table, const struct event *event)
{
    char text[EVENT_DECIMAL_BYTES];
    if ((event->has & EVENT_HAS_AMOUNT) == 0) {
        out_cell_text(table, "%s", "");
        return;
    }
    char *grouped = out_grouped(
        event_decimal_print(event->amount, event_money_digits(event->currency), false, text));
    out_cell_text(table, "%s %.*s", grouped != NULL ? grouped : text, (int)event->currency.bytes,
                  (const char *)event->currency.data);
    free(grouped);
}

struct words {
    char text[MORE_BYTES];
    size_t used;
};

static void words_add(struct words *words, const char *before, struct proto_span text,
                      const char *behind)
{
    int bytes = snprintf(words->text + words->used, sizeof words->text - words->used, "%s%s%.*s%s",
                         words->used > 0 ? ", " : "", before, (int)text.bytes,
                         text.bytes > 0 ? (const char *)text.data : "", behind);
    if (bytes > 0) {
        words->used += (size_t)bytes;
    }
}

static void words_of_numbers(struct words *words, const struct event *event)
{
    char text[FEATURE_DATE_TEXT_BYTES];
    if ((event->has & EVENT_HAS_QUANTITY) != 0) {
        (void)event_decimal_print(event->quantity, EVENT_QUANTITY_DIGITS, true, text);
        words_add(words, "quantity ", proto_span_text(text), "");
    }
    if ((event->has & EVENT_HAS_MONTHS) != 0) {
        snprintf(text, sizeof text, "%lld", (long long)event->months);
        if (event->months == 0) {
            words_add(words, "once for all", proto_span_text(""), "");
        } else {
            words_add(words, "for ", proto_span_text(text),
                      event->months == 1 ? " month" : " months");
        }
    }
    if ((event->has & EVENT_HAS_END) != 0) {
        words_add(words, "until ", proto_span_text(moment_of(event->end_ms, text)), "");
    }
}

static void more_cell(struct out_table *table, const struct event *event, bool retracted)
{
    struct words words = {.used = 0};
    if (retracted) {
        words_add(&words, "taken back", proto_span_text(""), "");
    }
    words_of_numbers(&words, event);
    if ((event->has & EVENT_HAS_RETRACTS) != 0) {
        words_add(&words, "takes back ", event->retracts, "");
    }
    const struct {
        uint32_t has;
        const char *before;
        struct proto_span text;
    } texts[] = {{EVENT_HAS_MOTION, "motion ", event->motion},
                 {EVENT_HAS_FUNCTION, "by ", event->function},
                 {EVENT_HAS_CAMPAIGN, "campaign ", event->campaign},
                 {EVENT_HAS_PERSON, "person ", event->person}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if ((event->has & texts[i].has) != 0) {
            words_add(&words, texts[i].before, texts[i].text, "");
        }
    }
    out_cell_text(table, "%s", words.text);
}

void told_event_story(struct out_table *table, const struct event *event, bool retracted)
{
    char time[FEATURE_DATE_TEXT_BYTES];
    out_cell_text(table, "%s", moment_of(event->time_ms, time));
    out_cell_text(table, "%s", event_type_name(event->type));
    span_cell(table, event->kind);
    span_cell(table, event->label);
    amount_cell(table, event);
    span_cell(table, event->subject);
    more_cell(table, event, retracted);
    out_cell_text(table, "%.*s:%.*s", (int)event->source.bytes, (const char *)event->source.data,
                  (int)event->id.bytes, (const char *)event->id.data);
}

static void member_cell(struct out_table *table, struct event *event, enum event_member member)
{
    char text[FEATURE_DATE_TEXT_BYTES];
    if ((event->has >> member & 1) == 0) {
        out_cell_text(table, "%s", "");
    } else if (event_member_is_text(member)) {
        span_cell(table, *event_text(event, member));
    } else if (member == EVENT_MEMBER_END) {
        (void)feature_date_print(event->end_ms, text);
        out_cell_text(table, "%s", text);
    } else {
        unsigned digits = member == EVENT_MEMBER_AMOUNT     ? event_money_digits(event->currency)
                          : member == EVENT_MEMBER_QUANTITY ? EVENT_QUANTITY_DIGITS
                                                            : 0;
        out_cell_number(table, "%s",
                        event_decimal_print(*event_number(event, member), digits,
                                            member != EVENT_MEMBER_AMOUNT, text));
    }
}

void told_event_cells(struct out_table *table, const struct event *event, bool retracted)
{
    struct event copy = *event;
    char text[FEATURE_DATE_TEXT_BYTES];
    (void)feature_date_print(event->time_ms, text);
    out_cell_text(table, "%s", text);
    (void)feature_date_print(event->known_ms, text);
    out_cell_text(table, "%s", text);
    out_cell_text(table, "%s", event_type_name(event->type));
    span_cell(table, event->source);
    span_cell(table, event->id);
    for (unsigned i = 0; i < EVENT_MEMBER_COUNT; i++) {
        member_cell(table, &copy, (enum event_member)i);
    }
    out_cell_text(table, "%s", retracted ? "true" : "false");
    out_cell_number(table, "%llu", (unsigned long long)event->seq);
}
