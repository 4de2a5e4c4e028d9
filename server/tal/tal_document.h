/* SPDX-License-Identifier: Apache-2.0 */
/* A target account list as a document: immutable JSON text, compact, that says everything about one
 * list: who is on it and why, and how it was made. Members, in this order:
 *
 *   digest      16 hexadecimal digits: XXH3-64 of every byte that follows this member
 *   format      2
 *   name, note, created (RFC 3339, UTC)
 *   icp         { version, digest, name }     the version that built it
 *   reference   eleven raw scores: the deciles of the frozen reference population, to read fit by
 *   seq         log sequence of the data it was built from
 *   filter      the expression in canonical form, "" for every account
 *   k, quota { field, per_value } or null, segments [ { name, filter, quota, count } ],
 *   owners [ { name, filter, capacity, count } ]
 *   population  { accounts, matched, excluded }, count, unassigned
 *   draw        { seed, hold_out (share), below (16 hexadecimal digits), held_out, just_missed,
 *               sample (accounts) }   what was drawn, and how to draw it again (listing_draw.h)
 *   last        { version, digest, name } whose p stands beside, or null
 *   entries     [ { rank, id, fit, p, grade, raw, reasons [ { field, value, contribution } ],
 *                 p_last, segment, owner, unassigned, held_out } ], by rank; the last five where
 *                 they apply
 *   just_missed [ the same, by rank ], sample [ the same without rank, as they were drawn ]
 *   exclude     { ids, keys, domains } as they were given
 *
 * Lists of format 1, made before those members were, have no draw, last, just_missed and sample:
 * they are read as they are, and what rests on those says that they have none.
 *
 * Numbers that are not whole are written with 17 digits. The digest covers the text as it is, so
 * that one flipped bit shows anywhere, and a copy can be checked with a hash program alone
 * (docs/tal.md). Ownership: stated at each call. Errors: PROTO_CORRUPT for a text that is no such
 * document or does not match its digest; PROTO_TOO_LARGE; PROTO_NO_MEMORY. Threads: pure. Cost:
 * some 5 µs an entry to read. */
#ifndef TAL_TAL_DOCUMENT_H
#define TAL_TAL_DOCUMENT_H

#include <jansson.h>

#include "proto/fault.h"
#include "proto/span.h"

#define TAL_FORMAT 2
#define TAL_DIGEST_CHARS 16

/* The text of a document whose members, from format on, are those of `body` in their order.
 * Returned, caller frees; *bytes set. NULL with *fault. */
char *tal_document_print(const json_t *body, size_t *bytes, struct proto_fault *fault);

/* Writes the digest that a document of tal_document_print begins with. */
void tal_document_digest(struct proto_span text, char digest[TAL_DIGEST_CHARS + 1]);

/* Whether the text begins with a digest that matches the rest. */
bool tal_document_sound(struct proto_span text);

/* The whole document, checked against its digest; caller drops the reference. NULL with *fault. */
json_t *tal_document_open(struct proto_span text, struct proto_fault *fault);

/* The members before entries, digest included, without reading the entries and without checking the
 * digest; caller drops the reference. NULL with *fault. */
json_t *tal_document_head(struct proto_span text, struct proto_fault *fault);

/* What two lists have in common and not. Positions are into entries, -1 where an account is not on
 * the list. Pairs come by rank on a, then by rank on b for those only there. */
struct tal_pair {
    int64_t a;
    int64_t b;
};
struct tal_difference {
    struct tal_pair *pairs; /* freed with tal_difference_fini */
    size_t count;
    size_t both, only_a, only_b;
};
bool tal_compare(const json_t *a, const json_t *b, struct tal_difference *difference,
                 struct proto_fault *fault);
void tal_difference_fini(struct tal_difference *difference);

#endif
