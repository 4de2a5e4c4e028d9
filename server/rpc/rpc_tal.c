/* SPDX-License-Identifier: Apache-2.0 */
/* tal-build, tal-list, tal-diff and tal-check; tal-get and tal-account are in rpc_tal_part.c,
 * tal-drop in rpc_tal_drop.c. */
#include <assert.h>
#include <stdio.h>

#include "proto/shape.h"
#include "server/listing/listing.h"
#include "server/rpc/display_name.h"
#include "server/rpc/json_write.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/write.h"
#include "server/tal/tal_document.h"

/* Segments and owners are read alike: the limit is called quota or capacity. */
enum { PART_NAME, PART_FILTER, PART_LIMIT, PART_MEMBERS };
static_assert((int)PROTO_M_SEGMENT_NAME == (int)PART_NAME &&
                  (int)PROTO_M_SEGMENT_FILTER == (int)PART_FILTER &&
                  (int)PROTO_M_SEGMENT_QUOTA == (int)PART_LIMIT &&
                  (int)PROTO_M_OWNER_NAME == (int)PART_NAME &&
                  (int)PROTO_M_OWNER_FILTER == (int)PART_FILTER &&
                  (int)PROTO_M_OWNER_CAPACITY == (int)PART_LIMIT,
              "segments and owners have the same form");

static bool part_read(enum proto_shape shape, struct proto_span map, struct listing_part *part,
                      struct proto_fault *fault)
{
    struct proto_arg args[PART_MEMBERS] = {0};
    if (!proto_fields_decode(proto_shape_info(shape)->members, PART_MEMBERS, map, args, fault)) {
        return false;
    }
    *part = (struct listing_part){.name = args[PART_NAME].text, .limit = args[PART_LIMIT].uint};
    if (args[PART_FILTER].present) {
        part->filter = args[PART_FILTER].text;
    }
    return part->limit <= INT64_MAX; /* as every PROTO_UINT is */
}

static bool name_repeats(const struct listing_part *parts, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (proto_span_equal(parts[i].name, parts[at].name)) {
            return true;
        }
    }
    return false;
}

/* Segments or owners in the worker's arena; absent ones are none. */
static bool parts_read(struct rpc_call *call, int index, enum proto_shape shape,
                       const struct listing_part **parts, size_t *count, struct proto_fault *fault)
{
    const char *what = call->op->request[index].name;
    struct proto_fault local = {0};
    struct proto_reader reader;
    *count = 0;
    if (!call->args[index].present) {
        return true;
    }
    proto_reader_init(&reader, call->args[index].value, &local);
    size_t listed = proto_read_array(&reader);
    struct listing_part *read = base_arena_array(&call->worker->arena, listed + 1, sizeof *read);
    if (!read) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, what, "no memory for the request");
    }
    for (size_t i = 0; i < listed; i++) {
        bool good = part_read(shape, proto_read_any(&reader), &read[i], fault);
        if (good && name_repeats(read, i)) {
            good = proto_fault_set(fault, PROTO_BAD_FIELD, "name", "another has this name");
        }
        if (!good) {
            return proto_fault_within(fault, "%s[%zu]", what, i);
        }
    }
    *parts = read;
    *count = listed;
    return true;
}

static bool exclusions_read(struct rpc_call *call, struct listing_request *request,
                            struct proto_fault *fault)
{
    struct proto_fault local = {0};
    request->ids = rpc_arg_texts(call, PROTO_Q_TAL_BUILD_EXCLUDE_IDS, &request->id_count, &local);
    request->keys =
        rpc_arg_texts(call, PROTO_Q_TAL_BUILD_EXCLUDE_KEYS, &request->key_count, &local);
    request->domains =
        rpc_arg_texts(call, PROTO_Q_TAL_BUILD_EXCLUDE_DOMAINS, &request->domain_count, &local);
    if (local.code != PROTO_OK) {
        *fault = local;
    }
    return local.code == PROTO_OK;
}

