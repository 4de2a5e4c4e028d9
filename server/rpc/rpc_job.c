/* SPDX-License-Identifier: Apache-2.0 */
/* What was asked for is kept, the engine calls back, and the reply is posted from the thread of the
 * job. A job that fails, or that the engine does not take, leaves its fault as the answer. */
#include "server/rpc/rpc_job.h"

#include <assert.h>
#include <stdlib.h>

enum { JOB, DONE, STAGE };

#define BEGINS_WITH_THEM(OP)                                                                       \
    static_assert((int)PROTO_A_##OP##_JOB == (int)JOB && (int)PROTO_A_##OP##_DONE == (int)DONE &&  \
                      (int)PROTO_A_##OP##_STAGE == (int)STAGE,                                     \
                  "a job's replies begin with job, done and stage")
BEGINS_WITH_THEM(BACKUP);
BEGINS_WITH_THEM(EVERYTHING_EXPORT);
BEGINS_WITH_THEM(ICP_IMPORT);
BEGINS_WITH_THEM(ICP_LEARN);
BEGINS_WITH_THEM(IMPORT_UNDO);
BEGINS_WITH_THEM(SCRUB);
BEGINS_WITH_THEM(SIMILAR_BUILD);

void *rpc_job_create(struct rpc_call *call, int progress, rpc_job_reply *reply, size_t bytes,
                     struct proto_fault *fault)
{
    struct rpc_job *job = calloc(1, bytes);
    if (!job) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
        return NULL;
    }
    job->later = rpc_later_create(call, fault);
    if (!job->later) {
        free(job);
        return NULL;
    }
    job->reply = reply;
    job->progress = rpc_arg_flag(call, progress);
    return job;
}

void rpc_job_progress(void *context, const struct engine_job_info *info)
{
    struct rpc_job *job = context;
    const struct proto_op_info *op = job->later->op;
    if (!job->progress) {
        return;
    }
    struct proto_writer *out = rpc_later_begin(job->later);
    proto_write_map(out, 3);
    rpc_put_uint(out, op, JOB, info->job);
    rpc_put_number(out, op, DONE, info->done);
    rpc_put_text(out, op, STAGE, info->stage);
    rpc_later_progress(job->later);
}

void rpc_job_done(void *context, const struct engine_job_info *info)
{
    struct rpc_job *job = context;
    if (info->fault.code == PROTO_OK) {
        job->reply(job, rpc_later_begin(job->later), info);
    }
    rpc_later_from(job->later, info);
    rpc_later_post(job->later, &info->fault);
    free(job);
}

enum rpc_outcome rpc_job_end(void *context, uint64_t number)
{
    struct rpc_job *job = context;
    if (number > 0) {
        return RPC_LATER;
    }
    rpc_later_drop(job->later);
    free(job);
    return RPC_FAILED;
}
