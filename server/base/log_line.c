/* SPDX-License-Identifier: Apache-2.0 */
/* Head, fields, end; what does not fit is left out whole, and what a peer sent is escaped, so that
 * the line stays one line and well formed. */
#include "server/base/log_line.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/utf8.h"

#define LOG_TEXT_BYTES 512
#define LINE_END_BYTES 8 /* the longest ending: colour off, brace and newline */

/* Keeps room for the ending. */
static void add_bytes(struct base_log_line *line, const char *bytes, size_t count)
{
    if (line->full || count > sizeof line->bytes - LINE_END_BYTES - line->used) {
        line->full = true;
        return;
    }
    memcpy(line->bytes + line->used, bytes, count);
    line->used += count;
}

static void add(struct base_log_line *line, const char *text)
{
    add_bytes(line, text, strlen(text));
}

/* Escapes as JSON does; in text format too, where an escape is at least visible. */
static void add_escaped(struct base_log_line *line, const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    size_t left = strlen(text);
    bool cut = left > LOG_TEXT_BYTES;
    if (cut) {
        left = LOG_TEXT_BYTES;
    }
    while (left > 0) {
        size_t step = proto_utf8_step(at, left);
        char escape[8];
        if (step == 0) {
            if (cut && left < 4) {
                break; /* a character that the cut went through */
            }
            add(line, "\\ufffd");
            step = 1;
        } else if (step == 1 && (*at == '"' || *at == '\\')) {
            add_bytes(line, (const char[]){'\\', (char)*at}, 2);
        } else if (step == 1 && (*at < 0x20 || *at == 0x7f)) {
            snprintf(escape, sizeof escape, "\\u%04x", *at);
            add(line, escape);
        } else {
            add_bytes(line, (const char *)at, step);
        }
        at += step;
        left -= step;
    }
    if (cut) {
        add(line, "...");
    }
}

static void add_value(struct base_log_line *line, const struct base_log_field *field, bool json)
{
    char number[40];
    switch (field->kind) {
    case BASE_FIELD_TEXT: {
        const char *text = field->text != NULL ? field->text : "";
        bool quoted = json || text[0] == '\0' || strpbrk(text, " =\"\\") != NULL;
        add(line, quoted ? "\"" : "");
        add_escaped(line, text);
        add(line, quoted ? "\"" : "");
        return;
    }
    case BASE_FIELD_UINT:
        snprintf(number, sizeof number, "%" PRIu64, field->uint);
        break;
    case BASE_FIELD_INT:
        snprintf(number, sizeof number, "%" PRId64, field->integer);
        break;
    case BASE_FIELD_NUMBER:
        /* JSON has no word for what is not finite. */
        if (isfinite(field->number)) {
            snprintf(number, sizeof number, "%.9g", field->number);
        } else {
            snprintf(number, sizeof number, "%s", json ? "null" : "-");
        }
        break;
    case BASE_FIELD_FLAG:
        snprintf(number, sizeof number, "%s", field->flag ? "true" : "false");
        break;
    }
    add(line, number);
}

static void add_time(struct base_log_line *line, int64_t ms, bool json)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    char day[32];
    char text[48];
    if (json) {
        gmtime_r(&seconds, &parts);
    } else {
        localtime_r(&seconds, &parts);
    }
    strftime(day, sizeof day, json ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &parts);
    snprintf(text, sizeof text, "%s.%03u%s", day, (unsigned)(ms % 1000), json ? "Z" : "");
    add(line, text);
}

void base_log_line_json(struct base_log_line *line, int64_t ms, const char *level, const char *area,
                        const char *message)
{
    add(line, "{\"time\":\"");
    add_time(line, ms, true);
    add(line, "\",\"level\":\"");
    add(line, level);
    add(line, "\",\"area\":\"");
    add_escaped(line, area);
    add(line, "\",\"message\":\"");
    add_escaped(line, message);
    add(line, "\"");
}

void base_log_line_text(struct base_log_line *line, int64_t ms, const char *level, const char *area,
                        const char *message, const char *colour)
{
    char padded[8];
    add_time(line, ms, false);
    snprintf(padded, sizeof padded, "%-5s", level);
    add(line, " ");
    add(line, colour);
    add(line, padded);
    add(line, colour[0] != '\0' ? "\033[0m " : " ");
    add(line, area);
    add(line, ": ");
    add_escaped(line, message);
    add(line, " ");
}

void base_log_line_field(struct base_log_line *line, const struct base_log_field *field, bool json)
{
    size_t before = line->used;
    add(line, json ? ",\"" : " ");
    add(line, field->name);
    add(line, json ? "\":" : "=");
    add_value(line, field, json);
    if (line->full) {
        line->used = before;
    }
}

void base_log_line_end(struct base_log_line *line, bool json)
{
    if (json) {
        line->bytes[line->used++] = '}';
    }
    line->bytes[line->used++] = '\n';
}
