/* SPDX-License-Identifier: Apache-2.0 */
/* The lanes SCAN, SEARCH, MEASURE, QUERY and LARGE: a request is checked where it was read, unless
 * it is large, waits with its payload, copied or taken, and is decoded and handled on a thread of
 * its lane. One that is large may hand a write or a job on, which then answers; in any case its
 * connection is released when it has been read. A list that is short in bytes and long in work
 * (LOOP_IDS_MAX) was checked, and holds nothing up; nor does one that waits for a sequence, in no
 * lane's queue, and then runs on its lane or, if it has none, on AWAIT. Where a lane is full, or
 * its payloads are, the answer is `busy`, and nothing was kept. */
#include <assert.h>
#include <stdlib.h>

#include "server/rpc/age_write.h"
#include "server/rpc/call.h"
#include "server/rpc/debt.h"

struct pending_scan {
    struct rpc_later *later;
    struct rpc_debt *debt;
    struct rpc_session session; /* without what only the connection's own worker may touch */
    struct rpc_origin origin;
    uint64_t deadline_ms; /* of the request, where it is known */
    bool large;           /* it is not decoded yet: the connection is held */
    bool awaited;         /* a sequence was waited for */
    bool handed_on;       /* somebody else answers */
    struct proto_span payload;
    void *memory; /* in which it lies */
};

static void pending_free(struct pending_scan *pending)
{
    free(pending->memory);
    free(pending);
}

static void release(const struct rpc_later *later)
{
    const struct rpc_options *options = &later->rpc->options;
    options->post(options->post_context, later->ticket, (struct proto_span){0}, false);
}

static void scan_end(void *context, const struct engine_job_info *info)
{
    struct pending_scan *pending = context;
    rpc_later_from(pending->later, info);
    if (pending->large) {
        release(pending->later);
    }
    if (pending->handed_on) {
        rpc_later_drop(pending->later);
    } else {
        rpc_later_post(pending->later, &info->fault);
    }
    rpc_debt_release(pending->debt);
    pending_free(pending);
}

static bool reply_fits(const struct proto_writer *out, struct proto_fault *fault)
{
    if (!proto_writer_ok(out)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the reply");
    }
    return out->bytes <= PROTO_FRAME_BYTES_MAX + PROTO_HEADER_BYTES ||
           proto_fault_set(fault, PROTO_TOO_LARGE, "", "the reply does not fit one frame");
}

/* The worker of requests on the thread that has this worker of the engine. */
static struct rpc_worker *worker_of(const struct rpc *rpc, const struct engine_worker *engine)
{
    for (size_t i = 0; i < ENGINE_LANE_THREADS; i++) {
        if (rpc->lanes[i] && rpc->lanes[i]->engine == engine) {
            return rpc->lanes[i];
        }
    }
    assert(false && "a scan runs on a thread of a lane");
    return NULL;
}

/* The call of a request that waited; args point to what decoding fills. */
static struct rpc_call call_of(struct pending_scan *pending, struct rpc_worker *worker,
                               const struct engine_job *job, const struct proto_arg *args)
{
    struct rpc_later *later = pending->later;
    return (struct rpc_call){
        .worker = worker,
        .session = &pending->session,
        .ticket = later->ticket,
        .op = later->op,
        .args = args,
        .request_id = later->request_id,
        .payload_bytes = pending->payload.bytes,
        .flags = later->flags,
        .read_ns = later->read_ns,
        .deadline_ms = pending->deadline_ms,
        .origin = &pending->origin,
        .out = rpc_later_begin(later),
        .scan = job,
    };
}

/* Nothing large is worked out for whom replies lie unread, nor for anybody while those of all fill
 * the memory there is for them. The reply to a write, and the frames of a job, are small. */
static bool may_begin(const struct pending_scan *pending, struct proto_fault *fault)
{
    const struct rpc_options *options = &pending->later->rpc->options;
    enum proto_lane lane = pending->later->op->lane;
    if (lane == PROTO_LANE_WRITE || lane == PROTO_LANE_JOB) {
        return true;
    }
    if (rpc_debt_is_large(pending->debt)) {
        return proto_fault_set(fault, PROTO_BUSY, "",
                               "earlier replies to this connection are not read yet");
    }
    return !options->crowded || !options->crowded(options->crowded_context) ||
           proto_fault_set(fault, PROTO_BUSY, "",
                           "replies that are not read fill the memory of the server");
}

