/* SPDX-License-Identifier: Apache-2.0 */
/* client-list, slow-log and monitor: what people.h keeps, as replies. Names that clients gave
 * themselves are theirs to choose: they go out as they are, and whoever prints them is to guard its
 * terminal. */
#include "server/rpc/people.h"

#include "server/rpc/call.h"
#include "server/rpc/rpc_member.h"

/* A copy of what a listed connection shows, taken under the lock. */
struct shown {
    uint64_t number, requests, last_ns;
    int64_t since_ms;
    char address[PEOPLE_ADDRESS_BYTES];
    struct rpc_names names;
    uint8_t role, last_op;
};

static void show(const struct rpc_person *person, struct shown *shown)
{
    *shown = (struct shown){
        .number = person->number,
        .since_ms = person->since_ms,
        .requests = atomic_load_explicit(&person->requests, memory_order_relaxed),
        .last_ns = atomic_load_explicit(&person->last_ns, memory_order_relaxed),
        .role = atomic_load_explicit(&person->role, memory_order_relaxed),
        .last_op = atomic_load_explicit(&person->last_op, memory_order_relaxed),
    };
    memcpy(shown->address, person->address, sizeof shown->address);
    shown->names = person->names;
}

static const char *op_name(uint8_t opcode)
{
    const struct proto_op_info *op = proto_op_find(opcode);
    return op ? op->name : opcode == 0 ? "" : "unknown";
}

static void shown_write(struct proto_writer *out, const struct shown *shown, uint64_t now_ns,
                        bool open)
{
    uint64_t idle_ns = shown->last_ns != 0 && now_ns > shown->last_ns ? now_ns - shown->last_ns : 0;
    proto_write_map(out, 9);
    rpc_member_uint(out, RPC_MEMBER(CLIENT, CONNECTION), shown->number);
    rpc_member_text(out, RPC_MEMBER(CLIENT, ADDRESS), shown->address);
    rpc_member_text(out, RPC_MEMBER(CLIENT, CLIENT), shown->names.client);
    rpc_member_text(out, RPC_MEMBER(CLIENT, ROLE),
                    proto_role_name(open ? PROTO_ROLE_ADMIN : (enum proto_role)shown->role));
    rpc_member_int(out, RPC_MEMBER(CLIENT, SINCE), shown->since_ms);
    rpc_member_uint(out, RPC_MEMBER(CLIENT, IDLE_MS), idle_ns / 1000000);
    rpc_member_uint(out, RPC_MEMBER(CLIENT, REQUESTS), shown->requests);
    rpc_member_text(out, RPC_MEMBER(CLIENT, LAST), op_name(shown->last_op));
    rpc_member_text(out, RPC_MEMBER(CLIENT, TOKEN), shown->names.token);
}

enum rpc_outcome rpc_on_CLIENT_LIST(struct rpc_call *call, struct proto_fault *fault)
{
    struct rpc *rpc = call->worker->rpc;
    struct rpc_people *people = &rpc->people;
    size_t most = rpc_arg_uint(call, PROTO_Q_CLIENT_LIST_LIMIT);
    struct shown *all = base_arena_array(&call->worker->arena, most, sizeof *all);
    if (!all) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
        return RPC_FAILED;
    }
    size_t count = 0;
    pthread_mutex_lock(&people->lock);
    uint64_t there = people->count;
    for (struct rpc_person *person = people->first; person && count < most; person = person->next) {
        show(person, &all[count++]);
    }
    pthread_mutex_unlock(&people->lock);
    struct proto_writer *out = call->out;
    uint64_t now_ns = rpc->options.now_ns(rpc->options.now_context);
    proto_write_map(out, 2);
    rpc_put_uint(out, call->op, PROTO_A_CLIENT_LIST_COUNT, there);
    rpc_key(out, call->op, PROTO_A_CLIENT_LIST_CLIENTS);
    proto_write_array(out, count);
    for (size_t i = 0; i < count; i++) {
        shown_write(out, &all[i], now_ns, rpc->open);
    }
    return RPC_DONE;
}

