/* SPDX-License-Identifier: Apache-2.0 */
/* A sheet in memory is lines of texts. Read from a file its columns are found by name, in any
 * order; more columns than these would be lost when it is written again, and are refused. */
#include "tools/cli/match_sheet.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/csv/csv_input.h"
#include "tools/cli/out/out_table.h"

const char *sheet_column_name(enum sheet_column column)
{
    static const char *const names[] = {"line",    "name",  "key", "match",   "id",
                                        "account", "score", "why", "decision"};
    return names[column];
}

bool sheet_add(struct sheet *sheet, const char *const texts[SHEET_COLUMNS])
{
    if (sheet->count == sheet->capacity) {
        size_t capacity = sheet->capacity * 2 + 256;
        char *(*lines)[SHEET_COLUMNS] = realloc(sheet->lines, capacity * sizeof *lines);
        if (lines == NULL) {
            return false;
        }
        sheet->lines = lines;
        sheet->capacity = capacity;
    }
    bool good = true;
    for (size_t i = 0; i < SHEET_COLUMNS; i++) {
        sheet->lines[sheet->count][i] = strdup(texts[i]);
        good &= sheet->lines[sheet->count][i] != NULL;
    }
    sheet->count++;
    return good;
}

static bool line_check(const struct sheet *sheet, size_t at, const struct csv_row *row,
                       const char *path, struct proto_fault *fault)
{
    static const char *const matches[] = {"key", "same", "maybe", "none"};
    bool known = false;
    for (size_t i = 0; i < 4; i++) {
        known |= sheet_is(sheet, at, SHEET_MATCH, matches[i]);
    }
    if (!known) {
        return proto_fault_set(fault, PROTO_BAD_PAYLOAD, "match",
                               "%s, line %zu: key, same, maybe or none is wanted, not '%.60s'",
                               path, row->line, sheet->lines[at][SHEET_MATCH]);
    }
    bool decided =
        sheet_is(sheet, at, SHEET_DECISION, "yes") || sheet_is(sheet, at, SHEET_DECISION, "never");
    if (!decided && !sheet_is(sheet, at, SHEET_DECISION, "")) {
        return proto_fault_set(fault, PROTO_BAD_PAYLOAD, "decision",
                               "%s, line %zu: yes, never or nothing is wanted, not '%.60s'", path,
                               row->line, sheet->lines[at][SHEET_DECISION]);
    }
    return !(sheet_is(sheet, at, SHEET_ID, "") && !sheet_is(sheet, at, SHEET_MATCH, "none")) ||
           proto_fault_set(fault, PROTO_BAD_PAYLOAD, "id",
                           "%s, line %zu: a candidate has the id of an account", path, row->line);
}

static bool row_read(struct sheet *sheet, const struct csv_row *row, const size_t *columns,
                     const char *path, struct proto_fault *fault)
{
    const char *texts[SHEET_COLUMNS];
    char *copies[SHEET_COLUMNS] = {NULL};
    bool good = true;
    for (size_t i = 0; i < SHEET_COLUMNS; i++) {
        struct proto_span cell = row->cells[columns[i]];
        copies[i] = strndup(cell.bytes > 0 ? (const char *)cell.data : "", cell.bytes);
        good &= copies[i] != NULL;
        texts[i] = copies[i];
    }
    good = good && sheet_add(sheet, texts);
    for (size_t i = 0; i < SHEET_COLUMNS; i++) {
        free(copies[i]);
    }
    if (!good) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %s", path);
    }
    return line_check(sheet, sheet->count - 1, row, path, fault);
}

static bool columns_find(const struct csv_input *input, size_t columns[SHEET_COLUMNS],
                         struct proto_fault *fault)
{
    for (size_t i = 0; i < SHEET_COLUMNS; i++) {
        const char *name = sheet_column_name((enum sheet_column)i);
        columns[i] = csv_column_find(input, name);
        if (columns[i] == SIZE_MAX) {
            return proto_fault_set(fault, PROTO_BAD_PAYLOAD, name,
                                   "%s has no column '%s': it is not what icp match writes",
                                   csv_name(input), name);
        }
    }
    return csv_column_count(input) == SHEET_COLUMNS ||
           proto_fault_set(fault, PROTO_BAD_PAYLOAD, "",
                           "%s has columns beside those of icp match, which would be lost",
                           csv_name(input));
}

