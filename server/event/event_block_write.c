/* SPDX-License-Identifier: Apache-2.0 */
/* Adding: the row is made aside, texts and shapes that are new are put behind those that there are;
 * then all is measured. What does not fit is taken back by the counts as they were. */
#include "server/event/event_block.h"
#include "server/event/event_block_id.h"
#include "server/event/event_number.h"

enum { ROW_BYTES_MAX = 320 };

void event_block_begin(struct event_block_writer *writer)
{
    writer->events = writer->text_count = writer->shape_count = 0;
    writer->text_bytes = writer->row_bytes = 0;
    writer->packed = true;
    writer->last = (struct event_block_last){.seq = 0};
}

bool event_block_resume(struct event_block_writer *writer, struct proto_span bytes,
                        struct proto_fault *fault)
{
    struct event_block block;
    struct event event;
    struct proto_fault why = {.code = PROTO_OK};
    event_block_begin(writer);
    bool good = event_block_open(&block, bytes, &why);
    while (good && event_block_next(&block, &event, &why)) {
        continue;
    }
    if (why.code != PROTO_OK) {
        *fault = why;
        return false;
    }
    writer->events = block.events;
    writer->text_count = block.text_count;
    writer->shape_count = block.shape_count;
    writer->text_bytes = block.texts.bytes;
    writer->row_bytes = block.rows.bytes;
    writer->last = block.last;
    writer->packed = block.packed || block.events == 0;
    if (block.events > 0) {
        memcpy(writer->text_at, block.text_at, block.text_count * sizeof *writer->text_at);
        memcpy(writer->marks, block.marks.data, block.marks.bytes);
        memcpy(writer->shapes, block.shapes.data, block.shapes.bytes);
        memcpy(writer->texts, block.texts.data, block.texts.bytes);
        memcpy(writer->rows, block.rows.data, block.rows.bytes);
    }
    return true;
}

/* Number of a text, put behind the others if it is new; 0: there is no room. */
static unsigned text_number(struct event_block_writer *writer, struct proto_span text)
{
    for (unsigned i = 0; i < writer->text_count; i++) {
        const uint8_t *at = writer->texts + writer->text_at[i];
        if (at[0] == text.bytes && memcmp(at + 1, text.data, text.bytes) == 0) {
            return i + 1;
        }
    }
    if (writer->text_count == EVENT_BLOCK_TEXTS_MAX ||
        writer->text_bytes + 1 + text.bytes > EVENT_BLOCK_BYTES_MAX) {
        return 0;
    }
    uint8_t *at = writer->texts + writer->text_bytes;
    at[0] = (uint8_t)text.bytes;
    memcpy(at + 1, text.data, text.bytes);
    writer->text_at[writer->text_count++] = (uint16_t)writer->text_bytes;
    writer->text_bytes += 1 + text.bytes;
    return writer->text_count;
}

/* Number of a shape; EVENT_BLOCK_TEXTS_MAX: there is no room. */
static unsigned shape_number(struct event_block_writer *writer, const struct event *event)
{
    unsigned source = text_number(writer, event->source);
    uint16_t has = (uint16_t)event->has;
    uint8_t shape[4] = {(uint8_t)event->type, (uint8_t)source};
    memcpy(shape + 2, &has, sizeof has);
    if (source == 0) {
        return EVENT_BLOCK_TEXTS_MAX;
    }
    unsigned number = 0;
    while (number < writer->shape_count && memcmp(writer->shapes[number], shape, 4) != 0) {
        number++;
    }
    if (number == writer->shape_count && number < EVENT_BLOCK_TEXTS_MAX) {
        memcpy(writer->shapes[writer->shape_count++], shape, 4);
    }
    return number;
}

struct row {
    uint8_t bytes[ROW_BYTES_MAX];
    size_t count;
    bool full; /* of texts */
};

static void number_put(struct row *row, uint64_t number)
{
    row->count += event_number_put(row->bytes + row->count, number);
}

