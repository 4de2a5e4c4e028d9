/* SPDX-License-Identifier: Apache-2.0 */
/* A walk along the path: at each object the members are passed over until the name fits, at each
 * array the elements are counted. What does not fit ends the walk where it is; the text is known to
 * be JSON, and a walk that comes to its end all the same stays within it. */
#include "server/feature/json_place.h"

#include <stdio.h>
#include <string.h>

struct walk {
    struct proto_span text;
    size_t at;
};

static uint8_t byte_at(const struct walk *walk)
{
    return walk->at < walk->text.bytes ? walk->text.data[walk->at] : 0;
}

static void blanks_pass(struct walk *walk)
{
    while (byte_at(walk) == ' ' || byte_at(walk) == '\t' || byte_at(walk) == '\n' ||
           byte_at(walk) == '\r') {
        walk->at++;
    }
}

/* From the opening quote to behind the closing one; what stands between. */
static struct proto_span string_pass(struct walk *walk)
{
    size_t first = walk->at < walk->text.bytes ? ++walk->at : walk->text.bytes;
    while (walk->at < walk->text.bytes && byte_at(walk) != '"') {
        walk->at += byte_at(walk) == '\\' ? 2 : 1;
    }
    walk->at = walk->at < walk->text.bytes ? walk->at : walk->text.bytes;
    struct proto_span inner = {walk->text.data + first, walk->at - first};
    walk->at += walk->at < walk->text.bytes;
    return inner;
}

static void value_pass(struct walk *walk)
{
    size_t depth = 0;
    while (walk->at < walk->text.bytes) {
        uint8_t byte = byte_at(walk);
        bool ends = byte == '}' || byte == ']';
        if (depth == 0 && (byte == ',' || ends)) {
            return;
        }
        if (byte == '"') {
            (void)string_pass(walk);
            continue;
        }
        depth += byte == '{' || byte == '[';
        depth -= ends;
        walk->at++;
    }
}

/* To the value of the member; *found is where its name stands. */
static bool member_find(struct walk *walk, struct proto_span name, size_t *found)
{
    if (byte_at(walk) != '{') {
        return false;
    }
    while (walk->at < walk->text.bytes) {
        walk->at++;
        blanks_pass(walk);
        size_t start = walk->at;
        if (byte_at(walk) != '"') {
            return false;
        }
        struct proto_span key = string_pass(walk);
        blanks_pass(walk);
        walk->at += byte_at(walk) == ':';
        blanks_pass(walk);
        if (proto_span_equal(key, name)) {
            *found = start;
            return true;
        }
        value_pass(walk);
        if (byte_at(walk) != ',') {
            return false;
        }
    }
    return false;
}

static bool element_find(struct walk *walk, size_t index, size_t *found)
{
    if (byte_at(walk) != '[') {
        return false;
    }
    for (size_t i = 0; walk->at < walk->text.bytes; i++) {
        walk->at++;
        blanks_pass(walk);
        if (i == index) {
            *found = walk->at;
            return byte_at(walk) != ']';
        }
        value_pass(walk);
        if (byte_at(walk) != ',') {
            return false;
        }
    }
    return false;
}

static struct feature_json_place place_of(struct proto_span text, size_t at)
{
    struct feature_json_place place = {1, 1};
    for (size_t i = 0; i < at && i < text.bytes; i++) {
        uint8_t byte = text.data[i];
        place.column += (byte & 0xc0) != 0x80;
        if (byte == '\n') {
            place = (struct feature_json_place){place.line + 1, 1};
        }
    }
    return place;
}

struct feature_json_place feature_json_place(struct proto_span text, const char *path)
{
    struct walk walk = {text, 0};
    blanks_pass(&walk);
    size_t found = walk.at;
    while (*path != '\0') {
        size_t place = 0;
        bool there = false;
        if (*path == '[') {
            size_t index = 0;
            for (path++; *path >= '0' && *path <= '9'; path++) {
                index = index > SIZE_MAX / 20 ? index : index * 10 + (size_t)(*path - '0');
            }
            path += *path == ']';
            there = element_find(&walk, index, &place);
        } else {
            path += *path == '.';
            size_t bytes = strcspn(path, ".[");
            there = member_find(&walk, (struct proto_span){(const uint8_t *)path, bytes}, &place);
            path += bytes;
            path += bytes == 0 && *path != '\0' && *path != '[';
        }
        if (!there) {
            break;
        }
        found = place;
    }
    return place_of(text, found);
}

bool feature_json_fault_place(struct proto_span text, struct proto_fault *fault)
{
    struct feature_json_place place = feature_json_place(text, fault->field);
    char message[sizeof fault->message];
    memcpy(message, fault->message, sizeof message);
    (void)snprintf(fault->message, sizeof fault->message, "line %zu, column %zu: %.470s",
                   place.line, place.column, message);
    return false;
}
