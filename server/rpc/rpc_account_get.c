/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/sources.h"
#include "server/feature/date_text.h"
#include "server/rpc/display_name.h"
#include "server/rpc/lead.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/value_write.h"

void rpc_write_value(struct proto_writer *out, const struct feature_value *value)
{
    switch (value->type) {
    case FEATURE_NUMBER:
        proto_write_f64(out, value->number);
        break;
    case FEATURE_DATE: {
        char text[FEATURE_DATE_TEXT_BYTES];
        (void)feature_date_print((int64_t)value->number, text);
        proto_write_text(out, text);
        break;
    }
    case FEATURE_FLAG:
        proto_write_bool(out, value->flag);
        break;
    case FEATURE_CATEGORY:
        proto_write_str(out, value->text);
        break;
    case FEATURE_VECTOR:
        proto_write_bin(out, value->vector);
        break;
    case FEATURE_TAGS: {
        size_t at = 0;
        struct proto_span tag;
        proto_write_array(out, feature_tags_count(value->tags));
        while (feature_tags_next(value->tags, &at, &tag)) {
            proto_write_str(out, tag);
        }
        break;
    }
    }
}

static void write_values(struct rpc_call *call, const struct engine_past_value *values,
                         int64_t now_ms)
{
    const struct feature_schema *schema = rpc_state(call)->schema;
    struct proto_writer *out = call->out;
    size_t present = 0;
    for (size_t i = 0; i < schema->field_count; i++) {
        present += values[schema->fields[i].id].value.present;
    }
    rpc_key(out, call->op, PROTO_A_ACCOUNT_GET_VALUES);
    proto_write_map(out, present);
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct feature_field *field = &schema->fields[i];
        const struct feature_value *value = &values[field->id].value;
        if (!value->present) {
            continue;
        }
        bool stale = field->stale_after_ms > 0 && now_ms - value->time_ms > field->stale_after_ms;
        proto_write_text(out, field->name);
        proto_write_map(out, 4);
        rpc_member(out, RPC_MEMBER(STORED_VALUE, VALUE));
        rpc_write_value(out, value);
        rpc_member_str(out, RPC_MEMBER(STORED_VALUE, SOURCE), values[field->id].source);
        rpc_member_int(out, RPC_MEMBER(STORED_VALUE, TIME), value->time_ms);
        rpc_member_text(out, RPC_MEMBER(STORED_VALUE, STATE), stale ? "stale" : "fresh");
    }
}

static size_t unkept_count(const struct feature_schema *schema,
                           const struct engine_past_value *values)
{
    size_t count = 0;
    for (size_t i = 0; i < schema->field_count; i++) {
        count += values[schema->fields[i].id].unkept;
    }
    return count;
}

static void write_unkept(struct rpc_call *call, const struct engine_past_value *values,
                         size_t count)
{
    const struct feature_schema *schema = rpc_state(call)->schema;
    if (count == 0) {
        return;
    }
    rpc_key(call->out, call->op, PROTO_A_ACCOUNT_GET_UNKEPT);
    proto_write_array(call->out, count);
    for (size_t i = 0; i < schema->field_count; i++) {
        if (values[schema->fields[i].id].unkept) {
            proto_write_text(call->out, schema->fields[i].name);
        }
    }
}

/* The record itself, if that is asked for; else the account and, where that was not there yet or is
 * not known, the record that has the name: before a merge it was the account. */
