/* SPDX-License-Identifier: Apache-2.0 */
/* The text is cut at '&', each part at its first '=', and both halves are written back shorter
 * where they stood. A part that is empty is passed over, as browsers do; any other fault ends it.
 */
#include "server/http/http_form.h"

#include <string.h>

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Writes the bytes that `bytes` of a text stand for at its own beginning, and a zero. */
static const char *decode(char *text, size_t bytes)
{
    size_t out = 0;
    for (size_t i = 0; i < bytes; i++) {
        char byte = text[i];
        if (byte == '+') {
            byte = ' ';
        } else if (byte == '%') {
            int high = i + 2 < bytes ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < bytes ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return "a percent sign is followed by two hexadecimal digits";
            }
            byte = (char)(unsigned char)(high * 16 + low);
            i += 2;
        }
        if (byte == '\0') {
            return "there may be no zero byte";
        }
        text[out++] = byte;
    }
    text[out] = '\0';
    return NULL;
}

static const char *part_read(struct http_form *form, char *part, size_t bytes)
{
    static const char none[] = "";
    char *equals = memchr(part, '=', bytes);
    size_t name_bytes = equals != NULL ? (size_t)(equals - part) : bytes;
    const char *why;
    if (form->count == HTTP_FIELDS_MAX) {
        return "there are too many fields";
    }
    /* The value first: the zero behind the name takes the place of '='. */
    if (equals != NULL && (why = decode(equals + 1, bytes - name_bytes - 1)) != NULL) {
        return why;
    }
    if ((why = decode(part, name_bytes)) != NULL) {
        return why;
    }
    form->fields[form->count++] = (struct http_field){part, equals != NULL ? equals + 1 : none};
    return NULL;
}

const char *http_form_read(struct http_form *form, char *text, size_t bytes)
{
    size_t at = 0;
    while (at < bytes) {
        char *end = memchr(text + at, '&', bytes - at);
        size_t part = end != NULL ? (size_t)(end - text) - at : bytes - at;
        const char *why = part > 0 ? part_read(form, text + at, part) : NULL;
        if (why != NULL) {
            return why;
        }
        at += part + 1;
    }
    return NULL;
}

const char *http_form_find(const struct http_form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->fields[i].name, name) == 0) {
            return form->fields[i].value;
        }
    }
    return NULL;
}
