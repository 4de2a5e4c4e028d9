/* SPDX-License-Identifier: Apache-2.0 */
/* Text as people paste it from mail, tables and web pages, made plain: what cannot be seen goes
 * (zero-width characters, marks of direction, soft hyphens, byte-order marks), blanks of any kind
 * become one sort, typographic quotes become '"', full-width signs and the dots of other scripts
 * become '@' and '.'. Then what stands around it goes: blanks, quotes, brackets, commas,
 * semicolons. Bytes that are no UTF-8 stay as they are.
 * Ownership: the result lies in the text or in the room given. Errors: none. Threads: pure. Cost:
 * linear; nothing is copied of plain ASCII. */
#ifndef IDENTITY_PASTE_H
#define IDENTITY_PASTE_H

#include "proto/span.h"

/* room holds text.bytes. */
struct proto_span identity_paste_plain(struct proto_span text, uint8_t *room);
/* Without what stands around it, as above. */
struct proto_span identity_paste_trim(struct proto_span text);

#endif
