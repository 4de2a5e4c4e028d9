/* SPDX-License-Identifier: Apache-2.0 */
/* One request on its way through a handler. */
#ifndef RPC_CALL_H
#define RPC_CALL_H

#include <stdatomic.h>

#include "proto/rule.h"
#include "server/base/arena.h"
#include "server/rpc/people.h"
#include "server/rpc/rpc.h"
#include "server/rpc/score_template.h"

struct rpc {
    struct rpc_options options;
    bool open;                     /* no tokens: everybody is admin */
    bool meters;                   /* requests are counted by address */
    const _Atomic bool *capturing; /* capture_switch, or one that is always off */
    struct rpc_people people;
    /* Handlers of scans run with these, on the threads of the lanes; NULL where a lane has none. */
    struct rpc_worker *lanes[ENGINE_LANE_THREADS];
};

struct rpc_hot;
struct rpc_score_reply;

struct rpc_worker {
    struct rpc *rpc;
    unsigned index;
    struct engine_worker *engine;
    struct base_arena arena; /* reset for each request */
    struct proto_request request;
    struct rpc_hot *hot; /* hot/hot.h */
    struct rpc_score_reply *score_reply;
    struct feature_value *lead; /* by field id, kept between requests */
    size_t lead_slots;
};

/* Whose request it is, kept while it waits. */
struct rpc_origin {
    uint64_t connection;              /* 0: not listed */
    char author[ENGINE_AUTHOR_BYTES]; /* "" if nobody is known */
};

enum rpc_outcome {
    RPC_DONE,   /* the reply stands in call->out */
    RPC_LATER,  /* the reply comes through post */
    RPC_FAILED, /* *fault says why; whatever the handler wrote is taken back */
};

struct rpc_call {
    struct rpc_worker *worker;
    struct rpc_session *session;
    struct rpc_batch *batch; /* that it came with; NULL on a thread of a lane */
    struct rpc_ticket ticket;
    const struct proto_op_info *op;
    const struct proto_arg *args; /* by PROTO_Q_*; NULL: not decoded yet */
    uint32_t request_id;
    size_t payload_bytes;
    uint16_t flags; /* of the reply: PROTO_FLAG_REPLY, and CHECKSUM if the request had one */
    uint64_t read_ns;
    uint64_t deadline_ms;
    uint64_t min_seq; /* that it waits for; 0: none */
    bool wants_age;   /* in its reply */
    /* On a thread of a lane, where the session's person may be gone: its number and how it signs.
     * NULL elsewhere. */
    const struct rpc_origin *origin;
    bool hold;                /* set: nothing more of the connection may be begun until a release */
    struct proto_writer *out; /* frame begun; the handler writes the payload */
    const struct engine_job
        *scan; /* of an operation of SCAN, SEARCH, MEASURE or QUERY: ask whether to go on */
};

/* Handlers, one an operation. */
#define X(opcode, NAME, name, lane, role, retry, help)                                             \
    enum rpc_outcome rpc_on_##NAME(struct rpc_call *call, struct proto_fault *fault);
#include "proto/op.def"
#undef X

/* similar, for requests that wait together: as the handler does for each whose ok is set. */
void rpc_similar_many(struct rpc_call *calls, size_t count, bool *oks, struct proto_fault *faults);

/* The operation's own handler. */
enum rpc_outcome rpc_handle(struct rpc_call *call, struct proto_fault *fault);
/* What a client is told to wait for: whole milliseconds, at least one. */
static inline uint32_t rpc_wait_ms(uint64_t wait_ns)
{
    uint64_t wait_ms = wait_ns / 1000000 + 1;
    return wait_ms < UINT32_MAX ? (uint32_t)wait_ms : UINT32_MAX;
}
/* Names a connection to the lanes, which are fair by it. */
static inline uint64_t rpc_session_owner(const struct rpc_session *session)
{
    return (uint64_t)(uintptr_t)session;
}
/* Hands a request to a thread of its lane, where its handler runs as any other does, with a worker
 * of that thread: so a handler need not know its lane, but may take its time. A request whose
 * operation has no such lane goes to that of large ones, may answer later, and holds its connection
 * (call->hold) until it was read, so that what is behind it is not begun before it. The payload is
 * copied, unless its memory can be taken (rpc_batch.take). One that waits for a sequence
 * (call->min_seq) goes to a thread once that is applied. PROTO_BUSY if too many wait. */
enum rpc_outcome rpc_scan_submit(struct rpc_call *call, struct proto_span payload,
                                 struct proto_fault *fault);
/* False with *fault if the request's deadline_ms has passed since it was read. */
bool rpc_in_time(struct rpc_call *call, uint64_t deadline_ms, struct proto_fault *fault);
/* False with *fault (BEHIND) if this server knows less than the request wants: a sequence that it
 * has not applied, or an age. True: the worker's view shows what is wanted. */
