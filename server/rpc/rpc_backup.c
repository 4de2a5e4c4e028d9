/* SPDX-License-Identifier: Apache-2.0 */
/* backup: checks the name, queues the job, sends progress frames if asked, and what was written at
 * the end. Without a backup_path, or with a name that could leave it, nothing is queued. */
#include "server/backup/backup.h"
#include "server/rpc/rpc_job.h"

struct pending_backup {
    struct rpc_job job;
    struct backup_result result;
};

static void backup_reply(struct rpc_job *job, struct proto_writer *out,
                         const struct engine_job_info *info)
{
    const struct proto_op_info *op = job->later->op;
    const struct backup_result *result = &((struct pending_backup *)job)->result;
    proto_write_map(out, 7);
    rpc_put_uint(out, op, PROTO_A_BACKUP_JOB, info->job);
    rpc_put_text(out, op, PROTO_A_BACKUP_KIND, result->kind);
    rpc_put_text(out, op, PROTO_A_BACKUP_FILE, result->file);
    rpc_put_uint(out, op, PROTO_A_BACKUP_SEQ, result->seq);
    rpc_put_uint(out, op, PROTO_A_BACKUP_ENTRIES, result->entries);
    rpc_put_uint(out, op, PROTO_A_BACKUP_BATCHES, result->batches);
    rpc_put_uint(out, op, PROTO_A_BACKUP_BYTES, result->bytes);
}

/* A plain name: one directory, not hidden, nothing that a shell or another system reads otherwise.
 */
static bool is_plain(struct proto_span name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    for (size_t i = 0; i < name.bytes; i++) {
        if (name.data[i] == '\0' || !strchr(allowed, name.data[i])) {
            return false;
        }
    }
    return name.bytes > 0 && name.bytes <= 100 && name.data[0] != '.' && name.data[0] != '-';
}

static bool path_make(const struct rpc_call *call, char *path, size_t path_bytes,
                      struct proto_fault *fault)
{
    const char *root = call->worker->rpc->options.backup_path;
    const struct proto_arg *name = &call->args[PROTO_Q_BACKUP_NAME];
    if (!root || root[0] == '\0') {
        return proto_fault_set(
            fault, PROTO_BAD_CONFIG, "",
            "the server has no backup_path: its operator names a directory there");
    }
    if (!name->present) {
        return (size_t)snprintf(path, path_bytes, "%s", root) < path_bytes ||
               proto_fault_set(fault, PROTO_TOO_LARGE, "name", "the path is too long");
    }
    if (!is_plain(name->text)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "name",
                               "up to 100 letters, digits, '.', '_' and '-' are wanted, beginning "
                               "with a letter or a digit");
    }
    return (size_t)snprintf(path, path_bytes, "%s/%.*s", root, (int)name->text.bytes,
                            (const char *)name->text.data) < path_bytes ||
           proto_fault_set(fault, PROTO_TOO_LARGE, "name", "the path is too long");
}

enum rpc_outcome rpc_on_BACKUP(struct rpc_call *call, struct proto_fault *fault)
{
    char path[4096];
    if (!path_make(call, path, sizeof path, fault)) {
        return RPC_FAILED;
    }
    struct pending_backup *pending =
        rpc_job_create(call, PROTO_Q_BACKUP_PROGRESS, backup_reply, sizeof *pending, fault);
    if (!pending) {
        return RPC_FAILED;
    }
    const struct backup_request request = {
        .path = path,
        .full = rpc_arg_flag(call, PROTO_Q_BACKUP_FULL),
        .deadline_ms = rpc_deadline_ms(call),
        .on_progress = rpc_job_progress,
        .on_done = rpc_job_done,
        .context = pending,
        .result = &pending->result,
    };
    return rpc_job_end(pending, backup_start(call->worker->rpc->options.engine, &request, fault));
}