bool sheet_read(struct sheet *sheet, const char *path, struct proto_fault *fault)
{
    size_t columns[SHEET_COLUMNS] = {0};
    struct csv_row row;
    char place[CSV_PLACE_BYTES];
    *sheet = (struct sheet){0};
    fault->code = PROTO_OK;
    struct csv_input *input = csv_open(path, NULL, fault);
    if (input == NULL) {
        return false;
    }
    bool good = columns_find(input, columns, fault);
    while (good && csv_next(input, &row, fault)) {
        good = !row.bad ||
               proto_fault_set(fault, PROTO_BAD_PAYLOAD, "", "%s: %s",
                               csv_row_place(input, &row, place, sizeof place), row.message);
        good = good && row_read(sheet, &row, columns, path, fault);
    }
    csv_close(input);
    return good && fault->code == PROTO_OK;
}

void sheet_write(const struct sheet *sheet, FILE *out, bool guarded)
{
    for (size_t i = 0; i < SHEET_COLUMNS; i++) {
        fprintf(out, "%s%s", sheet_column_name((enum sheet_column)i),
                i + 1 == SHEET_COLUMNS ? "\n" : ",");
    }
    for (size_t at = 0; at < sheet->count; at++) {
        for (size_t i = 0; i < SHEET_COLUMNS; i++) {
            out_csv_cell(out, proto_span_text(sheet->lines[at][i]), ',', guarded);
            fputs(i + 1 == SHEET_COLUMNS ? "\n" : ",", out);
        }
    }
}

bool sheet_decide(struct sheet *sheet, size_t line, const char *decision)
{
    char *copy = strdup(decision);
    if (copy == NULL) {
        return false;
    }
    free(sheet->lines[line][SHEET_DECISION]);
    sheet->lines[line][SHEET_DECISION] = copy;
    return true;
}

bool sheet_is(const struct sheet *sheet, size_t line, enum sheet_column column, const char *text)
{
    return strcmp(sheet->lines[line][column], text) == 0;
}

size_t sheet_row_end(const struct sheet *sheet, size_t line)
{
    size_t end = line + 1;
    while (end < sheet->count && sheet_is(sheet, end, SHEET_LINE, sheet->lines[line][SHEET_LINE])) {
        end++;
    }
    return end;
}

size_t sheet_row_link(const struct sheet *sheet, size_t line)
{
    for (size_t at = line; at < sheet_row_end(sheet, line); at++) {
        bool by_key = sheet_is(sheet, at, SHEET_MATCH, "key") &&
                      !sheet_is(sheet, at, SHEET_DECISION, "never");
        if (by_key || sheet_is(sheet, at, SHEET_DECISION, "yes")) {
            return at;
        }
    }
    return SIZE_MAX;
}

/* The first candidate of the row that nobody has decided on; SIZE_MAX if there is none. */
static size_t row_open(const struct sheet *sheet, size_t line)
{
    for (size_t at = line; at < sheet_row_end(sheet, line); at++) {
        if (!sheet_is(sheet, at, SHEET_MATCH, "none") && sheet_is(sheet, at, SHEET_DECISION, "")) {
            return at;
        }
    }
    return SIZE_MAX;
}

struct sheet_tally sheet_count(const struct sheet *sheet)
{
    struct sheet_tally tally = {0};
    for (size_t at = 0; at < sheet->count; at = sheet_row_end(sheet, at)) {
        size_t link = sheet_row_link(sheet, at);
        size_t open = row_open(sheet, at);
        tally.rows++;
        if (link != SIZE_MAX && sheet_is(sheet, link, SHEET_MATCH, "key")) {
            tally.by_key++;
        } else if (link != SIZE_MAX) {
            tally.reviewed++;
        } else if (open == SIZE_MAX) {
            tally.none++;
        } else if (sheet_is(sheet, open, SHEET_MATCH, "same")) {
            tally.same++;
        } else {
            tally.maybe++;
        }
    }
    return tally;
}

void sheet_fini(struct sheet *sheet)
{
    for (size_t at = 0; at < sheet->count; at++) {
        for (size_t i = 0; i < SHEET_COLUMNS; i++) {
            free(sheet->lines[at][i]);
        }
    }
    free(sheet->lines);
    *sheet = (struct sheet){0};
}
