/* SPDX-License-Identifier: Apache-2.0 */
/* A text is formatted, cleaned, then written line by line as wide as the screen is. */
#include "tools/cli/out/out_sink.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/cli/out/out_text.h"

/* A screen narrower than this is not laid out for: lines are left to the terminal. */
#define COLUMNS_LEAST 20

static size_t environment_number(const char *name)
{
    const char *text = getenv(name);
    return text != NULL ? strtoul(text, NULL, 10) : 0;
}

struct out_sink out_sink_of(FILE *file)
{
    struct out_sink sink = {.file = file};
    struct winsize size = {0};
    if (!isatty(fileno(file))) {
        return sink;
    }
    if (ioctl(fileno(file), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        size.ws_col = (unsigned short)environment_number("COLUMNS");
        size.ws_row = (unsigned short)environment_number("LINES");
    }
    sink.columns = size.ws_col >= COLUMNS_LEAST ? size.ws_col : size.ws_col > 0 ? 0 : 80;
    sink.rows = size.ws_row;
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    sink.color = (no_color == NULL || no_color[0] == '\0') && term != NULL && term[0] != '\0' &&
                 strcmp(term, "dumb") != 0;
    return sink;
}

void out_tone(const struct out_sink *sink, enum out_tone tone)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[32m", "\033[31m", "\033[2m"};
    if (sink->color) {
        fputs(codes[tone], sink->file);
    }
}

/* One line of the text, broken where the screen ends. What follows a break is indented by as much
 * as the line itself and two columns more. */
static void line_write(const struct out_sink *sink, char *line)
{
    size_t indent = strspn(line, " ");
    size_t hang = indent + 2 < sink->columns / 2 ? indent + 2 : 2;
    size_t skip = 0;
    bool first = true;
    while (*line != '\0') {
        size_t columns = first ? sink->columns : sink->columns - hang;
        size_t bytes = out_line(line, columns, false, &skip);
        fprintf(sink->file, "%*s%.*s", first ? 0 : (int)hang, "", (int)bytes, line);
        line += bytes + skip;
        if (*line != '\0') {
            fputc('\n', sink->file);
        }
        first = false;
    }
}

void out_vprint(const struct out_sink *sink, const char *format, va_list list)
{
    char *text = NULL;
    if (vasprintf(&text, format, list) < 0) {
        return;
    }
    char *clean = out_clean(text);
    free(text);
    if (clean == NULL) {
        return;
    }
    for (char *line = clean; *line != '\0';) {
        size_t bytes = strcspn(line, "\n");
        bool ends = line[bytes] == '\n';
        line[bytes] = '\0';
        if (sink->columns > 0) {
            line_write(sink, line);
        } else {
            fputs(line, sink->file);
        }
        if (ends) {
            fputc('\n', sink->file);
        }
        line += bytes + ends;
    }
    free(clean);
}

void out_print(const struct out_sink *sink, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    out_vprint(sink, format, list);
    va_end(list);
}

static bool on_path(const char *program)
{
    const char *path = getenv("PATH");
    char file[4096];
    for (const char *at = path; at != NULL && *at != '\0';) {
        size_t bytes = strcspn(at, ":");
        int used = snprintf(file, sizeof file, "%.*s/%s", (int)bytes, at, program);
        if (used > 0 && (size_t)used < sizeof file && access(file, X_OK) == 0) {
            return true;
        }
        at += bytes + (at[bytes] == ':');
    }
    return false;
}

static const char *pager_choose(void)
{
    const char *pager = getenv("ICP_PAGER");
    if (pager == NULL) {
        pager = getenv("PAGER");
    }
    if (pager == NULL) {
        pager = on_path("less") ? "less" : "";
    }
    return strcmp(pager, "cat") == 0 ? "" : pager;
}

static bool is_longer(const char *text, size_t bytes, size_t rows)
{
    size_t lines = 0;
    for (size_t i = 0; i < bytes; i++) {
        lines += text[i] == '\n';
    }
    return lines >= rows;
}

void out_page(const struct out_sink *sink, const char *text, size_t bytes)
{
    const char *pager = pager_choose();
    FILE *to = NULL;
    if (sink->rows > 0 && pager[0] != '\0' && isatty(STDIN_FILENO) &&
        is_longer(text, bytes, sink->rows)) {
        /* Colours pass, and what is shown stays on the screen: less as people who set nothing
         * expect it. Before the fork: the name is looked up by the shell, as everywhere. */
        setenv("LESS", "RX", 0);
        fflush(sink->file);
        to = popen(pager, "we");
    }
    if (to == NULL) {
        fwrite(text, 1, bytes, sink->file);
        return;
    }
    fwrite(text, 1, bytes, to);
    (void)pclose(to);
}
