/* SPDX-License-Identifier: Apache-2.0 */
/* How a CSV file is written, found by looking at it: encoding and separator. Programs that export
 * differ in both, and none of them says so.
 * encoding   UTF-16 by its mark; else UTF-8 if the mark or one well-formed character beyond ASCII
 *            says so; else, with bytes beyond ASCII that are letters in Windows-1252, that (it
 * holds Latin-1). separator  the sign in a first line "sep=;", else the one of , ; tab | that gives
 * most of the first rows as many cells as the header, the earlier of those where two do. Ownership:
 * *converted is the caller's, free. Errors: NO_MEMORY, BAD_PAYLOAD for half a character of UTF-16.
 * Threads: pure. */
#ifndef CSV_CSV_DIALECT_H
#define CSV_CSV_DIALECT_H

#include "proto/fault.h"
#include "proto/span.h"
#include "tools/cli/csv/csv_date.h"

enum csv_encoding { CSV_ENCODING_ANY, CSV_ENCODING_UTF8, CSV_ENCODING_UTF16, CSV_ENCODING_LATIN1 };
enum csv_decimal { CSV_DECIMAL_ANY, CSV_DECIMAL_POINT, CSV_DECIMAL_COMMA };

/* What is told, not found; zeros: nothing. */
struct csv_dialect {
    char separator;
    enum csv_encoding encoding;
    enum csv_decimal decimal;
    enum csv_day_order dates;
};

/* Turns the bytes into UTF-8 if they are not; *converted is NULL where nothing had to be done.
 * *found is the encoding that they were in. */
bool csv_decode(struct proto_span bytes, enum csv_encoding told, const char *name,
                uint8_t **converted, size_t *converted_bytes, enum csv_encoding *found,
                struct proto_fault *fault);
/* Whether the bytes may be a table as text. False with BAD_PAYLOAD, which says what to do, for
 * those that begin as another kind of file does: a workbook, something compressed, JSON, a web
 * page. */
bool csv_kind_check(struct proto_span bytes, const char *name, struct proto_fault *fault);
/* The separator of a text that begins with its header. */
char csv_separator_find(struct proto_span text);
/* Bytes of a first line "sep=;" with its end, and its sign; 0 if there is none. */
size_t csv_sep_line(struct proto_span text, char *separator);

#endif
