/* SPDX-License-Identifier: Apache-2.0 */
/* Writing replies by the names of the tables, and replies that come later. */
#include <stdlib.h>

#include "server/rpc/call.h"
#include "server/rpc/debt.h"

void rpc_key(struct proto_writer *out, const struct proto_op_info *op, int index)
{
    const struct proto_field_info *field = &op->reply[index];
    proto_write_str(out, (struct proto_span){(const uint8_t *)field->name, field->name_bytes});
}

void rpc_put_uint(struct proto_writer *out, const struct proto_op_info *op, int index,
                  uint64_t value)
{
    rpc_key(out, op, index);
    proto_write_uint(out, value);
}

void rpc_put_int(struct proto_writer *out, const struct proto_op_info *op, int index, int64_t value)
{
    rpc_key(out, op, index);
    proto_write_int(out, value);
}

void rpc_put_number(struct proto_writer *out, const struct proto_op_info *op, int index,
                    double value)
{
    rpc_key(out, op, index);
    proto_write_f64(out, value);
}

void rpc_put_flag(struct proto_writer *out, const struct proto_op_info *op, int index, bool value)
{
    rpc_key(out, op, index);
    proto_write_bool(out, value);
}

size_t rpc_put_wide(struct proto_writer *out, const struct proto_op_info *op, int index,
                    uint8_t mark, size_t bytes)
{
    static const uint8_t zeros[8];
    rpc_key(out, op, index);
    proto_write_raw(out, (struct proto_span){&mark, 1});
    size_t at = out->bytes;
    proto_write_raw(out, (struct proto_span){zeros, bytes});
    return at;
}

void rpc_put_text(struct proto_writer *out, const struct proto_op_info *op, int index,
                  const char *value)
{
    rpc_key(out, op, index);
    proto_write_text(out, value);
}

void rpc_put_str(struct proto_writer *out, const struct proto_op_info *op, int index,
                 struct proto_span value)
{
    rpc_key(out, op, index);
    proto_write_str(out, value);
}

const struct proto_span *rpc_arg_texts(struct rpc_call *call, int index, size_t *count,
                                       struct proto_fault *fault)
{
    *count = 0;
    if (!call->args[index].present) {
        return NULL;
    }
    struct proto_fault local = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, call->args[index].value, &local);
    size_t listed = proto_read_array(&reader);
    const char *name = call->op->request[index].name;
    struct proto_span *texts = base_arena_array(&call->worker->arena, listed + 1, sizeof *texts);
    if (!texts) {
        proto_fault_set(fault, PROTO_NO_MEMORY, name, "no memory for the request");
        return NULL;
    }
    for (size_t i = 0; i < listed; i++) {
        texts[i] = proto_read_str(&reader);
    }
    *count = listed;
    return texts;
}

/* What is known of a request when it is answered. */
struct answered {
    struct rpc *rpc;
    const struct proto_op_info *op; /* NULL: the opcode names none */
    size_t block;
    uint64_t read_ns, connection, bytes;
};

static void record(const struct answered *request, enum proto_error code, uint64_t took_ns,
                   size_t count, bool slow)
{
    const struct rpc_record seen = {
        .time_ms = engine_now_ms(request->rpc->options.engine),
        .connection = request->connection,
        .took_us = took_ns / 1000,
        .bytes = request->bytes,
        .count = (uint32_t)count,
        .opcode = request->op ? (uint8_t)request->op->op : 0,
        .status = (uint8_t)code,
    };
    rpc_people_record(&request->rpc->people, &seen, slow);
}

static void count_in(const struct answered *request, enum proto_error code)
{
    const struct rpc_options *options = &request->rpc->options;
    uint64_t now_ns = options->now_ns(options->now_context);
    uint64_t took_ns = now_ns - request->read_ns;
    struct base_metrics_block *figures = base_metrics_block(options->metrics, request->block);
    base_metrics_request(figures, request->op ? (uint8_t)request->op->op : 0, code, took_ns);
    bool slow = options->on_answered &&
                options->on_answered(options->answered_context, request->op, took_ns);
    if (slow) {
        base_metrics_add(figures, BASE_METRIC_REQUESTS_SLOW, 1);
    }
    if (slow || rpc_people_watched(&request->rpc->people, now_ns)) {
        record(request, code, took_ns, 1, slow);
    }
}

uint64_t rpc_connection(const struct rpc_call *call)
{
    if (call->origin) {
        return call->origin->connection;
    }
    return call->session->person ? call->session->person->number : 0;
}

static struct answered answered_of(const struct rpc_call *call)
{
    return (struct answered){.rpc = call->worker->rpc,
                             .op = call->op,
                             .block = call->worker->index,
                             .read_ns = call->read_ns,
                             .connection = rpc_connection(call),
                             .bytes = call->payload_bytes};
}

void rpc_tally(const struct rpc_call *call, enum base_metric metric, size_t more)
{
    const struct rpc_worker *worker = call->worker;
    base_metrics_add(base_metrics_block(worker->rpc->options.metrics, worker->index), metric,
                     (int64_t)more);
}

void rpc_count(const struct rpc_call *call, enum proto_error code)
{
    const struct answered request = answered_of(call);
    count_in(&request, code);
}

