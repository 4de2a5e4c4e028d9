/* SPDX-License-Identifier: Apache-2.0 */
/* icp-import: queues the job, sends progress frames if asked, and the evidence at the end. */
#include <stdlib.h>

#include "server/rpc/write.h"

struct pending_adopt {
    struct rpc_later *later;
    bool progress;
};

static void adopt_progress(void *context, const struct engine_job_info *info)
{
    struct pending_adopt *pending = context;
    if (!pending->progress) {
        return;
    }
    const struct proto_op_info *op = pending->later->op;
    struct proto_writer *out = rpc_later_begin(pending->later);
    proto_write_map(out, 3);
    rpc_put_uint(out, op, PROTO_A_ICP_IMPORT_JOB, info->job);
    rpc_put_number(out, op, PROTO_A_ICP_IMPORT_DONE, info->done);
    rpc_put_text(out, op, PROTO_A_ICP_IMPORT_STAGE, info->stage);
    rpc_later_progress(pending->later);
}

/* The evidence but for the counts behind bins, of which there may be thousands. */
static char *evidence_print(const struct learn_document *document)
{
    json_t *evidence = json_copy(json_object_get(document->json, "evidence"));
    (void)json_object_del(evidence, "support");
    char *text = evidence ? json_dumps(evidence, JSON_COMPACT) : NULL;
    json_decref(evidence);
    return text;
}

static void write_adopted(struct rpc_later *later, const struct engine_job_info *info)
{
    struct proto_writer *out = rpc_later_begin(later);
    struct engine_state *state = engine_state_get(later->rpc->options.engine);
    struct proto_fault fault = {0};
    const struct learn_document *document = engine_state_document(state, info->icp, &fault);
    char *evidence = document ? evidence_print(document) : NULL;
    char *label =
        document ? json_dumps(json_object_get(document->json, "label"), JSON_COMPACT) : NULL;
    proto_write_map(out, 2U + (evidence != NULL) + (label != NULL) + info->repeated);
    rpc_put_uint(out, later->op, PROTO_A_ICP_IMPORT_JOB, info->job);
    rpc_put_uint(out, later->op, PROTO_A_ICP_IMPORT_ICP, info->icp);
    if (evidence) {
        rpc_put_text(out, later->op, PROTO_A_ICP_IMPORT_EVIDENCE, evidence);
    }
    if (label) {
        rpc_put_text(out, later->op, PROTO_A_ICP_IMPORT_LABEL, label);
    }
    rpc_put_repeated(out, later->op, PROTO_A_ICP_IMPORT_REPEATED, info->repeated);
    free(evidence);
    free(label);
    engine_state_release(state);
}

static void adopt_done(void *context, const struct engine_job_info *info)
{
    struct pending_adopt *pending = context;
    if (info->fault.code == PROTO_OK) {
        write_adopted(pending->later, info);
    }
    rpc_later_from(pending->later, info);
    rpc_later_post(pending->later, &info->fault);
    free(pending);
}

enum rpc_outcome rpc_on_ICP_IMPORT(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_adopt adopt = {
        .document = rpc_arg_text(call, PROTO_Q_ICP_IMPORT_DOCUMENT),
        .label = rpc_arg_text(call, PROTO_Q_ICP_IMPORT_LABEL),
        .where = rpc_arg_text(call, PROTO_Q_ICP_IMPORT_WHERE),
        .activate = rpc_arg_flag(call, PROTO_Q_ICP_IMPORT_ACTIVATE),
        .operation = rpc_operation(call, PROTO_Q_ICP_IMPORT_OPERATION),
        .deadline_ms = rpc_deadline_ms(call),
        .on_progress = adopt_progress,
        .on_done = adopt_done,
    };
    struct pending_adopt *pending = calloc(1, sizeof *pending);
    struct rpc_later *later = NULL;
    if (!pending) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
    } else {
        later = rpc_later_create(call, fault);
    }
    if (!later) {
        free(pending);
        return RPC_FAILED;
    }
    pending->progress = rpc_arg_flag(call, PROTO_Q_ICP_IMPORT_PROGRESS);
    pending->later = later;
    adopt.context = pending;
    if (engine_adopt(call->worker->rpc->options.engine, &adopt, fault) > 0) {
        return RPC_LATER;
    }
    rpc_later_drop(later);
    free(pending);
    return RPC_FAILED;
}
