/* SPDX-License-Identifier: Apache-2.0 */
/* The sheet of a match: a CSV file with a line for each candidate of each row, and what a person
 * decided. `icp match` writes it, `icp match review` goes on with it, a spreadsheet may edit it.
 *
 *     line,name,key,match,id,account,score,why,decision
 *     2,Anvil Incorporated,crm:77,maybe,a1,Anvil Inc,0.9312,"…",
 *
 * match is key, same, maybe or none (then id, account, score and why are empty). decision is empty,
 * `yes` (they are one) or `never`. A row, which is all lines of one number, is linked by key, or
 * by the one candidate that has `yes`.
 *
 * Ownership: the sheet owns its texts. Errors: faults with line and column name; a sheet is read
 * whole or not at all, for it is written again. Threads: one. */
#ifndef CLI_MATCH_SHEET_H
#define CLI_MATCH_SHEET_H

#include <stdio.h>

#include "proto/fault.h"

enum sheet_column {
    SHEET_LINE,
    SHEET_NAME,
    SHEET_KEY,
    SHEET_MATCH,
    SHEET_ID,
    SHEET_ACCOUNT,
    SHEET_SCORE,
    SHEET_WHY,
    SHEET_DECISION,
    SHEET_COLUMNS
};

struct sheet {
    char *(*lines)[SHEET_COLUMNS];
    size_t count;
    size_t capacity;
};

/* How the rows of a sheet stand. */
struct sheet_tally {
    size_t rows;
    size_t by_key;
    size_t reviewed; /* linked by a person */
    size_t same;     /* open: the same name */
    size_t maybe;    /* open */
    size_t none;
};

const char *sheet_column_name(enum sheet_column column);
/* Copies the texts; false: no memory. */
bool sheet_add(struct sheet *sheet, const char *const texts[SHEET_COLUMNS]);
bool sheet_read(struct sheet *sheet, const char *path, struct proto_fault *fault);
void sheet_write(const struct sheet *sheet, FILE *out, bool guarded);
/* Sets the decision of a line; false: no memory. */
bool sheet_decide(struct sheet *sheet, size_t line, const char *decision);
bool sheet_is(const struct sheet *sheet, size_t line, enum sheet_column column, const char *text);
/* The line behind the last of the row that begins at `line`. */
size_t sheet_row_end(const struct sheet *sheet, size_t line);
/* The line of the row that links it; SIZE_MAX if none does. */
size_t sheet_row_link(const struct sheet *sheet, size_t line);
struct sheet_tally sheet_count(const struct sheet *sheet);
void sheet_fini(struct sheet *sheet);

#endif
