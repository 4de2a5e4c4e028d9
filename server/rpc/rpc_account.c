/* SPDX-License-Identifier: Apache-2.0 */
/* account-put and account-patch: maps to accounts of an ingest, answered when it is on disk;
 * account-delete. */
#include <inttypes.h>
#include <stdlib.h>

#include "proto/shape.h"
#include "server/rpc/lead.h"
#include "server/rpc/values.h"
#include "server/rpc/write.h"

/* A day: clocks of other systems, and dates that lack a zone. */
#define TIME_AHEAD_MS_MAX ((uint64_t)24 * 3600 * 1000)

/* What is the same for every account of one request. */
struct intake {
    struct rpc_call *call;
    const struct feature_schema *schema;
    struct proto_span source;
    int64_t now_ms;
    int64_t time_ms;
    bool dated; /* the request told the time */
    bool patch;
    bool create; /* of a patch: accounts that are not there are made */
    struct engine_ingest *ingest;
    uint16_t *removed;
    struct feature_value *values;
};

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
    struct proto_span *keys =
        base_arena_array(&intake->call->worker->arena, listed + 1, sizeof *keys);
    if (!keys) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "keys", "no memory for the keys");
        return NULL;
    }
    for (size_t i = 0; i < listed; i++) {
        keys[i] = proto_read_str(&reader);
    }
    *count = listed;
    return keys;
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

/* A clock that runs ahead is none to go by: its values would win for as long as it is ahead. */
static bool time_read(const struct intake *intake, const struct proto_arg *arg, int64_t *time_ms,
                      struct proto_fault *fault)
{
    if (arg->uint > (uint64_t)intake->now_ms + TIME_AHEAD_MS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "time",
                               "%" PRIu64 " is more than a day ahead of the server's clock, "
                               "%" PRId64 " ms since 1970",
                               arg->uint, intake->now_ms);
    }
    *time_ms = (int64_t)arg->uint;
    return true;
}

static bool account_add(struct intake *intake, struct proto_span map, struct proto_fault *fault)
{
    const struct proto_shape_info *shape = proto_shape_info(PROTO_SHAPE_ACCOUNT);
    struct proto_arg members[PROTO_ARGS_MAX];
    if (!proto_members_decode(shape->members, shape->member_count, map, members, fault)) {
        return false;
    }
    int64_t time_ms = intake->time_ms;
    bool told = members[PROTO_M_ACCOUNT_TIME].present;
    if (told && !time_read(intake, &members[PROTO_M_ACCOUNT_TIME], &time_ms, fault)) {
        return false;
    }
    struct engine_account account = {
        .id = members[PROTO_M_ACCOUNT_ID].text,
        .source = members[PROTO_M_ACCOUNT_SOURCE].present ? members[PROTO_M_ACCOUNT_SOURCE].text
                                                          : intake->source,
        .values = intake->values,
        .value_slots = intake->schema->id_count,
        .removed = intake->removed,
        .create = intake->create,
        .dated = intake->dated || told,
        .time_ms = time_ms,
    };
    account.keys = keys_read(intake, &members[PROTO_M_ACCOUNT_KEYS], &account.key_count, fault);
    if (!account.keys || !values_read(intake, members, time_ms, &account.removed_count, fault)) {
        return false;
    }
    return intake->patch ? engine_ingest_patch(intake->ingest, &account, fault)
                         : engine_ingest_put(intake->ingest, &account, fault);
}

static bool intake_fill(struct intake *intake, struct proto_span accounts,
                        struct proto_fault *fault)
{
    struct proto_fault local = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, accounts, &local);
    reader.checked = true; /* with the request */
    size_t count = proto_read_array(&reader);
    for (size_t i = 0; i < count; i++) {
        base_arena_reset(&intake->call->worker->arena);
        struct proto_span map = proto_read_any(&reader);
        if (!account_add(intake, map, fault)) {
            return proto_fault_within(fault, "accounts[%zu]", i);
        }
    }
    return true;
}

/* Takes the ingest, also when it fails. */
static enum rpc_outcome ingest_commit(struct rpc_call *call, int operation,
                                      struct engine_ingest *ingest, rpc_write_reply *reply,
                                      struct proto_fault *fault)
{
    struct engine_write write;
    if (!rpc_write_begin(call, operation, reply, &write, fault)) {
        engine_ingest_drop(ingest);
        return RPC_FAILED;
    }
    return rpc_write_end(
        &write, engine_ingest_commit(ingest, call->worker->rpc->options.engine, &write, fault));
}

/* Positions of put and patch are the same, so one intake serves both. */
_Static_assert((int)PROTO_Q_ACCOUNT_PUT_ACCOUNTS == (int)PROTO_Q_ACCOUNT_PATCH_ACCOUNTS &&
                   (int)PROTO_Q_ACCOUNT_PUT_SOURCE == (int)PROTO_Q_ACCOUNT_PATCH_SOURCE &&
                   (int)PROTO_Q_ACCOUNT_PUT_TIME == (int)PROTO_Q_ACCOUNT_PATCH_TIME &&
                   (int)PROTO_Q_ACCOUNT_PUT_OPERATION == (int)PROTO_Q_ACCOUNT_PATCH_OPERATION &&
                   (int)PROTO_Q_ACCOUNT_PUT_IMPORT == (int)PROTO_Q_ACCOUNT_PATCH_IMPORT,
               "put and patch take the same arguments");

