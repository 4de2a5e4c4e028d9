/* SPDX-License-Identifier: Apache-2.0 */
/* A line is parsed as JSON; where a member is at fault its column is found by walking the text,
 * which is known to be JSON then: strings are passed over, depth is counted, names compared. What
 * is no JSON is told with the column at which the parser gave up. */
#include "server/transfer/transfer_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/feature/json_text.h"

enum { MESSAGE_BYTES = 512, DEPTH_MAX = 3 };

/* "line 1, column C: …" of a text that is one line becomes that of the line. */
static bool json_fault(uint64_t number, struct proto_fault *fault)
{
    char message[MESSAGE_BYTES];
    const char *column = strstr(fault->message, "column ");
    snprintf(message, sizeof message, "%s", column != NULL ? column : fault->message);
    return proto_fault_set(fault, fault->code, "lines", "line %" PRIu64 ", %s%s", number,
                           column != NULL ? "" : "column 1: ", message);
}

/* A string that begins at `at`, with its quotes; where it ends. */
static size_t string_end(struct proto_span text, size_t at)
{
    for (at++; at < text.bytes && text.data[at] != '"'; at++) {
        at += text.data[at] == '\\';
    }
    return at < text.bytes ? at + 1 : text.bytes;
}

static size_t characters(struct proto_span text, size_t upto)
{
    size_t count = 0;
    for (size_t i = 0; i < upto && i < text.bytes; i++) {
        count += (text.data[i] & 0xC0) != 0x80;
    }
    return count;
}

static bool is_name(struct proto_span text, size_t from, size_t upto, const char *name)
{
    size_t bytes = strlen(name);
    size_t after = upto;
    while (after < text.bytes && (text.data[after] == ' ' || text.data[after] == '\t')) {
        after++;
    }
    return after < text.bytes && text.data[after] == ':' && upto - from == bytes + 2 &&
           memcmp(text.data + from + 1, name, bytes) == 0;
}

size_t transfer_line_column(const struct transfer_line *line, struct transfer_place place)
{
    struct proto_span text = line->text;
    size_t depth = 0;
    size_t found = 0; /* names of the place so far */
    for (size_t at = 0; at < text.bytes;) {
        uint8_t byte = text.data[at];
        if (byte == '"') {
            size_t end = string_end(text, at);
            if (found < DEPTH_MAX && depth == found + 1 && place.names[found] != NULL &&
                is_name(text, at, end, place.names[found])) {
                found++;
                if (found == DEPTH_MAX || place.names[found] == NULL) {
                    return characters(text, at) + 1;
                }
            }
            at = end;
            continue;
        }
        depth += byte == '{' || byte == '[';
        depth -= byte == '}' || byte == ']';
        at++;
    }
    return 1;
}

bool transfer_line_refuse(const struct transfer_line *line, struct transfer_place place,
                          struct proto_fault *fault, const char *format, ...)
{
    char what[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return proto_fault_set(fault, PROTO_BAD_FIELD, "lines", "line %" PRIu64 ", column %zu: %s",
                           line->number, transfer_line_column(line, place), what);
}

bool transfer_line_within(const struct transfer_line *line, struct transfer_place place,
                          struct proto_fault *fault)
{
    char field[sizeof fault->field + 3] = "";
    char what[MESSAGE_BYTES];
    if (fault->field[0] != '\0' && strcmp(fault->field, "lines") != 0) {
        snprintf(field, sizeof field, "%s: ", fault->field);
    }
    snprintf(what, sizeof what, "%s", fault->message);
    return proto_fault_set(fault, fault->code, "lines", "line %" PRIu64 ", column %zu: %s%s",
                           line->number, transfer_line_column(line, place), field, what);
}

bool transfer_line_load(struct transfer_line *line, struct proto_span text, uint64_t number,
                        struct proto_fault *fault)
{
    *line = (struct transfer_line){.text = text, .number = number};
    line->json = feature_json_load(text, PROTO_BAD_FIELD, fault);
    if (line->json == NULL) {
        return json_fault(number, fault);
    }
    const uint8_t *name = text.bytes == 0 ? NULL : memchr(text.data, '"', text.bytes);
    if (!json_is_object(line->json) || json_object_size(line->json) == 0 || name == NULL) {
        transfer_line_refuse(line, TRANSFER_AT(NULL), fault,
                             "an object is wanted, {\"account\": …} or the like");
        transfer_line_fini(line);
        return false;
    }
    size_t from = (size_t)(name - text.data);
    size_t bytes = string_end(text, from) - from - 2;
    bytes = bytes < sizeof line->first ? bytes : sizeof line->first - 1;
    memcpy(line->first, name + 1, bytes);
    return true;
}

void transfer_line_fini(struct transfer_line *line)
{
    json_decref(line->json);
    line->json = NULL;
}

bool transfer_line_text(const struct transfer_line *line, const char *name, struct proto_span *text,
                        struct proto_fault *fault)
{
    const json_t *value = json_object_get(line->json, name);
    if (!json_is_string(value)) {
        return transfer_line_refuse(line, TRANSFER_AT(name), fault,
                                    "\"%s\" must be a text, and is %s", name,
                                    feature_json_kind(value));
    }
    *text = feature_json_span(value);
    return true;
}

bool transfer_line_int(const struct transfer_line *line, const char *name, int64_t low,
                       int64_t high, int64_t *number, struct proto_fault *fault)
{
    const json_t *value = json_object_get(line->json, name);
    if (!json_is_integer(value)) {
        return transfer_line_refuse(line, TRANSFER_AT(name), fault,
                                    "\"%s\" must be a whole number, and is %s", name,
                                    json_is_real(value) ? "a fraction" : feature_json_kind(value));
    }
    *number = json_integer_value(value);
    return (*number >= low && *number <= high) ||
           transfer_line_refuse(line, TRANSFER_AT(name), fault,
                                "\"%s\" must be from %" PRId64 " to %" PRId64 ", and is %" PRId64,
                                name, low, high, *number);
}

bool transfer_line_known(const struct transfer_line *line, const char *const *names, size_t count,
                         struct proto_fault *fault)
{
    if (feature_json_members_known(line->json, names, count, PROTO_BAD_FIELD, fault)) {
        return true;
    }
    char name[sizeof fault->field];
    snprintf(name, sizeof name, "%s", fault->field);
    return transfer_line_within(line, TRANSFER_AT(name), fault);
}
