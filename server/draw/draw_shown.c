/* SPDX-License-Identifier: Apache-2.0 */
/* A text is walked character by character; what is plain is copied, what HTML would read becomes an
 * entity, what the eye would not see is spelt. */
#include "server/draw/draw_shown.h"

#include <stdbool.h>
#include <stdint.h>

#include "proto/utf8.h"

static uint32_t code_point(const uint8_t *at, size_t bytes)
{
    static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = at[0] & masks[bytes];
    for (size_t i = 1; i < bytes; i++) {
        code = code << 6 | (at[i] & 0x3f);
    }
    return code;
}

/* Controls, and what has no width or changes how what follows is read. */
static bool is_hidden(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},       {0xad, 0xad},     {0x34f, 0x34f},   {0x61c, 0x61c},
        {0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e},
        {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
        {0xfff0, 0xfffb}, {0xe0000, 0xe0fff},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

static bool entity(FILE *out, char c)
{
    const char *name = c == '<'    ? "&lt;"
                       : c == '>'  ? "&gt;"
                       : c == '&'  ? "&amp;"
                       : c == '"'  ? "&quot;"
                       : c == '\'' ? "&#39;"
                                   : NULL;
    if (name != NULL) {
        (void)fputs(name, out);
    }
    return name != NULL;
}

static void character(FILE *out, const uint8_t *at, size_t bytes)
{
    uint32_t code = code_point(at, bytes);
    if (is_hidden(code)) {
        (void)fprintf(out,
                      code < 0x100 ? "<span class=\"ctl\">\\x%02x</span>"
                                   : "<span class=\"ctl\">\\u{%x}</span>",
                      (unsigned)code);
    } else if (bytes > 1 || !entity(out, (char)at[0])) {
        (void)fwrite(at, 1, bytes, out);
    }
}

void draw_shown(FILE *out, const char *text, size_t bytes)
{
    const uint8_t *at = (const uint8_t *)text;
    for (size_t i = 0; i < bytes;) {
        size_t step = proto_utf8_step(at + i, bytes - i);
        if (step == 0) {
            (void)fprintf(out, "<span class=\"ctl\">\\x%02x</span>", at[i++]);
            continue;
        }
        character(out, at + i, step);
        i += step;
    }
}

void draw_attribute(FILE *out, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '\n' || text[i] == '\r' || text[i] == '\t') {
            (void)fprintf(out, "&#%d;", text[i]);
        } else if (!entity(out, text[i])) {
            (void)fputc(text[i], out);
        }
    }
}

void draw_query(FILE *out, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
            (void)fputc(c, out);
        } else {
            (void)fprintf(out, "%%%02X", c);
        }
    }
}
