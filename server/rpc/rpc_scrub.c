/* SPDX-License-Identifier: Apache-2.0 */
/* scrub: queues the job, sends progress frames if asked, and at the end how many faults were found,
 * with the first of them as lines of text (utf-8 as far as they go). */
#include "server/engine/scrub_job.h"
#include "server/rpc/rpc_job.h"

struct pending_scrub {
    struct rpc_job job;
    struct engine_scrub_result result;
};

/* What is damaged may be bytes of any kind: only ASCII is passed on. */
static void text_clean(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f) {
            *text = '?';
        }
    }
}

static void scrub_reply(struct rpc_job *job, struct proto_writer *out,
                        const struct engine_job_info *info)
{
    const struct proto_op_info *op = job->later->op;
    struct engine_scrub_result *result = &((struct pending_scrub *)job)->result;
    proto_write_map(out, 3);
    rpc_put_uint(out, op, PROTO_A_SCRUB_JOB, info->job);
    rpc_put_uint(out, op, PROTO_A_SCRUB_FAULTS, result->faults);
    rpc_key(out, op, PROTO_A_SCRUB_TOLD);
    proto_write_array(out, result->told);
    for (size_t i = 0; i < result->told; i++) {
        text_clean(result->texts[i]);
        proto_write_text(out, result->texts[i]);
    }
}

enum rpc_outcome rpc_on_SCRUB(struct rpc_call *call, struct proto_fault *fault)
{
    struct pending_scrub *pending =
        rpc_job_create(call, PROTO_Q_SCRUB_PROGRESS, scrub_reply, sizeof *pending, fault);
    if (!pending) {
        return RPC_FAILED;
    }
    const struct engine_scrub_request request = {
        .bytes_per_second = rpc_arg_uint(call, PROTO_Q_SCRUB_BYTES_PER_SECOND),
        .deadline_ms = rpc_deadline_ms(call),
        .on_progress = rpc_job_progress,
        .on_done = rpc_job_done,
        .context = pending,
        .result = &pending->result,
    };
    return rpc_job_end(pending,
                       engine_scrub_start(call->worker->rpc->options.engine, &request, fault));
}
