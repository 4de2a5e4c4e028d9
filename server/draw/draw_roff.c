/* SPDX-License-Identifier: Apache-2.0 */
/* A page begins with its title, and each part puts its macro on a line of its own, the text behind
 * it. What can go wrong is a text that troff takes for something else: a point or an apostrophe at
 * the beginning of a line (a request), a backslash (an escape), a hyphen or a quote that is printed
 * as another sign and cannot be copied into a shell. */
#include "server/draw/draw_roff.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* Signs that troff would print as others. */
static const char *escape_find(char sign)
{
    switch (sign) {
    case '\\':
        return "\\e";
    case '-':
        return "\\-";
    case '\'':
        return "\\(aq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    case '"':
        return "\\(dq"; /* also ends an argument of a macro */
    default:
        return NULL;
    }
}

static void text_write(FILE *out, const char *text, size_t bytes, bool begins_line)
{
    /* A point there would be a request; a zero-width sign before it makes it none. */
    if (begins_line && bytes > 0 && *text == '.') {
        (void)fputs("\\&", out);
    }
    for (size_t i = 0; i < bytes; i++) {
        const char *escape = escape_find(text[i]);
        if (escape != NULL) {
            (void)fputs(escape, out);
        } else {
            (void)fputc(text[i], out);
        }
    }
}

void draw_roff_text(FILE *out, const char *text)
{
    text_write(out, text, strlen(text), true);
}

void draw_roff_begin(FILE *out, const char *name, int section, const char *version,
                     const char *summary)
{
    (void)fputs(".TH \"", out);
    for (const char *at = name; *at != '\0'; at++) {
        (void)fputc(toupper((unsigned char)*at), out);
    }
    (void)fprintf(out, "\" \"%d\" \"\" \"icpd %s\" \"icpd\"\n.SH NAME\n", section, version);
    text_write(out, name, strlen(name), true);
    (void)fputs(" \\- ", out);
    text_write(out, summary, strlen(summary), false);
    (void)fputc('\n', out);
}

void draw_roff_section(FILE *out, const char *heading, const char *text)
{
    (void)fprintf(out, ".SH %s\n", heading);
    if (text != NULL) {
        draw_roff_text(out, text);
        (void)fputc('\n', out);
    }
}

void draw_roff_paragraph(FILE *out, const char *text)
{
    (void)fputs(".PP\n", out);
    draw_roff_text(out, text);
    (void)fputc('\n', out);
}

void draw_roff_entry(FILE *out, const char *name, const char *argument, const char *meaning)
{
    (void)fputs(".TP\n\\fB", out);
    text_write(out, name, strlen(name), false);
    (void)fputs("\\fR", out);
    if (argument != NULL) {
        (void)fputs(" \\fI", out);
        text_write(out, argument, strlen(argument), false);
        (void)fputs("\\fR", out);
    }
    (void)fputc('\n', out);
    draw_roff_text(out, meaning);
    (void)fputc('\n', out);
}

void draw_roff_lines(FILE *out, const char *lines)
{
    (void)fputs(".RS 4\n.nf\n", out);
    while (*lines != '\0') {
        size_t bytes = strcspn(lines, "\n");
        text_write(out, lines, bytes, true);
        (void)fputc('\n', out);
        lines += bytes + (lines[bytes] == '\n');
    }
    (void)fputs(".fi\n.RE\n", out);
}
