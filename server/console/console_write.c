/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers get thousands and units, times are of UTC, tables keep count of their cells so that a row
 * begins and ends by itself. */
#include "server/console/console_write.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "server/draw/draw_shown.h"

void console_text(FILE *out, const char *text)
{
    draw_shown(out, text, strlen(text));
}

void console_said(FILE *out, struct icp_text text)
{
    draw_shown(out, text.data, text.bytes);
}

void console_value(FILE *out, const struct icp_value *value)
{
    char text[2048];
    switch (value->kind) {
    case ICP_KIND_TEXT:
        console_said(out, value->text);
        break;
    case ICP_KIND_NIL:
        (void)fputs("–", out);
        break;
    case ICP_KIND_FLAG:
        (void)fputs(value->flag ? "yes" : "no", out);
        break;
    case ICP_KIND_BYTES:
        (void)fprintf(out, "%zu bytes", value->text.bytes);
        break;
    default:
        console_text(out, icp_value_print(value, text, sizeof text));
    }
}

struct icp_text console_text_of(const struct icp_value *map, const char *name)
{
    struct icp_value value;
    return icp_value_get(map, name, &value) && value.kind == ICP_KIND_TEXT ? value.text
                                                                           : (struct icp_text){0};
}

int64_t console_whole_of(const struct icp_value *map, const char *name)
{
    struct icp_value value;
    return icp_value_get(map, name, &value) ? value.integer : 0;
}

double console_number_of(const struct icp_value *map, const char *name)
{
    struct icp_value value;
    return icp_value_get(map, name, &value) ? value.number : 0;
}

bool console_flag_of(const struct icp_value *map, const char *name)
{
    struct icp_value value;
    return icp_value_get(map, name, &value) && value.flag;
}

struct icp_text console_words(const char *text)
{
    return (struct icp_text){.data = text, .bytes = strlen(text)};
}

void console_link_to(FILE *out, const char *path, const char *name, struct icp_text value,
                     struct icp_text shown)
{
    (void)fprintf(out, "<a href=\"%s?%s=", path, name);
    draw_query(out, value.data, value.bytes);
    (void)fputs("\">", out);
    console_said(out, shown);
    (void)fputs("</a>", out);
}

void console_count(FILE *out, double count)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.0f", fabs(count));
    size_t length = strlen(digits);
    if (count < 0) {
        (void)fputs("−", out);
    }
    for (size_t i = 0; i < length; i++) {
        (void)fputc(digits[i], out);
        if (i + 1 < length && (length - 1 - i) % 3 == 0 && isfinite(count)) {
            (void)fputc(',', out);
        }
    }
}

