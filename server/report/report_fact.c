/* SPDX-License-Identifier: Apache-2.0 */
/* Every text goes through draw_shown, since filters, names and definitions are what anybody wrote.
 * Nothing fails but the stream. */
#include "server/report/report_fact.h"

#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_shown.h"

#define COUNT_BYTES 32

static void pair(FILE *out, const char *name, const char *value)
{
    fputs("<dt>", out);
    draw_shown(out, name, strlen(name));
    fputs("</dt><dd>", out);
    draw_shown(out, value, strlen(value));
    fputs("</dd>", out);
}

void report_tile(FILE *out, const char *name, const char *figure)
{
    fputs("<div>", out);
    pair(out, name, figure);
    fputs("</div>\n", out);
}

void report_fact(FILE *out, const char *name, const char *value)
{
    if (value[0] != '\0') {
        pair(out, name, value);
        fputs("\n", out);
    }
}

void report_fact_count(FILE *out, const char *name, uint64_t count)
{
    char text[COUNT_BYTES];
    draw_number_grouped((int64_t)count, 0, 0, text, sizeof text);
    report_fact(out, name, text);
}

void report_fact_number(FILE *out, const char *name, uint64_t number)
{
    char text[COUNT_BYTES];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    report_fact(out, name, text);
}

void report_group_open(FILE *out, const char *heading)
{
    fputs("<div><h3>", out);
    draw_shown(out, heading, strlen(heading));
    fputs("</h3><dl class=\"facts\">\n", out);
}

void report_group_close(FILE *out)
{
    fputs("</dl></div>\n", out);
}

void report_link(FILE *out, const char *id, const char *heading)
{
    (void)fprintf(out, "<li><a href=\"#%s\">", id);
    draw_shown(out, heading, strlen(heading));
    fputs("</a></li>\n", out);
}
