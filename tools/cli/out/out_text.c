/* SPDX-License-Identifier: Apache-2.0 */
/* A text is walked character by character: each is asked for its width, or written out in words
 * where it must not be shown. A byte that begins no character counts, and is written, alone. */
#include "tools/cli/out/out_text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "proto/utf8.h"

/* "\x1b" */
#define ESCAPE_BYTES 4

static size_t step_of(const char *text, size_t bytes)
{
    size_t step = proto_utf8_step((const uint8_t *)text, bytes);
    return step > 0 ? step : 1;
}

static wchar_t character_of(const char *text, size_t step)
{
    static const unsigned char first[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    wchar_t character = (unsigned char)text[0] & first[step];
    for (size_t i = 1; i < step; i++) {
        character = (wchar_t)(((uint32_t)character << 6) | ((unsigned char)text[i] & 0x3f));
    }
    return character;
}

static size_t width_of(const char *text, size_t step)
{
    if (step == 1) {
        return 1;
    }
    int width = wcwidth(character_of(text, step));
    return width < 0 ? 1 : (size_t)width;
}

size_t out_width_n(const char *text, size_t bytes)
{
    size_t width = 0;
    for (size_t at = 0; at < bytes;) {
        size_t step = step_of(text + at, bytes - at);
        width += width_of(text + at, step);
        at += step;
    }
    return width;
}

size_t out_width(const char *text)
{
    return out_width_n(text, strlen(text));
}

size_t out_fit(const char *text, size_t bytes, size_t columns)
{
    size_t width = 0;
    size_t at = 0;
    while (at < bytes) {
        size_t step = step_of(text + at, bytes - at);
        width += width_of(text + at, step);
        if (width > columns && at > 0) {
            break;
        }
        at += step;
    }
    return at;
}

size_t out_line(const char *text, size_t columns, bool cut, size_t *skip)
{
    size_t bytes = strcspn(text, "\n");
    size_t fits = out_fit(text, bytes, columns);
    *skip = text[bytes] == '\n';
    if (fits == bytes && out_width_n(text, bytes) <= columns) {
        return bytes;
    }
    /* The blank may stand just beyond what fits. */
    size_t at = fits;
    while (at > 0 && text[at] != ' ') {
        at--;
    }
    while (at > 0 && text[at - 1] == ' ') {
        at--;
    }
    if (at == 0 && cut) {
        *skip = 0;
        return fits;
    }
    if (at == 0) {
        at = strspn(text, " ") + strcspn(text + strspn(text, " "), " \n");
    }
    *skip = strspn(text + at, " ");
    *skip += text[at + *skip] == '\n';
    return at;
}

size_t out_widest_word(const char *text)
{
    size_t widest = 0;
    while (*text != '\0') {
        size_t bytes = strcspn(text, " \n");
        size_t width = out_width_n(text, bytes);
        widest = width > widest ? width : widest;
        text += bytes + (text[bytes] != '\0');
    }
    return widest;
}

static bool is_control(const char *text, size_t step)
{
    unsigned char first = (unsigned char)text[0];
    if (step == 1) {
        return (first < 0x20 && first != '\n' && first != '\t') || first >= 0x7f;
    }
    wchar_t character = character_of(text, step);
    /* C1, and the marks that turn the direction of what follows. */
    return character < 0xa0 || (character >= 0x202a && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

char *out_clean(const char *text)
{
    size_t bytes = strlen(text);
    char *clean = malloc(bytes * ESCAPE_BYTES + 1);
    size_t used = 0;
    for (size_t at = 0; clean != NULL && at < bytes;) {
        size_t step = step_of(text + at, bytes - at);
        if (is_control(text + at, step)) {
            for (size_t i = 0; i < step; i++) {
                used += (size_t)snprintf(clean + used, ESCAPE_BYTES + 1, "\\x%02x",
                                         (unsigned char)text[at + i]);
            }
        } else {
            memcpy(clean + used, text + at, step);
            used += step;
        }
        at += step;
    }
    if (clean != NULL) {
        clean[used] = '\0';
    }
    return clean;
}
