/* SPDX-License-Identifier: Apache-2.0 */
/* account-put and account-patch: maps of accounts to records in a batch, answered when the batch is
 * on disk. */
#include <stdlib.h>

#include "proto/shape.h"
#include "server/rpc/lead.h"
#include "server/rpc/values.h"
#include "server/rpc/write.h"

/* What is the same for every account of one request. */
struct intake {
    struct rpc_call *call;
    const struct feature_schema *schema;
    struct proto_span source;
    int64_t time_ms;
    bool patch;
    struct store_batch *batch;
    uint8_t *record; /* grows */
    size_t record_bytes;
    uint16_t *removed;
    struct feature_value *values;
};

static bool id_valid(struct proto_span id, const char *what, struct proto_fault *fault)
{
    if (id.bytes == 0 || id.bytes > PROTO_ID_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, what, "%zu bytes, from 1 to %d are allowed",
                               id.bytes, PROTO_ID_BYTES_MAX);
    }
    for (size_t i = 0; i < id.bytes; i++) {
        if (id.data[i] < 0x20 || id.data[i] == 0x7f) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, what,
                                   "control character 0x%02x at byte %zu", id.data[i], i);
        }
    }
    return true;
}

/* namespace:value, the namespace in lower-case letters, digits and '_'. Values of domain: are
 * compared in lower case, because host names are. */
static bool key_normalise(struct intake *intake, struct proto_span *key, struct proto_fault *fault)
{
    if (!id_valid(*key, "keys", fault)) {
        return false;
    }
    const uint8_t *colon = memchr(key->data, ':', key->bytes);
    size_t space_bytes = colon ? (size_t)(colon - key->data) : 0;
    if (space_bytes + 1 >= key->bytes ||
        !feature_namespace_valid((struct proto_span){key->data, space_bytes})) {
        return proto_fault_set(
            fault, PROTO_BAD_FIELD, "keys",
            "a key is written namespace:value, such as domain:acme.com; a namespace is "
            "1 to %d of a-z, 0-9, '_', '-', '.', a letter first",
            FEATURE_NAMESPACE_BYTES_MAX);
    }
    if (space_bytes == 6 && memcmp(key->data, "domain", 6) == 0) {
        uint8_t *lower = base_arena_take(&intake->call->worker->arena, key->bytes);
        if (!lower) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "keys", "no memory for a key");
        }
        for (size_t i = 0; i < key->bytes; i++) {
            uint8_t c = key->data[i];
            lower[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
        }
        key->data = lower;
    }
    return true;
}

static const struct proto_span *keys_read(struct intake *intake, const struct proto_arg *arg,
                                          size_t *count, struct proto_fault *fault)
{
    static const struct proto_span none[1];
    *count = 0;
    if (!arg->present) {
        return none;
    }
    struct proto_fault local = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, arg->value, &local);
    size_t listed = proto_read_array(&reader);
    if (listed > PROTO_KEYS_MAX) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "keys", "%zu keys, at most %d are allowed", listed,
                        PROTO_KEYS_MAX);
        return NULL;
    }
    struct proto_span *keys =
        base_arena_array(&intake->call->worker->arena, listed + 1, sizeof *keys);
    if (!keys) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "keys", "no memory for the keys");
        return NULL;
    }
    for (size_t i = 0; i < listed; i++) {
        keys[i] = proto_read_str(&reader);
        if (!key_normalise(intake, &keys[i], fault)) {
            return NULL;
        }
    }
    *count = listed;
    return keys;
}

/* Encodes into the intake's buffer, which grows to what the record needs. */
static bool record_encode(struct intake *intake, const struct feature_record *record,
                          struct proto_span *encoded, struct proto_fault *fault)
{
    for (;;) {
        size_t bytes = feature_record_encode(record, intake->record, intake->record_bytes, fault);
        if (bytes == 0) {
            return false;
        }
        if (bytes <= intake->record_bytes) {
            *encoded = (struct proto_span){intake->record, bytes};
            return true;
        }
        uint8_t *larger = realloc(intake->record, 2 * bytes);
        if (!larger) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the record");
        }
        intake->record = larger;
        intake->record_bytes = 2 * bytes;
    }
}

