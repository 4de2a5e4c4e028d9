/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "server/rpc/admit.h"
#include "server/rpc/age_write.h"
#include "server/rpc/debt.h"
#include "server/rpc/hot/hot.h"
#include "server/rpc/score_reply.h"

/* A worker without its engine's part. */
static struct rpc_worker *worker_create(struct rpc *rpc, unsigned index, struct proto_fault *fault)
{
    struct rpc_worker *worker = calloc(1, sizeof *worker);
    if (!worker) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a worker");
        return NULL;
    }
    worker->rpc = rpc;
    worker->index = index;
    base_arena_init(&worker->arena, 0, 0);
    worker->score_reply = rpc_score_reply_create(fault);
    worker->hot = rpc_hot_create(fault);
    if (!worker->score_reply || !worker->hot) {
        rpc_worker_destroy(worker);
        return NULL;
    }
    return worker;
}

/* A worker for each thread of a lane that has an engine's worker. */
static bool lanes_open(struct rpc *rpc, struct proto_fault *fault)
{
    for (unsigned i = 0; i < ENGINE_LANE_THREADS; i++) {
        struct engine_worker *engine = engine_lane_worker(rpc->options.engine, i);
        if (!engine) {
            continue;
        }
        rpc->lanes[i] = worker_create(rpc, rpc->options.workers + 1 + i, fault);
        if (!rpc->lanes[i]) {
            return false;
        }
        rpc->lanes[i]->engine = engine;
    }
    return true;
}

struct rpc *rpc_create(const struct rpc_options *options, struct proto_fault *fault)
{
    struct rpc *rpc = calloc(1, sizeof *rpc);
    if (!rpc) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for requests");
        return NULL;
    }
    static const _Atomic bool never;
    rpc->options = *options;
    rpc->capturing = options->capture ? capture_switch(options->capture) : &never;
    rpc->meters = options->addresses && auth_addresses_meter(options->addresses);
    rpc->open = auth_is_open(&options->tokens) && !options->book;
    if (!rpc_people_init(&rpc->people)) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list of clients");
        free(rpc);
        return NULL;
    }
    if (!lanes_open(rpc, fault)) {
        rpc_destroy(rpc);
        return NULL;
    }
    return rpc;
}

void rpc_destroy(struct rpc *rpc)
{
    if (!rpc) {
        return;
    }
    for (size_t i = 0; i < ENGINE_LANE_THREADS; i++) {
        if (rpc->lanes[i]) {
            rpc->lanes[i]->engine = NULL; /* it was the engine's own */
            rpc_worker_destroy(rpc->lanes[i]);
        }
    }
    rpc_people_fini(&rpc->people);
    free(rpc);
}

void rpc_session_open(struct rpc *rpc, struct rpc_session *session, const char *address)
{
    session->person = rpc_person_create(&rpc->people, address, engine_now_ms(rpc->options.engine));
}

void rpc_session_owes(struct rpc_session *session, bool owes)
{
    session->owes = owes;
    if (session->debt) {
        atomic_store_explicit(&session->debt->owes, owes, memory_order_relaxed);
    }
}

void rpc_session_delivered(struct rpc_session *session, size_t bytes, size_t unsent)
{
    if (session->debt) {
        rpc_debt_deliver(session->debt, bytes, unsent);
    }
}

void rpc_session_unsent(struct rpc_session *session, size_t unsent)
{
    if (session->debt) {
        rpc_debt_look(session->debt, unsent);
    }
}

void rpc_session_finish(struct rpc *rpc, struct rpc_session *session)
{
    if (session->debt) {
        engine_waits_end(rpc->options.engine, rpc_session_owner(session));
    }
}

void rpc_session_close(struct rpc *rpc, struct rpc_session *session)
{
    if (session->debt) {
        engine_scans_end(rpc->options.engine, rpc_session_owner(session));
    }
    rpc_debt_release(session->debt);
    session->debt = NULL;
    rpc_person_destroy(session->person);
    session->person = NULL;
    auth_grant_leave(session->grant);
    session->grant = NULL;
}

