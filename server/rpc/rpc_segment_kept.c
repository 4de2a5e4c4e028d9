/* SPDX-License-Identifier: Apache-2.0 */
/* segment-put, segment-list, segment-get: on the lane SCAN, for evidence and profiles walk the base
 * and a put waits for the disk. A document that cannot be made for want of memory fails the
 * request; one that is damaged is counted by a list. */
#include "server/dispute/segment_profile.h"
#include "server/dispute/segment_record.h"
#include "server/rpc/shape_write.h"
#include "server/rpc/write.h"

/* What a reply holds beside the texts that were sent: evidence, with names of fields at most. */
enum { PUT_REPLY_BYTES = 32768 };

enum rpc_outcome rpc_on_SEGMENT_PUT(struct rpc_call *call, struct proto_fault *fault)
{
    const struct dispute_segment_put put = {
        .name = rpc_arg_text(call, PROTO_Q_SEGMENT_PUT_NAME),
        .filter = rpc_arg_text(call, PROTO_Q_SEGMENT_PUT_FILTER),
        .outcome = rpc_arg_text(call, PROTO_Q_SEGMENT_PUT_OUTCOME),
        .note = rpc_arg_text(call, PROTO_Q_SEGMENT_PUT_NOTE),
        .icp = rpc_arg_uint(call, PROTO_Q_SEGMENT_PUT_ICP),
        .drop = rpc_arg_flag(call, PROTO_Q_SEGMENT_PUT_DROP),
        .dry_run = rpc_arg_flag(call, PROTO_Q_SEGMENT_PUT_DRY_RUN),
        .operation = rpc_operation(call, PROTO_Q_SEGMENT_PUT_OPERATION),
    };
    struct dispute_segment_kept kept;
    struct proto_writer *out = call->out;
    /* Room for the reply first: what is stored must not be refused for want of it. */
    if (proto_writer_reserve(out, PROTO_FILTER_BYTES_MAX + put.note.bytes + PUT_REPLY_BYTES) ==
        NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the reply");
        return RPC_FAILED;
    }
    if (!dispute_segment_put(call->worker->rpc->options.dispute, call->worker->engine, call->scan,
                             &put, &kept, fault)) {
        return RPC_FAILED;
    }
    proto_write_map(out, 2U + (kept.before > 0) + (kept.seq > 0) + kept.repeated);
    rpc_key(out, call->op, PROTO_A_SEGMENT_PUT_SEGMENT);
    rpc_shape_write(out, PROTO_SHAPE_KEPT_SEGMENT, kept.json);
    rpc_put_flag(out, call->op, PROTO_A_SEGMENT_PUT_UNCHANGED, kept.unchanged);
    if (kept.before > 0) {
        rpc_put_uint(out, call->op, PROTO_A_SEGMENT_PUT_BEFORE, kept.before);
    }
    if (kept.seq > 0) {
        rpc_put_uint(out, call->op, PROTO_A_SEGMENT_PUT_SEQ, kept.seq);
    }
    rpc_put_repeated(out, call->op, PROTO_A_SEGMENT_PUT_REPEATED, kept.repeated);
    json_decref(kept.json);
    return RPC_DONE;
}

/* Those of a list that are told, in its order. */
struct telling {
    const struct engine_segments *set;
    const struct engine_segment **told;
    size_t count;
};

static bool telling_begin(struct rpc_call *call, struct telling *telling, struct proto_fault *fault)
{
    *telling = (struct telling){.set = rpc_state(call)->segments};
    size_t most = telling->set != NULL ? telling->set->count : 0;
    telling->told = base_arena_array(&call->worker->arena, most + 1, sizeof *telling->told);
    return telling->told != NULL ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the segments");
}

static bool telling_write(struct rpc_call *call, const struct telling *telling,
                          struct proto_fault *fault)
{
    proto_write_array(call->out, telling->count);
    for (size_t i = 0; i < telling->count; i++) {
        json_t *json = dispute_segment_json(telling->set, telling->told[i], fault);
        if (json == NULL) {
            return false;
        }
        rpc_shape_write(call->out, PROTO_SHAPE_KEPT_SEGMENT, json);
        json_decref(json);
    }
    return true;
}

