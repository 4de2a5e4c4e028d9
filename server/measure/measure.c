/* SPDX-License-Identifier: Apache-2.0 */
/* Tables made of measure.def; each measure's parameters and columns stand together in theirs. */
#include "server/measure/measure.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct measure_info infos[MEASURE_IDS] = {
#define M(MEASURE, name, summary, inputs, interval, correction)                                    \
    {name, summary, inputs, interval, correction},
#define P(MEASURE, name, kind, fallback, low, high, help)
#define C(MEASURE, COLUMN, name, kind, help)
#include "server/measure/measure.def"
#undef M
#undef P
#undef C
};

static const struct measure_parameter parameters[] = {
#define M(MEASURE, name, summary, inputs, interval, correction)
#define P(MEASURE, name, kind, fallback, low, high, help)                                          \
    {MEASURE_ID_##MEASURE, name, MEASURE_KIND_##kind, fallback, low, high, help},
#define C(MEASURE, COLUMN, name, kind, help)
#include "server/measure/measure.def"
#undef M
#undef P
#undef C
};

static const struct measure_column columns[] = {
#define M(MEASURE, name, summary, inputs, interval, correction)
#define P(MEASURE, name, kind, fallback, low, high, help)
#define C(MEASURE, COLUMN, name, kind, help)                                                       \
    {MEASURE_ID_##MEASURE, name, MEASURE_KIND_##kind, help},
#include "server/measure/measure.def"
#undef M
#undef P
#undef C
};

const struct measure_info *measure_info(enum measure_id id)
{
    return &infos[id];
}

enum measure_id measure_find(const char *name)
{
    int id = 0;
    while (id < MEASURE_IDS && strcmp(infos[id].name, name) != 0) {
        id++;
    }
    return (enum measure_id)id;
}

const struct measure_parameter *measure_parameters(enum measure_id id, size_t *count)
{
    const struct measure_parameter *first = NULL;
    *count = 0;
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        if (parameters[i].measure == id) {
            first = first == NULL ? &parameters[i] : first;
            (*count)++;
        }
    }
    return first;
}

const struct measure_column *measure_columns(enum measure_id id, size_t *count)
{
    const struct measure_column *first = NULL;
    *count = 0;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        if (columns[i].measure == id) {
            first = first == NULL ? &columns[i] : first;
            (*count)++;
        }
    }
    return first;
}

const struct measure_parameter *measure_parameter_find(enum measure_id id, const char *name)
{
    size_t count = 0;
    const struct measure_parameter *first = measure_parameters(id, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(first[i].name, name) == 0) {
            return &first[i];
        }
    }
    return NULL;
}

const char *measure_kind_name(enum measure_kind kind)
{
    static const char *const names[] = {"count", "number", "money", "time", "text", "absent"};
    return names[kind];
}

void measure_table_init(struct measure_table *table, enum measure_id id)
{
    *table = (struct measure_table){.id = id};
    (void)measure_columns(id, &table->columns);
}

void measure_table_fini(struct measure_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->cells[i].kind == MEASURE_KIND_TEXT) {
            free(table->cells[i].text);
        }
    }
    free(table->cells);
    *table = (struct measure_table){.columns = table->columns};
}

static enum measure_kind next_kind(const struct measure_table *table)
{
    size_t count = 0;
    return measure_columns(table->id, &count)[table->count % table->columns].kind;
}

/* Once memory has run out cells are no longer counted, so what comes next is of any kind. */
static void cell_add(struct measure_table *table, struct measure_cell cell)
{
    if (!table->failed && table->count == table->capacity) {
        size_t capacity = table->capacity * 2 + 16 * table->columns;
        struct measure_cell *grown = realloc(table->cells, capacity * sizeof *grown);
        table->failed = grown == NULL;
        table->cells = grown != NULL ? grown : table->cells;
        table->capacity = grown != NULL ? capacity : table->capacity;
    }
    if (!table->failed) {
        table->cells[table->count++] = cell;
    }
}

void measure_add_whole(struct measure_table *table, int64_t whole)
{
    enum measure_kind kind = next_kind(table);
    assert(table->failed || kind == MEASURE_KIND_COUNT || kind == MEASURE_KIND_MONEY ||
           kind == MEASURE_KIND_TIME);
    cell_add(table, (struct measure_cell){.kind = kind, .whole = whole});
}

void measure_add_number(struct measure_table *table, double number)
{
    assert(table->failed || next_kind(table) == MEASURE_KIND_NUMBER);
    cell_add(table,
             (struct measure_cell){.kind = isnan(number) ? MEASURE_ABSENT : MEASURE_KIND_NUMBER,
                                   .number = number});
}

void measure_add_text(struct measure_table *table, const char *text)
{
    assert(table->failed || next_kind(table) == MEASURE_KIND_TEXT);
    cell_add(table, (struct measure_cell){.kind = MEASURE_KIND_TEXT});
    if (!table->failed) {
        char *copy = strdup(text);
        table->cells[table->count - 1].text = copy;
        table->failed = copy == NULL;
    }
}

void measure_add_absent(struct measure_table *table)
{
    cell_add(table, (struct measure_cell){.kind = MEASURE_ABSENT});
}

bool measure_table_good(const struct measure_table *table)
{
    return !table->failed && table->count % table->columns == 0;
}

const struct measure_cell *measure_cell_find(const struct measure_table *table, size_t row,
                                             const char *column)
{
    size_t count = 0;
    size_t at = 0;
    const struct measure_column *known = measure_columns(table->id, &count);
    while (at < count && strcmp(known[at].name, column) != 0) {
        at++;
    }
    assert(at < count && row < measure_table_rows(table));
    return &table->cells[row * table->columns + at];
}