/* Decodes what waited, and only now knows the deadline of one that is large. */
static bool begin(struct pending_scan *pending, struct rpc_call *call, struct engine_job *job,
                  struct proto_request *request, struct proto_fault *fault)
{
    if (!may_begin(pending, fault) ||
        !proto_request_decode(call->op, pending->payload, request, fault) ||
        !rpc_in_time(call, request->deadline_ms, fault) || !rpc_near_enough(call, request, fault)) {
        return false;
    }
    call->wants_age = request->staleness;
    engine_scan_until(job, rpc_deadline_ms(call));
    return true;
}

/* Look-alike queries that wait together. */
static void similar_run_many(void *const *contexts, struct engine_job *const *jobs, size_t count,
                             struct engine_worker *engine, bool *oks, struct proto_fault *faults)
{
    struct rpc_call calls[ENGINE_TOGETHER_MAX];
    struct proto_request *requests = malloc(count * sizeof *requests);
    struct rpc_worker *worker = worker_of(((struct pending_scan *)contexts[0])->later->rpc, engine);
    for (size_t i = 0; i < count; i++) {
        struct pending_scan *pending = contexts[i];
        calls[i] = call_of(pending, worker, jobs[i], requests ? requests[i].args : NULL);
        oks[i] = requests
                     ? begin(pending, &calls[i], jobs[i], &requests[i], &faults[i])
                     : proto_fault_set(&faults[i], PROTO_NO_MEMORY, "", "no memory for a scan");
    }
    rpc_similar_many(calls, count, oks, faults);
    for (size_t i = 0; i < count; i++) {
        if (oks[i]) {
            rpc_age_write(&calls[i]);
        }
        oks[i] = oks[i] && reply_fits(calls[i].out, &faults[i]);
    }
    free(requests);
}

static bool scan_run(void *context, struct engine_worker *engine, struct engine_job *job,
                     struct proto_fault *fault)
{
    struct pending_scan *pending = context;
    struct rpc_worker *worker = worker_of(pending->later->rpc, engine);
    struct rpc_call call = call_of(pending, worker, job, worker->request.args);
    base_arena_reset(&worker->arena);
    if (!begin(pending, &call, job, &worker->request, fault)) {
        return false;
    }
    enum rpc_outcome outcome = rpc_handle(&call, fault);
    if (outcome == RPC_DONE) {
        rpc_age_write(&call);
    }
    base_arena_reset(&worker->arena);
    assert(outcome != RPC_LATER || pending->large || pending->awaited);
    pending->handed_on = outcome == RPC_LATER;
    return pending->handed_on || (outcome == RPC_DONE && reply_fits(call.out, fault));
}

static enum engine_lane_id lane_of(const struct rpc_call *call)
{
    switch (call->op->lane) {
    case PROTO_LANE_SCAN:
        return ENGINE_LANE_SCAN;
    case PROTO_LANE_SEARCH:
        return ENGINE_LANE_SEARCH;
    case PROTO_LANE_MEASURE:
        return ENGINE_LANE_MEASURE;
    case PROTO_LANE_QUERY:
        return ENGINE_LANE_QUERY;
    case PROTO_LANE_INLINE:
    case PROTO_LANE_WRITE:
    case PROTO_LANE_JOB:
        break;
    }
    return call->min_seq > 0 ? ENGINE_LANE_AWAIT : ENGINE_LANE_LARGE;
}

/* The request's, or the server's own if that is sooner. What an event loop would have answered has
 * no other limit than there. */
static int64_t scan_deadline_ms(const struct rpc_call *call)
{
    const struct rpc_options *options = &call->worker->rpc->options;
    int64_t asked = rpc_deadline_ms(call);
    if (options->scan_ms == 0 || lane_of(call) == ENGINE_LANE_AWAIT) {
        return asked;
    }
    int64_t own = engine_now_ms(options->engine) + (int64_t)options->scan_ms;
    return asked == 0 || own < asked ? own : asked;
}

/* Until when it waits for its sequence: the request's deadline, or the server's own limit; never
 * longer than until it must have ended. */