static void step_write(struct rpc_call *call, const struct dispute_frontier *frontier, size_t i)
{
    const struct filter_names *names = engine_segments_names(rpc_state(call)->segments);
    const struct segment_step *step = &frontier->steps[i];
    struct proto_writer *out = call->out;
    proto_write_map(out, 6);
    rpc_member(out, RPC_MEMBER(FRONTIER_STEP, NAMES));
    proto_write_array(out, (size_t)__builtin_popcount(step->set));
    for (size_t s = 0; s < names->count && s < SEGMENT_FRONTIER_MAX; s++) {
        if ((step->set >> s & 1) != 0) {
            proto_write_str(out, names->items[s].name);
        }
    }
    rpc_member_uint(out, RPC_MEMBER(FRONTIER_STEP, ACCOUNTS), step->within.accounts);
    rpc_member_uint(out, RPC_MEMBER(FRONTIER_STEP, OUTCOMES), step->within.outcomes);
    rpc_member_number(out, RPC_MEMBER(FRONTIER_STEP, RATE_LOW), frontier->low[i]);
    rpc_member_number(out, RPC_MEMBER(FRONTIER_STEP, RATE_HIGH), frontier->high[i]);
    rpc_member_number(out, RPC_MEMBER(FRONTIER_STEP, QUALITY), step->quality);
}

static void frontier_write(struct rpc_call *call, const struct dispute_frontier *frontier)
{
    struct proto_writer *out = call->out;
    rpc_put_uint(out, call->op, PROTO_A_SEGMENT_LIST_ACCOUNTS, frontier->all.accounts);
    rpc_put_uint(out, call->op, PROTO_A_SEGMENT_LIST_OUTCOMES, frontier->all.outcomes);
    rpc_key(out, call->op, PROTO_A_SEGMENT_LIST_FRONTIER);
    proto_write_array(out, frontier->count);
    for (size_t i = 0; i < frontier->count; i++) {
        step_write(call, frontier, i);
    }
}

enum rpc_outcome rpc_on_SEGMENT_LIST(struct rpc_call *call, struct proto_fault *fault)
{
    bool all = rpc_arg_flag(call, PROTO_Q_SEGMENT_LIST_ALL);
    bool wanted = rpc_arg_flag(call, PROTO_Q_SEGMENT_LIST_FRONTIER);
    struct dispute_frontier frontier;
    struct telling telling;
    if (!telling_begin(call, &telling, fault) ||
        (wanted && !dispute_frontier_make(call->worker->rpc->options.dispute, call->worker->engine,
                                          call->scan, rpc_arg_uint(call, PROTO_Q_SEGMENT_LIST_ICP),
                                          rpc_arg_text(call, PROTO_Q_SEGMENT_LIST_OUTCOME),
                                          &frontier, fault))) {
        return RPC_FAILED;
    }
    const struct engine_segments *set = telling.set;
    for (size_t i = 0; set != NULL && all && i < set->count; i++) {
        if (set->items[i] != NULL && !set->items[i]->gone) {
            telling.told[telling.count++] = set->items[i];
        }
    }
    for (size_t i = 0; set != NULL && !all && i < set->names.count; i++) {
        telling.told[telling.count++] = set->named[i];
    }
    proto_write_map(call->out, wanted ? 6 : 3);
    rpc_key(call->out, call->op, PROTO_A_SEGMENT_LIST_SEGMENTS);
    if (!telling_write(call, &telling, fault)) {
        return RPC_FAILED;
    }
    rpc_put_uint(call->out, call->op, PROTO_A_SEGMENT_LIST_DAMAGED, set != NULL ? set->damaged : 0);
    rpc_put_uint(call->out, call->op, PROTO_A_SEGMENT_LIST_SEQ,
                 engine_worker_seq(call->worker->engine));
    if (wanted) {
        frontier_write(call, &frontier);
    }
    return RPC_DONE;
}

