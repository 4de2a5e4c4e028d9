/* SPDX-License-Identifier: Apache-2.0 */
/* Small helpers on borrowed text that several files of this folder share: trimming, comparing
 * without regard to ASCII case, cutting for a message, writing a number. Ownership: borrows, never
 * allocates. Errors: none. Threads: pure. Cost: linear in the text. */
#ifndef FEATURE_SPAN_TEXT_H
#define FEATURE_SPAN_TEXT_H

#include "proto/span.h"

/* Without outer white space: ASCII blanks, those that spreadsheets write (U+00A0, U+202F, U+2009,
 * U+3000), and what has no width (U+200B … U+200F, U+2060, U+FEFF). */
struct proto_span feature_text_trim(struct proto_span text);

/* Whether trimming surely leaves the text, which is not empty, as it is. Some
 * letters beyond ASCII begin or end with bytes that blanks do: of those it says no. */
static inline bool feature_text_is_trim(struct proto_span text)
{
    uint8_t first = text.data[0];
    uint8_t last = text.data[text.bytes - 1];
    bool begins = first > ' ' && first != 0xC2 && first != 0xE2 && first != 0xE3 && first != 0xEF;
    return begins && last > ' ' && (last < 0x80 || last > 0x8F) && last != 0xA0 && last != 0xAF &&
           last != 0xBF;
}

/* Bytes of a character without width at the start of the text, which nobody sees or can type; 0:
 * another stands there. */
size_t feature_text_unseen(struct proto_span text);

/* What stands before the sign, or all where it does not stand, trimmed; *text is left behind it. */
struct proto_span feature_text_part(struct proto_span *text, char sign);

static inline uint8_t feature_text_lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

/* Equal but for the case of ASCII letters. */
bool feature_text_same(struct proto_span a, struct proto_span b);

/* Copies at most out_bytes - 1 bytes with a zero end, cut between characters; bytes that are not
 * UTF-8 and control characters become '?', so that the result may stand in a message. A text that
 * was cut ends in "…". Returns out. */
const char *feature_text_show(struct proto_span text, char *out, size_t out_bytes);
/* Enough for a cell in a message. */
#define FEATURE_SHOWN_BYTES 64

/* The shortest decimal text that reads back as the same number, always with a decimal point
 * whatever the locale; at most 31 bytes with the zero end. Returns the bytes written without the
 * zero. */
#define FEATURE_NUMBER_TEXT_BYTES 32
size_t feature_number_print(double number, char out[FEATURE_NUMBER_TEXT_BYTES]);

/* Bytes of a sign at a place that divides thousands and never decimals: an apostrophe straight or
 * round, a blank, one that does not break, a narrow or a thin one; else 0. */
size_t feature_group_sign(struct proto_span text, size_t at);

/* A plain number: optional sign, digits with at most one point, optional exponent. The whole text
 * must be one; hexadecimal, "inf" and "nan" are not numbers and neither is what overflows. Rounds
 * correctly, whatever the locale. */
bool feature_number_read(struct proto_span text, double *number);

/* Copies with a zero end, malloc'd; NULL: no memory. */
char *feature_text_copy(struct proto_span text);

/* Fewest insertions, deletions, replacements and swaps of neighbours that make b of a, without
 * regard to ASCII case; more than `most` is reported as most + 1. Texts longer than 127 bytes are
 * far. */
size_t feature_text_distance(struct proto_span a, struct proto_span b, size_t most);

#endif
