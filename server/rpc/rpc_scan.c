/* SPDX-License-Identifier: Apache-2.0 */
/* The lanes SCAN, SEARCH and MEASURE: a request is checked where it was read, waits with a copy of
 * its payload, and is decoded and handled again on a thread of its lane. Where a lane is full, or
 * its payloads are, the answer is `busy`, and nothing was kept. */
#include <assert.h>
#include <stdlib.h>

#include "server/rpc/call.h"
#include "server/rpc/debt.h"

struct pending_scan {
    struct rpc_later *later;
    struct rpc_debt *debt;
    struct rpc_session session;
    uint64_t deadline_ms; /* of the request */
    size_t bytes;
    uint8_t payload[];
};

static void scan_end(void *context, const struct engine_job_info *info)
{
    struct pending_scan *pending = context;
    rpc_later_from(pending->later, info);
    rpc_later_post(pending->later, &info->fault);
    rpc_debt_release(pending->debt);
    free(pending);
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
        .flags = later->flags,
        .read_ns = later->read_ns,
        .deadline_ms = pending->deadline_ms,
        .out = rpc_later_begin(later),
        .scan = job,
    };
}

/* Nothing large is worked out for whom replies lie unread, nor for anybody while those of all fill
 * the memory there is for them. */
static bool may_begin(const struct pending_scan *pending, struct proto_fault *fault)
{
    const struct rpc_options *options = &pending->later->rpc->options;
    if (atomic_load_explicit(&pending->debt->owes, memory_order_relaxed)) {
        return proto_fault_set(fault, PROTO_BUSY, "",
                               "earlier replies to this connection are not read yet");
    }
    return !options->crowded || !options->crowded(options->crowded_context) ||
           proto_fault_set(fault, PROTO_BUSY, "",
                           "replies that are not read fill the memory of the server");
}

/* Look-alike queries that wait together. */
static void similar_run_many(void *const *contexts, const struct engine_job *const *jobs,
                             size_t count, struct engine_worker *engine, bool *oks,
                             struct proto_fault *faults)
{
    struct rpc_call calls[ENGINE_TOGETHER_MAX];
    struct proto_request *requests = malloc(count * sizeof *requests);
    struct rpc_worker *worker = worker_of(((struct pending_scan *)contexts[0])->later->rpc, engine);
    base_arena_reset(&worker->arena);
    for (size_t i = 0; i < count; i++) {
        struct pending_scan *pending = contexts[i];
        oks[i] =
            requests || proto_fault_set(&faults[i], PROTO_NO_MEMORY, "", "no memory for a scan");
        calls[i] = call_of(pending, worker, jobs[i], requests ? requests[i].args : NULL);
        oks[i] = oks[i] && may_begin(pending, &faults[i]) &&
                 proto_request_decode(pending->later->op,
                                      (struct proto_span){pending->payload, pending->bytes},
                                      &requests[i], &faults[i]);
    }
    rpc_similar_many(calls, count, oks, faults);
    for (size_t i = 0; i < count; i++) {
        oks[i] = oks[i] && reply_fits(calls[i].out, &faults[i]);
    }
    base_arena_reset(&worker->arena);
    free(requests);
}

static bool scan_run(void *context, struct engine_worker *engine, const struct engine_job *job,
                     struct proto_fault *fault)
{
    struct pending_scan *pending = context;
    struct rpc_later *later = pending->later;
    struct rpc_worker *worker = worker_of(later->rpc, engine);
    struct rpc_call call = call_of(pending, worker, job, worker->request.args);
    base_arena_reset(&worker->arena);
    if (!may_begin(pending, fault) ||
        !proto_request_decode(later->op, (struct proto_span){pending->payload, pending->bytes},
                              &worker->request, fault)) {
        return false;
    }
    enum rpc_outcome outcome = rpc_handle(&call, fault);
    assert(outcome != RPC_LATER);
    base_arena_reset(&worker->arena);
    return outcome == RPC_DONE && reply_fits(call.out, fault);
}

/* The request's, or the server's own if that is sooner. */
static int64_t scan_deadline_ms(const struct rpc_call *call)
{
    const struct rpc_options *options = &call->worker->rpc->options;
    int64_t asked = rpc_deadline_ms(call);
    if (options->scan_ms == 0) {
        return asked;
    }
    int64_t own = engine_now_ms(options->engine) + (int64_t)options->scan_ms;
    return asked == 0 || own < asked ? own : asked;
}

static struct rpc_debt *debt_of(struct rpc_session *session)
{
    if (!session->debt) {
        session->debt = rpc_debt_create(session->owes);
    }
    return session->debt;
}

static enum engine_lane_id lane_of(enum proto_lane lane)
{
    return lane == PROTO_LANE_SEARCH    ? ENGINE_LANE_SEARCH
           : lane == PROTO_LANE_MEASURE ? ENGINE_LANE_MEASURE
                                        : ENGINE_LANE_SCAN;
}

enum rpc_outcome rpc_scan_submit(struct rpc_call *call, struct proto_span payload,
                                 struct proto_fault *fault)
{
    struct rpc *rpc = call->worker->rpc;
    struct rpc_debt *debt = debt_of(call->session);
    struct pending_scan *pending = debt ? malloc(sizeof *pending + payload.bytes) : NULL;
    struct rpc_later *later = pending ? rpc_later_create(call, fault) : NULL;
    if (later) {
        *pending = (struct pending_scan){.later = later,
                                         .debt = rpc_debt_retain(debt),
                                         .session = *call->session,
                                         .deadline_ms = call->deadline_ms,
                                         .bytes = payload.bytes};
        if (payload.bytes > 0) {
            memcpy(pending->payload, payload.data, payload.bytes);
        }
        struct engine_scan scan = {.op = call->op->op,
                                   .lane = lane_of(call->op->lane),
                                   .owner = rpc_session_owner(call->session),
                                   .bytes = payload.bytes,
                                   .deadline_ms = scan_deadline_ms(call),
                                   .context = pending,
                                   .run = scan_run,
                                   .run_many =
                                       call->op->op == PROTO_OP_SIMILAR ? similar_run_many : NULL,
                                   .on_done = scan_end};
        if (engine_scan(rpc->options.engine, &scan, fault)) {
            return RPC_LATER;
        }
        rpc_debt_release(debt);
        rpc_later_drop(later);
    } else {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
    }
    free(pending);
    return RPC_FAILED;
}
