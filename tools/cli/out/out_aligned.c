/* SPDX-License-Identifier: Apache-2.0 */
/* A table as wide as the screen. If it fits as it is, it stands so. If not, the widest columns give
 * way first, down to their widest word, and their cells take several lines. If that is too wide
 * still, each row becomes a record: a line for each column, names to the left. */
#include <stdlib.h>
#include <string.h>

#include "tools/cli/out/out_table.h"
#include "tools/cli/out/out_text.h"

#define GAP 2 /* blanks between columns */

struct column {
    size_t natural; /* columns of the screen that it would take */
    size_t least;   /* of its widest word */
    size_t width;   /* that it gets */
    bool right;
};

static void column_measure(const struct out_table *table, size_t index, struct column *column)
{
    const char *header = table->headers[index];
    column->natural = out_width(header);
    column->least = out_widest_word(header);
    column->right = table->count > 0;
    for (size_t i = index; i < table->count; i += table->columns) {
        const struct out_cell *cell = &table->cells[i];
        size_t width = out_width(cell->text);
        size_t least = out_widest_word(cell->text);
        column->natural = width > column->natural ? width : column->natural;
        column->least = least > column->least ? least : column->least;
        column->right &= cell->is_number || cell->text[0] == '\0';
    }
    if (column->right) {
        column->least = column->natural; /* a number is never broken */
    }
}

static size_t width_total(const struct column *columns, size_t count, size_t most)
{
    size_t total = count > 0 ? (count - 1) * GAP : 0;
    for (size_t c = 0; c < count; c++) {
        size_t wish = columns[c].natural < most ? columns[c].natural : most;
        total += wish > columns[c].least ? wish : columns[c].least;
    }
    return total;
}

/* False if the table does not fit the screen in any way. */
static bool widths_choose(struct column *columns, size_t count, size_t screen)
{
    size_t most = 0;
    for (size_t c = 0; c < count; c++) {
        most = columns[c].natural > most ? columns[c].natural : most;
    }
    while (screen > 0 && most > 0 && width_total(columns, count, most) > screen) {
        most--;
    }
    for (size_t c = 0; c < count; c++) {
        size_t wish = columns[c].natural < most ? columns[c].natural : most;
        columns[c].width = wish > columns[c].least ? wish : columns[c].least;
    }
    return screen == 0 || most > 0;
}

static void piece_write(const struct out_sink *sink, const struct column *column, const char *text,
                        size_t bytes, bool last)
{
    size_t own = out_width_n(text, bytes);
    int blanks = column->width > own ? (int)(column->width - own) : 0;
    if (column->right) {
        fprintf(sink->file, "%*s%.*s", blanks, "", (int)bytes, text);
    } else {
        fprintf(sink->file, "%.*s%*s", (int)bytes, text, last ? 0 : blanks, "");
    }
    if (!last) {
        fprintf(sink->file, "%*s", GAP, "");
    }
}

/* A row of cells, over as many lines as its longest cell takes. rest is scratch. */
static void row_write(const struct out_sink *sink, const struct column *columns, size_t count,
                      const char **rest)
{
    bool more = true;
    while (more) {
        size_t last = 0; /* no blanks behind the last text of a line */
        more = false;
        for (size_t c = 0; c < count; c++) {
            last = rest[c][0] != '\0' ? c : last;
        }
        for (size_t c = 0; c <= last; c++) {
            size_t skip = 0;
            size_t bytes = out_line(rest[c], columns[c].width, true, &skip);
            piece_write(sink, &columns[c], rest[c], bytes, c == last);
            rest[c] += bytes + skip;
            more |= rest[c][0] != '\0';
        }
        fputc('\n', sink->file);
    }
}

static void table_write(const struct out_table *table, const struct out_sink *sink,
                        const struct column *columns, const char **rest)
{
    memcpy(rest, table->headers, table->columns * sizeof *rest);
    out_tone(sink, OUT_BOLD);
    row_write(sink, columns, table->columns, rest);
    out_tone(sink, OUT_PLAIN);
    for (size_t i = 0; i + table->columns <= table->count; i += table->columns) {
        for (size_t c = 0; c < table->columns; c++) {
            rest[c] = table->cells[i + c].text;
        }
        row_write(sink, columns, table->columns, rest);
    }
}

static void record_line(const struct out_sink *sink, const char *name, size_t names,
                        const char *text)
{
    size_t screen = sink->columns > 0 ? sink->columns : SIZE_MAX / 2;
    size_t room = screen > names + GAP + 10 ? screen - names - GAP : 10;
    out_tone(sink, OUT_BOLD);
    fprintf(sink->file, "%s", name);
    out_tone(sink, OUT_PLAIN);
    fprintf(sink->file, "%*s", (int)(names - out_width(name)) + GAP, "");
    do {
        size_t skip = 0;
        size_t bytes = out_line(text, room, true, &skip);
        fprintf(sink->file, "%.*s\n", (int)bytes, text);
        text += bytes + skip;
        if (*text != '\0') {
            fprintf(sink->file, "%*s", (int)names + GAP, "");
        }
    } while (*text != '\0');
}

static void records_write(const struct out_table *table, const struct out_sink *sink)
{
    size_t names = 0;
    for (size_t c = 0; c < table->columns; c++) {
        size_t width = out_width(table->headers[c]);
        names = width > names ? width : names;
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t c = i % table->columns;
        if (c == 0 && i > 0) {
            fputc('\n', sink->file);
        }
        record_line(sink, table->headers[c], names, table->cells[i].text);
    }
}

bool out_aligned_write(const struct out_table *table, const struct out_style *style,
                       const struct out_sink *sink)
{
    struct column *columns = calloc(table->columns, sizeof *columns);
    const char **rest = calloc(table->columns, sizeof *rest);
    if (columns != NULL && rest != NULL) {
        for (size_t c = 0; c < table->columns; c++) {
            column_measure(table, c, &columns[c]);
        }
        bool fits = widths_choose(columns, table->columns, sink->columns);
        if (style->records || (!fits && table->count > 0)) {
            records_write(table, sink);
        } else {
            table_write(table, sink, columns, rest);
        }
    }
    bool done = columns != NULL && rest != NULL;
    free(columns);
    free(rest);
    return done;
}
