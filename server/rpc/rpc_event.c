/* SPDX-License-Identifier: Apache-2.0 */
/* event-append: maps to events of an ingest, answered when they are on disk; timeline, on the lane
 * SCAN: a page of what happened to an account. Members of events stand in the shapes in the order
 * of event_member.def, so that one loop reads and one writes them. */
#include <assert.h>

#include "server/engine/timeline.h"
#include "server/rpc/lead.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/rpc_rules.h"
#include "server/rpc/write.h"

#define T(NAME, name, text, most, meaning)                                                         \
    static_assert((int)PROTO_M_EVENT_##NAME == (int)PROTO_M_EVENT_KIND + EVENT_MEMBER_##NAME &&    \
                      (int)PROTO_M_TIMELINE_EVENT_##NAME ==                                        \
                          (int)PROTO_M_TIMELINE_EVENT_KIND + EVENT_MEMBER_##NAME,                  \
                  "members of events are in the order of their table");
#define N(NAME, name, text, low, high, meaning) T(NAME, name, text, high, meaning)
#include "server/event/event_member.def"
#undef T
#undef N

static void event_read(const struct proto_arg *members, struct proto_span source,
                       struct event *event)
{
    *event = (struct event){.time_ms = members[PROTO_M_EVENT_TIME].integer,
                            .id = members[PROTO_M_EVENT_ID].text,
                            .source = members[PROTO_M_EVENT_SOURCE].present
                                          ? members[PROTO_M_EVENT_SOURCE].text
                                          : source};
    for (unsigned i = 0; i < EVENT_MEMBER_COUNT; i++) {
        const struct proto_arg *arg = &members[PROTO_M_EVENT_KIND + i];
        enum event_member member = (enum event_member)i;
        if (!arg->present) {
            continue;
        }
        event->has |= UINT32_C(1) << i;
        if (event_member_is_text(member)) {
            *event_text(event, member) = arg->text;
        } else {
            *event_number(event, member) = arg->integer;
        }
    }
}

static bool event_add(struct rpc_call *call, struct engine_ingest *ingest, struct proto_span map,
                      struct proto_span source, struct proto_fault *fault)
{
    const struct proto_shape_info *shape = proto_shape_info(PROTO_SHAPE_EVENT);
    struct proto_arg members[PROTO_ARGS_MAX];
    struct event event;
    if (!proto_members_decode(shape->members, shape->member_count, map, members, fault)) {
        return false;
    }
    event_read(members, source, &event);
    if (!event_type_read(members[PROTO_M_EVENT_TYPE].text, "type", &event.type, fault)) {
        return false;
    }
    struct proto_span none = {NULL, 0};
    return engine_ingest_event(
        ingest, call->worker->rpc->options.engine,
        members[PROTO_M_EVENT_ACCOUNT].present ? members[PROTO_M_EVENT_ACCOUNT].text : none,
        members[PROTO_M_EVENT_KEY].present ? members[PROTO_M_EVENT_KEY].text : none, &event, fault);
}

static bool events_add(struct rpc_call *call, struct engine_ingest *ingest,
                       struct proto_fault *fault)
{
    struct proto_span source = rpc_arg_text(call, PROTO_Q_EVENT_APPEND_SOURCE);
    struct proto_fault local = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, call->args[PROTO_Q_EVENT_APPEND_EVENTS].value, &local);
    reader.checked = true; /* with the request */
    size_t count = proto_read_array(&reader);
    for (size_t i = 0; i < count; i++) {
        if (!event_add(call, ingest, proto_read_any(&reader), source, fault)) {
            return proto_fault_within(fault, "events[%zu]", i);
        }
    }
    return true;
}

static void append_reply(struct proto_writer *out, const struct proto_op_info *op,
                         const struct engine_written *written)
{
    proto_write_map(out, 2U + written->repeated);
    rpc_put_uint(out, op, PROTO_A_EVENT_APPEND_COUNT, written->count);
    rpc_put_uint(out, op, PROTO_A_EVENT_APPEND_SEQ, written->seq);
    rpc_put_repeated(out, op, PROTO_A_EVENT_APPEND_REPEATED, written->repeated);
}

enum rpc_outcome rpc_on_EVENT_APPEND(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_write write;
    struct engine_ingest *ingest = engine_ingest_begin(fault);
    if (ingest == NULL) {
        return RPC_FAILED;
    }
    if (!events_add(call, ingest, fault) ||
        !rpc_import_add(call, PROTO_Q_EVENT_APPEND_IMPORT, ingest, fault) ||
        !rpc_write_begin(call, PROTO_Q_EVENT_APPEND_OPERATION, append_reply, &write, fault)) {
        engine_ingest_drop(ingest);
        return RPC_FAILED;
    }
    return rpc_write_end(
        &write, engine_ingest_commit(ingest, call->worker->rpc->options.engine, &write, fault));
}