bool rpc_near_enough(const struct rpc_call *call, const struct proto_request *request,
                     struct proto_fault *fault);
/* The number under which the connection is listed; 0: it is not. */
uint64_t rpc_connection(const struct rpc_call *call);

/* A reply that comes later: everything that is needed to write and count it. Made by rpc_later,
 * freed by rpc_later_post or rpc_later_drop. */
struct rpc_later {
    struct rpc *rpc;
    struct rpc_ticket ticket;
    const struct proto_op_info *op;
    uint32_t request_id;
    uint16_t flags;
    uint64_t read_ns;
    uint64_t connection;   /* for who watches; 0: not listed */
    size_t payload_bytes;  /* of the request */
    struct rpc_debt *debt; /* that the reply adds to; borrowed; NULL: none, the reply is small */
    size_t block;          /* of figures, where the reply will be counted: at first the writer's */
    struct proto_writer out;
};
/* The reply comes from this thread of a lane. */
void rpc_later_from(struct rpc_later *later, const struct engine_job_info *info);
/* The wall clock, in ms, by which work that waits must have begun; 0: no deadline, or one beyond
 * all time. */
int64_t rpc_deadline_ms(const struct rpc_call *call);
struct rpc_later *rpc_later_create(struct rpc_call *call, struct proto_fault *fault);
/* Begins the frame of a reply in later->out. */
struct proto_writer *rpc_later_begin(struct rpc_later *later);
/* Sends what was begun as a progress frame; later lives on. */
void rpc_later_progress(struct rpc_later *later);
/* Sends what was begun, or the fault if its code is not PROTO_OK, as the last frame. Frees later.
 */
void rpc_later_post(struct rpc_later *later, const struct proto_fault *fault);
void rpc_later_drop(struct rpc_later *later);

/* Adds to a figure of the worker's own. */
void rpc_tally(const struct rpc_call *call, enum base_metric metric, size_t more);
/* Counts a request that is answered. */
void rpc_count(const struct rpc_call *call, enum proto_error code);
/* `count` scores that were answered together without a fault. */
void rpc_count_scores(const struct rpc_call *call, size_t count);

/* Names of reply fields come from the table: index is a PROTO_A_* of the operation. */
void rpc_key(struct proto_writer *out, const struct proto_op_info *op, int index);
void rpc_put_uint(struct proto_writer *out, const struct proto_op_info *op, int index,
                  uint64_t value);
void rpc_put_int(struct proto_writer *out, const struct proto_op_info *op, int index,
                 int64_t value);
void rpc_put_number(struct proto_writer *out, const struct proto_op_info *op, int index,
                    double value);
void rpc_put_flag(struct proto_writer *out, const struct proto_op_info *op, int index, bool value);
/* A member to be patched: its marker (proto/mark.h) and a body of zeros, whose place is returned.
 */
size_t rpc_put_wide(struct proto_writer *out, const struct proto_op_info *op, int index,
                    uint8_t mark, size_t bytes);
void rpc_put_text(struct proto_writer *out, const struct proto_op_info *op, int index,
                  const char *value);
void rpc_put_str(struct proto_writer *out, const struct proto_op_info *op, int index,
                 struct proto_span value);

/* Text of an argument; if it is absent its default, empty if the table has none. */
static inline struct proto_span rpc_arg_text(const struct rpc_call *call, int index)
{
    const char *otherwise = call->op->request[index].text_default;
    return call->args[index].present ? call->args[index].text
           : otherwise               ? proto_span_text(otherwise)
                                     : (struct proto_span){0};
}
/* What the table gives if the argument is absent; it must be required or have a default. Bounds
 * need no look: the decoder has kept them. */
static inline uint64_t rpc_arg_uint(const struct rpc_call *call, int index)
{
    return proto_arg_uint(&call->op->request[index], &call->args[index]);
}
static inline double rpc_arg_number(const struct rpc_call *call, int index)
{
    return proto_arg_number(&call->op->request[index], &call->args[index]);
}
static inline bool rpc_arg_flag(const struct rpc_call *call, int index)
{
    return proto_arg_flag(&call->op->request[index], &call->args[index]);
}
/* An argument of type TEXTS as spans in the worker's arena; *count set. NULL with a fault if there
 * is no memory for them; an absent one gives NULL and 0 without a fault. */
const struct proto_span *rpc_arg_texts(struct rpc_call *call, int index, size_t *count,
                                       struct proto_fault *fault);

/* Records the frames of a batch that were served, for a capture that is on. */
void rpc_capture_take(struct rpc_worker *worker, const struct rpc_batch *batch);

static inline const struct engine_state *rpc_state(const struct rpc_call *call)
{
    return engine_worker_state(call->worker->engine);
}

#endif
