/* SPDX-License-Identifier: Apache-2.0 */
/* audit, on the lane SCAN: the write log as a list of who did what. The newest entries are given if
 * no position is asked for; with an account's id the log is read from its beginning, and the newest
 * that concern it are kept. */
#include "server/engine/audit.h"
#include "server/rpc/call.h"
#include "server/rpc/rpc_member.h"

enum { TEXT_BYTES = 256, ID_BYTES = 256 };

/* A copy of an entry: what it borrowed is gone when the next is read. */
struct kept {
    struct engine_audit entry;
    char author[TEXT_BYTES], reason[TEXT_BYTES], first[ID_BYTES], operation[ID_BYTES];
};

struct collecting {
    struct rpc_call *call;
    struct kept *ring;
    size_t room;
    uint64_t count; /* so far; the ring holds the last `room` of them */
    bool forward;   /* ends when the ring is full */
    bool stopped;
};

static struct proto_span copy(struct proto_span from, char *to, size_t bytes)
{
    size_t length = from.bytes < bytes ? from.bytes : bytes;
    if (length > 0) {
        memcpy(to, from.data, length);
    }
    /* Never half a character at the end. */
    while (length < from.bytes && length > 0 && (from.data[length] & 0xC0) == 0x80) {
        length--;
    }
    return (struct proto_span){(const uint8_t *)to, length};
}

static bool collect(void *context, const struct engine_audit *entry)
{
    struct collecting *all = context;
    struct kept *kept = &all->ring[all->count % all->room];
    kept->entry = *entry;
    kept->entry.author = copy(entry->author, kept->author, sizeof kept->author);
    kept->entry.reason = copy(entry->reason, kept->reason, sizeof kept->reason);
    kept->entry.first = copy(entry->first, kept->first, sizeof kept->first);
    kept->entry.operation = copy(entry->operation, kept->operation, sizeof kept->operation);
    all->count++;
    if (all->count % 1024 == 0 && !engine_scan_goes_on(all->call->scan, NULL)) {
        all->stopped = true;
        return false;
    }
    return !all->forward || all->count < all->room;
}

static void deeds_text(const struct engine_audit *entry, char *out, size_t out_bytes)
{
    size_t at = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < ENGINE_DEEDS && at < out_bytes; i++) {
        if (entry->counts[i] > 0) {
            at += (size_t)snprintf(out + at, out_bytes - at, "%s%s %u", at > 0 ? ", " : "",
                                   engine_deed_name((enum engine_deed)i), entry->counts[i]);
        }
    }
}

static void entry_write(struct proto_writer *out, const struct engine_audit *entry)
{
    char deeds[TEXT_BYTES];
    deeds_text(entry, deeds, sizeof deeds);
    proto_write_map(out, 7);
    rpc_member_uint(out, RPC_MEMBER(DEED, SEQ), entry->seq);
    rpc_member_int(out, RPC_MEMBER(DEED, TIME), entry->time_ms);
    rpc_member_str(out, RPC_MEMBER(DEED, BY), entry->author);
    rpc_member_text(out, RPC_MEMBER(DEED, DID), deeds);
    rpc_member_str(out, RPC_MEMBER(DEED, FIRST), entry->first);
    rpc_member_str(out, RPC_MEMBER(DEED, REASON), entry->reason);
    rpc_member_str(out, RPC_MEMBER(DEED, OPERATION), entry->operation);
}

/* Where the reading begins: behind `after` if it was asked for, else far enough back. */
static uint64_t begin(const struct rpc_call *call, struct proto_span id, uint64_t oldest,
                      uint64_t newest, size_t room)
{
    uint64_t floor = oldest > 0 ? oldest - 1 : 0;
    if (call->args[PROTO_Q_AUDIT_AFTER].present) {
        return rpc_arg_uint(call, PROTO_Q_AUDIT_AFTER);
    }
    return id.bytes > 0 || newest < floor + room ? floor : newest - room;
}

enum rpc_outcome rpc_on_AUDIT(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine *engine = call->worker->rpc->options.engine;
    struct proto_span id = rpc_arg_text(call, PROTO_Q_AUDIT_ID);
    struct collecting all = {.call = call,
                             .room = rpc_arg_uint(call, PROTO_Q_AUDIT_LIMIT),
                             .forward = call->args[PROTO_Q_AUDIT_AFTER].present};
    uint64_t oldest = 0;
    uint64_t newest = 0;
    struct proto_fault local = {.code = PROTO_OK};
    all.ring = base_arena_array(&call->worker->arena, all.room, sizeof *all.ring);
    if (!all.ring) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "limit", "no memory for so many entries");
        return RPC_FAILED;
    }
    if (!engine_audit_range(engine, &oldest, &newest, &local) ||
        !engine_audit(engine, begin(call, id, oldest, newest, all.room), id, collect, &all,
                      &local) ||
        (all.stopped && !engine_scan_goes_on(call->scan, &local))) {
        *fault = local;
        return RPC_FAILED;
    }
    size_t count = all.count < all.room ? (size_t)all.count : all.room;
    struct proto_writer *out = call->out;
    proto_write_map(out, 3);
    rpc_put_uint(out, call->op, PROTO_A_AUDIT_OLDEST, oldest);
    rpc_put_uint(out, call->op, PROTO_A_AUDIT_NEWEST, newest);
    rpc_key(out, call->op, PROTO_A_AUDIT_ENTRIES);
    proto_write_array(out, count);
    for (uint64_t i = all.count - count; i < all.count; i++) {
        entry_write(out, &all.ring[i % all.room].entry);
    }
    return RPC_DONE;
}