static bool build_read(struct rpc_call *call, struct listing_request *request,
                       struct proto_fault *fault)
{
    bool quota = call->args[PROTO_Q_TAL_BUILD_QUOTA].present;
    const struct proto_arg *sample = &call->args[PROTO_Q_TAL_BUILD_SAMPLE];
    request->name = rpc_arg_text(call, PROTO_Q_TAL_BUILD_NAME);
    request->filter = rpc_arg_text(call, PROTO_Q_TAL_BUILD_FILTER);
    request->note = rpc_arg_text(call, PROTO_Q_TAL_BUILD_NOTE);
    request->icp = rpc_arg_uint(call, PROTO_Q_TAL_BUILD_ICP);
    request->operation = rpc_operation(call, PROTO_Q_TAL_BUILD_OPERATION);
    request->quota_field = rpc_arg_text(call, PROTO_Q_TAL_BUILD_QUOTA_FIELD);
    request->quota = quota ? call->args[PROTO_Q_TAL_BUILD_QUOTA].uint : 0;
    request->k = (size_t)rpc_arg_uint(call, PROTO_Q_TAL_BUILD_K);
    request->hold_out = rpc_arg_number(call, PROTO_Q_TAL_BUILD_HOLD_OUT);
    request->seed = rpc_arg_text(call, PROTO_Q_TAL_BUILD_SEED);
    request->sample = sample->present ? (size_t)sample->uint : request->k;
    request->last_icp = rpc_arg_uint(call, PROTO_Q_TAL_BUILD_LAST_ICP);
    if (quota != (request->quota_field.bytes > 0)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "quota",
                               "quota_field and quota go together");
    }
    return exclusions_read(call, request, fault) &&
           parts_read(call, PROTO_Q_TAL_BUILD_SEGMENTS, PROTO_SHAPE_SEGMENT, &request->segments,
                      &request->segment_count, fault) &&
           parts_read(call, PROTO_Q_TAL_BUILD_OWNERS, PROTO_SHAPE_OWNER, &request->owners,
                      &request->owner_count, fault);
}

enum rpc_outcome rpc_on_TAL_BUILD(struct rpc_call *call, struct proto_fault *fault)
{
    struct listing_request request = {0};
    struct listing_built built = {0};
    if (!build_read(call, &request, fault) ||
        !listing_build(call->worker->engine, call->scan, &request, &built, fault)) {
        return RPC_FAILED;
    }
    struct proto_writer *out = call->out;
    proto_write_map(out, 12U + built.repeated);
    rpc_put_str(out, call->op, PROTO_A_TAL_BUILD_NAME, request.name);
    rpc_put_uint(out, call->op, PROTO_A_TAL_BUILD_COUNT, built.count);
    rpc_put_uint(out, call->op, PROTO_A_TAL_BUILD_MATCHED, built.matched);
    rpc_put_uint(out, call->op, PROTO_A_TAL_BUILD_EXCLUDED, built.excluded);
    rpc_put_uint(out, call->op, PROTO_A_TAL_BUILD_UNASSIGNED, built.unassigned);
    rpc_put_uint(out, call->op, PROTO_A_TAL_BUILD_HELD_OUT, built.held_out);
    rpc_put_uint(out, call->op, PROTO_A_TAL_BUILD_JUST_MISSED, built.just_missed);
    rpc_put_uint(out, call->op, PROTO_A_TAL_BUILD_SAMPLE, built.sample);
    rpc_put_text(out, call->op, PROTO_A_TAL_BUILD_SEED, built.seed);
    rpc_put_uint(out, call->op, PROTO_A_TAL_BUILD_ICP, built.icp);
    rpc_put_uint(out, call->op, PROTO_A_TAL_BUILD_SEQ, built.seq);
    rpc_put_text(out, call->op, PROTO_A_TAL_BUILD_DIGEST, built.digest);
    rpc_put_repeated(out, call->op, PROTO_A_TAL_BUILD_REPEATED, built.repeated);
    return RPC_DONE;
}

static void write_list(struct rpc_call *call, const struct engine_list *list)
{
    /* The document calls these as the table does. */
    static const int told[] = {PROTO_M_TAL_NAME,       PROTO_M_TAL_CREATED, PROTO_M_TAL_COUNT,
                               PROTO_M_TAL_UNASSIGNED, PROTO_M_TAL_FILTER,  PROTO_M_TAL_NOTE,
                               PROTO_M_TAL_DIGEST};
    const struct proto_field_info *members = proto_shape_info(PROTO_SHAPE_TAL)->members;
    const struct learn_document *active = rpc_state(call)->active;
    struct proto_writer *out = call->out;
    proto_write_map(out, sizeof told / sizeof *told + 2);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        rpc_member(out, &members[told[i]]);
        rpc_write_json(out, json_object_get(list->head, members[told[i]].name));
    }
    rpc_member_uint(out, RPC_MEMBER(TAL, ICP), list->icp);
    rpc_member_flag(out, RPC_MEMBER(TAL, CURRENT), active && active->version == list->icp);
}

