/* SPDX-License-Identifier: Apache-2.0 */
/* proto_read_any: walks one value of any shape with a stack of its own, eight levels high. What
 * most values are, short texts, numbers and flags, is passed over in place; the rest, and whatever
 * is wrong, goes through the reader. The keys of open maps are gathered on the way, as long as
 * there is room for them; those of larger maps are walked once more when the map ends. */
#include <stdio.h>

#include "proto/head.h"
#include "proto/keys.h"
#include "proto/mark.h"
#include "proto/utf8.h"

enum { GATHERED_MAX = 256 }; /* keys of all open maps: 4 KiB of stack */

/* An array or map that is open. */
struct level {
    const uint8_t *body;   /* the first element or key */
    struct proto_span key; /* of the pair being read; 0 bytes with NULL data before it is known */
    size_t count;
    size_t index; /* elements or pairs begun */
    bool is_map;
    bool gathered; /* its keys are the last ones of the walk's */
};

struct walk {
    struct level levels[PROTO_DEPTH_MAX];
    unsigned depth;
    size_t key_count;
    struct proto_span keys[GATHERED_MAX];
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
            (struct level){.body = reader->at,
                           .count = count,
                           .is_map = is_map,
                           .gathered = is_map && count <= GATHERED_MAX - walk->key_count};
    }
}

/* Maps that are open around this one have their keys before its own: a map within it is closed. */
static bool keys_differ(struct walk *walk, const struct level *level,
                        const struct proto_reader *reader, struct proto_span *twice)
{
    if (level->gathered) {
        walk->key_count -= level->count;
        return proto_keys_all_differ(walk->keys + walk->key_count, level->count, twice);
    }
    struct proto_span body = {level->body, (size_t)(reader->at - level->body)};
    return proto_keys_differ(body, level->count, twice);
}

static void level_close(struct walk *walk, struct proto_reader *reader)
{
    const struct level *level = &walk->levels[--walk->depth];
    struct proto_span twice;
    proto_reader_leave(reader);
    if (level->is_map && !keys_differ(walk, level, reader, &twice)) {
        char key[PROTO_ID_BYTES_MAX];
        (void)snprintf(key, sizeof(key), "%.*s",
                       twice.bytes < sizeof(key) ? (int)twice.bytes : (int)sizeof(key),
                       (const char *)twice.data);
        proto_reader_fail(reader, PROTO_DUPLICATE_KEY, key, "the key stands twice in one map");
    }
}

/* Passes over a short ASCII text, f64, small integer or flag, if that is what stands there. */
static inline bool plain_pass(struct proto_reader *reader)
{
    const uint8_t *at = reader->at;
    size_t left = (size_t)(reader->end - at);
    size_t bytes = 1;
    if (left == 0) {
        return false;
    }
    if ((*at & ~PROTO_FIXSTR_BYTES_MAX) == PROTO_MARK_FIXSTR) {
        bytes += *at & (unsigned)PROTO_FIXSTR_BYTES_MAX;
        if (bytes > left || !proto_utf8_is_ascii(at + 1, bytes - 1)) {
            return false;
        }
    } else if (*at == PROTO_MARK_F64) {
        uint64_t bits = left > 8 ? proto_head_load(at + 1, 8) : UINT64_MAX;
        bytes = 9;
        if ((bits >> 52 & 0x7ff) == 0x7ff) { /* no finite number */
            return false;
        }
    } else if (*at >= 0x80 && *at < 0xe0 && (*at & ~1U) != 0xc2) {
        return false;
    }
    reader->at = at + bytes;
    return true;
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
    walk.key_count = 0;
    const uint8_t *start = reader->at;
    if (reader->checked) {
        reader->at = proto_skip(start, reader->end);
        return (struct proto_span){start, (size_t)(reader->at - start)};
    }
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
            if (level->gathered) {
                walk.keys[walk.key_count++] = level->key;
            }
        }
        level->index++;
        if (!plain_pass(reader)) {
            value_read(&walk, reader);
        }
    }
    if (!proto_reader_ok(reader)) {
        fault_locate(&walk, reader->fault);
        return (struct proto_span){0};
    }
    return (struct proto_span){start, (size_t)(reader->at - start)};
}
