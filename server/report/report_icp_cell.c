/* SPDX-License-Identifier: Apache-2.0 */
/* Members of JSON as numbers and texts, and cells of a table made of them. */
#include <stdarg.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/report/report_icp_parts.h"

double report_icp_number(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

const char *report_icp_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

bool report_icp_flag(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

void report_icp_figure(struct draw_table *table, double value)
{
    char text[ICP_TEXT_BYTES];
    (void)snprintf(text, sizeof text, "%.4f", value);
    draw_table_cell(table, text);
}

void report_icp_points(struct draw_table *table, double micrologits)
{
    char text[ICP_TEXT_BYTES];
    (void)snprintf(text, sizeof text, "%+.0f", micrologits / 1e4);
    draw_table_cell(table, text);
}

void report_icp_count(struct draw_table *table, double count)
{
    char text[ICP_TEXT_BYTES];
    draw_number_grouped((int64_t)count, 0, 0, text, sizeof text);
    draw_table_cell(table, text);
}

const char *report_icp_counted(double count, const char *noun, char text[ICP_TEXT_BYTES])
{
    draw_number_counted((int64_t)count, noun, text, ICP_TEXT_BYTES);
    return text;
}

void report_icp_rate(struct draw_table *table, double part, double whole)
{
    char text[ICP_TEXT_BYTES];
    if (!(whole > 0)) {
        draw_table_gap(table);
        return;
    }
    draw_number_share(part / whole, text, sizeof text);
    draw_table_cell(table, text);
}

void report_icp_interval(struct draw_table *table, double low, double high)
{
    char text[ICP_TEXT_BYTES];
    (void)snprintf(text, sizeof text, "%.1f to %.1f %%", 100 * low, 100 * high);
    draw_table_cell(table, text);
}

void report_icp_answer(FILE *out, const char *format, ...)
{
    char text[DRAW_FORMAT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fputs("<p class=\"answer\">", out);
    draw_text(out, text);
    fputs("</p>\n", out);
}
