/* SPDX-License-Identifier: Apache-2.0 */
/* A cell opens its row if it is the first and closes it if it is the last; a table that is closed
 * within a row gets the cells that are missing, so that the page stays well formed. */
#include "server/draw/draw_table.h"

#include <string.h>

#include "server/draw/draw_page.h"
#include "server/draw/draw_shown.h"

void draw_table_open(struct draw_table *table, FILE *out, const char *id, const char *caption,
                     const struct draw_column *columns, size_t count)
{
    *table = (struct draw_table){.out = out, .columns = columns, .count = count};
    fprintf(out, "<div class=\"wrap\" role=\"region\" tabindex=\"0\" aria-labelledby=\"%s\">", id);
    fprintf(out, "<table><caption id=\"%s\">", id);
    draw_text(out, caption);
    fputs("</caption>\n<thead><tr>", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "<th scope=\"col\"%s>", columns[i].kind == DRAW_FIGURE ? " class=\"n\"" : "");
        draw_text(out, columns[i].name);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>", out);
}

void draw_table_cell_of(struct draw_table *table, const char *class_name, const char *text)
{
    FILE *out = table->out;
    static const char *const kinds[] = {[DRAW_TEXT] = "", [DRAW_DAY] = "d", [DRAW_FIGURE] = "n"};
    const char *kind = kinds[table->columns[table->at].kind];
    const char *both = kind[0] != '\0' && class_name[0] != '\0' ? " " : "";
    const char *tag = table->at == 0 ? "th scope=\"row\"" : "td";
    fputs(table->at == 0 ? "<tr>" : "", out);
    fprintf(out, "<%s", tag);
    if (kind[0] != '\0' || class_name[0] != '\0') {
        fprintf(out, " class=\"%s%s%s\"", kind, both, class_name);
    }
    fputc('>', out);
    draw_shown(out, text, strlen(text));
    fputs(table->at == 0 ? "</th>" : "</td>", out);
    table->at = (table->at + 1) % table->count;
    fputs(table->at == 0 ? "</tr>\n" : "", out);
}

void draw_table_cell(struct draw_table *table, const char *text)
{
    draw_table_cell_of(table, "", text);
}

void draw_table_shaded(struct draw_table *table, unsigned shade, const char *text)
{
    char name[16];
    snprintf(name, sizeof name, "h%u", shade < DRAW_SHADES ? shade : DRAW_SHADES);
    draw_table_cell_of(table, name, text);
}

void draw_table_gap(struct draw_table *table)
{
    draw_table_cell(table, "");
}

void draw_table_close(struct draw_table *table)
{
    while (table->at != 0) {
        draw_table_gap(table);
    }
    fputs("</tbody></table></div>\n", table->out);
}