static void text_put(struct row *row, struct event_block_writer *writer, struct proto_span text,
                     struct proto_span id)
{
    unsigned number = proto_span_equal(text, id) ? 0 : text_number(writer, text);
    row->full |= number == 0 && !proto_span_equal(text, id);
    row->bytes[row->count++] = (uint8_t)number;
}

static uint64_t signed_of(const struct event_block_writer *writer, int64_t number)
{
    return writer->packed ? event_round(number) : event_zigzag(number);
}

static void members_put(struct row *row, struct event_block_writer *writer,
                        const struct event *event)
{
#define T(NAME, name, text, most, meaning)                                                         \
    if ((event->has & EVENT_HAS_##NAME) != 0) {                                                    \
        text_put(row, writer, event->name, event->id);                                             \
    }
#define N(NAME, name, text, low, high, meaning)                                                    \
    if ((event->has & EVENT_HAS_##NAME) != 0) {                                                    \
        number_put(row, EVENT_MEMBER_##NAME == EVENT_MEMBER_END                                    \
                            ? event_moment(event->name - event->time_ms)                           \
                            : signed_of(writer, event->name));                                     \
    }
#include "server/event/event_member.def"
#undef T
#undef N
}

static void last_set(struct event_block_last *last, const struct event *event)
{
    last->time_ms = event->time_ms;
    last->known_ms = event->known_ms;
    last->seq = event->seq;
    memcpy(last->id, event->id.data, event->id.bytes);
    last->id_bytes = (uint8_t)event->id.bytes;
}

bool event_block_add(struct event_block_writer *writer, const struct event *event)
{
    struct row row = {.count = 0};
    unsigned text_count = writer->text_count;
    unsigned shape_count = writer->shape_count;
    size_t text_bytes = writer->text_bytes;
    if (writer->events == EVENT_BLOCK_EVENTS_MAX) {
        return false;
    }
    unsigned shape = shape_number(writer, event);
    row.bytes[row.count++] = (uint8_t)shape;
    number_put(&row, event_moment(event->time_ms - writer->last.time_ms));
    number_put(
        &row, event_zigzag((int64_t)((uint64_t)event->known_ms - (uint64_t)writer->last.known_ms)));
    number_put(&row, event->seq - writer->last.seq);
    row.count +=
        event_block_id_put(row.bytes + row.count, writer->packed, &writer->last, event->id);
    members_put(&row, writer, event);
    if (shape == EVENT_BLOCK_TEXTS_MAX || row.full ||
        event_block_bytes(writer) + row.count + 2 > EVENT_BLOCK_BYTES_MAX) {
        writer->text_count = text_count;
        writer->shape_count = shape_count;
        writer->text_bytes = text_bytes;
        return false;
    }
    memcpy(writer->rows + writer->row_bytes, row.bytes, row.count);
    writer->row_bytes += row.count;
    writer->marks[writer->events++] = event_block_mark(event_hash(event->source, event->id));
    last_set(&writer->last, event);
    return true;
}

size_t event_block_bytes(const struct event_block_writer *writer)
{
    return EVENT_BLOCK_HEAD_BYTES + 2 * (size_t)writer->events + 4 * (size_t)writer->shape_count +
           writer->text_bytes + writer->row_bytes;
}

static uint8_t *part_put(uint8_t *out, const void *from, size_t bytes)
{
    memcpy(out, from, bytes);
    return out + bytes;
}

void event_block_write(const struct event_block_writer *writer, uint8_t *out)
{
    uint16_t events = (uint16_t)(writer->events | (writer->packed ? EVENT_BLOCK_PACKED : 0));
    uint16_t sizes[2] = {(uint16_t)writer->text_bytes, (uint16_t)writer->row_bytes};
    out = part_put(out, &events, sizeof events);
    *out++ = (uint8_t)writer->text_count;
    *out++ = (uint8_t)writer->shape_count;
    out = part_put(out, sizes, sizeof sizes);
    out = part_put(out, writer->marks, 2 * (size_t)writer->events);
    out = part_put(out, writer->shapes, 4 * (size_t)writer->shape_count);
    out = part_put(out, writer->texts, writer->text_bytes);
    (void)part_put(out, writer->rows, writer->row_bytes);
}