static bool account_read(struct rpc_call *call, uint32_t *slot, const struct engine_moment *moment,
                         struct feature_record *record, struct engine_past_value **values,
                         struct proto_fault *fault)
{
    struct engine_worker *engine = call->worker->engine;
    struct base_arena *arena = &call->worker->arena;
    size_t ids = rpc_state(call)->schema->id_count;
    struct proto_fault first = {.code = PROTO_OK};
    struct engine_name name = {0};
    if (!rpc_name_read(call->args, PROTO_Q_ACCOUNT_GET_ID, PROTO_Q_ACCOUNT_GET_KEY,
                       PROTO_Q_ACCOUNT_GET_EMAIL, &name, fault)) {
        return false;
    }
    bool own = rpc_arg_flag(call, PROTO_Q_ACCOUNT_GET_RECORD);
    if (!own && engine_account_at(engine, *slot, moment, ids, arena, record, values, &first)) {
        return true;
    }
    struct proto_fault ignored;
    if (!own && first.code != PROTO_NOT_FOUND) {
        *fault = first;
        return false;
    }
    uint32_t source = engine_source_find(engine, *slot, &name, own ? fault : &ignored);
    if (!own && (source == ENGINE_NO_SLOT || source == *slot)) {
        *fault = first;
        return false;
    }
    *slot = source;
    return source != ENGINE_NO_SLOT &&
           engine_account_at(engine, source, moment, ids, arena, record, values, fault);
}

static bool sources_write(struct rpc_call *call, const uint32_t *sources, uint32_t count,
                          struct proto_fault *fault)
{
    proto_write_array(call->out, count);
    for (uint32_t i = 0; i < count; i++) {
        struct feature_record record;
        uint32_t newest;
        if (!engine_source_record(call->worker->engine, sources[i], &record, &newest, fault)) {
            return false;
        }
        proto_write_str(call->out, record.id);
    }
    return true;
}

enum rpc_outcome rpc_on_ACCOUNT_GET(struct rpc_call *call, struct proto_fault *fault)
{
    const struct feature_schema *schema = rpc_state(call)->schema;
    struct engine_worker *engine = call->worker->engine;
    struct feature_record record = {0};
    struct engine_past_value *values;
    struct engine_moment moment = rpc_moment_read(
        call->args, PROTO_Q_ACCOUNT_GET_SEQ, PROTO_Q_ACCOUNT_GET_KNOWN, PROTO_Q_ACCOUNT_GET_AT);
    uint32_t slot;
    uint32_t sources[PROTO_IDENTITY_SOURCES_MAX];
    uint32_t source_count = 0;
    if (!schema) {
        proto_fault_set(fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
        return RPC_FAILED;
    }
    if (!rpc_name_find(call, PROTO_Q_ACCOUNT_GET_ID, PROTO_Q_ACCOUNT_GET_KEY,
                       PROTO_Q_ACCOUNT_GET_EMAIL, &slot, fault) ||
        !account_read(call, &slot, &moment, &record, &values, fault) ||
        !engine_sources(engine, slot, sources, &source_count, fault)) {
        return RPC_FAILED;
    }
    size_t unkept = unkept_count(schema, values);
    uint64_t seq = engine_worker_seq(engine);
    int64_t now_ms = engine_now_ms(call->worker->rpc->options.engine);
    bool names = rpc_names_wanted(call, PROTO_Q_ACCOUNT_GET_NAMES);
    proto_write_map(call->out, 4U + names + (unkept > 0) + (source_count > 0));
    rpc_put_str(call->out, call->op, PROTO_A_ACCOUNT_GET_ID, record.id);
    rpc_key(call->out, call->op, PROTO_A_ACCOUNT_GET_KEYS);
    proto_write_array(call->out, record.key_count);
    size_t at = 0;
    struct proto_span key;
    while (feature_record_key_next(&record, &at, &key)) {
        proto_write_str(call->out, key);
    }
    write_values(call, values, engine_moment_ms(&moment, now_ms));
    if (names) {
        rpc_put_str(call->out, call->op, PROTO_A_ACCOUNT_GET_NAME, rpc_display_name(call, &record));
    }
    rpc_put_uint(call->out, call->op, PROTO_A_ACCOUNT_GET_SEQ, moment.seq < seq ? moment.seq : seq);
    if (source_count > 0) {
        rpc_key(call->out, call->op, PROTO_A_ACCOUNT_GET_SOURCES);
        if (!sources_write(call, sources, source_count, fault)) {
            return RPC_FAILED;
        }
    }
    write_unkept(call, values, unkept);
    return RPC_DONE;
}
