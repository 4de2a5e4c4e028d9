/* SPDX-License-Identifier: Apache-2.0 */
/* A comma is due where the sign before opens nothing and names nothing. */
#include "client/router/router_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 1024, NUMBER_BYTES = 40 };

void router_text_reset(struct router_text *text)
{
    text->bytes = 0;
    text->failed = false;
}

void router_text_fini(struct router_text *text)
{
    free(text->data);
    *text = (struct router_text){.data = NULL};
}

void router_text_raw(struct router_text *text, const char *data, size_t bytes)
{
    if (text->bytes + bytes + 1 > text->room && !text->failed) {
        size_t room = 2 * (text->bytes + bytes) + ROOM_FIRST;
        char *grown = realloc(text->data, room);
        text->failed = grown == NULL;
        text->data = grown != NULL ? grown : text->data;
        text->room = grown != NULL ? room : text->room;
    }
    if (text->failed) {
        return;
    }
    memcpy(text->data + text->bytes, data, bytes);
    text->bytes += bytes;
    text->data[text->bytes] = '\0';
}

static void comma(struct router_text *text)
{
    char before = text->bytes > 0 && !text->failed ? text->data[text->bytes - 1] : '{';
    if (before != '{' && before != '[' && before != ':') {
        router_text_raw(text, ",", 1);
    }
}

void router_text_open(struct router_text *text, char bracket)
{
    comma(text);
    router_text_raw(text, &bracket, 1);
}

void router_text_close(struct router_text *text, char bracket)
{
    router_text_raw(text, &bracket, 1);
}

static void escaped(struct router_text *text, char sign)
{
    char escape[8];
    const char *at = strchr("\"\"\\\\\bb\ff\nn\rr\tt", sign);
    int bytes = at != NULL ? snprintf(escape, sizeof escape, "\\%c", at[1])
                           : snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)sign);
    router_text_raw(text, escape, (size_t)bytes);
}

/* Quotes, the backslash and control characters are escaped; all other is as it is. */
static void quoted(struct router_text *text, const char *value)
{
    const char *from = value;
    router_text_raw(text, "\"", 1);
    for (const char *at = value; *at != '\0'; at++) {
        if ((unsigned char)*at >= ' ' && *at != '"' && *at != '\\') {
            continue;
        }
        router_text_raw(text, from, (size_t)(at - from));
        escaped(text, *at);
        from = at + 1;
    }
    router_text_raw(text, from, strlen(from));
    router_text_raw(text, "\"", 1);
}

void router_text_name(struct router_text *text, const char *name)
{
    comma(text);
    quoted(text, name);
    router_text_raw(text, ":", 1);
}

void router_text_string(struct router_text *text, const char *value)
{
    comma(text);
    if (value == NULL) {
        router_text_raw(text, "null", 4);
    } else {
        quoted(text, value);
    }
}

void router_text_int(struct router_text *text, int64_t value)
{
    char number[NUMBER_BYTES];
    int bytes = snprintf(number, sizeof number, "%lld", (long long)value);
    comma(text);
    router_text_raw(text, number, (size_t)bytes);
}

/* The shorter of two forms that are read as the same number, always with a point or an exponent. */
void router_text_real(struct router_text *text, double value)
{
    char number[NUMBER_BYTES];
    comma(text);
    if (isfinite(value) == 0) {
        router_text_raw(text, "null", 4);
        return;
    }
    int bytes = snprintf(number, sizeof number, "%.15g", value);
    if (strtod(number, NULL) != value) { /* to the bit */
        bytes = snprintf(number, sizeof number, "%.17g", value);
    }
    router_text_raw(text, number, (size_t)bytes);
    if (strpbrk(number, ".e") == NULL) {
        router_text_raw(text, ".0", 2);
    }
}

void router_text_flag(struct router_text *text, bool value)
{
    comma(text);
    router_text_raw(text, value ? "true" : "false", value ? 4 : 5);
}
