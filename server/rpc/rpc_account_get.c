/* SPDX-License-Identifier: Apache-2.0 */
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

enum rpc_outcome rpc_on_ACCOUNT_GET(struct rpc_call *call, struct proto_fault *fault)
{
    const struct feature_schema *schema = rpc_state(call)->schema;
    struct engine_worker *engine = call->worker->engine;
    struct feature_record record = {0};
    struct engine_past_value *values;
    struct engine_moment moment = rpc_moment_read(
        call->args, PROTO_Q_ACCOUNT_GET_SEQ, PROTO_Q_ACCOUNT_GET_KNOWN, PROTO_Q_ACCOUNT_GET_AT);
    uint32_t slot;
    if (!schema) {
        proto_fault_set(fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
        return RPC_FAILED;
    }
    if (!rpc_name_find(call, PROTO_Q_ACCOUNT_GET_ID, PROTO_Q_ACCOUNT_GET_KEY,
                       PROTO_Q_ACCOUNT_GET_EMAIL, &slot, fault) ||
        !engine_account_at(engine, slot, &moment, schema->id_count, &call->worker->arena, &record,
                           &values, fault)) {
        return RPC_FAILED;
    }
    size_t unkept = unkept_count(schema, values);
    uint64_t seq = engine_worker_seq(engine);
    int64_t now_ms = engine_now_ms(call->worker->rpc->options.engine);
    bool names = rpc_names_wanted(call, PROTO_Q_ACCOUNT_GET_NAMES);
    proto_write_map(call->out, 4U + names + (unkept > 0));
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
    write_unkept(call, values, unkept);
    return RPC_DONE;
}
