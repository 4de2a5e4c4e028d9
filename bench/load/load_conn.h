/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of the load generator; for load.c alone.
 * Requests are sent straight out of the traffic's buffer: [unsent, unsent + unsent_bytes) is the
 * part of it that the socket has not taken yet. Ownership: the connection owns its descriptor and
 * buffers. Threads: one. */
#ifndef BENCH_LOAD_CONN_H
#define BENCH_LOAD_CONN_H

#include "bench/load/load.h"

struct load_conn {
    int fd;
    unsigned stream;
    uint32_t next;       /* index of the request to be sent next */
    uint32_t next_reply; /* index whose reply comes next on a wire without ids */
    uint32_t outstanding;
    uint64_t batch_ns; /* closed loop: when the batch was sent */
    uint64_t ids_left; /* closed loop: sum of the ids not answered yet; 0 at the end */
    const uint8_t *unsent;
    size_t unsent_bytes;
    bool wants_write;
    size_t greeting_left;
    uint8_t *partial; /* start of a reply whose end has not come */
    size_t partial_bytes, partial_capacity;
    uint64_t *meant_ns; /* open loop: ring by request index, see load_conn_slot */
    uint32_t ring;      /* its size, a power of two */
};

bool load_conn_open(struct load_conn *conn, const struct load_stream *stream,
                    struct proto_fault *fault);
void load_conn_close(struct load_conn *conn);

/* Puts request conn->next behind what is unsent. False if it does not follow it in the buffer: then
 * the rest must leave first. */
bool load_conn_queue(struct load_conn *conn, const struct load_traffic *traffic);
/* Sends what the socket takes. */
bool load_conn_send(struct load_conn *conn, struct proto_fault *fault);
/* Keeps the end of a read for the next one. */
bool load_conn_keep(struct load_conn *conn, const uint8_t *data, size_t bytes,
                    struct proto_fault *fault);

#endif
