/* SPDX-License-Identifier: Apache-2.0 */
/* Reading replies: a value is decoded when it is asked for, straight from the payload, which was
 * checked whole when it came. */
#include <stdio.h>
#include <stdlib.h>

#include "client/client.h"

void icp_reply_fini(struct icp_reply *reply)
{
    client_memory_free(reply->buffer);
    *reply = (struct icp_reply){0};
}

/* Decodes one value whose extent is known. */
static bool value_decode(struct proto_span encoded, struct icp_value *value)
{
    struct proto_fault fault = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, encoded, &fault);
    *value = (struct icp_value){.data = encoded.data, .bytes = encoded.bytes};
    struct proto_span text = {0};
    switch (proto_reader_peek(&reader)) {
    case PROTO_KIND_NIL:
        return true;
    case PROTO_KIND_BOOL:
        value->kind = ICP_KIND_FLAG;
        value->flag = proto_read_bool(&reader);
        return proto_reader_ok(&reader);
    case PROTO_KIND_INT:
        value->kind = ICP_KIND_INT;
        value->integer = proto_read_int(&reader);
        value->number = (double)value->integer;
        return proto_reader_ok(&reader);
    case PROTO_KIND_FLOAT:
        value->kind = ICP_KIND_NUMBER;
        value->number = proto_read_number(&reader);
        /* Beyond 2^63 the cast would be undefined; such a number has no integer. */
        if (value->number > -9.2e18 && value->number < 9.2e18) {
            value->integer = (int64_t)value->number;
        }
        return proto_reader_ok(&reader);
    case PROTO_KIND_STR:
    case PROTO_KIND_BIN:
        value->kind = proto_reader_peek(&reader) == PROTO_KIND_STR ? ICP_KIND_TEXT : ICP_KIND_BYTES;
        text = value->kind == ICP_KIND_TEXT ? proto_read_str(&reader) : proto_read_bin(&reader);
        value->text = (struct icp_text){(const char *)text.data, text.bytes};
        return proto_reader_ok(&reader);
    case PROTO_KIND_ARRAY:
        value->kind = ICP_KIND_LIST;
        value->count = proto_read_array(&reader);
        return proto_reader_ok(&reader);
    case PROTO_KIND_MAP:
        value->kind = ICP_KIND_MAP;
        value->count = proto_read_map(&reader);
        return proto_reader_ok(&reader);
    case PROTO_KIND_EXT:
    case PROTO_KIND_NONE:
        break;
    }
    return false;
}

struct icp_walk icp_walk_over(const struct icp_value *value)
{
    struct icp_walk walk = {0};
    if (value->kind != ICP_KIND_LIST && value->kind != ICP_KIND_MAP) {
        return walk;
    }
    struct proto_fault fault = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, (struct proto_span){value->data, value->bytes}, &fault);
    walk.is_map = value->kind == ICP_KIND_MAP;
    walk.left = walk.is_map ? proto_read_map(&reader) : proto_read_array(&reader);
    walk.at = reader.at;
    walk.end = value->data + value->bytes;
    return walk;
}

bool icp_next(struct icp_walk *walk, struct icp_text *key, struct icp_value *value)
{
    if (walk->left == 0) {
        return false;
    }
    struct proto_fault fault = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, (struct proto_span){walk->at, (size_t)(walk->end - walk->at)},
                      &fault);
    struct proto_span name = walk->is_map ? proto_read_str(&reader) : (struct proto_span){0};
    struct proto_span element = proto_read_any(&reader);
    walk->left = proto_reader_ok(&reader) ? walk->left - 1 : 0;
    walk->at = reader.at;
    if (key != NULL) {
        *key = (struct icp_text){(const char *)name.data, name.bytes};
    }
    return proto_reader_ok(&reader) && value_decode(element, value);
}

bool icp_value_get(const struct icp_value *map, const char *name, struct icp_value *value)
{
    size_t name_bytes = strlen(name);
    struct icp_walk walk = icp_walk_over(map);
    struct icp_text key;
    while (walk.is_map && icp_next(&walk, &key, value)) {
        if (key.bytes == name_bytes && memcmp(key.data, name, name_bytes) == 0) {
            return true;
        }
    }
    *value = (struct icp_value){0};
    return false;
}