static void grades_write(struct rpc_call *call, const struct dispute_profile *profile)
{
    struct proto_writer *out = call->out;
    rpc_key(out, call->op, PROTO_A_SEGMENT_GET_GRADES);
    proto_write_array(out, 4);
    for (unsigned i = 0; i < 4; i++) {
        const char grade[2] = {(char)('A' + i), '\0'};
        proto_write_map(out, 3);
        rpc_member_text(out, RPC_MEMBER(GRADE_SHARE, GRADE), grade);
        rpc_member_uint(out, RPC_MEMBER(GRADE_SHARE, ACCOUNTS), profile->grades[i][0]);
        rpc_member_uint(out, RPC_MEMBER(GRADE_SHARE, BASE), profile->grades[i][1]);
    }
    rpc_key(out, call->op, PROTO_A_SEGMENT_GET_APART);
    proto_write_array(out, profile->field_count);
    for (size_t i = 0; i < profile->field_count; i++) {
        const struct dispute_apart_field *field = &profile->fields[i];
        proto_write_map(out, 7);
        rpc_member_text(out, RPC_MEMBER(APART_FIELD, FIELD), field->field);
        rpc_member_flag(out, RPC_MEMBER(APART_FIELD, OWN), field->own);
        rpc_member_number(out, RPC_MEMBER(APART_FIELD, DISTANCE), field->apart.distance);
        rpc_member_number(out, RPC_MEMBER(APART_FIELD, CHANCE), field->apart.chance);
        rpc_member_text(out, RPC_MEMBER(APART_FIELD, BIN), field->bin);
        rpc_member_number(out, RPC_MEMBER(APART_FIELD, SHARE), field->apart.within);
        rpc_member_number(out, RPC_MEMBER(APART_FIELD, OTHERS), field->apart.others);
    }
}

/* Every version of the name, the oldest first. */
static void versions_choose(struct telling *telling, const struct engine_segment *of)
{
    for (size_t i = 0; i < telling->set->count; i++) {
        const struct engine_segment *segment = telling->set->items[i];
        if (segment != NULL && !segment->gone && proto_span_equal(segment->name, of->name)) {
            telling->told[telling->count++] = segment;
        }
    }
}

static bool get_write(struct rpc_call *call, struct telling *telling,
                      const struct engine_segment *segment, const struct dispute_profile *profile,
                      struct proto_fault *fault)
{
    json_t *kept = dispute_segment_json(telling->set, segment, fault);
    json_t *now = kept != NULL && profile ? dispute_evidence_json(&profile->evidence, fault) : NULL;
    bool good = kept != NULL && (now != NULL || !profile);
    bool graded = profile && profile->document;
    if (good) {
        versions_choose(telling, segment);
        proto_write_map(call->out, 3U + (profile != NULL) + (graded ? 2 : 0));
        rpc_key(call->out, call->op, PROTO_A_SEGMENT_GET_SEGMENT);
        rpc_shape_write(call->out, PROTO_SHAPE_KEPT_SEGMENT, kept);
        rpc_key(call->out, call->op, PROTO_A_SEGMENT_GET_VERSIONS);
        good = telling_write(call, telling, fault);
    }
    if (good) {
        rpc_put_uint(call->out, call->op, PROTO_A_SEGMENT_GET_SEQ,
                     engine_worker_seq(call->worker->engine));
    }
    if (good && profile) {
        rpc_key(call->out, call->op, PROTO_A_SEGMENT_GET_NOW);
        rpc_shape_write(call->out, PROTO_SHAPE_SEGMENT_EVIDENCE, now);
    }
    if (good && graded) {
        grades_write(call, profile);
    }
    json_decref(kept);
    json_decref(now);
    return good;
}

enum rpc_outcome rpc_on_SEGMENT_GET(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_worker *worker = call->worker->engine;
    const struct engine_state *state = rpc_state(call);
    struct dispute_profile profile = {.document = NULL};
    struct telling telling;
    const struct engine_segment *segment =
        dispute_segment_refer(state->segments, rpc_arg_text(call, PROTO_Q_SEGMENT_GET_NAME), fault);
    if (segment == NULL || !telling_begin(call, &telling, fault)) {
        return RPC_FAILED;
    }
    if (segment->dropped) {
        return get_write(call, &telling, segment, NULL, fault) ? RPC_DONE : RPC_FAILED;
    }
    struct filter *filter = filter_parse(state->schema, segment->filter, fault, NULL);
    const struct dispute_evidence_ask ask = {.filter = filter,
                                             .icp = rpc_arg_uint(call, PROTO_Q_SEGMENT_GET_ICP),
                                             .outcome =
                                                 rpc_arg_text(call, PROTO_Q_SEGMENT_GET_OUTCOME)};
    bool good = filter != NULL &&
                dispute_profile_make(call->worker->rpc->options.dispute, worker, call->scan, &ask,
                                     (size_t)rpc_arg_uint(call, PROTO_Q_SEGMENT_GET_FIELDS),
                                     &profile, fault);
    good = good && get_write(call, &telling, segment, &profile, fault);
    dispute_profile_fini(&profile);
    filter_destroy(filter);
    return good ? RPC_DONE : RPC_FAILED;
}