static bool values_read(struct intake *intake, const struct proto_arg *members, int64_t time_ms,
                        size_t *removed_count, struct proto_fault *fault)
{
    for (size_t i = 0; i < intake->schema->id_count; i++) {
        intake->values[i].present = false;
    }
    *removed_count = 0;
    if (!members[PROTO_M_ACCOUNT_VALUES].present) {
        return true;
    }
    struct rpc_values values = {
        .schema = intake->schema,
        .arena = &intake->call->worker->arena,
        .values = intake->values,
        .removed = intake->patch ? intake->removed : NULL,
        .time_ms = time_ms,
    };
    if (!rpc_values_read(&values, members[PROTO_M_ACCOUNT_VALUES].value, fault)) {
        return false;
    }
    *removed_count = values.removed_count;
    return true;
}

static bool account_add(struct intake *intake, struct proto_span map, struct proto_fault *fault)
{
    const struct proto_shape_info *shape = proto_shape_info(PROTO_SHAPE_ACCOUNT);
    struct proto_arg members[PROTO_ARGS_MAX];
    if (!proto_fields_decode(shape->members, shape->member_count, map, members, fault) ||
        !id_valid(members[PROTO_M_ACCOUNT_ID].text, "id", fault)) {
        return false;
    }
    struct proto_span source = members[PROTO_M_ACCOUNT_SOURCE].present
                                   ? members[PROTO_M_ACCOUNT_SOURCE].text
                                   : intake->source;
    if (source.bytes > PROTO_SOURCE_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "source",
                               "%zu bytes, at most %d are allowed", source.bytes,
                               PROTO_SOURCE_BYTES_MAX);
    }
    int64_t time_ms = members[PROTO_M_ACCOUNT_TIME].present
                          ? (int64_t)members[PROTO_M_ACCOUNT_TIME].uint
                          : intake->time_ms;
    size_t removed_count = 0;
    struct feature_record record = {
        .id = members[PROTO_M_ACCOUNT_ID].text,
        .sources = &source,
        .source_count = 1,
        .values = intake->values,
        .value_slots = intake->schema->id_count,
    };
    record.keys = keys_read(intake, &members[PROTO_M_ACCOUNT_KEYS], &record.key_count, fault);
    struct proto_span encoded = {0};
    if (!record.keys || !values_read(intake, members, time_ms, &removed_count, fault) ||
        !record_encode(intake, &record, &encoded, fault)) {
        return false;
    }
    return intake->patch
               ? store_batch_patch(intake->batch, encoded, intake->removed, removed_count, fault)
               : store_batch_put(intake->batch, encoded, fault);
}

static bool intake_fill(struct intake *intake, struct proto_span accounts,
                        struct proto_fault *fault)
{
    struct proto_fault local = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, accounts, &local);
    size_t count = proto_read_array(&reader);
    if (count == 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "accounts", "the list is empty");
    }
    if (count > PROTO_BATCH_ACCOUNTS_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, "accounts",
                               "%zu accounts, at most %d are allowed in one request", count,
                               PROTO_BATCH_ACCOUNTS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        base_arena_reset(&intake->call->worker->arena);
        struct proto_span map = proto_read_any(&reader);
        if (!account_add(intake, map, fault)) {
            return proto_fault_within(fault, "accounts[%zu]", i);
        }
    }
    return true;
}

/* Positions of put and patch are the same, so one intake serves both. */
_Static_assert((int)PROTO_Q_ACCOUNT_PUT_ACCOUNTS == (int)PROTO_Q_ACCOUNT_PATCH_ACCOUNTS &&
                   (int)PROTO_Q_ACCOUNT_PUT_SOURCE == (int)PROTO_Q_ACCOUNT_PATCH_SOURCE &&
                   (int)PROTO_Q_ACCOUNT_PUT_TIME == (int)PROTO_Q_ACCOUNT_PATCH_TIME,
               "put and patch take the same arguments");

