/* SPDX-License-Identifier: Apache-2.0 */
/* The client's core: requests in, bytes out; bytes in, replies out. No I/O, no clock, no signals,
 * so that it serves a blocking socket, an event loop and a test alike.
 *
 * A request gets an id and stays pending until its last frame has come. Replies come in any order.
 * A request that was given up stays pending as forgotten, so that its late reply is known and
 * dropped; a reply under an id that was never sent means that the peers disagree: the connection is
 * lost. Shapes: the pending table is open-addressed by id, at most half full; memory is bounded by
 * in_flight_max entries and buffer_bytes_max + one largest frame of input.
 * Ownership: spans handed out point into the pipeline and die with the next call that is not a
 * read-only one. Errors: false or 0 with *fault. A loss is sticky: `lost` and `loss` say why.
 * Threads: one pipeline, one thread. Cost: about 50 ns a request and 30 ns a reply beside the
 * codec. */
#ifndef CLIENT_PIPELINE_H
#define CLIENT_PIPELINE_H

#include "client/memory.h"
#include "proto/request.h"
#include "proto/writer.h"

/* Unanswered requests that a pipeline takes when its owner names no number. */
#define CLIENT_IN_FLIGHT_MAX 65536
/* Input that may wait for its reader when its owner names no number. */
#define CLIENT_BUFFER_BYTES_MAX ((size_t)64 << 20)

struct client_pending {
    void *owner; /* whose request it is; NULL: of whoever takes replies by id */
    uint32_t id; /* 0: the place is free */
    uint8_t op;
    bool forgotten;
    bool is_large;    /* the server reads it on a lane of its own, and nothing behind it before */
    uint64_t min_seq; /* that it named; 0: none */
};

/* A request whose payload is a map of `pairs` encoded in `body`, borrowed for the call. */
struct client_request {
    uint8_t op;
    size_t pairs;
    struct proto_span body;
    const char *operation; /* put into the map under that name; NULL: nothing is */
    uint64_t min_seq;      /* the same; 0: nothing is */
    bool has_min_seq;      /* the body has one */
    void *owner;
};

/* One frame of a reply. payload holds until the next client_pipeline_next or _room. */
struct client_reply {
    void *owner;
    uint32_t id;
    uint8_t op;
    bool more;
    uint64_t seq;             /* of a write that succeeded; 0: it was none */
    uint64_t min_seq;         /* that the request named */
    struct proto_fault fault; /* code PROTO_OK for a success */
    struct proto_span payload;
};

struct client_pipeline {
    struct proto_writer output;
    size_t output_sent; /* bytes of output that have left */
    uint8_t *input;
    size_t input_at; /* first byte not yet taken apart */
    size_t input_bytes;
    size_t input_capacity;
    size_t buffer_bytes_max;
    struct client_pending *pending;
    size_t pending_capacity; /* a power of two, or 0 */
    size_t pending_count;    /* forgotten ones included */
    size_t forgotten_count;
    size_t owned_count; /* waited for, with an owner */
    size_t large_count; /* forgotten ones included */
    size_t in_flight_max;
    uint32_t *ids;    /* the next id: of this pipeline, or of all that share a numbering */
    uint32_t own_ids; /* what `ids` points to unless the owner of the pipeline says otherwise */
    const struct icp_allocator *allocator; /* borrowed; NULL: malloc */
    uint32_t id_oldest; /* no request below it is pending; a hint for client_pipeline_abandon */
    bool checksum;
    bool lost;
    struct proto_fault loss;
};

/* 0 for either bound means the default above. `ids` and `allocator` may be set right after. */
void client_pipeline_init(struct client_pipeline *pipeline, size_t in_flight_max,
                          size_t buffer_bytes_max, bool checksum);
void client_pipeline_fini(struct client_pipeline *pipeline);
/* A new connection: drops both buffers and all pending requests, keeps counting ids. */
void client_pipeline_restart(struct client_pipeline *pipeline);

/* Queues one request. Returns its id; 0: LIMIT (too many in flight), TOO_LARGE, NO_MEMORY, or the
 * loss. */
uint32_t client_pipeline_request(struct client_pipeline *pipeline,
                                 const struct client_request *request, struct proto_fault *fault);
/* NULL if no request of that id is pending. */
const struct client_pending *client_pipeline_find(const struct client_pipeline *pipeline,
                                                  uint32_t id);
void client_pipeline_forget(struct client_pipeline *pipeline, uint32_t id);
/* Takes the pending requests without an owner out one by one, after a loss; forgotten ones are
 * passed over. 0: none. */
uint32_t client_pipeline_abandon(struct client_pipeline *pipeline, uint8_t *op);
/* Requests without an owner that are waited for. */
static inline size_t client_pipeline_waiting(const struct client_pipeline *pipeline)
{
    return pipeline->pending_count - pipeline->forgotten_count - pipeline->owned_count;
}

/* What waits to be sent, and the news that `bytes` of it have left. */
struct proto_span client_pipeline_output(const struct client_pipeline *pipeline);
void client_pipeline_sent(struct client_pipeline *pipeline, size_t bytes);

/* Room for input: where to put bytes and how many (0: the buffer is full until replies are taken,
 * or no memory, which is a loss); and the news that `bytes` have been put there. */
uint8_t *client_pipeline_room(struct client_pipeline *pipeline, size_t *bytes);
void client_pipeline_received(struct client_pipeline *pipeline, size_t bytes);
/* The peer has closed, or reading failed: with part of a reply in the buffer the message says so.
 */
void client_pipeline_lose(struct client_pipeline *pipeline, enum proto_error code,
                          const char *reason);

/* The next frame of a reply that somebody waits for. False: none is whole yet, or lost. */
bool client_pipeline_next(struct client_pipeline *pipeline, struct client_reply *reply);

#endif
