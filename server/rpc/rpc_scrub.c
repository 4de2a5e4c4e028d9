/* SPDX-License-Identifier: Apache-2.0 */
/* scrub: queues the job, sends progress frames if asked, and at the end how many faults were found,
 * with the first of them as lines of text (utf-8 as far as they go). */
#include <stdlib.h>
#include <string.h>

#include "server/engine/scrub_job.h"
#include "server/rpc/call.h"

struct pending_scrub {
    struct rpc_later *later;
    bool progress;
    struct engine_scrub_result result;
};

static void scrub_progress(void *context, const struct engine_job_info *info)
{
    struct pending_scrub *pending = context;
    const struct proto_op_info *op = pending->later->op;
    if (!pending->progress) {
        return;
    }
    struct proto_writer *out = rpc_later_begin(pending->later);
    proto_write_map(out, 3);
    rpc_put_uint(out, op, PROTO_A_SCRUB_JOB, info->job);
    rpc_put_number(out, op, PROTO_A_SCRUB_DONE, info->done);
    rpc_put_text(out, op, PROTO_A_SCRUB_STAGE, info->stage);
    rpc_later_progress(pending->later);
}

/* What is damaged may be bytes of any kind: only ASCII is passed on. */
static void text_clean(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f) {
            *text = '?';
        }
    }
}

static void scrub_done(void *context, const struct engine_job_info *info)
{
    struct pending_scrub *pending = context;
    const struct proto_op_info *op = pending->later->op;
    struct engine_scrub_result *result = &pending->result;
    if (info->fault.code == PROTO_OK) {
        struct proto_writer *out = rpc_later_begin(pending->later);
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
    rpc_later_post(pending->later, &info->fault);
    free(pending);
}

enum rpc_outcome rpc_on_SCRUB(struct rpc_call *call, struct proto_fault *fault)
{
    struct pending_scrub *pending = calloc(1, sizeof *pending);
    if (!pending) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
        return RPC_FAILED;
    }
    const struct engine_scrub_request request = {
        .bytes_per_second = rpc_arg_uint(call, PROTO_Q_SCRUB_BYTES_PER_SECOND),
        .deadline_ms = rpc_deadline_ms(call),
        .on_progress = scrub_progress,
        .on_done = scrub_done,
        .context = pending,
        .result = &pending->result,
    };
    pending->progress = rpc_arg_flag(call, PROTO_Q_SCRUB_PROGRESS);
    pending->later = rpc_later_create(call, fault);
    if (pending->later &&
        engine_scrub_start(call->worker->rpc->options.engine, &request, fault) > 0) {
        return RPC_LATER;
    }
    if (pending->later) {
        rpc_later_drop(pending->later);
    }
    free(pending);
    return RPC_FAILED;
}
