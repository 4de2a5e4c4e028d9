/* SPDX-License-Identifier: Apache-2.0 */
/* everything-export, -read and -import: a job with progress, a piece of the file that it wrote, and
 * lines that go through the writer. What is wrong with a line is said by line and column. */
#include <stdlib.h>

#include "server/rpc/rpc_job.h"
#include "server/rpc/write.h"
#include "server/transfer/transfer.h"

enum { PIECE_BYTES = 1 << 20 };

struct pending_export {
    struct rpc_job job;
    struct transfer_exported result;
};

static void export_reply(struct rpc_job *job, struct proto_writer *out,
                         const struct engine_job_info *info)
{
    const struct proto_op_info *op = job->later->op;
    const struct transfer_exported *result = &((struct pending_export *)job)->result;
    /* One of each kind, and job, seq, bytes, damaged. */
    proto_write_map(out, 4U + TRANSFER_KIND_COUNT);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_JOB, info->job);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_SEQ, result->seq);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_BYTES, result->bytes);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_SCHEMAS, result->counts[TRANSFER_SCHEMA]);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_ICPS, result->counts[TRANSFER_ICP]);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_ACCOUNTS, result->counts[TRANSFER_ACCOUNT]);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_LISTS, result->counts[TRANSFER_LIST]);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_SWITCHES, result->counts[TRANSFER_SWITCH]);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_IDENTITIES, result->counts[TRANSFER_IDENTITY]);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_PLAN_ENTRIES, result->counts[TRANSFER_TERM]);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_CHALLENGES, result->counts[TRANSFER_CHALLENGE]);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_EVENTS, result->counts[TRANSFER_EVENT]);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_METRICS, result->counts[TRANSFER_METRIC]);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_SEGMENTS, result->counts[TRANSFER_SEGMENT]);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_EXPORT_DAMAGED, result->damaged);
}

static struct transfer *exports(const struct rpc_call *call, struct proto_fault *fault)
{
    struct transfer *transfer = call->worker->rpc->options.transfer;
    if (!transfer) {
        proto_fault_set(fault, PROTO_BAD_CONFIG, "", "this server has no place for exports");
    }
    return transfer;
}

enum rpc_outcome rpc_on_EVERYTHING_EXPORT(struct rpc_call *call, struct proto_fault *fault)
{
    struct transfer *transfer = exports(call, fault);
    if (!transfer) {
        return RPC_FAILED;
    }
    struct pending_export *pending = rpc_job_create(call, PROTO_Q_EVERYTHING_EXPORT_PROGRESS,
                                                    export_reply, sizeof *pending, fault);
    if (!pending) {
        return RPC_FAILED;
    }
    const struct transfer_export request = {
        .deadline_ms = rpc_deadline_ms(call),
        .on_progress = rpc_job_progress,
        .on_done = rpc_job_done,
        .context = pending,
        .result = &pending->result,
    };
    return rpc_job_end(
        pending, transfer_export(transfer, call->worker->rpc->options.engine, &request, fault));
}

enum rpc_outcome rpc_on_EVERYTHING_READ(struct rpc_call *call, struct proto_fault *fault)
{
    struct transfer *transfer = exports(call, fault);
    uint8_t *room = transfer ? base_arena_take(&call->worker->arena, PIECE_BYTES) : NULL;
    uint64_t at = rpc_arg_uint(call, PROTO_Q_EVERYTHING_READ_AT);
    size_t got = 0;
    if (transfer && !room) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a piece of an export");
    }
    if (!room || !transfer_read(transfer, rpc_arg_uint(call, PROTO_Q_EVERYTHING_READ_JOB), at, room,
                                PIECE_BYTES, &got, fault)) {
        return RPC_FAILED;
    }
    proto_write_map(call->out, 2);
    rpc_put_str(call->out, call->op, PROTO_A_EVERYTHING_READ_TEXT, (struct proto_span){room, got});
    rpc_put_uint(call->out, call->op, PROTO_A_EVERYTHING_READ_NEXT, at + got);
    return RPC_DONE;
}

static void import_reply(struct proto_writer *out, const struct proto_op_info *op,
                         const struct engine_written *written)
{
    proto_write_map(out, 2U + written->repeated);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_IMPORT_STORED, written->count);
    rpc_put_uint(out, op, PROTO_A_EVERYTHING_IMPORT_SEQ, written->seq);
    rpc_put_repeated(out, op, PROTO_A_EVERYTHING_IMPORT_REPEATED, written->repeated);
}

enum rpc_outcome rpc_on_EVERYTHING_IMPORT(struct rpc_call *call, struct proto_fault *fault)
{
    const struct transfer_import import = {
        .lines = rpc_arg_text(call, PROTO_Q_EVERYTHING_IMPORT_LINES),
        .line = rpc_arg_uint(call, PROTO_Q_EVERYTHING_IMPORT_LINE),
        .again = rpc_arg_flag(call, PROTO_Q_EVERYTHING_IMPORT_AGAIN),
    };
    struct engine_write write;
    uint64_t present;
    if (!rpc_write_begin(call, PROTO_Q_EVERYTHING_IMPORT_OPERATION, import_reply, &write, fault)) {
        return RPC_FAILED;
    }
    enum transfer_took took =
        transfer_import(call->worker->engine, &import, &write, &present, fault);
    enum rpc_outcome outcome = rpc_write_end(&write, took == TRANSFER_LATER);
    if (took != TRANSFER_NOTHING) {
        return outcome;
    }
    proto_write_map(call->out, 1);
    rpc_put_uint(call->out, call->op, PROTO_A_EVERYTHING_IMPORT_STORED, 0);
    return RPC_DONE;
}
