/* SPDX-License-Identifier: Apache-2.0 */
/* import-mark: an import begins, or all of it is stored; import-list, on the lane SCAN: imports as
 * the log tells of them; import-undo: queues the job, sends progress frames if asked, and at the
 * end what was taken back and what stays. */
#include <assert.h>

#include "server/engine/imports.h"
#include "server/engine/undo_job.h"
#include "server/rpc/rpc_job.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/write.h"

static void mark_reply(struct proto_writer *out, const struct proto_op_info *op,
                       const struct engine_written *written)
{
    proto_write_map(out, 1U + written->repeated);
    rpc_put_uint(out, op, PROTO_A_IMPORT_MARK_SEQ, written->seq);
    rpc_put_repeated(out, op, PROTO_A_IMPORT_MARK_REPEATED, written->repeated);
}

enum rpc_outcome rpc_on_IMPORT_MARK(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_write write;
    bool done = rpc_arg_flag(call, PROTO_Q_IMPORT_MARK_DONE);
    struct engine_ingest *ingest = engine_ingest_begin(fault);
    if (ingest == NULL) {
        return RPC_FAILED;
    }
    if (!engine_ingest_import(ingest, rpc_arg_text(call, PROTO_Q_IMPORT_MARK_IMPORT),
                              done ? ENGINE_IMPORT_DONE : ENGINE_IMPORT_BEGUN,
                              rpc_arg_text(call, PROTO_Q_IMPORT_MARK_NAME), fault) ||
        !rpc_write_begin(call, PROTO_Q_IMPORT_MARK_OPERATION, mark_reply, &write, fault)) {
        engine_ingest_drop(ingest);
        return RPC_FAILED;
    }
    return rpc_write_end(
        &write, engine_ingest_commit(ingest, call->worker->rpc->options.engine, &write, fault));
}

static bool list_goes_on(void *context, struct proto_fault *fault)
{
    const struct rpc_call *call = context;
    return engine_scan_goes_on(call->scan, fault);
}

static const char *state_of(const struct engine_import *import)
{
    return import->undone               ? "undone"
           : import->undone_batches > 0 ? "partly undone"
           : import->done               ? "done"
                                        : "open";
}

static void import_write(struct proto_writer *out, const struct engine_import *import)
{
    proto_write_map(out, 13);
    rpc_member_text(out, RPC_MEMBER(IMPORT, ID), import->id);
    rpc_member_text(out, RPC_MEMBER(IMPORT, NAME), import->name);
    rpc_member_text(out, RPC_MEMBER(IMPORT, NOTE), import->note);
    rpc_member_text(out, RPC_MEMBER(IMPORT, BY), import->author);
    rpc_member_text(out, RPC_MEMBER(IMPORT, STATE), state_of(import));
    rpc_member_int(out, RPC_MEMBER(IMPORT, BEGAN), import->first_ms);
    rpc_member_int(out, RPC_MEMBER(IMPORT, ENDED), import->last_ms);
    rpc_member_uint(out, RPC_MEMBER(IMPORT, FIRST), import->first_seq);
    rpc_member_uint(out, RPC_MEMBER(IMPORT, LAST), import->last_seq);
    rpc_member_uint(out, RPC_MEMBER(IMPORT, BATCHES), import->batches);
    rpc_member_uint(out, RPC_MEMBER(IMPORT, ACCOUNTS), import->accounts);
    rpc_member_uint(out, RPC_MEMBER(IMPORT, EVENTS), import->events);
    rpc_member_flag(out, RPC_MEMBER(IMPORT, WHOLE), import->begun);
}

