/* SPDX-License-Identifier: Apache-2.0 */
/* The id of an event within a row of a block (event_block.h), told against that of the row before.
 * Source systems count, or draw lots: a decimal number behind what the two have in common takes as
 * many bytes as the number, sixteen hex digits take eight.
 *
 *   u8 code, then
 *   0 … 239: 16 · bytes shared with the one before + bytes that follow, at most 14 and 15
 *   240 + n, n of 1 … 8: a number of n bytes, whose decimal digits stand behind the id before
 *        without the digits that it ends with (of which 18 are looked at)
 *   249: 16 bytes, a UUID in lower case with its four dashes
 *   250: u8 shared, u8 n, n bytes, each two hex digits in lower case
 *   255: u8 shared, u8 n, then n bytes of text
 *
 * Codes 240 to 254 are of packed blocks alone. Of several ways the writer takes the shortest, and
 * of those the one that is listed first. Ownership: none kept. Errors: 0 bytes where none is an id.
 * Threads: pure. Cost: some 10 ns. */
#ifndef EVENT_EVENT_BLOCK_ID_H
#define EVENT_EVENT_BLOCK_ID_H

#include "server/event/event_block.h"

#define EVENT_BLOCK_ID_BYTES_MAX (3u + EVENT_ID_BYTES_MAX)

/* Returns the bytes written, at most EVENT_BLOCK_ID_BYTES_MAX. */
size_t event_block_id_put(uint8_t *out, bool packed, const struct event_block_last *last,
                          struct proto_span id);
/* Makes last's id the one at `from`; returns the bytes that it took of `left`; 0: it is damaged. */
size_t event_block_id_get(const uint8_t *from, size_t left, bool packed,
                          struct event_block_last *last);

#endif