static enum rpc_outcome intake_run(struct rpc_call *call, bool patch, rpc_write_reply *reply,
                                   struct proto_fault *fault)
{
    struct intake intake = {
        .call = call,
        .schema = rpc_state(call)->schema,
        .source = rpc_arg_text(call, PROTO_Q_ACCOUNT_PUT_SOURCE),
        .now_ms = engine_now_ms(call->worker->rpc->options.engine),
        .patch = patch,
        .create = patch && rpc_arg_flag(call, PROTO_Q_ACCOUNT_PATCH_CREATE),
    };
    if (!intake.schema) {
        proto_fault_set(fault, PROTO_NO_SCHEMA, "", "put a schema before accounts");
        return RPC_FAILED;
    }
    intake.time_ms = intake.now_ms;
    intake.dated = call->args[PROTO_Q_ACCOUNT_PUT_TIME].present;
    if (intake.dated &&
        !time_read(&intake, &call->args[PROTO_Q_ACCOUNT_PUT_TIME], &intake.time_ms, fault)) {
        return RPC_FAILED;
    }
    intake.ingest = engine_ingest_begin(fault);
    intake.values = calloc(intake.schema->id_count + 1, sizeof *intake.values);
    intake.removed = calloc(intake.schema->id_count + 1, sizeof *intake.removed);
    enum rpc_outcome outcome = RPC_FAILED;
    if (!intake.ingest || !intake.values || !intake.removed) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the accounts");
    } else if (intake_fill(&intake, call->args[PROTO_Q_ACCOUNT_PUT_ACCOUNTS].value, fault) &&
               rpc_import_add(call, PROTO_Q_ACCOUNT_PUT_IMPORT, intake.ingest, fault)) {
        outcome = ingest_commit(call, PROTO_Q_ACCOUNT_PUT_OPERATION, intake.ingest, reply, fault);
        intake.ingest = NULL;
    }
    engine_ingest_drop(intake.ingest);
    free(intake.values);
    free(intake.removed);
    return outcome;
}

/* put and patch answer alike. */
static void put_reply(struct proto_writer *out, const struct proto_op_info *op,
                      const struct engine_written *written)
{
    _Static_assert((int)PROTO_A_ACCOUNT_PUT_COUNT == (int)PROTO_A_ACCOUNT_PATCH_COUNT &&
                       (int)PROTO_A_ACCOUNT_PUT_CREATED == (int)PROTO_A_ACCOUNT_PATCH_CREATED &&
                       (int)PROTO_A_ACCOUNT_PUT_SEQ == (int)PROTO_A_ACCOUNT_PATCH_SEQ &&
                       (int)PROTO_A_ACCOUNT_PUT_REPEATED == (int)PROTO_A_ACCOUNT_PATCH_REPEATED,
                   "put and patch answer alike");
    proto_write_map(out, 3U + written->repeated);
    rpc_put_uint(out, op, PROTO_A_ACCOUNT_PUT_COUNT, written->count);
    rpc_put_uint(out, op, PROTO_A_ACCOUNT_PUT_CREATED, written->created);
    rpc_put_uint(out, op, PROTO_A_ACCOUNT_PUT_SEQ, written->seq);
    rpc_put_repeated(out, op, PROTO_A_ACCOUNT_PUT_REPEATED, written->repeated);
}

enum rpc_outcome rpc_on_ACCOUNT_PUT(struct rpc_call *call, struct proto_fault *fault)
{
    return intake_run(call, false, put_reply, fault);
}

enum rpc_outcome rpc_on_ACCOUNT_PATCH(struct rpc_call *call, struct proto_fault *fault)
{
    return intake_run(call, true, put_reply, fault);
}

static void delete_reply(struct proto_writer *out, const struct proto_op_info *op,
                         const struct engine_written *written)
{
    proto_write_map(out, 2U + written->repeated);
    rpc_put_uint(out, op, PROTO_A_ACCOUNT_DELETE_COUNT, written->count);
    rpc_put_uint(out, op, PROTO_A_ACCOUNT_DELETE_SEQ, written->seq);
    rpc_put_repeated(out, op, PROTO_A_ACCOUNT_DELETE_REPEATED, written->repeated);
}

enum rpc_outcome rpc_on_ACCOUNT_DELETE(struct rpc_call *call, struct proto_fault *fault)
{
    size_t count;
    const struct proto_span *ids = rpc_arg_texts(call, PROTO_Q_ACCOUNT_DELETE_IDS, &count, fault);
    if (!ids) {
        return RPC_FAILED;
    }
    struct engine_ingest *ingest = engine_ingest_begin(fault);
    if (!ingest) {
        return RPC_FAILED;
    }
    for (size_t i = 0; i < count; i++) {
        if (!engine_ingest_delete(ingest, ids[i], fault)) {
            engine_ingest_drop(ingest);
            return RPC_FAILED;
        }
    }
    return ingest_commit(call, PROTO_Q_ACCOUNT_DELETE_OPERATION, ingest, delete_reply, fault);
}