static void record_write(struct rpc_people *people, struct proto_writer *out,
                         const struct rpc_record *record)
{
    struct rpc_names names;
    rpc_people_names(people, record->connection, &names);
    proto_write_map(out, 9);
    rpc_member_int(out, RPC_MEMBER(ANSWERED, TIME), record->time_ms);
    rpc_member_uint(out, RPC_MEMBER(ANSWERED, CONNECTION), record->connection);
    rpc_member_text(out, RPC_MEMBER(ANSWERED, CLIENT), names.client);
    rpc_member_text(out, RPC_MEMBER(ANSWERED, OP), op_name(record->opcode));
    rpc_member_text(out, RPC_MEMBER(ANSWERED, STATUS), proto_error_find(record->status)->name);
    rpc_member_uint(out, RPC_MEMBER(ANSWERED, TOOK_US), record->took_us);
    rpc_member_uint(out, RPC_MEMBER(ANSWERED, BYTES), record->bytes);
    rpc_member_uint(out, RPC_MEMBER(ANSWERED, COUNT), record->count);
    rpc_member_text(out, RPC_MEMBER(ANSWERED, TOKEN), names.token);
}

/* The records of a ring from a position on, and where the next reading begins. */
static enum rpc_outcome records_reply(struct rpc_call *call, struct rpc_ring *ring, uint64_t after,
                                      size_t most, const int keys[3], struct proto_fault *fault)
{
    struct rpc_people *people = &call->worker->rpc->people;
    struct rpc_record *records = base_arena_array(&call->worker->arena, most, sizeof *records);
    uint64_t last = 0;
    if (!records) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
        return RPC_FAILED;
    }
    size_t count = rpc_people_read(people, ring, after, records, most, &last);
    uint64_t next = count > 0 ? records[count - 1].position : last;
    uint64_t lost = count > 0 && after <= last ? records[0].position - 1 - after : 0;
    proto_write_map(call->out, 3);
    rpc_put_uint(call->out, call->op, keys[0], next);
    rpc_put_uint(call->out, call->op, keys[1], lost);
    rpc_key(call->out, call->op, keys[2]);
    proto_write_array(call->out, count);
    for (size_t i = 0; i < count; i++) {
        record_write(people, call->out, &records[i]);
    }
    return RPC_DONE;
}

enum rpc_outcome rpc_on_SLOW_LOG(struct rpc_call *call, struct proto_fault *fault)
{
    static const int keys[] = {PROTO_A_SLOW_LOG_NEXT, PROTO_A_SLOW_LOG_LOST,
                               PROTO_A_SLOW_LOG_REQUESTS};
    return records_reply(call, &call->worker->rpc->people.slow,
                         rpc_arg_uint(call, PROTO_Q_SLOW_LOG_AFTER), PEOPLE_SLOW, keys, fault);
}

enum rpc_outcome rpc_on_MONITOR(struct rpc_call *call, struct proto_fault *fault)
{
    static const int keys[] = {PROTO_A_MONITOR_NEXT, PROTO_A_MONITOR_LOST,
                               PROTO_A_MONITOR_REQUESTS};
    struct rpc *rpc = call->worker->rpc;
    uint64_t now_ns = rpc->options.now_ns(rpc->options.now_context);
    uint64_t after = rpc_arg_uint(call, PROTO_Q_MONITOR_AFTER);
    bool was = rpc_people_watched(&rpc->people, now_ns);
    atomic_store_explicit(&rpc->people.watched_until_ns,
                          now_ns + PEOPLE_MONITOR_S * UINT64_C(1000000000), memory_order_relaxed);
    /* Who begins is told of nothing that was before, nor of what nobody recorded. */
    if (after == 0 || !was) {
        pthread_mutex_lock(&rpc->people.lock);
        after = rpc->people.seen.written;
        pthread_mutex_unlock(&rpc->people.lock);
    }
    return records_reply(call, &rpc->people.seen, after, rpc_arg_uint(call, PROTO_Q_MONITOR_LIMIT),
                         keys, fault);
}