struct icp_value icp_reply_value(const struct icp_reply *reply)
{
    struct icp_value value = {0};
    if (reply->payload_bytes > 0) {
        (void)value_decode((struct proto_span){reply->payload, reply->payload_bytes}, &value);
    }
    return value;
}

bool icp_reply_get(const struct icp_reply *reply, const char *name, struct icp_value *value)
{
    struct icp_value all = icp_reply_value(reply);
    return icp_value_get(&all, name, value);
}

int64_t icp_reply_int(const struct icp_reply *reply, const char *name, int64_t fallback)
{
    struct icp_value value;
    bool found = icp_reply_get(reply, name, &value);
    return found && (value.kind == ICP_KIND_INT || value.kind == ICP_KIND_NUMBER) ? value.integer
                                                                                  : fallback;
}

double icp_reply_number(const struct icp_reply *reply, const char *name, double fallback)
{
    struct icp_value value;
    bool found = icp_reply_get(reply, name, &value);
    return found && (value.kind == ICP_KIND_INT || value.kind == ICP_KIND_NUMBER) ? value.number
                                                                                  : fallback;
}

bool icp_reply_flag(const struct icp_reply *reply, const char *name, bool fallback)
{
    struct icp_value value;
    return icp_reply_get(reply, name, &value) && value.kind == ICP_KIND_FLAG ? value.flag
                                                                             : fallback;
}

struct icp_text icp_reply_text(const struct icp_reply *reply, const char *name)
{
    struct icp_value value;
    if (icp_reply_get(reply, name, &value) && value.kind == ICP_KIND_TEXT) {
        return value.text;
    }
    return (struct icp_text){"", 0};
}

/* For people. */

struct sink {
    char *at;
    size_t left; /* the zero at the end included */
};

static void sink_put(struct sink *sink, const char *text, size_t bytes)
{
    if (sink->left == 0) {
        return;
    }
    if (bytes > sink->left - 1) {
        bytes = sink->left - 1;
    }
    memcpy(sink->at, text, bytes);
    sink->at += bytes;
    sink->left -= bytes;
    *sink->at = '\0';
}

/* The fewest digits that read back as the same number. */
static void sink_number(struct sink *sink, double number)
{
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    sink_put(sink, text, strlen(text));
}

static void sink_scalar(struct sink *sink, const struct icp_value *value)
{
    char text[40];
    switch (value->kind) {
    case ICP_KIND_NIL:
        break;
    case ICP_KIND_FLAG:
        sink_put(sink, value->flag ? "true" : "false", value->flag ? 4 : 5);
        break;
    case ICP_KIND_INT:
        snprintf(text, sizeof text, "%lld", (long long)value->integer);
        sink_put(sink, text, strlen(text));
        break;
    case ICP_KIND_NUMBER:
        sink_number(sink, value->number);
        break;
    case ICP_KIND_TEXT:
        sink_put(sink, value->text.data, value->text.bytes);
        break;
    case ICP_KIND_BYTES:
        snprintf(text, sizeof text, "(%zu bytes)", value->text.bytes);
        sink_put(sink, text, strlen(text));
        break;
    case ICP_KIND_LIST:
    case ICP_KIND_MAP:
        snprintf(text, sizeof text, "(%zu %s)", value->count,
                 value->kind == ICP_KIND_MAP ? "fields" : "values");
        sink_put(sink, text, strlen(text));
        break;
    }
}

char *icp_value_print(const struct icp_value *value, char *text, size_t text_bytes)
{
    struct sink sink = {text, text_bytes};
    if (text_bytes > 0) {
        *text = '\0';
    }
    struct icp_walk walk = icp_walk_over(value);
    if (walk.at == NULL) {
        sink_scalar(&sink, value);
        return text;
    }
    struct icp_text key;
    struct icp_value element;
    for (bool first = true; icp_next(&walk, &key, &element); first = false) {
        if (!first) {
            sink_put(&sink, ", ", 2);
        }
        if (walk.is_map) {
            sink_put(&sink, key.data, key.bytes);
            sink_put(&sink, ": ", 2);
        }
        sink_scalar(&sink, &element);
    }
    return text;
}