static enum rpc_outcome intake_run(struct rpc_call *call, bool patch, rpc_write_reply *reply,
                                   struct proto_fault *fault)
{
    struct intake intake = {
        .call = call,
        .schema = rpc_state(call)->schema,
        .source = call->args[PROTO_Q_ACCOUNT_PUT_SOURCE].present
                      ? rpc_arg_text(call, PROTO_Q_ACCOUNT_PUT_SOURCE)
                      : proto_span_text("unstated"),
        .time_ms = engine_now_ms(call->worker->rpc->options.engine),
        .patch = patch,
    };
    if (!intake.schema) {
        proto_fault_set(fault, PROTO_NO_SCHEMA, "", "put a schema before accounts");
        return RPC_FAILED;
    }
    intake.time_ms =
        (int64_t)rpc_arg_uint(call, PROTO_Q_ACCOUNT_PUT_TIME, (uint64_t)intake.time_ms);
    intake.batch = store_batch_create();
    intake.values = calloc(intake.schema->id_count + 1, sizeof *intake.values);
    intake.removed = calloc(intake.schema->id_count + 1, sizeof *intake.removed);
    enum rpc_outcome outcome = RPC_FAILED;
    if (!intake.batch || !intake.values || !intake.removed) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the accounts");
    } else if (intake_fill(&intake, call->args[PROTO_Q_ACCOUNT_PUT_ACCOUNTS].value, fault)) {
        outcome = rpc_write_submit(call, intake.batch, reply, fault);
        intake.batch = NULL;
    }
    store_batch_destroy(intake.batch);
    free(intake.values);
    free(intake.removed);
    free(intake.record);
    return outcome;
}

static void put_reply(struct proto_writer *out, const struct proto_op_info *op,
                      const struct store_result *result)
{
    proto_write_map(out, 3);
    rpc_put_uint(out, op, PROTO_A_ACCOUNT_PUT_COUNT, result->count);
    rpc_put_uint(out, op, PROTO_A_ACCOUNT_PUT_CREATED, result->created);
    rpc_put_uint(out, op, PROTO_A_ACCOUNT_PUT_SEQ, result->seq);
}

enum rpc_outcome rpc_on_ACCOUNT_PUT(struct rpc_call *call, struct proto_fault *fault)
{
    return intake_run(call, false, put_reply, fault);
}

/* patch and delete answer alike. */
static void count_reply(struct proto_writer *out, const struct proto_op_info *op,
                        const struct store_result *result)
{
    _Static_assert((int)PROTO_A_ACCOUNT_PATCH_COUNT == (int)PROTO_A_ACCOUNT_DELETE_COUNT &&
                       (int)PROTO_A_ACCOUNT_PATCH_SEQ == (int)PROTO_A_ACCOUNT_DELETE_SEQ,
                   "patch and delete answer alike");
    proto_write_map(out, 2);
    rpc_put_uint(out, op, PROTO_A_ACCOUNT_PATCH_COUNT, result->count);
    rpc_put_uint(out, op, PROTO_A_ACCOUNT_PATCH_SEQ, result->seq);
}

enum rpc_outcome rpc_on_ACCOUNT_PATCH(struct rpc_call *call, struct proto_fault *fault)
{
    return intake_run(call, true, count_reply, fault);
}

enum rpc_outcome rpc_on_ACCOUNT_DELETE(struct rpc_call *call, struct proto_fault *fault)
{
    size_t count;
    const struct proto_span *ids =
        rpc_arg_texts(call, PROTO_Q_ACCOUNT_DELETE_IDS, PROTO_BATCH_ACCOUNTS_MAX, &count, fault);
    if (!ids) {
        return RPC_FAILED;
    }
    struct store_batch *batch = store_batch_create();
    if (!batch) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
        return RPC_FAILED;
    }
    for (size_t i = 0; i < count; i++) {
        if (!id_valid(ids[i], "ids", fault) || !store_batch_delete(batch, ids[i], fault)) {
            store_batch_destroy(batch);
            return RPC_FAILED;
        }
    }
    return rpc_write_submit(call, batch, count_reply, fault);
}
