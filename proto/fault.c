/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/utf8.h"

/* Makes a text fit for a log line and a terminal: bytes that are not UTF-8 and control characters
 * become '?'. A character that snprintf cut in two at the end is dropped. */
static void text_clean(char *text, size_t capacity)
{
    size_t bytes = strlen(text);
    bool is_cut = bytes + 1 == capacity; /* or just fits, which is harmless */
    size_t out = 0;
    for (size_t in = 0; in < bytes;) {
        size_t step = proto_utf8_step((const uint8_t *)text + in, bytes - in);
        if (step == 0 && is_cut && bytes - in < 4) {
            break;
        }
        if (step == 0 || (step == 1 && ((unsigned char)text[in] < 0x20 || text[in] == 0x7f))) {
            text[out++] = '?';
            in++;
            continue;
        }
        memmove(text + out, text + in, step);
        out += step;
        in += step;
    }
    text[out] = '\0';
}

bool proto_fault_set(struct proto_fault *fault, enum proto_error code, const char *field,
                     const char *format, ...)
{
    /* The arguments may point into *fault itself: build aside, copy at the end. */
    struct proto_fault built = {.code = code};
    (void)snprintf(built.field, sizeof(built.field), "%s", field != NULL ? field : "");
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(built.message, sizeof(built.message), format, arguments);
    va_end(arguments);
    text_clean(built.field, sizeof(built.field));
    text_clean(built.message, sizeof(built.message));
    *fault = built;
    return false;
}

bool proto_fault_within(struct proto_fault *fault, const char *format, ...)
{
    char path[2 * sizeof(fault->field) + 1]; /* prefix, dot and field: always room for all three */
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(path, sizeof(fault->field), format, arguments);
    va_end(arguments);
    size_t bytes = wanted < 0 ? 0 : strlen(path);
    if (bytes > 0 && fault->field[0] != '\0' && fault->field[0] != '[') {
        path[bytes++] = '.';
    }
    memcpy(path + bytes, fault->field, strlen(fault->field) + 1);
    path[sizeof(fault->field) - 1] = '\0';
    text_clean(path, sizeof(fault->field));
    memcpy(fault->field, path, sizeof(fault->field));
    return false;
}
