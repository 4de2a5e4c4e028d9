/* SPDX-License-Identifier: Apache-2.0 */
/* How one kind of server is spoken to: the replies of a read are split here; requests come from a
 * load_traffic. One table for each protocol, so that every contender is driven by the same loop.
 * Shapes: a reply is its request's id and a status, 0 = ok. Ownership: borrows. Threads: pure.
 * Cost: a few ns a reply; it is looked at no further than its length, status and id. */
#ifndef BENCH_LOAD_WIRE_H
#define BENCH_LOAD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Replies of one call at most; the loop calls again for what is left. */
#define LOAD_SPLIT_MAX 1024

struct load_split {
    uint32_t count;
    bool broken; /* what follows is no reply: framing is lost */
    uint8_t status[LOAD_SPLIT_MAX];
    uint32_t id[LOAD_SPLIT_MAX]; /* if the wire has ids */
};

struct load_wire {
    const char *name;
    bool has_ids;          /* else replies come in order */
    size_t greeting_bytes; /* sent by the server on connecting, to be passed over */
    /* Splits whole replies off the front; returns the bytes used. `reply_bytes` is the stream's,
     * for wires whose replies have one size. */
    size_t (*split)(const uint8_t *data, size_t bytes, size_t reply_bytes,
                    struct load_split *split);
};

extern const struct load_wire load_wire_icp;       /* docs/protocol.md */
extern const struct load_wire load_wire_echo;      /* frames of one size, see load_echo.h */
extern const struct load_wire load_wire_redis;     /* RESP 2: bulk, simple, integer, array, error */
extern const struct load_wire load_wire_memcached; /* text protocol: get of one key, set */
extern const struct load_wire load_wire_tarantool; /* iproto */

#endif