enum rpc_outcome rpc_on_TAL_LIST(struct rpc_call *call, struct proto_fault *fault)
{
    const struct engine_lists *lists = rpc_state(call)->lists;
    struct proto_writer *out = call->out;
    size_t count = lists ? lists->count : 0;
    size_t gone = 0;
    (void)fault;
    for (size_t i = 0; i < count; i++) {
        gone += engine_list_given_up(lists->items[i]);
    }
    proto_write_map(out, 1);
    rpc_key(out, call->op, PROTO_A_TAL_LIST_TALS);
    proto_write_array(out, count - gone);
    for (size_t i = 0; i < count; i++) {
        if (engine_list_given_up(lists->items[i])) {
            continue;
        }
        if (lists->items[i]) {
            write_list(call, lists->items[i]);
            continue;
        }
        proto_write_map(out, 2);
        rpc_member_uint(out, RPC_MEMBER(TAL, NUMBER), i + 1);
        rpc_member_text(out, RPC_MEMBER(TAL, ERROR), proto_error_find(PROTO_CORRUPT)->name);
    }
    return RPC_DONE;
}

/* Rank and fit on one of the lists; nil where the account is not on it. */
static void write_side(struct proto_writer *out, const json_t *entries, int64_t at,
                       const struct proto_field_info *rank, const struct proto_field_info *fit)
{
    const json_t *entry = at < 0 ? NULL : json_array_get(entries, (size_t)at);
    rpc_member(out, rank);
    rpc_write_json(out, json_object_get(entry, "rank"));
    rpc_member(out, fit);
    rpc_write_json(out, json_object_get(entry, "fit"));
}

static bool write_difference(struct rpc_call *call, const struct tal_difference *difference,
                             const json_t *a, const json_t *b, struct proto_fault *fault)
{
    bool names = rpc_names_wanted(call, PROTO_Q_TAL_DIFF_NAMES);
    const json_t *entries_a = json_object_get(a, "entries");
    const json_t *entries_b = json_object_get(b, "entries");
    struct proto_writer *out = call->out;
    proto_write_map(out, 4);
    rpc_put_uint(out, call->op, PROTO_A_TAL_DIFF_BOTH, difference->both);
    rpc_put_uint(out, call->op, PROTO_A_TAL_DIFF_ONLY_A, difference->only_a);
    rpc_put_uint(out, call->op, PROTO_A_TAL_DIFF_ONLY_B, difference->only_b);
    rpc_key(out, call->op, PROTO_A_TAL_DIFF_ACCOUNTS);
    proto_write_array(out, difference->count);
    for (size_t i = 0; i < difference->count; i++) {
        struct tal_pair pair = difference->pairs[i];
        const json_t *entry = pair.a >= 0 ? json_array_get(entries_a, (size_t)pair.a)
                                          : json_array_get(entries_b, (size_t)pair.b);
        struct proto_span name = {0};
        if (names && !rpc_display_name_find(call, json_object_get(entry, "id"), &name, fault)) {
            return false;
        }
        proto_write_map(out, 5U + names);
        rpc_member(out, RPC_MEMBER(TAL_PAIR, ID));
        rpc_write_json(out, json_object_get(entry, "id"));
        write_side(out, entries_a, pair.a, RPC_MEMBER(TAL_PAIR, RANK_A),
                   RPC_MEMBER(TAL_PAIR, FIT_A));
        write_side(out, entries_b, pair.b, RPC_MEMBER(TAL_PAIR, RANK_B),
                   RPC_MEMBER(TAL_PAIR, FIT_B));
        if (names) {
            rpc_member_str(out, RPC_MEMBER(TAL_PAIR, NAME), name);
        }
    }
    return true;
}

