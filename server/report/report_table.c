/* SPDX-License-Identifier: Apache-2.0 */
/* Cells by their kinds, as texts; what is not defined is a dash in a sentence and nothing in a
 * table. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_table.h"
#include "server/feature/date_text.h"
#include "server/math/special.h"
#include "server/report/report_sections.h"

#define COLUMNS_MAX 16

double report_value(const struct measure_table *table, size_t row, const char *column)
{
    const struct measure_cell *cell = measure_cell_find(table, row, column);
    return cell->kind == MEASURE_KIND_NUMBER ? cell->number
           : cell->kind == MEASURE_ABSENT    ? MATH_NAN
                                             : (double)cell->whole;
}

int64_t report_whole(const struct measure_table *table, size_t row, const char *column)
{
    const struct measure_cell *cell = measure_cell_find(table, row, column);
    return cell->kind == MEASURE_KIND_COUNT || cell->kind == MEASURE_KIND_MONEY ||
                   cell->kind == MEASURE_KIND_TIME
               ? cell->whole
               : 0;
}

const char *report_text(const struct measure_table *table, size_t row, const char *column)
{
    const struct measure_cell *cell = measure_cell_find(table, row, column);
    return cell->kind == MEASURE_KIND_TEXT ? cell->text : "";
}

/* Four digits behind the point at most, without zeros that say nothing. */
static void number_print(double value, char text[REPORT_TEXT_BYTES])
{
    if (!isfinite(value)) {
        snprintf(text, REPORT_TEXT_BYTES, "%s", value > 0 ? "infinite" : "–");
        return;
    }
    snprintf(text, REPORT_TEXT_BYTES, fabs(value) < 10000 ? "%.4f" : "%.2f", value);
    size_t end = strlen(text);
    while (text[end - 1] == '0') {
        end--;
    }
    text[text[end - 1] == '.' ? end - 1 : end] = '\0';
    if (strcmp(text, "-0") == 0) {
        memcpy(text, "0", 2);
    }
}

void report_cell_print(const struct measure_cell *cell, bool share, unsigned digits,
                       char text[REPORT_TEXT_BYTES])
{
    char date[FEATURE_DATE_TEXT_BYTES];
    text[0] = '\0';
    switch (cell->kind) {
    case MEASURE_KIND_COUNT:
        draw_number_grouped(cell->whole, 0, 0, text, REPORT_TEXT_BYTES);
        break;
    case MEASURE_KIND_MONEY:
        draw_number_grouped(cell->whole, digits, digits, text, REPORT_TEXT_BYTES);
        break;
    case MEASURE_KIND_TIME:
        (void)feature_date_print(cell->whole, date);
        snprintf(text, REPORT_TEXT_BYTES, "%s", date);
        break;
    case MEASURE_KIND_NUMBER:
        if (share) {
            draw_number_share(cell->number, text, REPORT_TEXT_BYTES);
        } else {
            number_print(cell->number, text);
        }
        break;
    case MEASURE_KIND_TEXT:
    case MEASURE_ABSENT:
        break;
    }
}

const char *report_shown(const struct measure_cell *cell, bool share, unsigned digits,
                         char text[REPORT_TEXT_BYTES])
{
    if (cell->kind == MEASURE_KIND_TEXT) {
        return cell->text;
    }
    report_cell_print(cell, share, digits, text);
    return text;
}

void report_table(FILE *out, const struct measure_table *table, const char *id, const char *caption,
                  const struct report_column *columns, size_t count, unsigned digits)
{
    struct draw_column heads[COLUMNS_MAX];
    struct draw_table drawn;
    char text[REPORT_TEXT_BYTES];
    assert(count <= COLUMNS_MAX);
    for (size_t i = 0; i < count; i++) {
        enum measure_kind kind = MEASURE_KIND_TEXT;
        size_t known = 0;
        const struct measure_column *all = measure_columns(table->id, &known);
        for (size_t c = 0; c < known; c++) {
            kind = strcmp(all[c].name, columns[i].column) == 0 ? all[c].kind : kind;
        }
        enum draw_kind shown = kind == MEASURE_KIND_TEXT             ? DRAW_TEXT
                               : kind == MEASURE_KIND_TIME || i == 0 ? DRAW_DAY
                                                                     : DRAW_FIGURE;
        heads[i] = (struct draw_column){columns[i].heading, shown};
    }
    draw_table_open(&drawn, out, id, caption, heads, count);
    for (size_t row = 0; row < measure_table_rows(table); row++) {
        for (size_t i = 0; i < count; i++) {
            const struct measure_cell *cell = measure_cell_find(table, row, columns[i].column);
            draw_table_cell(&drawn, report_shown(cell, columns[i].share, digits, text));
        }
    }
    draw_table_close(&drawn);
}

void report_money(const struct report_ground *ground, int64_t minor, char text[REPORT_TEXT_BYTES])
{
    draw_number_grouped(minor, ground->digits, 0, text, REPORT_TEXT_BYTES - 4);
    if (ground->currency[0] != '\0') {
        size_t used = strlen(text);
        snprintf(text + used, REPORT_TEXT_BYTES - used, " %s", ground->currency);
    }
}

void report_share_label(const void *context, double value, char *text, size_t text_bytes)
{
    (void)context;
    snprintf(text, text_bytes, "%.0f %%", value * 100);
}

void report_day(int64_t ms, char text[REPORT_TEXT_BYTES])
{
    char date[FEATURE_DATE_TEXT_BYTES];
    (void)feature_date_print(ms, date);
    snprintf(text, REPORT_TEXT_BYTES, "%s", date);
}

bool report_part_there(FILE *out, const struct report_part *part)
{
    if (part->table != NULL && measure_table_rows(part->table) > 0) {
        return true;
    }
    fputs("<p class=\"answer\">", out);
    draw_format(out, "Not measured: %s.", part->why != NULL ? part->why : "there are no rows");
    fputs("</p>\n", out);
    return false;
}