enum rpc_outcome rpc_on_IMPORT_LIST(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_imports imports;
    struct proto_writer *out = call->out;
    size_t limit = (size_t)rpc_arg_uint(call, PROTO_Q_IMPORT_LIST_LIMIT);
    bool good = engine_imports_read(call->worker->rpc->options.engine,
                                    rpc_arg_text(call, PROTO_Q_IMPORT_LIST_IMPORT), list_goes_on,
                                    call, &imports, fault);
    if (good) {
        size_t count = imports.count < limit ? imports.count : limit;
        proto_write_map(out, 3);
        rpc_put_uint(out, call->op, PROTO_A_IMPORT_LIST_OLDEST, imports.oldest);
        rpc_put_uint(out, call->op, PROTO_A_IMPORT_LIST_COUNT, imports.count);
        rpc_key(out, call->op, PROTO_A_IMPORT_LIST_IMPORTS);
        proto_write_array(out, count);
        for (size_t i = 0; i < count; i++) {
            import_write(out, &imports.list[imports.count - 1 - i]);
        }
    }
    engine_imports_fini(&imports);
    return good ? RPC_DONE : RPC_FAILED;
}

struct pending_undo {
    struct rpc_job job;
    struct engine_undo_result result;
};

#define X(NAME, name, help)                                                                        \
    static_assert((int)PROTO_A_IMPORT_UNDO_##NAME ==                                               \
                      (int)PROTO_A_IMPORT_UNDO_BATCHES + ENGINE_UNDO_##NAME,                       \
                  "figures of an undo are in the order of their table");
#include "server/engine/undo_figure.def"
#undef X

static void stay_write(struct proto_writer *out, const struct engine_undo_stay *stay)
{
    proto_write_map(out, 6);
    rpc_member_text(out, RPC_MEMBER(UNDO_STAY, ID), stay->id);
    rpc_member_flag(out, RPC_MEMBER(UNDO_STAY, ACCOUNT), stay->account);
    rpc_member_uint(out, RPC_MEMBER(UNDO_STAY, CHANGED), stay->changed);
    rpc_member_uint(out, RPC_MEMBER(UNDO_STAY, LATE), stay->late);
    rpc_member_uint(out, RPC_MEMBER(UNDO_STAY, NOT_KEPT), stay->not_kept);
    rpc_member_uint(out, RPC_MEMBER(UNDO_STAY, KEYS), stay->keys);
}

static void undo_reply(struct rpc_job *job, struct proto_writer *out,
                       const struct engine_job_info *info)
{
    const struct proto_op_info *op = job->later->op;
    const struct engine_undo_result *result = &((struct pending_undo *)job)->result;
    proto_write_map(out, 4U + ENGINE_UNDO_FIGURES + info->repeated);
    rpc_put_uint(out, op, PROTO_A_IMPORT_UNDO_JOB, info->job);
    for (int i = 0; i < ENGINE_UNDO_FIGURES; i++) {
        rpc_put_uint(out, op, PROTO_A_IMPORT_UNDO_BATCHES + i, result->figures[i]);
    }
    rpc_put_flag(out, op, PROTO_A_IMPORT_UNDO_WHOLE, result->whole);
    rpc_key(out, op, PROTO_A_IMPORT_UNDO_STAYS);
    proto_write_array(out, result->stay_count);
    for (size_t i = 0; i < result->stay_count; i++) {
        stay_write(out, &result->stays[i]);
    }
    rpc_put_uint(out, op, PROTO_A_IMPORT_UNDO_SEQ, result->seq);
    rpc_put_repeated(out, op, PROTO_A_IMPORT_UNDO_REPEATED, info->repeated);
}

enum rpc_outcome rpc_on_IMPORT_UNDO(struct rpc_call *call, struct proto_fault *fault)
{
    struct pending_undo *pending =
        rpc_job_create(call, PROTO_Q_IMPORT_UNDO_PROGRESS, undo_reply, sizeof *pending, fault);
    if (!pending) {
        return RPC_FAILED;
    }
    const struct engine_undo_request request = {
        .import = rpc_arg_text(call, PROTO_Q_IMPORT_UNDO_IMPORT),
        .dry = rpc_arg_flag(call, PROTO_Q_IMPORT_UNDO_DRY_RUN),
        .operation = rpc_operation(call, PROTO_Q_IMPORT_UNDO_OPERATION),
        .deadline_ms = rpc_deadline_ms(call),
        .result = &pending->result,
        .on_progress = rpc_job_progress,
        .on_done = rpc_job_done,
        .context = pending,
    };
    return rpc_job_end(pending,
                       engine_undo_start(call->worker->rpc->options.engine, &request, fault));
}
