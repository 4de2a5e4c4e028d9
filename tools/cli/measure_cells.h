/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of a CSV file that a measure reads, each named by an option, and their cells as texts,
 * days, amounts, flags and terms. Forms of dates and numbers are found by the evidence of the whole
 * column, as import does. A cell that cannot be read is a fault with line and column of the file;
 * an empty one is "not told". Ownership: borrows the input; spans die with the row. Errors:
 * BAD_FIELD, MISSING_FIELD; messages name the option's column. Threads: one. */
#ifndef CLI_MEASURE_CELLS_H
#define CLI_MEASURE_CELLS_H

#include "tools/cli/cli.h"
#include "tools/cli/csv/csv_form.h"
#include "tools/cli/csv/csv_input.h"

enum measure_cell_kind { CELL_TEXT, CELL_DAY, CELL_MONEY, CELL_FLAG, CELL_TERM };

struct measure_pick {
    const char *option; /* "end": the option that names the column */
    enum measure_cell_kind kind;
    bool needed;
    /* filled by measure_picks_open */
    size_t column; /* SIZE_MAX: not told */
    enum csv_decimal decimal;
    enum csv_day_order dates;
};

/* Finds the columns and how they are written; reads the file once and rewinds it. An exit status,
 * message printed. */
int measure_picks_open(const struct cli *cli, struct csv_input *input, struct measure_pick *picks,
                       size_t count);

/* The same for picks whose columns are set. */
int measure_forms_find(const struct cli *cli, struct csv_input *input, struct measure_pick *picks,
                       size_t count);

/* Each leaves *value as it was where the cell is empty or the column not told; *told says which. */
bool measure_cell_day(const struct measure_pick *pick, const struct csv_row *row, int64_t *ms,
                      bool *told, struct proto_fault *fault);
/* Minor units of a currency; of "" two digits. */
bool measure_cell_money(const struct measure_pick *pick, const struct csv_row *row,
                        const char *currency, int64_t *minor, bool *told,
                        struct proto_fault *fault);
/* A number with so many digits behind the point (at most 9), as a whole one of the last of them. */
bool measure_cell_decimal(const struct measure_pick *pick, const struct csv_row *row,
                          unsigned places, int64_t most, int64_t *number, bool *told,
                          struct proto_fault *fault);
bool measure_cell_flag(const struct measure_pick *pick, const struct csv_row *row, bool *flag,
                       struct proto_fault *fault);
/* Months of "monthly", "annual", "12", "2 years" …; which of them are known is the measure's rule.
 */
bool measure_cell_term(const struct measure_pick *pick, const struct csv_row *row, uint32_t *months,
                       struct proto_fault *fault);
/* Empty where it is not told. */
struct proto_span measure_cell_text(const struct measure_pick *pick, const struct csv_row *row);

/* "FILE, line 3, column 17 (end_date): message" of a cell. Returns out. */
#define MEASURE_PLACE_BYTES 1024
const char *measure_cell_told(struct csv_input *input, const struct csv_row *row, size_t column,
                              const char *message, char *out, size_t bytes);

/* A day of an option such as --from; false with a message. */
bool measure_option_day(const struct cli *cli, const char *option, bool needed, int64_t *ms);

#endif
