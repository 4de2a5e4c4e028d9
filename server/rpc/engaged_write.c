/* SPDX-License-Identifier: Apache-2.0 */
/* The definition is found, the timeline read, the map written. */
#include "server/rpc/engaged_write.h"

#include "server/rpc/rpc_member.h"

/* Some millisecond of an event loop. */
enum { EVENTS_MOST = 5000 };

static double shown(int64_t millionths)
{
    return (double)millionths / (double)MEASURE_WEIGHT_ONE;
}

bool rpc_engaged_make(struct rpc_call *call, int argument, uint32_t slot,
                      const struct lifecycle_as_of *as_of, int64_t at_ms,
                      struct lifecycle_engaged *engaged, struct proto_fault *fault)
{
    struct measure_definition *definition =
        base_arena_take(&call->worker->arena, sizeof *definition);
    if (definition == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a definition");
    }
    if (!lifecycle_engagement_find(rpc_state(call), rpc_arg_text(call, argument), definition,
                                   fault)) {
        return proto_fault_within(fault, "%s", call->op->request[argument].name);
    }
    return lifecycle_engage(call->worker->engine, slot, at_ms, definition, as_of, EVENTS_MOST,
                            engaged, fault);
}

void rpc_engaged_write(struct proto_writer *out, const struct lifecycle_engaged *engaged)
{
    const struct measure_engaged *sum = &engaged->sum;
    bool any = sum->last_ms != INT64_MIN;
    size_t parts = 0;
    for (int type = 0; type < EVENT_TYPE_COUNT; type++) {
        parts += sum->by_type[type] != 0;
    }
    proto_write_map(out, 7U + any);
    rpc_member_number(out, RPC_MEMBER(ENGAGEMENT, SCORE), shown(sum->millionths));
    rpc_member_text(out, RPC_MEMBER(ENGAGEMENT, BAND), measure_band_name(engaged->band));
    rpc_member_uint(out, RPC_MEMBER(ENGAGEMENT, EVENTS), sum->events);
    if (any) {
        rpc_member_int(out, RPC_MEMBER(ENGAGEMENT, LAST), sum->last_ms);
    }
    rpc_member_int(out, RPC_MEMBER(ENGAGEMENT, AT), engaged->at_ms);
    rpc_member_text(out, RPC_MEMBER(ENGAGEMENT, DEFINITION), engaged->name);
    rpc_member_uint(out, RPC_MEMBER(ENGAGEMENT, VERSION), engaged->version);
    rpc_member(out, RPC_MEMBER(ENGAGEMENT, PARTS));
    proto_write_map(out, parts);
    for (int type = 0; type < EVENT_TYPE_COUNT; type++) {
        if (sum->by_type[type] != 0) {
            proto_write_text(out, event_type_name((enum event_type)type));
            proto_write_f64(out, shown(sum->by_type[type]));
        }
    }
}