void rpc_count_scores(const struct rpc_call *call, size_t count)
{
    struct rpc *rpc = call->worker->rpc;
    uint64_t now_ns = rpc->options.now_ns(rpc->options.now_context);
    uint64_t took_ns = now_ns - call->read_ns;
    base_metrics_request_many(base_metrics_block(rpc->options.metrics, call->worker->index),
                              PROTO_OP_SCORE, count, took_ns);
    if (rpc_people_watched(&rpc->people, now_ns) && count > 0) {
        struct answered request = answered_of(call);
        request.op = proto_op_find(PROTO_OP_SCORE);
        request.bytes = 0;
        record(&request, PROTO_OK, took_ns, count, false);
    }
}

/* A block of figures has one writing thread, and replies that come later come from the writer or a
 * thread of a lane: each has a block of its own behind those of the workers. */
static void later_count(const struct rpc_later *later, enum proto_error code)
{
    const struct rpc_options *options = &later->rpc->options;
    const struct answered request = {.rpc = later->rpc,
                                     .op = later->op,
                                     .block = later->block,
                                     .read_ns = later->read_ns,
                                     .connection = later->connection,
                                     .bytes = later->payload_bytes};
    count_in(&request, code);
    if (later->op->lane == PROTO_LANE_JOB) {
        base_metrics_add(base_metrics_block(options->metrics, later->block),
                         BASE_METRIC_JOBS_RUNNING, -1);
    }
}

void rpc_later_from(struct rpc_later *later, const struct engine_job_info *info)
{
    later->block = later->rpc->options.workers + 1 + info->place;
}

bool rpc_in_time(struct rpc_call *call, uint64_t deadline_ms, struct proto_fault *fault)
{
    const struct rpc_options *options = &call->worker->rpc->options;
    call->deadline_ms = deadline_ms;
    if (call->deadline_ms == 0) {
        return true;
    }
    uint64_t waited_ns = options->now_ns(options->now_context) - call->read_ns;
    return waited_ns / 1000000 < call->deadline_ms ||
           proto_fault_set(fault, PROTO_DEADLINE, "deadline_ms",
                           "the request waited longer than its %llu ms",
                           (unsigned long long)call->deadline_ms);
}

bool rpc_near_enough(const struct rpc_call *call, const struct proto_request *request,
                     struct proto_fault *fault)
{
    const struct engine *engine = call->worker->rpc->options.engine;
    if (request->min_seq == 0 && request->max_age_ms == UINT64_MAX) {
        return true;
    }
    /* The view is looked at last: what is applied by now it need not have shown before. */
    return engine_is_young(engine, request->max_age_ms, fault) &&
           engine_has_applied(engine, request->min_seq, fault) &&
           engine_worker_refresh(call->worker->engine, fault);
}

int64_t rpc_deadline_ms(const struct rpc_call *call)
{
    const struct rpc_options *options = &call->worker->rpc->options;
    if (call->deadline_ms == 0) {
        return 0;
    }
    uint64_t waited_ms = (options->now_ns(options->now_context) - call->read_ns) / 1000000;
    uint64_t left_ms = call->deadline_ms > waited_ms ? call->deadline_ms - waited_ms : 0;
    int64_t now_ms = engine_now_ms(options->engine);
    return left_ms < (uint64_t)(INT64_MAX - now_ms) ? now_ms + (int64_t)left_ms : 0;
}

struct rpc_later *rpc_later_create(struct rpc_call *call, struct proto_fault *fault)
{
    struct rpc_later *later = calloc(1, sizeof *later);
    if (!later) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
        return NULL;
    }
    later->rpc = call->worker->rpc;
    later->ticket = call->ticket;
    later->op = call->op;
    later->request_id = call->request_id;
    later->flags = call->flags;
    later->read_ns = call->read_ns;
    later->connection = rpc_connection(call);
    later->payload_bytes = call->payload_bytes;
    later->block = later->rpc->options.workers;
    proto_writer_init(&later->out);
    return later;
}

struct proto_writer *rpc_later_begin(struct rpc_later *later)
{
    proto_writer_frame_begin(&later->out);
    return &later->out;
}

static void later_send(struct rpc_later *later, bool final)
{
    const struct rpc_options *options = &later->rpc->options;
    size_t bytes = 0;
    uint8_t *frames = proto_writer_take(&later->out, &bytes);
    if (later->debt) {
        rpc_debt_post(later->debt, bytes);
    }
    options->post(options->post_context, later->ticket, (struct proto_span){frames, bytes}, final);
}

void rpc_later_progress(struct rpc_later *later)
{
    proto_writer_frame_end(&later->out, PROTO_OK, (uint16_t)(later->flags | PROTO_FLAG_MORE),
                           later->request_id);
    later_send(later, false);
}

void rpc_later_post(struct rpc_later *later, const struct proto_fault *fault)
{
    struct proto_fault told = *fault;
    if (told.code == PROTO_OK) {
        proto_writer_frame_end(&later->out, PROTO_OK, later->flags, later->request_id);
        if (!proto_writer_ok(&later->out)) {
            /* No bytes would be no reply at all, and the client would wait for its deadline. */
            proto_writer_frame_cancel(&later->out);
            proto_fault_set(&told, PROTO_TOO_LARGE, "",
                            "it was done, but the reply does not fit one frame or memory");
        }
    }
    if (told.code != PROTO_OK) {
        proto_writer_reset(&later->out);
        proto_write_fault(&later->out, &told, later->flags, later->request_id);
    }
    later_count(later, told.code);
    later_send(later, true);
    rpc_later_drop(later);
}

void rpc_later_drop(struct rpc_later *later)
{
    proto_writer_fini(&later->out);
    free(later);
}
