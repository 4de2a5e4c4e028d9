/* SPDX-License-Identifier: Apache-2.0 */
/* icp-import: queues the job, sends progress frames if asked, and the evidence at the end. */
#include <stdlib.h>

#include "server/rpc/rpc_job.h"
#include "server/rpc/write.h"

/* The evidence but for the counts behind bins, of which there may be thousands. */
static char *evidence_print(const struct learn_document *document)
{
    json_t *evidence = json_copy(json_object_get(document->json, "evidence"));
    (void)json_object_del(evidence, "support");
    char *text = evidence ? json_dumps(evidence, JSON_COMPACT) : NULL;
    json_decref(evidence);
    return text;
}

static void adopt_reply(struct rpc_job *job, struct proto_writer *out,
                        const struct engine_job_info *info)
{
    const struct proto_op_info *op = job->later->op;
    struct engine_state *state = engine_state_get(job->later->rpc->options.engine);
    struct proto_fault fault = {0};
    const struct learn_document *document = engine_state_document(state, info->icp, &fault);
    char *evidence = document ? evidence_print(document) : NULL;
    char *label =
        document ? json_dumps(json_object_get(document->json, "label"), JSON_COMPACT) : NULL;
    proto_write_map(out, 2U + (evidence != NULL) + (label != NULL) + info->repeated);
    rpc_put_uint(out, op, PROTO_A_ICP_IMPORT_JOB, info->job);
    rpc_put_uint(out, op, PROTO_A_ICP_IMPORT_ICP, info->icp);
    if (evidence) {
        rpc_put_text(out, op, PROTO_A_ICP_IMPORT_EVIDENCE, evidence);
    }
    if (label) {
        rpc_put_text(out, op, PROTO_A_ICP_IMPORT_LABEL, label);
    }
    rpc_put_repeated(out, op, PROTO_A_ICP_IMPORT_REPEATED, info->repeated);
    free(evidence);
    free(label);
    engine_state_release(state);
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
        .on_progress = rpc_job_progress,
        .on_done = rpc_job_done,
    };
    adopt.context = rpc_job_create(call, PROTO_Q_ICP_IMPORT_PROGRESS, adopt_reply,
                                   sizeof(struct rpc_job), fault);
    return adopt.context
               ? rpc_job_end(adopt.context,
                             engine_adopt(call->worker->rpc->options.engine, &adopt, fault))
               : RPC_FAILED;
}
