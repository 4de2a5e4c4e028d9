/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/proto/oracle.h"

#include <msgpack.h>

#include "proto/reader.h"

#define ZONE_CHUNK_BYTES 8192

static bool same(struct proto_reader *reader, const msgpack_object *object);

static bool same_children(struct proto_reader *reader, const msgpack_object *object)
{
    bool is_map = object->type == MSGPACK_OBJECT_MAP;
    uint32_t count = is_map ? object->via.map.size : object->via.array.size;
    bool is_same = (is_map ? proto_read_map(reader) : proto_read_array(reader)) == count;
    for (uint32_t i = 0; is_same && i < count; i++) {
        is_same = is_map ? same(reader, &object->via.map.ptr[i].key) &&
                               same(reader, &object->via.map.ptr[i].val)
                         : same(reader, &object->via.array.ptr[i]);
    }
    proto_reader_leave(reader);
    return is_same;
}

/* Reads one value and compares it with what msgpack-c made of it. */
static bool same(struct proto_reader *reader, const msgpack_object *object)
{
    struct proto_span span;
    switch (object->type) {
    case MSGPACK_OBJECT_NIL:
        proto_read_nil(reader);
        return proto_reader_ok(reader);
    case MSGPACK_OBJECT_BOOLEAN:
        return proto_read_bool(reader) == object->via.boolean && proto_reader_ok(reader);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        if (object->via.u64 > INT64_MAX) {
            return proto_read_number(reader) == (double)object->via.u64;
        }
        return proto_read_uint(reader) == object->via.u64 && proto_reader_ok(reader);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return proto_read_int(reader) == object->via.i64 && proto_reader_ok(reader);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return proto_read_number(reader) == object->via.f64 && proto_reader_ok(reader);
    case MSGPACK_OBJECT_STR:
        span = proto_read_str(reader);
        return proto_span_equal(
            span, (struct proto_span){(const uint8_t *)object->via.str.ptr, object->via.str.size});
    case MSGPACK_OBJECT_BIN:
        span = proto_read_bin(reader);
        return proto_span_equal(
            span, (struct proto_span){(const uint8_t *)object->via.bin.ptr, object->via.bin.size});
    case MSGPACK_OBJECT_ARRAY:
    case MSGPACK_OBJECT_MAP:
        return same_children(reader, object);
    default:
        return false;
    }
}

bool oracle_same(struct proto_span theirs, struct proto_span ours)
{
    msgpack_zone zone;
    msgpack_object object;
    size_t offset = 0;
    if (!msgpack_zone_init(&zone, ZONE_CHUNK_BYTES)) {
        return false;
    }
    msgpack_unpack_return verdict =
        msgpack_unpack((const char *)theirs.data, theirs.bytes, &offset, &zone, &object);
    bool is_same = verdict == MSGPACK_UNPACK_SUCCESS && offset == theirs.bytes;
    if (is_same) {
        struct proto_fault fault;
        struct proto_reader reader;
        proto_reader_init(&reader, ours, &fault);
        is_same = same(&reader, &object) && proto_reader_end(&reader);
    }
    msgpack_zone_destroy(&zone);
    return is_same;
}

bool oracle_agrees(struct proto_span bytes)
{
    return oracle_same(bytes, bytes);
}