static void event_write(struct proto_writer *out, const struct engine_told *told)
{
    struct event event = told->event;
    unsigned members = (unsigned)__builtin_popcount(event.has);
    proto_write_map(out, 6U + told->retracted + members);
    rpc_member_text(out, RPC_MEMBER(TIMELINE_EVENT, TYPE), event_type_name(event.type));
    rpc_member_int(out, RPC_MEMBER(TIMELINE_EVENT, TIME), event.time_ms);
    rpc_member_int(out, RPC_MEMBER(TIMELINE_EVENT, KNOWN), event.known_ms);
    rpc_member_uint(out, RPC_MEMBER(TIMELINE_EVENT, SEQ), event.seq);
    rpc_member_str(out, RPC_MEMBER(TIMELINE_EVENT, SOURCE), event.source);
    rpc_member_str(out, RPC_MEMBER(TIMELINE_EVENT, ID), event.id);
    if (told->retracted) {
        rpc_member_flag(out, RPC_MEMBER(TIMELINE_EVENT, RETRACTED), true);
    }
    for (unsigned i = 0; i < EVENT_MEMBER_COUNT; i++) {
        const struct proto_field_info *member = RPC_MEMBER(TIMELINE_EVENT, KIND) + i;
        if ((event.has >> i & 1) == 0) {
            continue;
        }
        if (event_member_is_text((enum event_member)i)) {
            rpc_member_str(out, member, *event_text(&event, (enum event_member)i));
        } else {
            rpc_member_int(out, member, *event_number(&event, (enum event_member)i));
        }
    }
}

bool rpc_event_types(struct rpc_call *call, int index, uint32_t *types, struct proto_fault *fault)
{
    size_t count = 0;
    struct proto_fault local = {.code = PROTO_OK};
    const struct proto_span *names = rpc_arg_texts(call, index, &count, &local);
    *types = 0;
    if (names == NULL) {
        if (local.code != PROTO_OK) {
            *fault = local;
        }
        return local.code == PROTO_OK;
    }
    for (size_t i = 0; i < count; i++) {
        enum event_type type;
        char field[40];
        (void)snprintf(field, sizeof field, "types[%zu]", i);
        if (!event_type_read(names[i], field, &type, fault)) {
            return false;
        }
        *types |= UINT32_C(1) << type;
    }
    return true;
}

static bool choice_read(struct rpc_call *call, struct event_choice *choice,
                        struct proto_fault *fault)
{
    const struct proto_arg *args = call->args;
    *choice = event_choice_all();
    choice->all = rpc_arg_flag(call, PROTO_Q_TIMELINE_ALL);
    choice->newest = rpc_arg_flag(call, PROTO_Q_TIMELINE_NEWEST);
    if (args[PROTO_Q_TIMELINE_SINCE].present) {
        choice->from_ms = args[PROTO_Q_TIMELINE_SINCE].integer;
    }
    if (args[PROTO_Q_TIMELINE_UNTIL].present) {
        choice->until_ms = args[PROTO_Q_TIMELINE_UNTIL].integer;
    }
    if (args[PROTO_Q_TIMELINE_SEQ].present) {
        choice->seq = args[PROTO_Q_TIMELINE_SEQ].uint;
    }
    if (args[PROTO_Q_TIMELINE_KNOWN].present) {
        choice->known_ms = args[PROTO_Q_TIMELINE_KNOWN].integer;
    }
    return rpc_event_types(call, PROTO_Q_TIMELINE_TYPES, &choice->types, fault);
}

static void timeline_write(struct rpc_call *call, struct proto_span id, uint64_t seq,
                           const struct engine_timeline *page)
{
    struct proto_writer *out = call->out;
    uint64_t next = rpc_arg_uint(call, PROTO_Q_TIMELINE_SKIP) + page->count;
    bool more = page->count > 0 && next < page->total;
    proto_write_map(out, 4U + more);
    rpc_put_str(out, call->op, PROTO_A_TIMELINE_ID, id);
    rpc_put_uint(out, call->op, PROTO_A_TIMELINE_COUNT, page->total);
    rpc_key(out, call->op, PROTO_A_TIMELINE_EVENTS);
    proto_write_array(out, page->count);
    for (size_t i = 0; i < page->count; i++) {
        event_write(out, &page->events[i]);
    }
    if (more) {
        rpc_put_uint(out, call->op, PROTO_A_TIMELINE_NEXT, next);
    }
    rpc_put_uint(out, call->op, PROTO_A_TIMELINE_SEQ, seq);
}

enum rpc_outcome rpc_on_TIMELINE(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_worker *engine = call->worker->engine;
    struct event_choice choice;
    struct engine_timeline page;
    struct feature_record record = {0};
    uint32_t slot;
    if (!choice_read(call, &choice, fault) ||
        !rpc_name_find(call, PROTO_Q_TIMELINE_ID, PROTO_Q_TIMELINE_KEY, PROTO_Q_TIMELINE_EMAIL,
                       &slot, fault)) {
        return RPC_FAILED;
    }
    if (!engine_record(engine, slot, &record, fault) ||
        !engine_timeline(engine, slot, &choice, rpc_arg_uint(call, PROTO_Q_TIMELINE_SKIP),
                         (size_t)rpc_arg_uint(call, PROTO_Q_TIMELINE_LIMIT), &call->worker->arena,
                         &page, fault)) {
        return RPC_FAILED;
    }
    uint64_t seq = engine_worker_seq(engine);
    timeline_write(call, record.id, choice.seq < seq ? choice.seq : seq, &page);
    return RPC_DONE;
}