void console_size(FILE *out, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        bytes /= 1024;
        unit++;
    }
    (void)fprintf(out, bytes < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

void console_duration(FILE *out, double us)
{
    double s = us / 1e6;
    if (us < 1000) {
        (void)fprintf(out, "%.0f µs", us);
    } else if (s < 1) {
        (void)fprintf(out, "%.3g ms", us / 1000);
    } else if (s < 120) {
        (void)fprintf(out, "%.3g s", s);
    } else if (s < 7200) {
        (void)fprintf(out, "%.0f min", floor(s / 60));
    } else if (s < 172800) {
        (void)fprintf(out, "%.0f h %.0f min", floor(s / 3600), floor(fmod(s, 3600) / 60));
    } else {
        (void)fprintf(out, "%.0f days", floor(s / 86400));
    }
}

void console_time(FILE *out, int64_t time_ms)
{
    int64_t day_ms = INT64_C(86400000);
    time_t seconds = (time_t)((time_ms - (time_ms % 1000 + 1000) % 1000) / 1000);
    struct tm parts;
    char text[64];
    if (time_ms == 0 || gmtime_r(&seconds, &parts) == NULL) {
        (void)fputs("–", out);
        return;
    }
    strftime(text, sizeof text, time_ms % day_ms == 0 ? "%Y-%m-%d" : "%Y-%m-%d %H:%M:%S", &parts);
    (void)fprintf(out, "<time>%s</time>", text);
}

void console_heading(FILE *out, const char *text)
{
    (void)fputs("<h2>", out);
    console_text(out, text);
    (void)fputs("</h2>\n", out);
}

void console_note(FILE *out, const char *text)
{
    (void)fputs("<p class=\"note\">", out);
    console_text(out, text);
    (void)fputs("</p>\n", out);
}

void console_fault(FILE *out, const struct icp_fault *fault)
{
    (void)fputs("<p class=\"fault\" role=\"alert\"><strong>", out);
    console_text(out, icp_error_name(fault->code));
    (void)fputs("</strong> ", out);
    if (fault->field[0] != '\0') {
        console_text(out, fault->field);
        (void)fputs(": ", out);
    }
    console_text(out, fault->message);
    (void)fputs("</p>\n", out);
}

static bool is_number(const char *column)
{
    return column[0] == '#';
}

void console_table_open(struct console_table *table, FILE *out, const char *caption,
                        const char *const *columns, size_t count)
{
    *table = (struct console_table){.out = out, .columns = columns, .count = count};
    (void)fputs("<div class=\"wrap\" role=\"region\" tabindex=\"0\" aria-label=\"", out);
    draw_attribute(out, caption, strlen(caption));
    (void)fputs("\"><table><caption>", out);
    console_text(out, caption);
    (void)fputs("</caption>\n<thead><tr>", out);
    for (size_t i = 0; i < count; i++) {
        bool number = is_number(columns[i]);
        (void)fprintf(out, "<th scope=\"col\"%s>", number ? " class=\"n\"" : "");
        console_text(out, columns[i] + number);
        (void)fputs("</th>", out);
    }
    (void)fputs("</tr></thead>\n<tbody>\n", out);
}

void console_cell_open(struct console_table *table)
{
    (void)fputs(table->at == 0 ? "<tr><th scope=\"row\"" : "<td", table->out);
    (void)fputs(is_number(table->columns[table->at]) ? " class=\"n\">" : ">", table->out);
}

void console_cell_close(struct console_table *table)
{
    (void)fputs(table->at == 0 ? "</th>" : "</td>", table->out);
    table->at = (table->at + 1) % table->count;
    (void)fputs(table->at == 0 ? "</tr>\n" : "", table->out);
}

void console_table_close(struct console_table *table)
{
    while (table->at != 0) {
        console_cell(table, "");
    }
    (void)fputs("</tbody></table></div>\n", table->out);
}

void console_cell(struct console_table *table, const char *text)
{
    console_cell_open(table);
    console_text(table->out, text);
    console_cell_close(table);
}

void console_cell_said(struct console_table *table, struct icp_text text)
{
    console_cell_open(table);
    console_said(table->out, text);
    console_cell_close(table);
}

void console_cell_value(struct console_table *table, const struct icp_value *value)
{
    console_cell_open(table);
    console_value(table->out, value);
    console_cell_close(table);
}

void console_cell_count(struct console_table *table, double count)
{
    console_cell_open(table);
    console_count(table->out, count);
    console_cell_close(table);
}

void console_cell_number(struct console_table *table, const char *format, ...)
{
    va_list list;
    console_cell_open(table);
    va_start(list, format);
    (void)vfprintf(table->out, format, list);
    va_end(list);
    console_cell_close(table);
}

void console_cell_time(struct console_table *table, int64_t time_ms)
{
    console_cell_open(table);
    console_time(table->out, time_ms);
    console_cell_close(table);
}

void console_cell_bar(struct console_table *table, double value, double most)
{
    double share = most > 0 ? fabs(value) / most : 0;
    double width = 50 * (share > 1 ? 1 : share);
    console_cell_open(table);
    (void)fprintf(table->out,
                  "<svg class=\"bar\" viewBox=\"0 0 100 10\" aria-hidden=\"true\">"
                  "<rect class=\"%s\" x=\"%.1f\" y=\"1\" width=\"%.1f\" height=\"8\"/>"
                  "<path class=\"zero\" d=\"M50 0v10\"/></svg>",
                  value < 0 ? "down" : "up", value < 0 ? 50 - width : 50, width);
    console_cell_close(table);
}

void console_input(FILE *out, const char *name, const char *label, const char *value,
                   const char *hint)
{
    (void)fputs("<label><span>", out);
    console_text(out, label);
    if (hint != NULL) {
        (void)fputs(" <small>", out);
        console_text(out, hint);
        (void)fputs("</small>", out);
    }
    (void)fputs("</span><input autocomplete=\"off\" name=\"", out);
    draw_attribute(out, name, strlen(name));
    (void)fputs("\" value=\"", out);
    draw_attribute(out, value != NULL ? value : "", value != NULL ? strlen(value) : 0);
    (void)fputs("\"></label>\n", out);
}