enum rpc_outcome rpc_on_TAL_DIFF(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_worker *engine = call->worker->engine;
    json_t *a = listing_open(engine, rpc_arg_text(call, PROTO_Q_TAL_DIFF_A), NULL, fault);
    if (!a) {
        snprintf(fault->field, sizeof fault->field, "a");
        return RPC_FAILED;
    }
    json_t *b = listing_open(engine, rpc_arg_text(call, PROTO_Q_TAL_DIFF_B), NULL, fault);
    struct tal_difference difference = {0};
    bool ok = b != NULL;
    if (!ok) {
        snprintf(fault->field, sizeof fault->field, "b");
    }
    ok = ok && tal_compare(a, b, &difference, fault);
    ok = ok && write_difference(call, &difference, a, b, fault);
    tal_difference_fini(&difference);
    json_decref(a);
    json_decref(b);
    return ok ? RPC_DONE : RPC_FAILED;
}

/* Of the accounts that would come, and of those that would go. */
static bool write_side_names(struct rpc_call *call, const struct listing_checked *checked,
                             struct proto_fault *fault)
{
    rpc_key(call->out, call->op, PROTO_A_TAL_CHECK_ENTERING_NAMES);
    if (!rpc_display_names_write(call, checked->entering, fault)) {
        return false;
    }
    rpc_key(call->out, call->op, PROTO_A_TAL_CHECK_LEAVING_NAMES);
    return rpc_display_names_write(call, checked->leaving, fault);
}

static bool write_checked(struct rpc_call *call, struct proto_span name,
                          const struct listing_checked *checked, struct proto_fault *fault)
{
    struct proto_writer *out = call->out;
    const struct proto_op_info *op = call->op;
    bool names = rpc_names_wanted(call, PROTO_Q_TAL_CHECK_NAMES);
    const json_t *document = checked->document;
    const json_t *icp = json_object_get(document, "icp");
    uint64_t seq_now = engine_worker_seq(call->worker->engine);
    bool same = checked->rebuilt && checked->changed == 0 && checked->gone == 0 &&
                json_array_size(checked->entering) == 0 && json_array_size(checked->leaving) == 0;
    if (names && !rpc_display_names_set(call, checked->changes, 0,
                                        json_array_size(checked->changes), fault)) {
        return false;
    }
    proto_write_map(out, (checked->rebuilt ? 13U : 14U) + (names ? 2U : 0U));
    rpc_put_str(out, op, PROTO_A_TAL_CHECK_NAME, name);
    rpc_key(out, op, PROTO_A_TAL_CHECK_DIGEST);
    rpc_write_json(out, json_object_get(document, "digest"));
    rpc_key(out, op, PROTO_A_TAL_CHECK_ICP);
    rpc_write_json(out, json_object_get(icp, "version"));
    rpc_put_uint(out, op, PROTO_A_TAL_CHECK_COUNT,
                 json_array_size(json_object_get(document, "entries")));
    rpc_put_uint(out, op, PROTO_A_TAL_CHECK_HELD_OUT,
                 (uint64_t)json_integer_value(
                     json_object_get(json_object_get(document, "draw"), "held_out")));
    rpc_key(out, op, PROTO_A_TAL_CHECK_SEQ);
    rpc_write_json(out, json_object_get(document, "seq"));
    rpc_put_uint(out, op, PROTO_A_TAL_CHECK_SEQ_NOW, seq_now);
    rpc_put_uint(out, op, PROTO_A_TAL_CHECK_CHANGED, checked->changed);
    rpc_put_uint(out, op, PROTO_A_TAL_CHECK_GONE, checked->gone);
    rpc_key(out, op, PROTO_A_TAL_CHECK_CHANGES);
    rpc_write_json(out, checked->changes);
    rpc_key(out, op, PROTO_A_TAL_CHECK_ENTERING);
    rpc_write_json(out, checked->entering);
    rpc_key(out, op, PROTO_A_TAL_CHECK_LEAVING);
    rpc_write_json(out, checked->leaving);
    rpc_put_flag(out, op, PROTO_A_TAL_CHECK_SAME, same);
    if (!checked->rebuilt) {
        rpc_put_text(out, op, PROTO_A_TAL_CHECK_REFUSED, checked->refused.message);
    }
    return !names || write_side_names(call, checked, fault);
}

enum rpc_outcome rpc_on_TAL_CHECK(struct rpc_call *call, struct proto_fault *fault)
{
    struct proto_span name = rpc_arg_text(call, PROTO_Q_TAL_CHECK_NAME);
    struct listing_checked checked;
    bool ok = listing_check(call->worker->engine, call->scan, name, &checked, fault);
    ok = ok && write_checked(call, name, &checked, fault);
    listing_checked_fini(&checked);
    return ok ? RPC_DONE : RPC_FAILED;
}
