/* SPDX-License-Identifier: Apache-2.0 */
/* Writing replies by the names of the tables, and replies that come later. */
#include <stdlib.h>

#include "server/rpc/call.h"

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

static void count_in(const struct rpc_options *options, size_t block,
                     const struct proto_op_info *op, enum proto_error code, uint64_t read_ns)
{
    uint64_t took_ns = options->now_ns(options->now_context) - read_ns;
    struct base_metrics_block *figures = base_metrics_block(options->metrics, block);
    base_metrics_request(figures, op ? (uint8_t)op->op : 0, code, took_ns);
    if (options->on_answered && options->on_answered(options->answered_context, op, took_ns)) {
        base_metrics_add(figures, BASE_METRIC_REQUESTS_SLOW, 1);
    }
}

void rpc_tally(const struct rpc_call *call, enum base_metric metric, size_t more)
{
    const struct rpc_worker *worker = call->worker;
    base_metrics_add(base_metrics_block(worker->rpc->options.metrics, worker->index), metric,
                     (int64_t)more);
}

void rpc_count(struct rpc *rpc, unsigned worker_index, const struct proto_op_info *op,
               enum proto_error code, uint64_t read_ns)
{
    count_in(&rpc->options, worker_index, op, code, read_ns);
}

void rpc_count_many(struct rpc *rpc, unsigned worker_index, enum proto_op op, size_t count,
                    uint64_t read_ns)
{
    const struct rpc_options *options = &rpc->options;
    uint64_t took_ns = options->now_ns(options->now_context) - read_ns;
    base_metrics_request_many(base_metrics_block(options->metrics, worker_index), (uint8_t)op,
                              count, took_ns);
}

/* A block of figures has one writing thread, and replies that come later come from the writer or a
 * thread of a lane: each has a block of its own behind those of the workers. */
static void later_count(const struct rpc_later *later, enum proto_error code)
{
    const struct rpc_options *options = &later->rpc->options;
    count_in(options, later->block, later->op, code, later->read_ns);
    if (later->op->lane == PROTO_LANE_JOB) {
        base_metrics_add(base_metrics_block(options->metrics, later->block),
                         BASE_METRIC_JOBS_RUNNING, -1);
    }
}

void rpc_later_from(struct rpc_later *later, const struct engine_job_info *info)
{
    later->block = later->rpc->options.workers + 1 + info->place;
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
