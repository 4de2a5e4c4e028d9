/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: the sections are measured against the bytes once, then every row is walked with its
 * bounds checked; the first thing that no writer writes ends the walk, and what was read until then
 * was right by itself. */
#include "server/event/event_block.h"

#include "server/event/event_block_id.h"
#include "server/event/event_number.h"

static bool bad(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_CORRUPT, "event", "a block of events is damaged");
}

static unsigned u16_at(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

bool event_block_open(struct event_block *block, struct proto_span bytes, struct proto_fault *fault)
{
    *block = (struct event_block){.events = 0};
    if (bytes.bytes == 0) {
        return true;
    }
    if (bytes.bytes < EVENT_BLOCK_HEAD_BYTES || bytes.bytes > EVENT_BLOCK_BYTES_MAX) {
        return bad(fault);
    }
    size_t text_bytes = u16_at(bytes.data + 4);
    size_t row_bytes = u16_at(bytes.data + 6);
    block->events = u16_at(bytes.data) & ~EVENT_BLOCK_PACKED;
    block->packed = (u16_at(bytes.data) & EVENT_BLOCK_PACKED) != 0;
    block->text_count = bytes.data[2];
    block->shape_count = bytes.data[3];
    const uint8_t *at = bytes.data + EVENT_BLOCK_HEAD_BYTES;
    /* One without events has nothing else: rows that nobody reads would be gone on with. */
    if (block->events > EVENT_BLOCK_EVENTS_MAX ||
        (block->events == 0 && bytes.bytes != EVENT_BLOCK_HEAD_BYTES) ||
        bytes.bytes != EVENT_BLOCK_HEAD_BYTES + 2 * (size_t)block->events +
                           4 * (size_t)block->shape_count + text_bytes + row_bytes) {
        block->events = 0;
        return bad(fault);
    }
    block->marks = (struct proto_span){at, 2 * (size_t)block->events};
    block->shapes = (struct proto_span){at + block->marks.bytes, 4 * (size_t)block->shape_count};
    block->texts = (struct proto_span){block->shapes.data + block->shapes.bytes, text_bytes};
    block->rows = (struct proto_span){block->texts.data + text_bytes, row_bytes};
    size_t text_at = 0;
    for (unsigned i = 0; i < block->text_count; i++) {
        if (text_at >= text_bytes || block->texts.data[text_at] == 0) {
            return bad(fault);
        }
        block->text_at[i] = (uint16_t)text_at;
        text_at += 1 + (size_t)block->texts.data[text_at];
    }
    return text_at == text_bytes || bad(fault);
}

unsigned event_block_find(const struct event_block *block, unsigned from, uint64_t hash)
{
    uint16_t mark = event_block_mark(hash);
    while (from < block->events && u16_at(block->marks.data + 2 * (size_t)from) != mark) {
        from++;
    }
    return from;
}

/* A walk of one row; once it failed it stays so. */
struct row {
    struct event_block *block;
    bool bad;
};

static unsigned byte_get(struct row *row)
{
    struct event_block *block = row->block;
    if (block->at >= block->rows.bytes) {
        row->bad = true;
        return 0;
    }
    return block->rows.data[block->at++];
}

static uint64_t number_get(struct row *row)
{
    uint64_t number = 0;
    struct event_block *block = row->block;
    size_t bytes =
        event_number_get(block->rows.data + block->at, block->rows.bytes - block->at, &number);
    block->at += bytes;
    row->bad |= bytes == 0;
    return number;
}

static int64_t moment_get(struct row *row)
{
    int64_t difference = 0;
    row->bad |= !event_moment_open(number_get(row), &difference);
    return difference;
}

static struct proto_span text_of(struct row *row, unsigned number)
{
    const struct event_block *block = row->block;
    if (number == 0 || number > block->text_count) {
        row->bad = true;
        return (struct proto_span){NULL, 0};
    }
    const uint8_t *at = block->texts.data + block->text_at[number - 1];
    return (struct proto_span){at + 1, at[0]};
}

static struct proto_span id_get(struct row *row)
{
    struct event_block *block = row->block;
    struct event_block_last *last = &block->last;
    size_t bytes = event_block_id_get(block->rows.data + block->at, block->rows.bytes - block->at,
                                      block->packed, last);
    block->at += bytes;
    row->bad |= bytes == 0;
    return (struct proto_span){last->id, last->id_bytes};
}

static struct proto_span text_get(struct row *row, struct proto_span id, size_t most)
{
    unsigned number = byte_get(row);
    struct proto_span text = number == 0 ? id : text_of(row, number);
    row->bad |= text.bytes > most;
    return text;
}

static int64_t signed_get(struct row *row, int64_t low, int64_t high)
{
    uint64_t code = number_get(row);
    int64_t number = event_unzigzag(code);
    row->bad |= row->block->packed && !event_round_open(code, &number);
    row->bad |= number < low || number > high;
    return number;
}

/* Differences of damaged rows may leave the range: they wrap, and are then out of bounds. */
static int64_t wrap_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void members_get(struct row *row, struct event *event)
{
#define T(NAME, name, text, most, meaning)                                                         \
    if ((event->has & EVENT_HAS_##NAME) != 0) {                                                    \
        event->name = text_get(row, event->id, most);                                              \
    }
#define N(NAME, name, text, low, high, meaning)                                                    \
    if ((event->has & EVENT_HAS_##NAME) != 0) {                                                    \
        event->name = EVENT_MEMBER_##NAME == EVENT_MEMBER_END                                      \
                          ? wrap_add(event->time_ms, moment_get(row))                              \
                          : signed_get(row, low, high);                                            \
    }
#include "server/event/event_member.def"
#undef T
#undef N
}

static bool shape_get(struct row *row, struct event *event)
{
    const struct event_block *block = row->block;
    unsigned number = byte_get(row);
    if (row->bad || number >= block->shape_count) {
        return false;
    }
    const uint8_t *shape = block->shapes.data + 4 * (size_t)number;
    unsigned has = u16_at(shape + 2);
    if (shape[0] >= EVENT_TYPE_COUNT) {
        return false;
    }
    *event = (struct event){.type = (enum event_type)shape[0], .has = has};
    event->source = text_of(row, shape[1]);
    return !row->bad && event->source.bytes <= EVENT_SOURCE_BYTES_MAX &&
           (has & ~event_type_takes(event->type)) == 0 &&
           (event_type_needs(event->type) & ~has) == 0;
}

bool event_block_next(struct event_block *block, struct event *event, struct proto_fault *fault)
{
    struct row row = {.block = block};
    struct event_block_last *last = &block->last;
    if (block->given == block->events) {
        return false;
    }
    if (!shape_get(&row, event)) {
        return bad(fault);
    }
    event->time_ms = wrap_add(last->time_ms, moment_get(&row));
    event->known_ms = wrap_add(last->known_ms, event_unzigzag(number_get(&row)));
    event->seq = last->seq + number_get(&row);
    event->id = id_get(&row);
    members_get(&row, event);
    last->time_ms = event->time_ms;
    last->known_ms = event->known_ms;
    last->seq = event->seq;
    block->given++;
    if (row.bad || event->time_ms < EVENT_MS_MIN || event->time_ms > EVENT_MS_MAX ||
        ((event->has & EVENT_HAS_END) != 0 &&
         (event->end_ms < EVENT_MS_MIN || event->end_ms > EVENT_MS_MAX)) ||
        (block->given == block->events && block->at != block->rows.bytes)) {
        return bad(fault);
    }
    return true;
}
