/* SPDX-License-Identifier: Apache-2.0 */
/* Events of one account in the order in which they became known, packed: 12 to 18 bytes an event
 * where they are alike. A text is stored once a block, times as differences in the largest unit
 * that they are whole in, an id as what it does not share with the one before. Written by adding
 * events at the end, read from the beginning.
 *
 *    0 u16 events, n, and bit 15: packed    2 u8 texts    3 u8 shapes    4 u16 bytes of the texts
 *    6 u16 bytes of the rows          8 u16 × n: low half of event_hash, folded (event_block_mark)
 *      then shapes: u8 type, u8 number of the source's text, u16 has
 *      then texts: u8 bytes and text each, the first has number 1
 *      then rows
 *
 *   row: u8 shape; time less that of the row before; known time less that before, signed; sequence
 *        less that before; id (event_block_id.h); then each member of `has`: of a text its number,
 *        0 for that of the event's own id; the end less the time; other numbers rounded
 *   time: 4 · signed difference in units + unit: 0 ms, 1 s, 2 minutes, 3 days
 *   signed: zigzag
 *   rounded: 2 · zigzag, or 8 · zigzag + 2 · unit + 1 of how many units it is: 0 hundreds,
 *            1 thousands, 2 tens of thousands, 3 millions (event_round)
 *   all numbers are varints of 7 bits a byte, least significant first
 *
 * Blocks without bit 15 are of before there were packed ones: they have no ids as numbers or hex
 * digits, and their numbers are signed, not rounded. They are read and gone on with as they are.
 *
 * Ownership: a reader borrows the bytes, and lends texts of them and its own room for the id: valid
 * until the next event is read. Errors: PROTO_CORRUPT for what no writer has written. Threads:
 * pure. Cost: some 60 ns to add and 40 ns to read an event. Source: delta and dictionary coding as
 * in Abadi, Madden, Ferreira (SIGMOD 2006). */
#ifndef EVENT_EVENT_BLOCK_H
#define EVENT_EVENT_BLOCK_H

#include "server/event/event.h"

/* With a header of 16 bytes two blocks fill a page of LMDB. One event of the largest size fits. */
#define EVENT_BLOCK_BYTES_MAX 2000u
#define EVENT_BLOCK_HEAD_BYTES 8u
#define EVENT_BLOCK_TEXTS_MAX 255u
#define EVENT_BLOCK_EVENTS_MAX 256u
#define EVENT_BLOCK_PACKED 0x8000u

/* What rows are told against. */
struct event_block_last {
    int64_t time_ms, known_ms;
    uint64_t seq;
    uint8_t id[EVENT_ID_BYTES_MAX];
    uint8_t id_bytes;
};

struct event_block {
    struct proto_span marks, shapes, texts, rows;
    uint16_t text_at[EVENT_BLOCK_TEXTS_MAX];
    unsigned events, text_count, shape_count;
    unsigned given; /* events that were read */
    bool packed;
    size_t at; /* in rows */
    struct event_block_last last;
};

/* An empty span is an empty block. */
bool event_block_open(struct event_block *block, struct proto_span bytes,
                      struct proto_fault *fault);
/* The next event; false at the end (fault untouched) or with PROTO_CORRUPT. */
bool event_block_next(struct event_block *block, struct event *event, struct proto_fault *fault);

static inline uint16_t event_block_mark(uint64_t hash)
{
    return (uint16_t)(hash ^ (hash >> 16));
}
/* The first event from `from` on that may have the hash; block->events: none has. */
unsigned event_block_find(const struct event_block *block, unsigned from, uint64_t hash);

struct event_block_writer {
    unsigned events, text_count, shape_count;
    bool packed; /* what is new is; a block of before goes on as it began */
    size_t text_bytes, row_bytes;
    struct event_block_last last;
    uint16_t text_at[EVENT_BLOCK_TEXTS_MAX];
    uint16_t marks[EVENT_BLOCK_EVENTS_MAX];
    uint8_t shapes[EVENT_BLOCK_TEXTS_MAX][4];
    uint8_t texts[EVENT_BLOCK_BYTES_MAX];
    uint8_t rows[EVENT_BLOCK_BYTES_MAX];
};

void event_block_begin(struct event_block_writer *writer);
/* Goes on behind the events of a block, which is read whole. */
bool event_block_resume(struct event_block_writer *writer, struct proto_span bytes,
                        struct proto_fault *fault);
/* An event that passed event_check, with known time and sequence, the latter not before that of the
 * event before. False: it does not fit any more, and nothing was changed. */
bool event_block_add(struct event_block_writer *writer, const struct event *event);
size_t event_block_bytes(const struct event_block_writer *writer);
/* Writes event_block_bytes(writer). */
void event_block_write(const struct event_block_writer *writer, uint8_t *out);

#endif
