/* SPDX-License-Identifier: Apache-2.0 */
/* icp-learn: queues the job, sends progress frames if asked, and the evidence at the end. */
#include <stdlib.h>

#include "server/rpc/write.h"

struct pending_learn {
    struct rpc_later *later;
    bool progress;
};

static void learn_progress(void *context, const struct engine_job_info *info)
{
    struct pending_learn *pending = context;
    if (!pending->progress) {
        return;
    }
    const struct proto_op_info *op = pending->later->op;
    struct proto_writer *out = rpc_later_begin(pending->later);
    proto_write_map(out, 3);
    rpc_put_uint(out, op, PROTO_A_ICP_LEARN_JOB, info->job);
    rpc_put_number(out, op, PROTO_A_ICP_LEARN_DONE, info->done);
    rpc_put_text(out, op, PROTO_A_ICP_LEARN_STAGE, info->stage);
    rpc_later_progress(pending->later);
}

static void write_learned(struct rpc_later *later, const struct engine_job_info *info)
{
    struct proto_writer *out = rpc_later_begin(later);
    struct engine_state *state = engine_state_get(later->rpc->options.engine);
    struct proto_fault fault = {0};
    const struct learn_document *document = engine_state_document(state, info->icp, &fault);
    char *evidence =
        document ? json_dumps(json_object_get(document->json, "evidence"), JSON_COMPACT) : NULL;
    proto_write_map(out, (evidence ? 3U : 2U) + info->repeated);
    rpc_put_uint(out, later->op, PROTO_A_ICP_LEARN_JOB, info->job);
    rpc_put_uint(out, later->op, PROTO_A_ICP_LEARN_ICP, info->icp);
    if (evidence) {
        rpc_put_text(out, later->op, PROTO_A_ICP_LEARN_EVIDENCE, evidence);
    }
    rpc_put_repeated(out, later->op, PROTO_A_ICP_LEARN_REPEATED, info->repeated);
    free(evidence);
    engine_state_release(state);
}

static void learn_done(void *context, const struct engine_job_info *info)
{
    struct pending_learn *pending = context;
    if (info->fault.code == PROTO_OK) {
        write_learned(pending->later, info);
    }
    rpc_later_from(pending->later, info);
    rpc_later_post(pending->later, &info->fault);
    free(pending);
}

static bool learn_read(struct rpc_call *call, struct engine_learn *learn, struct proto_fault *fault)
{
    struct proto_fault local = {0};
    learn->label = rpc_arg_text(call, PROTO_Q_ICP_LEARN_LABEL);
    learn->where = rpc_arg_text(call, PROTO_Q_ICP_LEARN_WHERE);
    learn->name = rpc_arg_text(call, PROTO_Q_ICP_LEARN_NAME);
    learn->time_field = rpc_arg_text(call, PROTO_Q_ICP_LEARN_TIME_FIELD);
    learn->seed = rpc_arg_uint(call, PROTO_Q_ICP_LEARN_SEED);
    learn->activate = rpc_arg_flag(call, PROTO_Q_ICP_LEARN_ACTIVATE);
    learn->pairs_max = (unsigned)rpc_arg_uint(call, PROTO_Q_ICP_LEARN_PAIRS);
    learn->fields = rpc_arg_texts(call, PROTO_Q_ICP_LEARN_FIELDS, &learn->field_count, &local);
    learn->exclude = rpc_arg_texts(call, PROTO_Q_ICP_LEARN_EXCLUDE, &learn->exclude_count, &local);
    if (local.code != PROTO_OK) {
        *fault = local;
        return false;
    }
    learn->operation = rpc_operation(call, PROTO_Q_ICP_LEARN_OPERATION);
    learn->deadline_ms = rpc_deadline_ms(call);
    return true;
}

enum rpc_outcome rpc_on_ICP_LEARN(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_learn learn = {.on_progress = learn_progress, .on_done = learn_done};
    if (!learn_read(call, &learn, fault)) {
        return RPC_FAILED;
    }
    struct pending_learn *pending = calloc(1, sizeof *pending);
    if (!pending) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
        return RPC_FAILED;
    }
    pending->progress = rpc_arg_flag(call, PROTO_Q_ICP_LEARN_PROGRESS);
    pending->later = rpc_later_create(call, fault);
    learn.context = pending;
    if (pending->later && engine_learn(call->worker->rpc->options.engine, &learn, fault) > 0) {
        return RPC_LATER;
    }
    if (pending->later) {
        rpc_later_drop(pending->later);
    }
    free(pending);
    return RPC_FAILED;
}
