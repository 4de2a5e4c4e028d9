/* SPDX-License-Identifier: Apache-2.0 */
/* proto_read_any: walks one value of any shape with a stack of its own, eight levels high. */
#include <stdio.h>

#include "proto/head.h"
#include "proto/keys.h"

/* An array or map that is open. */
struct level {
    const uint8_t *body;   /* the first element or key */
    struct proto_span key; /* of the pair being read; 0 bytes with NULL data before it is known */
    size_t count;
    size_t index; /* elements or pairs begun */
    bool is_map;
};

struct walk {
    struct level levels[PROTO_DEPTH_MAX];
    unsigned depth;
};

/* Puts the way to the value at fault before the fault's field, innermost level first. */
static void fault_locate(const struct walk *walk, struct proto_fault *fault)
{
    for (unsigned i = walk->depth; i-- > 0;) {
        const struct level *level = &walk->levels[i];
        if (!level->is_map && level->index > 0) {
            proto_fault_within(fault, "[%zu]", level->index - 1);
        } else if (level->is_map && level->key.data != NULL) {
            int shown = level->key.bytes < sizeof(fault->field) ? (int)level->key.bytes
                                                                : (int)sizeof(fault->field);
            proto_fault_within(fault, "%.*s", shown, (const char *)level->key.data);
        }
    }
}

static void level_open(struct walk *walk, struct proto_reader *reader, bool is_map)
{
    size_t count = is_map ? proto_read_map(reader) : proto_read_array(reader);
    if (proto_reader_ok(reader)) { /* so the reader's depth allows one more level here as well */
        walk->levels[walk->depth++] =
            (struct level){.body = reader->at, .count = count, .is_map = is_map};
    }
}

static void level_close(struct walk *walk, struct proto_reader *reader)
{
    const struct level *level = &walk->levels[--walk->depth];
    proto_reader_leave(reader);
    struct proto_span body = {level->body, (size_t)(reader->at - level->body)};
    struct proto_span twice;
    if (level->is_map && !proto_keys_differ(body, level->count, &twice)) {
        char key[PROTO_ID_BYTES_MAX];
        (void)snprintf(key, sizeof(key), "%.*s",
                       twice.bytes < sizeof(key) ? (int)twice.bytes : (int)sizeof(key),
                       (const char *)twice.data);
        proto_reader_fail(reader, PROTO_DUPLICATE_KEY, key, "the key stands twice in one map");
    }
}

static void value_read(struct walk *walk, struct proto_reader *reader)
{
    switch (proto_reader_peek(reader)) {
    case PROTO_KIND_NIL:
        proto_read_nil(reader);
        break;
    case PROTO_KIND_BOOL:
        (void)proto_read_bool(reader);
        break;
    case PROTO_KIND_INT:
    case PROTO_KIND_FLOAT:
        (void)proto_read_number(reader);
        break;
    case PROTO_KIND_STR:
        (void)proto_read_str(reader);
        break;
    case PROTO_KIND_BIN:
        (void)proto_read_bin(reader);
        break;
    case PROTO_KIND_ARRAY:
        level_open(walk, reader, false);
        break;
    case PROTO_KIND_MAP:
        level_open(walk, reader, true);
        break;
    case PROTO_KIND_EXT:
    case PROTO_KIND_NONE:
        proto_reader_refuse(reader, "a value");
        break;
    }
}

struct proto_span proto_read_any(struct proto_reader *reader)
{
    if (!proto_reader_ok(reader)) {
        return (struct proto_span){0};
    }
    struct walk walk;
    walk.depth = 0;
    const uint8_t *start = reader->at;
    value_read(&walk, reader);
    while (walk.depth > 0 && proto_reader_ok(reader)) {
        struct level *level = &walk.levels[walk.depth - 1];
        if (level->index == level->count) {
            level_close(&walk, reader);
            continue;
        }
        if (level->is_map) {
            level->key.data = NULL;
            level->key = proto_read_key(reader);
            if (!proto_reader_ok(reader)) {
                break;
            }
        }
        level->index++;
        value_read(&walk, reader);
    }
    if (!proto_reader_ok(reader)) {
        fault_locate(&walk, reader->fault);
        return (struct proto_span){0};
    }
    return (struct proto_span){start, (size_t)(reader->at - start)};
}
