/* SPDX-License-Identifier: Apache-2.0 */
/* backup: checks the name, queues the job, sends progress frames if asked, and what was written at
 * the end. Without a backup_path, or with a name that could leave it, nothing is queued. */
#include <stdlib.h>

#include "server/backup/backup.h"
#include "server/rpc/call.h"

struct pending_backup {
    struct rpc_later *later;
    bool progress;
    struct backup_result result;
};

static void backup_progress(void *context, const struct engine_job_info *info)
{
    struct pending_backup *pending = context;
    const struct proto_op_info *op = pending->later->op;
    if (!pending->progress) {
        return;
    }
    struct proto_writer *out = rpc_later_begin(pending->later);
    proto_write_map(out, 3);
    rpc_put_uint(out, op, PROTO_A_BACKUP_JOB, info->job);
    rpc_put_number(out, op, PROTO_A_BACKUP_DONE, info->done);
    rpc_put_text(out, op, PROTO_A_BACKUP_STAGE, info->stage);
    rpc_later_progress(pending->later);
}

static void backup_done(void *context, const struct engine_job_info *info)
{
    struct pending_backup *pending = context;
    const struct proto_op_info *op = pending->later->op;
    const struct backup_result *result = &pending->result;
    if (info->fault.code == PROTO_OK) {
        struct proto_writer *out = rpc_later_begin(pending->later);
        proto_write_map(out, 7);
        rpc_put_uint(out, op, PROTO_A_BACKUP_JOB, info->job);
        rpc_put_text(out, op, PROTO_A_BACKUP_KIND, result->kind);
        rpc_put_text(out, op, PROTO_A_BACKUP_FILE, result->file);
        rpc_put_uint(out, op, PROTO_A_BACKUP_SEQ, result->seq);
        rpc_put_uint(out, op, PROTO_A_BACKUP_ENTRIES, result->entries);
        rpc_put_uint(out, op, PROTO_A_BACKUP_BATCHES, result->batches);
        rpc_put_uint(out, op, PROTO_A_BACKUP_BYTES, result->bytes);
    }
    rpc_later_post(pending->later, &info->fault);
    free(pending);
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
    struct pending_backup *pending = calloc(1, sizeof *pending);
    if (!pending) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
        return RPC_FAILED;
    }
    const struct backup_request request = {
        .path = path,
        .full = rpc_arg_flag(call, PROTO_Q_BACKUP_FULL),
        .deadline_ms = rpc_deadline_ms(call),
        .on_progress = backup_progress,
        .on_done = backup_done,
        .context = pending,
        .result = &pending->result,
    };
    pending->progress = rpc_arg_flag(call, PROTO_Q_BACKUP_PROGRESS);
    pending->later = rpc_later_create(call, fault);
    if (pending->later && backup_start(call->worker->rpc->options.engine, &request, fault) > 0) {
        return RPC_LATER;
    }
    if (pending->later) {
        rpc_later_drop(pending->later);
    }
    free(pending);
    return RPC_FAILED;
}
