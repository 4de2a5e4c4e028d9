/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that a job of the engine answers: progress frames while it runs, if they are asked for,
 * and one reply at its end.
 *
 *   struct learning *learning = rpc_job_create(call, PROTO_Q_…_PROGRESS, reply, sizeof …, fault);
 *   request.on_progress = rpc_job_progress, .on_done = rpc_job_done, .context = learning;
 *   return rpc_job_end(learning, engine_…(…, &request, fault));
 *
 * Replies of such an operation begin with job, done and stage, in this order. Ownership: the
 * pending job is the engine's once it has taken it, and freed when it is done. Errors: NULL with
 * *fault. Threads: created by the call's, all else by the job's, which the reply is counted on. */
#ifndef RPC_RPC_JOB_H
#define RPC_RPC_JOB_H

#include "server/rpc/call.h"

struct rpc_job;

/* Writes the map of the last frame. */
typedef void rpc_job_reply(struct rpc_job *job, struct proto_writer *out,
                           const struct engine_job_info *info);

/* The first member of what an operation keeps until its job is done. */
struct rpc_job {
    struct rpc_later *later;
    rpc_job_reply *reply;
    bool progress;
};

/* Zeroed, of so many bytes; progress: the position of that member of the request. */
void *rpc_job_create(struct rpc_call *call, int progress, rpc_job_reply *reply, size_t bytes,
                     struct proto_fault *fault);
void rpc_job_progress(void *job, const struct engine_job_info *info);
void rpc_job_done(void *job, const struct engine_job_info *info);
/* number: what the engine answered. If it took the job, that may be done and gone already; if it
 * did not, it is freed. */
enum rpc_outcome rpc_job_end(void *job, uint64_t number);

#endif
