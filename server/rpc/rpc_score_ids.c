/* SPDX-License-Identifier: Apache-2.0 */
/* score-many by ids: the reply is four columns, so that a caller with a list of accounts pays for
 * bytes and not for maps. */
#include <math.h>

#include "server/rpc/display_name.h"
#include "server/rpc/lead.h"

enum { IDS_GROUP = ENGINE_RAW_GROUP };

struct columns {
    uint8_t *fit, *p, *grade, *raw;
};

static void column_put(struct columns *columns, size_t index, const struct engine_answer *answer)
{
    float fit = answer ? (float)answer->fit : NAN;
    float p = answer ? (float)answer->p : NAN;
    int64_t raw = answer ? answer->raw : INT64_MIN;
    memcpy(columns->fit + index * sizeof fit, &fit, sizeof fit);
    memcpy(columns->p + index * sizeof p, &p, sizeof p);
    memcpy(columns->raw + index * sizeof raw, &raw, sizeof raw);
    columns->grade[index] = answer ? (uint8_t)answer->grade : '-';
}

/* Scores one group; a row that is not there yet is made from its record. */
static bool score_group(struct rpc_call *call, const struct learn_document *document,
                        const struct proto_span *ids, size_t count, struct columns *columns,
                        size_t first, struct proto_fault *fault)
{
    struct engine_worker *engine = call->worker->engine;
    struct engine_raw raw;
    bool usable = engine_raw_many(engine, document, ids, count, &raw);
    for (size_t i = 0; i < count; i++) {
        struct engine_answer answer = {0};
        if (usable && raw.known[i]) {
            engine_answer_from_raw(document, raw.raws[i], &answer);
            column_put(columns, first + i, &answer);
            continue;
        }
        struct engine_query query = {.name = {.id = ids[i]}, .document = document};
        struct proto_fault local = {0};
        bool ok = engine_score(engine, &query, &answer, &local);
        if (!ok && local.code != PROTO_NOT_FOUND) {
            *fault = local;
            return proto_fault_within(fault, "ids[%zu]", first + i);
        }
        column_put(columns, first + i, ok ? &answer : NULL);
    }
    return true;
}

static bool names_write(const struct rpc_call *call, const struct proto_span *ids, size_t count,
                        struct proto_fault *fault)
{
    rpc_key(call->out, call->op, PROTO_A_SCORE_MANY_NAMES);
    proto_write_array(call->out, count);
    for (size_t i = 0; i < count; i++) {
        struct proto_span name;
        if (!rpc_display_name_id(call, ids[i], &name, fault)) {
            return false;
        }
        proto_write_str(call->out, name);
    }
    return true;
}

enum rpc_outcome rpc_score_ids(struct rpc_call *call, const struct learn_document *document,
                               struct proto_fault *fault)
{
    size_t count;
    const struct proto_span *ids = rpc_arg_texts(call, PROTO_Q_SCORE_MANY_IDS, &count, fault);
    if (!ids) {
        return RPC_FAILED;
    }
    rpc_tally_many(call, count);
    struct base_arena *arena = &call->worker->arena;
    struct columns columns = {base_arena_take(arena, 4 * count), base_arena_take(arena, 4 * count),
                              base_arena_take(arena, count), base_arena_take(arena, 8 * count)};
    if (!base_arena_ok(arena)) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "ids", "no memory for the reply");
        return RPC_FAILED;
    }
    for (size_t first = 0; first < count; first += IDS_GROUP) {
        size_t group = count - first < IDS_GROUP ? count - first : IDS_GROUP;
        if (!score_group(call, document, ids + first, group, &columns, first, fault)) {
            return RPC_FAILED;
        }
    }
    struct proto_writer *out = call->out;
    bool names = rpc_names_wanted(call, PROTO_Q_SCORE_MANY_NAMES);
    proto_write_map(out, 6U + names);
    rpc_put_uint(out, call->op, PROTO_A_SCORE_MANY_ICP, document->version);
    rpc_put_uint(out, call->op, PROTO_A_SCORE_MANY_SEQ, engine_worker_seq(call->worker->engine));
    rpc_key(out, call->op, PROTO_A_SCORE_MANY_FIT);
    proto_write_bin(out, (struct proto_span){columns.fit, 4 * count});
    rpc_key(out, call->op, PROTO_A_SCORE_MANY_P);
    proto_write_bin(out, (struct proto_span){columns.p, 4 * count});
    rpc_key(out, call->op, PROTO_A_SCORE_MANY_GRADE);
    proto_write_bin(out, (struct proto_span){columns.grade, count});
    rpc_key(out, call->op, PROTO_A_SCORE_MANY_RAW);
    proto_write_bin(out, (struct proto_span){columns.raw, 8 * count});
    return !names || names_write(call, ids, count, fault) ? RPC_DONE : RPC_FAILED;
}
