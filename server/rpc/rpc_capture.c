/* SPDX-License-Identifier: Apache-2.0 */
/* capture-start, capture-stop, capture-state, and the recording itself. */
#include "server/rpc/call.h"

static struct capture *capture_of(const struct rpc_call *call, struct proto_fault *fault)
{
    struct capture *capture = call->worker->rpc->options.capture;
    if (!capture) {
        proto_fault_set(fault, PROTO_NOT_FOUND, "", "this server records no requests");
    }
    return capture;
}

enum rpc_outcome rpc_on_CAPTURE_START(struct rpc_call *call, struct proto_fault *fault)
{
    struct capture *capture = capture_of(call, fault);
    struct proto_span given = rpc_arg_text(call, PROTO_Q_CAPTURE_START_NAME);
    char name[PROTO_CAPTURE_NAME_BYTES_MAX + 2] = "";
    /* One byte too many is kept, so that a name that is too long is refused and not cut. A zero
     * within ends it and makes it another name, which is refused as well. */
    size_t bytes = given.bytes < sizeof name ? given.bytes : sizeof name - 1;
    if (bytes > 0) {
        memcpy(name, given.data, bytes);
    }
    if (strlen(name) != bytes) {
        name[0] = '\0';
    }
    if (!capture || !capture_start(capture, name, rpc_arg_uint(call, PROTO_Q_CAPTURE_START_SECONDS),
                                   rpc_arg_uint(call, PROTO_Q_CAPTURE_START_BYTES), fault)) {
        return RPC_FAILED;
    }
    struct capture_state state;
    capture_state(capture, &state);
    proto_write_map(call->out, 1);
    rpc_put_text(call->out, call->op, PROTO_A_CAPTURE_START_FILE, state.file);
    return RPC_DONE;
}

enum rpc_outcome rpc_on_CAPTURE_STOP(struct rpc_call *call, struct proto_fault *fault)
{
    struct capture *capture = capture_of(call, fault);
    struct capture_state state;
    if (!capture || !capture_stop(capture, &state, fault)) {
        return RPC_FAILED;
    }
    struct proto_writer *out = call->out;
    proto_write_map(out, 6);
    rpc_put_text(out, call->op, PROTO_A_CAPTURE_STOP_FILE, state.file);
    rpc_put_uint(out, call->op, PROTO_A_CAPTURE_STOP_RECORDS, state.records);
    rpc_put_uint(out, call->op, PROTO_A_CAPTURE_STOP_LEFT_OUT, state.left_out);
    rpc_put_uint(out, call->op, PROTO_A_CAPTURE_STOP_LOST, state.lost);
    rpc_put_uint(out, call->op, PROTO_A_CAPTURE_STOP_BYTES, state.bytes);
    rpc_put_number(out, call->op, PROTO_A_CAPTURE_STOP_SECONDS, (double)state.duration_ns / 1e9);
    return RPC_DONE;
}

enum rpc_outcome rpc_on_CAPTURE_STATE(struct rpc_call *call, struct proto_fault *fault)
{
    struct capture *capture = capture_of(call, fault);
    struct capture_state state;
    if (!capture) {
        return RPC_FAILED;
    }
    capture_state(capture, &state);
    struct proto_writer *out = call->out;
    proto_write_map(out, 8);
    rpc_put_flag(out, call->op, PROTO_A_CAPTURE_STATE_RUNNING, state.running);
    rpc_put_text(out, call->op, PROTO_A_CAPTURE_STATE_ERROR, state.error);
    rpc_put_text(out, call->op, PROTO_A_CAPTURE_STATE_FILE, state.file);
    rpc_put_uint(out, call->op, PROTO_A_CAPTURE_STATE_RECORDS, state.records);
    rpc_put_uint(out, call->op, PROTO_A_CAPTURE_STATE_LEFT_OUT, state.left_out);
    rpc_put_uint(out, call->op, PROTO_A_CAPTURE_STATE_LOST, state.lost);
    rpc_put_uint(out, call->op, PROTO_A_CAPTURE_STATE_BYTES, state.bytes);
    rpc_put_number(out, call->op, PROTO_A_CAPTURE_STATE_SECONDS, (double)state.duration_ns / 1e9);
    return RPC_DONE;
}

static bool is_field(void *context, struct proto_span name)
{
    const struct rpc_worker *worker = context;
    const struct feature_schema *schema = engine_worker_state(worker->engine)->schema;
    return schema && feature_schema_find(schema, name);
}

static bool is_stored(void *context, enum capture_name by, struct proto_span text)
{
    const struct rpc_worker *worker = context;
    struct proto_fault fault = {0};
    struct engine_name name = {0};
    *(by == CAPTURE_BY_EMAIL ? &name.email : by == CAPTURE_BY_KEY ? &name.key : &name.id) = text;
    return engine_find(worker->engine, &name, &fault) != ENGINE_NO_SLOT;
}

void rpc_capture_take(struct rpc_worker *worker, const struct rpc_batch *batch)
{
    const struct capture_batch taken = {
        .connection = {batch->ticket.words[0], batch->ticket.words[1]},
        .read_ns = batch->read_ns,
        .frames = batch->frames,
        .count = batch->done,
        .lookup = {.context = worker, .is_field = is_field, .is_stored = is_stored},
    };
    capture_take(worker->rpc->options.capture, &taken);
}
