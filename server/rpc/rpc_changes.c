/* SPDX-License-Identifier: Apache-2.0 */
/* changes, on the lane SCAN: a page of the change feed. */
#include "server/feed/feed.h"
#include "server/rpc/call.h"
#include "server/rpc/rpc_member.h"

static void grade_write(struct proto_writer *out, const struct proto_field_info *member, char grade)
{
    const char text[2] = {grade, '\0'};
    rpc_member_text(out, member, text);
}

static void move_write(struct proto_writer *out, const struct feed_move *move)
{
    bool before = move->before != 0;
    bool now = move->now != 0;
    proto_write_map(out, 3U + 2U * before + 2U * now + (move->segment_before.bytes > 0) +
                             (move->segment.bytes > 0) + (move->list.bytes > 0));
    rpc_member_str(out, RPC_MEMBER(MOVE, ID), move->id);
    rpc_member_text(out, RPC_MEMBER(MOVE, WHAT), feed_what_name(move->what));
    if (before) {
        grade_write(out, RPC_MEMBER(MOVE, BEFORE), move->before);
        rpc_member_number(out, RPC_MEMBER(MOVE, FIT_BEFORE), move->fit_before);
    }
    if (now) {
        grade_write(out, RPC_MEMBER(MOVE, NOW), move->now);
        rpc_member_number(out, RPC_MEMBER(MOVE, FIT), move->fit);
    }
    if (move->segment_before.bytes > 0) {
        rpc_member_str(out, RPC_MEMBER(MOVE, SEGMENT_BEFORE), move->segment_before);
    }
    if (move->segment.bytes > 0) {
        rpc_member_str(out, RPC_MEMBER(MOVE, SEGMENT), move->segment);
    }
    if (move->list.bytes > 0) {
        rpc_member_str(out, RPC_MEMBER(MOVE, LIST), move->list);
    }
    rpc_member(out, RPC_MEMBER(MOVE, KEYS));
    proto_write_array(out, move->key_count);
    for (size_t i = 0; i < move->key_count; i++) {
        proto_write_str(out, move->keys[i]);
    }
}

static void page_write(struct rpc_call *call, const struct feed_page *page)
{
    struct proto_writer *out = call->out;
    const struct proto_op_info *op = call->op;
    bool more = page->after > 0;
    proto_write_map(out, 6U + more + page->full);
    rpc_key(out, op, PROTO_A_CHANGES_CHANGES);
    proto_write_array(out, page->count);
    for (size_t i = 0; i < page->count; i++) {
        move_write(out, &page->moves[i]);
    }
    rpc_put_uint(out, op, PROTO_A_CHANGES_NEXT, page->next);
    if (more) {
        rpc_put_uint(out, op, PROTO_A_CHANGES_AFTER, page->after);
    }
    rpc_put_flag(out, op, PROTO_A_CHANGES_FULL, page->full);
    if (page->full) {
        rpc_put_text(out, op, PROTO_A_CHANGES_WHY, page->why);
    }
    rpc_put_uint(out, op, PROTO_A_CHANGES_OLDEST, page->oldest);
    rpc_put_uint(out, op, PROTO_A_CHANGES_SEQ, page->seq);
    rpc_put_uint(out, op, PROTO_A_CHANGES_ICP, page->icp);
}

enum rpc_outcome rpc_on_CHANGES(struct rpc_call *call, struct proto_fault *fault)
{
    const struct proto_arg *until = &call->args[PROTO_Q_CHANGES_UNTIL];
    uint64_t after = rpc_arg_uint(call, PROTO_Q_CHANGES_AFTER);
    struct feed_request request = {.since = rpc_arg_uint(call, PROTO_Q_CHANGES_SINCE),
                                   .until = until->present ? until->uint : 0,
                                   .after = (uint32_t)after,
                                   .limit = (size_t)rpc_arg_uint(call, PROTO_Q_CHANGES_LIMIT)};
    struct feed_page page;
    if (after > UINT32_MAX) {
        (void)proto_fault_set(fault, PROTO_BAD_FIELD, "after", "no page said so");
        return RPC_FAILED;
    }
    if (after > 0 && !until->present) {
        (void)proto_fault_set(fault, PROTO_MISSING_FIELD, "until",
                              "with after it is needed: next of the page before");
        return RPC_FAILED;
    }
    if (!feed_read(call->worker->engine, call->scan, &request, &call->worker->arena, &page,
                   fault)) {
        return RPC_FAILED;
    }
    page_write(call, &page);
    return RPC_DONE;
}
