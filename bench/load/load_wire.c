/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_wire.h"

#include <string.h>

#include "proto/frame.h"

static size_t split_icp(const uint8_t *data, size_t bytes, size_t reply_bytes,
                        struct load_split *split)
{
    size_t at = 0;
    (void)reply_bytes;
    split->count = 0;
    split->broken = false;
    while (bytes - at >= PROTO_HEADER_BYTES && split->count < LOAD_SPLIT_MAX) {
        struct proto_header header;
        proto_header_decode(data + at, &header);
        if (header.version != PROTO_VERSION || (header.flags & PROTO_FLAG_REPLY) == 0 ||
            header.payload_bytes > PROTO_FRAME_BYTES_MAX) {
            split->broken = true;
            return at;
        }
        size_t total = PROTO_HEADER_BYTES + (size_t)header.payload_bytes;
        if (bytes - at < total) {
            break;
        }
        at += total;
        split->status[split->count] = header.code;
        split->id[split->count++] = header.request_id;
    }
    return at;
}

static size_t split_echo(const uint8_t *data, size_t bytes, size_t reply_bytes,
                         struct load_split *split)
{
    size_t count = bytes / reply_bytes;
    (void)data;
    split->broken = false;
    split->count = (uint32_t)(count < LOAD_SPLIT_MAX ? count : LOAD_SPLIT_MAX);
    memset(split->status, 0, split->count);
    return split->count * reply_bytes;
}

/* The end of the line at `at` (after \r\n), or 0 if it has not come. */
static size_t line_end(const uint8_t *data, size_t bytes, size_t at)
{
    const uint8_t *feed = memchr(data + at, '\n', bytes - at);
    return feed != NULL ? (size_t)(feed - data) + 1 : 0;
}

/* A decimal number of a protocol's own making; *negative for a leading minus. */
static size_t number_read(const uint8_t *at, bool *negative)
{
    size_t value = 0;
    *negative = *at == '-';
    for (at += *negative; *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (size_t)(*at - '0');
    }
    return value;
}

/* One RESP 2 value from `at` on: its end, or 0 if it has not all come. Arrays of plain values alone
 * (HMGET) are needed. A missing value counts as an error: nothing that is asked for is missing. */
static size_t resp_end(const uint8_t *data, size_t bytes, size_t at, uint8_t *status)
{
    bool negative;
    size_t left = 1;
    for (; left > 0; left--) {
        size_t end = at < bytes ? line_end(data, bytes, at) : 0;
        if (end == 0) {
            return 0;
        }
        size_t number = number_read(data + at + 1, &negative);
        if (data[at] == '-' || (negative && data[at] != ':')) {
            *status = 1;
        }
        if (data[at] == '*' && !negative) {
            left += number;
        }
        if (data[at] == '$' && !negative) {
            end += number + 2;
        }
        if (end > bytes) {
            return 0;
        }
        at = end;
    }
    return at;
}

static size_t split_redis(const uint8_t *data, size_t bytes, size_t reply_bytes,
                          struct load_split *split)
{
    size_t at = 0;
    (void)reply_bytes;
    split->count = 0;
    split->broken = bytes > 0 && memchr("+-:$*", data[0], 5) == NULL;
    while (!split->broken && at < bytes && split->count < LOAD_SPLIT_MAX) {
        uint8_t status = 0;
        size_t end = resp_end(data, bytes, at, &status);
        if (end == 0) {
            break;
        }
        split->status[split->count++] = status;
        at = end;
    }
    return at;
}

/* VALUE key flags bytes, data, END; a miss is END alone; STORED after a set. */
static size_t memcached_end(const uint8_t *data, size_t bytes, size_t at, uint8_t *status)
{
    bool negative;
    size_t end = line_end(data, bytes, at);
    if (end == 0) {
        return 0;
    }
    *status = data[at] != 'V' && data[at] != 'S';
    if (data[at] != 'V') {
        return end;
    }
    size_t size_at = end - 2;
    while (data[size_at - 1] != ' ') {
        size_at--;
    }
    end += number_read(data + size_at, &negative) + 2 + strlen("END\r\n");
    return end <= bytes ? end : 0;
}

static size_t split_memcached(const uint8_t *data, size_t bytes, size_t reply_bytes,
                              struct load_split *split)
{
    size_t at = 0;
    (void)reply_bytes;
    split->count = 0;
    split->broken = bytes > 0 && memchr("VESCN", data[0], 5) == NULL;
    while (!split->broken && at < bytes && split->count < LOAD_SPLIT_MAX) {
        uint8_t status = 0;
        size_t end = memcached_end(data, bytes, at, &status);
        if (end == 0) {
            break;
        }
        split->status[split->count++] = status;
        at = end;
    }
    return at;
}

static uint32_t load_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* iproto: 0xce u32 size, then a map of 3: 0 → 0xce u32 status, 1 → 0xcf u64 request id, … */
static size_t split_tarantool(const uint8_t *data, size_t bytes, size_t reply_bytes,
                              struct load_split *split)
{
    enum { HEAD = 5, STATUS_AT = 8, SYNC_AT = 14, LEAST = 22 };
    size_t at = 0;
    (void)reply_bytes;
    split->count = 0;
    split->broken = false;
    while (bytes - at >= LEAST && split->count < LOAD_SPLIT_MAX) {
        const uint8_t *reply = data + at;
        if (reply[0] != 0xce || reply[HEAD] != 0x83 || reply[SYNC_AT - 1] != 0xcf) {
            split->broken = true;
            return at;
        }
        size_t total = HEAD + (size_t)load_be32(reply + 1);
        if (bytes - at < total) {
            break;
        }
        split->status[split->count] = load_be32(reply + STATUS_AT) != 0;
        split->id[split->count++] = load_be32(reply + SYNC_AT + 4);
        at += total;
    }
    return at;
}

const struct load_wire load_wire_icp = {.name = "icp", .has_ids = true, .split = split_icp};
const struct load_wire load_wire_echo = {.name = "echo", .split = split_echo};
const struct load_wire load_wire_redis = {.name = "redis", .split = split_redis};
const struct load_wire load_wire_memcached = {.name = "memcached", .split = split_memcached};
const struct load_wire load_wire_tarantool = {
    .name = "tarantool", .has_ids = true, .greeting_bytes = 128, .split = split_tarantool};
