/* SPDX-License-Identifier: Apache-2.0 */
/* An account is found, its record is read up to the field that names it. One that is gone, or has
 * no value there, has the empty name; one that is damaged is a fault, as everywhere. */
#include "server/rpc/display_name.h"

#include "proto/shape.h"
#include "server/feature/json_text.h"
#include "server/rpc/rpc_member.h"

static struct proto_span nameless(void)
{
    return proto_span_text("");
}

bool rpc_names_wanted(const struct rpc_call *call, int index)
{
    if (!rpc_arg_flag(call, index)) {
        return false;
    }
    const struct feature_schema *schema = rpc_state(call)->schema;
    bool may = call->worker->rpc->open || proto_role_allows(call->session->role, PROTO_ROLE_READ);
    return may && schema && schema->name;
}

struct proto_span rpc_display_name(const struct rpc_call *call, const struct feature_record *record)
{
    struct feature_value value;
    bool has = feature_record_value(record, rpc_state(call)->schema->name->id, &value);
    return has && value.type == FEATURE_CATEGORY ? value.text : nameless();
}

bool rpc_display_name_of(const struct rpc_call *call, uint32_t slot, struct proto_span *name,
                         struct proto_fault *fault)
{
    struct feature_record record;
    if (!engine_record(call->worker->engine, slot, &record, fault)) {
        return false;
    }
    *name = rpc_display_name(call, &record);
    return true;
}

bool rpc_display_name_find(const struct rpc_call *call, const json_t *id, struct proto_span *name,
                           struct proto_fault *fault)
{
    return rpc_display_name_id(call, feature_json_span(id), name, fault);
}

bool rpc_display_name_id(const struct rpc_call *call, struct proto_span id, struct proto_span *name,
                         struct proto_fault *fault)
{
    struct engine_name wanted = {.id = id};
    struct proto_fault local = {.code = PROTO_OK};
    uint32_t slot = engine_find(call->worker->engine, &wanted, &local);
    *name = nameless();
    if (slot == ENGINE_NO_SLOT && local.code != PROTO_OK) {
        *fault = local;
        return false;
    }
    return slot == ENGINE_NO_SLOT || rpc_display_name_of(call, slot, name, fault);
}

bool rpc_display_names_set(const struct rpc_call *call, json_t *accounts, size_t from, size_t end,
                           struct proto_fault *fault)
{
    const char *member = RPC_MEMBER(TAL_ENTRY, NAME)->name;
    for (size_t i = from; i < end; i++) {
        json_t *account = json_array_get(accounts, i);
        struct proto_span name;
        if (!rpc_display_name_find(call, json_object_get(account, "id"), &name, fault)) {
            return false;
        }
        json_t *text = json_stringn((const char *)name.data, name.bytes);
        if (json_object_set_new(account, member, text) != 0) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "names", "no memory for the names");
        }
    }
    return true;
}

bool rpc_display_names_write(const struct rpc_call *call, const json_t *ids,
                             struct proto_fault *fault)
{
    proto_write_array(call->out, json_array_size(ids));
    for (size_t i = 0; i < json_array_size(ids); i++) {
        struct proto_span name;
        if (!rpc_display_name_find(call, json_array_get(ids, i), &name, fault)) {
            return false;
        }
        proto_write_str(call->out, name);
    }
    return true;
}
