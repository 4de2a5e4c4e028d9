/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of the load generator; for bench_load.c alone.
 * Requests are sent straight out of the traffic's buffer: [unsent, unsent + unsent_bytes) is the
 * part of it that the socket has not taken yet. Ownership: the connection owns its descriptor and
 * buffers. Threads: one. */
#ifndef BENCH_CONN_H
#define BENCH_CONN_H

#include "bench/bench_load.h"

struct bench_conn {
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
    uint64_t *meant_ns; /* open loop: ring by request index, see bench_conn_slot */
    uint32_t ring;      /* its size, a power of two */
};

bool bench_conn_open(struct bench_conn *conn, const struct bench_stream *stream,
                     struct proto_fault *fault);
void bench_conn_close(struct bench_conn *conn);

/* Puts request conn->next behind what is unsent. False if it does not follow it in the buffer: then
 * the rest must leave first. */
bool bench_conn_queue(struct bench_conn *conn, const struct bench_traffic *traffic);
/* Sends what the socket takes. */
bool bench_conn_send(struct bench_conn *conn, struct proto_fault *fault);
/* Keeps the end of a read for the next one. */
bool bench_conn_keep(struct bench_conn *conn, const uint8_t *data, size_t bytes,
                     struct proto_fault *fault);

#endif