bool rpc_session_stands(const struct rpc *rpc, const struct rpc_session *session,
                        struct proto_fault *fault)
{
    return !session->grant ||
           auth_grant_stands(session->grant, engine_now_ms(rpc->options.engine), fault);
}

struct rpc_worker *rpc_worker_create(struct rpc *rpc, unsigned index, struct proto_fault *fault)
{
    struct rpc_worker *worker = worker_create(rpc, index, fault);
    if (!worker) {
        return NULL;
    }
    worker->engine = engine_worker_create(rpc->options.engine, fault);
    if (!worker->engine) {
        rpc_worker_destroy(worker);
        return NULL;
    }
    return worker;
}

void rpc_worker_destroy(struct rpc_worker *worker)
{
    if (!worker) {
        return;
    }
    engine_worker_destroy(worker->engine);
    base_arena_fini(&worker->arena);
    rpc_score_reply_destroy(worker->score_reply);
    rpc_hot_destroy(worker->hot);
    free(worker->lead);
    free(worker);
}

struct base_metrics_block *rpc_worker_figures(const struct rpc_worker *worker)
{
    return base_metrics_block(worker->rpc->options.metrics, worker->index);
}

void rpc_worker_rest(struct rpc_worker *worker)
{
    engine_worker_rest(worker->engine);
}

static bool role_allows(const struct rpc_call *call, struct proto_fault *fault)
{
    enum proto_role has = call->worker->rpc->open ? PROTO_ROLE_ADMIN : call->session->role;
    return proto_role_allows(has, call->op->role) ||
           proto_fault_set(fault, PROTO_DENIED, "",
                           "%s needs the role %s, this connection has %s: send hello with a token",
                           call->op->name, proto_role_name(call->op->role), proto_role_name(has));
}

/* What the store holds is asked for; not what the server does, nor by an administrator's operation:
 * whoever looks into a node that is not to be read needs those. */
static bool may_read(const struct rpc_call *call, struct proto_fault *fault)
{
    enum proto_role role = call->op->role;
    return (role != PROTO_ROLE_READ && role != PROTO_ROLE_SCORE) ||
           call->op->op == PROTO_OP_SLOW_LOG || call->op->op == PROTO_OP_JOB_LIST ||
           !engine_refuses(call->worker->rpc->options.engine, fault);
}

/* A request that takes long to decode is only looked at on a thread of a lane. hello cannot go
 * there, for what it changes is the loop's. */
static enum rpc_outcome call_run_large(struct rpc_call *call, struct proto_span payload,
                                       struct proto_fault *fault)
{
    if (call->op->op != PROTO_OP_HELLO) {
        call->deadline_ms = 0;
        call->args = NULL;
        return rpc_scan_submit(call, payload, fault);
    }
    proto_fault_set(fault, PROTO_TOO_LARGE, "", "a hello of %zu bytes, at most %d are allowed",
                    payload.bytes, PROTO_LOOP_BYTES_MAX);
    return RPC_FAILED;
}

/* A list takes a few bytes for each id and much more work: its length is known once it is decoded.
 */
static bool is_long(const struct rpc_call *call)
{
    if (call->op->op != PROTO_OP_SCORE_MANY || !call->args[PROTO_Q_SCORE_MANY_IDS].present) {
        return false;
    }
    struct proto_fault unused = {0}; /* it was checked when it was decoded */
    struct proto_reader reader;
    proto_reader_init(&reader, call->args[PROTO_Q_SCORE_MANY_IDS].value, &unused);
    return proto_read_array(&reader) > PROTO_LOOP_IDS_MAX;
}

/* Whether the request may be begun, as far as it names a sequence or an age. False: it waits
 * (call->min_seq set), or is refused (*fault). What hello changes is the loop's, and is the same on
 * every server. */