static int64_t await_until_ms(const struct rpc_call *call, int64_t deadline_ms)
{
    const struct rpc_options *options = &call->worker->rpc->options;
    int64_t asked = rpc_deadline_ms(call);
    int64_t own = engine_now_ms(options->engine) + (int64_t)options->applied_ms;
    int64_t until = asked != 0 ? asked : own;
    return deadline_ms != 0 && deadline_ms < until ? deadline_ms : until;
}

static struct rpc_debt *debt_of(struct rpc_session *session)
{
    if (!session->debt) {
        session->debt = rpc_debt_create(session->owes);
    }
    return session->debt;
}

/* About, of one that may run with others. Of what is not decoded yet nothing is known. */
static size_t reply_bytes(const struct rpc_call *call)
{
    if (call->op->op != PROTO_OP_SIMILAR) {
        return 0;
    }
    return call->args ? rpc_arg_uint(call, PROTO_Q_SIMILAR_K) *
                            (100 + 64 * rpc_arg_uint(call, PROTO_Q_SIMILAR_REASONS))
                      : ENGINE_REPLIES_BYTES;
}

/* A copy of the payload, or its own memory. A recording needs the frames after they are served. */
static bool payload_keep(struct pending_scan *pending, const struct rpc_call *call,
                         struct proto_span payload)
{
    struct rpc_batch *batch = call->batch;
    if (batch && batch->count == 1 && batch->take && payload.bytes > PROTO_LOOP_BYTES_MAX &&
        !capture_is_on(call->worker->rpc->capturing)) {
        pending->memory = batch->take(batch->take_context);
        batch->taken = pending->memory != NULL;
    }
    pending->payload = payload;
    if (pending->memory || payload.bytes == 0) {
        return true;
    }
    uint8_t *copy = malloc(payload.bytes);
    if (copy) {
        memcpy(copy, payload.data, payload.bytes);
    }
    pending->payload.data = pending->memory = copy;
    return copy != NULL;
}

static void pending_fill(struct pending_scan *pending, const struct rpc_call *call)
{
    pending->session = (struct rpc_session){.role = call->session->role};
    pending->origin.connection = rpc_connection(call);
    pending->deadline_ms = call->deadline_ms;
    /* Some of the lane SCAN write too: tal-drop. */
    rpc_person_author(call->session->person, pending->origin.author, sizeof pending->origin.author);
}

static struct pending_scan *pending_create(struct rpc_call *call, struct proto_span payload,
                                           struct proto_fault *fault)
{
    struct rpc_debt *debt = debt_of(call->session);
    struct pending_scan *pending = debt ? calloc(1, sizeof *pending) : NULL;
    struct rpc_later *later = pending ? rpc_later_create(call, fault) : NULL;
    if (!later || !payload_keep(pending, call, payload)) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
        if (later) {
            rpc_later_drop(later);
        }
        free(pending);
        return NULL;
    }
    later->debt = debt;
    pending->later = later;
    pending->debt = rpc_debt_retain(debt);
    pending->large = lane_of(call) == ENGINE_LANE_LARGE && !call->args;
    pending->awaited = call->min_seq > 0;
    pending_fill(pending, call);
    return pending;
}

enum rpc_outcome rpc_scan_submit(struct rpc_call *call, struct proto_span payload,
                                 struct proto_fault *fault)
{
    struct pending_scan *pending = pending_create(call, payload, fault);
    if (!pending) {
        return RPC_FAILED;
    }
    int64_t deadline_ms = scan_deadline_ms(call);
    struct engine_scan scan = {.op = call->op->op,
                               .lane = lane_of(call),
                               .owner = rpc_session_owner(call->session),
                               .bytes = payload.bytes,
                               .reply_bytes = reply_bytes(call),
                               .deadline_ms = deadline_ms,
                               .min_seq = call->min_seq,
                               .wait_until_ms = await_until_ms(call, deadline_ms),
                               .context = pending,
                               .run = scan_run,
                               .run_many =
                                   call->op->op == PROTO_OP_SIMILAR ? similar_run_many : NULL,
                               .on_done = scan_end};
    bool holds = pending->large; /* it may have ended, and be gone, when it has been queued */
    if (engine_scan(call->worker->rpc->options.engine, &scan, fault)) {
        call->hold = holds;
        return RPC_LATER;
    }
    rpc_debt_release(pending->debt);
    rpc_later_drop(pending->later);
    pending_free(pending);
    return RPC_FAILED;
}
