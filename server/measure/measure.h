/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue of measures (measure.def) as data, and the one typed table that each fills.
 *
 * Shapes: cells are added row by row, left to right, each by the kind of its column; a figure that
 * is not defined is MEASURE_ABSENT, and NAN becomes that. Ownership: a table owns its cells and
 * copies of texts. Errors: no memory is sticky and told by measure_table_good. Threads: pure. */
#ifndef MEASURE_MEASURE_H
#define MEASURE_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum measure_id {
#define M(MEASURE, name, summary, inputs, interval, correction) MEASURE_ID_##MEASURE,
#define P(MEASURE, name, kind, fallback, low, high, help)
#define C(MEASURE, COLUMN, name, kind, help)
#include "server/measure/measure.def"
#undef M
#undef P
#undef C
    MEASURE_IDS
};

enum measure_kind {
    MEASURE_KIND_COUNT,
    MEASURE_KIND_NUMBER,
    MEASURE_KIND_MONEY,
    MEASURE_KIND_TIME,
    MEASURE_KIND_TEXT,
    MEASURE_ABSENT /* of a cell alone */
};

struct measure_info {
    const char *name;
    const char *summary;
    const char *inputs;
    const char *interval;
    const char *correction;
};

struct measure_parameter {
    enum measure_id measure;
    const char *name;
    enum measure_kind kind;
    const char *fallback; /* "": none */
    double low, high;     /* of COUNT and NUMBER */
    const char *help;
};

struct measure_column {
    enum measure_id measure;
    const char *name;
    enum measure_kind kind;
    const char *help;
};

const struct measure_info *measure_info(enum measure_id id);
/* MEASURE_IDS if there is none of the name. */
enum measure_id measure_find(const char *name);
/* Parameters and columns of one measure, in order; *count of them. */
const struct measure_parameter *measure_parameters(enum measure_id id, size_t *count);
const struct measure_column *measure_columns(enum measure_id id, size_t *count);
const struct measure_parameter *measure_parameter_find(enum measure_id id, const char *name);
const char *measure_kind_name(enum measure_kind kind);

struct measure_cell {
    enum measure_kind kind;
    union {
        int64_t whole; /* COUNT, MONEY, TIME */
        double number;
        char *text;
    };
};

struct measure_table {
    enum measure_id id;
    size_t columns;
    struct measure_cell *cells;
    size_t count; /* cells */
    size_t capacity;
    bool failed;
};

void measure_table_init(struct measure_table *table, enum measure_id id);
void measure_table_fini(struct measure_table *table);
void measure_add_whole(struct measure_table *table, int64_t whole);
void measure_add_number(struct measure_table *table, double number);
void measure_add_text(struct measure_table *table, const char *text);
void measure_add_absent(struct measure_table *table);
/* No memory ran out and the last row is whole. */
bool measure_table_good(const struct measure_table *table);
static inline size_t measure_table_rows(const struct measure_table *table)
{
    return table->count / table->columns;
}

/* The cell of a row under a column of measure.def, by its name; one that is none is a bug. */
const struct measure_cell *measure_cell_find(const struct measure_table *table, size_t row,
                                             const char *column);

#endif