static bool may_begin(struct rpc_call *call, struct proto_fault *fault)
{
    const struct proto_request *request = &call->worker->request;
    const struct engine *engine = call->worker->rpc->options.engine;
    if (call->op->op == PROTO_OP_HELLO) {
        return true;
    }
    if (request->min_seq > engine_applied(engine) &&
        engine_is_young(engine, request->max_age_ms, fault)) {
        call->min_seq = request->min_seq;
        rpc_tally(call, BASE_METRIC_REQUESTS_AWAITED, 1);
        return false;
    }
    return rpc_near_enough(call, request, fault);
}

static enum rpc_outcome call_run(struct rpc_call *call, struct proto_span payload,
                                 struct proto_fault *fault)
{
    struct rpc_worker *worker = call->worker;
    if (!role_allows(call, fault) || !may_read(call, fault)) {
        return RPC_FAILED;
    }
    if (payload.bytes > PROTO_LOOP_BYTES_MAX) {
        return call_run_large(call, payload, fault);
    }
    if (!proto_request_decode(call->op, payload, &worker->request, fault) ||
        !rpc_in_time(call, worker->request.deadline_ms, fault)) {
        return RPC_FAILED;
    }
    call->args = worker->request.args;
    call->wants_age = worker->request.staleness;
    if (!may_begin(call, fault) && call->min_seq == 0) {
        return RPC_FAILED;
    }
    bool scan = call->op->lane == PROTO_LANE_SCAN || call->op->lane == PROTO_LANE_SEARCH ||
                call->op->lane == PROTO_LANE_MEASURE || call->op->lane == PROTO_LANE_QUERY;
    return scan || call->min_seq > 0 || is_long(call) ? rpc_scan_submit(call, payload, fault)
                                                      : rpc_handle(call, fault);
}

/* Serves one frame; true if its reply comes later. */
static bool serve_frame(struct rpc_call *call, const struct proto_frame *frame)
{
    struct rpc_worker *worker = call->worker;
    struct proto_fault fault = {0};
    enum rpc_outcome outcome = RPC_FAILED;
    call->request_id = frame->header.request_id;
    call->payload_bytes = frame->payload.bytes;
    call->hold = false;
    call->min_seq = 0;
    call->wants_age = false;
    call->flags = PROTO_FLAG_REPLY | (frame->header.flags & PROTO_FLAG_CHECKSUM);
    call->op = proto_op_find(frame->header.code);
    base_arena_reset(&worker->arena);
    proto_writer_frame_begin(call->out);
    if (call->op) {
        outcome = call_run(call, frame->payload, &fault);
    } else {
        proto_fault_set(&fault, PROTO_UNKNOWN_OP, "", "opcode %u names no operation",
                        frame->header.code);
    }
    if (outcome == RPC_DONE) {
        rpc_age_write(call);
        proto_writer_frame_end(call->out, PROTO_OK, call->flags, call->request_id);
        if (!proto_writer_ok(call->out)) {
            outcome = RPC_FAILED;
            proto_fault_set(&fault, call->out->no_memory ? PROTO_NO_MEMORY : PROTO_TOO_LARGE, "",
                            call->out->no_memory ? "no memory for the reply"
                                                 : "the reply does not fit one frame");
        }
    }
    if (outcome != RPC_DONE) {
        proto_writer_frame_cancel(call->out);
    }
    if (outcome == RPC_FAILED) {
        proto_write_fault(call->out, &fault, call->flags, call->request_id);
    }
    if (outcome == RPC_LATER && call->op->lane == PROTO_LANE_JOB) {
        rpc_tally(call, BASE_METRIC_JOBS_RUNNING, 1);
    }
    if (outcome != RPC_LATER) {
        rpc_count(call, fault.code);
    }
    return outcome == RPC_LATER;
}

/* Serves the hot run at the head of the frames; returns its length, 0 if there is none. None of its
 * replies comes later: what is not answered here is a plain score, which is answered at once. */
static size_t serve_hot(struct rpc_call *call, const struct proto_frame *frames, size_t count)
{
    struct rpc_hot_run run;
    if (!rpc_hot_serve(call->worker, frames, count, &run, call->out)) {
        return 0;
    }
    size_t hot = 0;
    for (size_t i = 0; i < run.count; i++) {
        hot += run.answered[i];
        if (!run.answered[i]) {
            serve_frame(call, &frames[i]);
        }
    }
    rpc_count_scores(call, hot);
    rpc_tally(call, BASE_METRIC_SCORES, hot);
    if (run.leads > 0) {
        rpc_tally(call, BASE_METRIC_SCORES_UNKNOWN, hot);
    }
    return run.count;
}

