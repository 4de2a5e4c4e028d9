/* SPDX-License-Identifier: Apache-2.0 */
/* segment-find: on the lane SCAN. Segments that the held accounts confirm come first; those that
 * they do not are told too, so that nobody finds them again and believes them. */
#include "server/dispute/segment_find.h"
#include "server/rpc/call.h"
#include "server/rpc/rpc_member.h"

static void segment_put(struct proto_writer *out, const struct dispute_segment *segment)
{
    const struct segment_found *found = segment->found;
    proto_write_map(out, 12);
    rpc_member_text(out, RPC_MEMBER(FOUND_SEGMENT, FILTER), segment->filter);
    rpc_member_flag(out, RPC_MEMBER(FOUND_SEGMENT, CONFIRMED), found->confirmed);
    rpc_member_uint(out, RPC_MEMBER(FOUND_SEGMENT, ACCOUNTS), segment->all.accounts);
    rpc_member_uint(out, RPC_MEMBER(FOUND_SEGMENT, OUTCOMES), segment->all.outcomes);
    rpc_member_uint(out, RPC_MEMBER(FOUND_SEGMENT, HELD), found->held.accounts);
    rpc_member_uint(out, RPC_MEMBER(FOUND_SEGMENT, HELD_OUTCOMES), found->held.outcomes);
    rpc_member_number(out, RPC_MEMBER(FOUND_SEGMENT, RATE_LOW), segment->low);
    rpc_member_number(out, RPC_MEMBER(FOUND_SEGMENT, RATE_HIGH), segment->high);
    rpc_member_number(out, RPC_MEMBER(FOUND_SEGMENT, CHANCE), found->p);
    rpc_member_number(out, RPC_MEMBER(FOUND_SEGMENT, QUALITY), found->quality);
    rpc_member_uint(out, RPC_MEMBER(FOUND_SEGMENT, COVERED), segment->covered.accounts);
    rpc_member_uint(out, RPC_MEMBER(FOUND_SEGMENT, COVERED_OUTCOMES), segment->covered.outcomes);
}

enum rpc_outcome rpc_on_SEGMENT_FIND(struct rpc_call *call, struct proto_fault *fault)
{
    struct dispute_segment_search search = {
        .icp = rpc_arg_uint(call, PROTO_Q_SEGMENT_FIND_ICP),
        .filter = rpc_arg_text(call, PROTO_Q_SEGMENT_FIND_FILTER),
        .outcome = rpc_arg_text(call, PROTO_Q_SEGMENT_FIND_OUTCOME),
        .depth = (unsigned)rpc_arg_uint(call, PROTO_Q_SEGMENT_FIND_DEPTH),
        .accounts_min = (size_t)rpc_arg_uint(call, PROTO_Q_SEGMENT_FIND_LEAST),
        .pure = rpc_arg_flag(call, PROTO_Q_SEGMENT_FIND_PURE),
        .most = (size_t)rpc_arg_uint(call, PROTO_Q_SEGMENT_FIND_LIMIT),
    };
    struct dispute_segments segments;
    if (!dispute_segments_find(call->worker->rpc->options.dispute, call->worker->engine, call->scan,
                               &search, &segments, fault)) {
        return RPC_FAILED;
    }
    struct proto_writer *out = call->out;
    proto_write_map(out, 10);
    rpc_put_uint(out, call->op, PROTO_A_SEGMENT_FIND_ICP, segments.icp);
    rpc_put_uint(out, call->op, PROTO_A_SEGMENT_FIND_SEQ, engine_worker_seq(call->worker->engine));
    rpc_put_uint(out, call->op, PROTO_A_SEGMENT_FIND_ACCOUNTS, segments.all.accounts);
    rpc_put_uint(out, call->op, PROTO_A_SEGMENT_FIND_OUTCOMES, segments.all.outcomes);
    rpc_put_uint(out, call->op, PROTO_A_SEGMENT_FIND_HELD, segments.result.held.accounts);
    rpc_put_uint(out, call->op, PROTO_A_SEGMENT_FIND_LEAST, segments.accounts_min);
    rpc_put_uint(out, call->op, PROTO_A_SEGMENT_FIND_CONDITIONS, segments.conditions);
    rpc_put_uint(out, call->op, PROTO_A_SEGMENT_FIND_TRIED, segments.result.tried);
    rpc_put_uint(out, call->op, PROTO_A_SEGMENT_FIND_CONFIRMED, segments.confirmed);
    rpc_key(out, call->op, PROTO_A_SEGMENT_FIND_SEGMENTS);
    proto_write_array(out, segments.count);
    for (size_t i = 0; i < segments.count; i++) {
        segment_put(out, &segments.segments[i]);
    }
    dispute_segments_fini(&segments);
    return RPC_DONE;
}