/* No snapshot can be had: every frame is told so. */
static void refuse_all(struct rpc_batch *batch, const struct proto_fault *fault)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct proto_header *header = &batch->frames[i].header;
        proto_write_fault(batch->out, fault,
                          PROTO_FLAG_REPLY | (header->flags & PROTO_FLAG_CHECKSUM),
                          header->request_id);
    }
    batch->done = batch->count;
}

/* Whether scores may be served the short way, by what the worker knows now. */
static bool may_be_hot(const struct rpc_worker *worker, const struct rpc_session *session)
{
    struct proto_fault unread; /* each frame is told so by itself */
    return engine_worker_state(worker->engine)->active &&
           !engine_refuses(worker->rpc->options.engine, &unread) &&
           (worker->rpc->open || proto_role_allows(session->role, PROTO_ROLE_SCORE));
}

/* The fault is not cleared before: nobody reads it unless it was set, and it is large. */
static bool refreshed(struct rpc_worker *worker, struct rpc_batch *batch)
{
    struct proto_fault fault;
    bool good = engine_worker_refresh(worker->engine, &fault);
    if (!good) {
        refuse_all(batch, &fault);
    }
    return good;
}

static bool turn_over(const struct rpc *rpc, const struct rpc_batch *batch, uint64_t began_ns)
{
    return batch->out->bytes > batch->out_room ||
           rpc->options.now_ns(rpc->options.now_context) - began_ns > RPC_TURN_NS;
}

size_t rpc_serve(struct rpc_worker *worker, struct rpc_batch *batch)
{
    struct rpc *rpc = worker->rpc;
    struct rpc_call call = {.worker = worker,
                            .session = batch->session,
                            .batch = batch,
                            .ticket = batch->ticket,
                            .read_ns = batch->read_ns,
                            .out = batch->out};
    struct auth_grant *grant = batch->session->grant;
    bool pays = rpc_admit_applies(rpc, batch->session);
    size_t later = 0;
    batch->hold = batch->taken = false;
    if (!refreshed(worker, batch)) {
        return 0;
    }
    uint64_t began_ns = rpc->options.now_ns(rpc->options.now_context);
    struct rpc_wait wait = {0};
    size_t count = pays ? rpc_admit(rpc, batch, began_ns, &wait) : batch->count;
    bool hot = may_be_hot(worker, batch->session);
    for (batch->done = 0; batch->done < count;) {
        const struct proto_frame *frames = batch->frames + batch->done;
        size_t run = hot ? serve_hot(&call, frames, count - batch->done) : 0;
        if (run == 0) {
            later += serve_frame(&call, frames);
            hot = may_be_hot(worker, batch->session); /* it may have refreshed the worker */
            run = 1;
        }
        batch->done += run;
        /* Frames behind another token are that one's to pay for. */
        if (call.hold || (batch->done < count &&
                          (turn_over(rpc, batch, began_ns) || batch->session->grant != grant))) {
            break;
        }
    }
    batch->hold = call.hold;
    if (pays) {
        rpc_admit_done(batch->session, batch->done);
        if (batch->done == count && batch->session->grant == grant && !batch->hold) {
            rpc_admit_refuse(&call, batch, &wait);
        }
    }
    rpc_person_asked(batch->session->person, batch->frames[batch->done - 1].header.code,
                     batch->done, batch->read_ns);
    /* What was taken may be gone: it came just before the recording began. */
    if (capture_is_on(rpc->capturing) && !batch->taken) {
        rpc_capture_take(worker, batch);
    }
    base_metrics_record(base_metrics_block(rpc->options.metrics, worker->index),
                        BASE_DISTRIBUTION_BATCH_FRAMES, batch->done);
    return later;
}
