/* SPDX-License-Identifier: Apache-2.0 */
/* match: each row is looked for by its keys; what no key finds is looked for by its name. A row
 * whose keys are two accounts' gets both, for a person to see. On the lane SCAN. */
#include <assert.h>

#include "server/listing/listing_match.h"
#include "server/rpc/display_name.h"
#include "server/rpc/rpc_member.h"

static_assert((int)PROTO_MATCH_ROWS_MAX == (int)IDENTITY_MATCH_ROWS, "one limit");
static_assert((int)PROTO_MATCH_CANDIDATES_MAX == (int)IDENTITY_MATCH_CANDIDATES, "one limit");

enum { KEY_HITS_MAX = 2 };

/* What keys of a row find. */
struct key_hit {
    uint32_t slot;
    struct proto_span key;
};

struct matched_row {
    struct key_hit hits[KEY_HITS_MAX];
    size_t hit_count;
};

struct match_call {
    struct rpc_call *call;
    struct listing_match match;
    struct listing_match_row *rows;
    struct matched_row *matched;
};

static bool key_look(struct match_call *run, struct proto_span key, struct matched_row *matched,
                     struct proto_fault *fault)
{
    struct engine_name name = {.key = key};
    struct proto_fault local = {.code = PROTO_OK};
    uint32_t slot = engine_find(run->call->worker->engine, &name, &local);
    if (slot == ENGINE_NO_SLOT) {
        *fault = local;
        return local.code == PROTO_OK;
    }
    bool known = matched->hit_count == KEY_HITS_MAX ||
                 (matched->hit_count > 0 && matched->hits[0].slot == slot);
    if (!known) {
        matched->hits[matched->hit_count++] = (struct key_hit){slot, key};
    }
    return true;
}

static bool row_read(struct match_call *run, struct proto_span map, size_t index,
                     struct proto_fault *fault)
{
    const struct proto_shape_info *shape = proto_shape_info(PROTO_SHAPE_MATCH_ROW);
    struct proto_arg args[PROTO_ARGS_MAX];
    struct listing_match_row *row = &run->rows[index];
    struct matched_row *matched = &run->matched[index];
    *row = (struct listing_match_row){proto_span_text(""), proto_span_text("")};
    *matched = (struct matched_row){.hit_count = 0};
    if (!proto_fields_decode(shape->members, shape->member_count, map, args, fault)) {
        return false;
    }
    if (args[PROTO_M_MATCH_ROW_KEYS].present) {
        struct proto_fault local = {.code = PROTO_OK};
        struct proto_reader reader;
        proto_reader_init(&reader, args[PROTO_M_MATCH_ROW_KEYS].value, &local);
        size_t keys = proto_read_array(&reader);
        for (size_t i = 0; i < keys; i++) {
            if (!key_look(run, proto_read_str(&reader), matched, fault)) {
                return false;
            }
        }
    }
    if (matched->hit_count == 0) {
        row->name = args[PROTO_M_MATCH_ROW_NAME].text;
        if (args[PROTO_M_MATCH_ROW_COUNTRY].present) {
            row->country = args[PROTO_M_MATCH_ROW_COUNTRY].text;
        }
    }
    return true;
}

static bool rows_read(struct match_call *run, struct proto_fault *fault)
{
    struct rpc_call *call = run->call;
    struct base_arena *arena = &call->worker->arena;
    struct proto_fault local = {.code = PROTO_OK};
    struct proto_reader reader;
    proto_reader_init(&reader, call->args[PROTO_Q_MATCH_ROWS].value, &local);
    size_t count = proto_read_array(&reader);
    run->rows = base_arena_array(arena, count + 1, sizeof *run->rows);
    run->matched = base_arena_array(arena, count + 1, sizeof *run->matched);
    if (!run->rows || !run->matched) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "rows", "no memory for the rows");
    }
    for (size_t i = 0; i < count; i++) {
        if (!row_read(run, proto_read_any(&reader), i, fault)) {
            return proto_fault_within(fault, "rows[%zu]", i);
        }
    }
    run->match.rows = run->rows;
    run->match.row_count = count;
    return true;
}

static bool field_find(const struct rpc_call *call, int index, const struct feature_field **field,
                       struct proto_fault *fault)
{
    const struct feature_schema *schema = rpc_state(call)->schema;
    struct proto_span name = rpc_arg_text(call, index);
    if (name.bytes == 0) {
        return true;
    }
    *field = feature_schema_find(schema, name);
    return (*field && (*field)->type == FEATURE_CATEGORY) ||
           proto_fault_set(fault, PROTO_BAD_FIELD, call->op->request[index].name,
                           "the schema has no category field '%.*s'",
                           (int)(name.bytes < 128 ? name.bytes : 128), (const char *)name.data);
}

static bool fields_read(struct match_call *run, struct proto_fault *fault)
{
    const struct feature_schema *schema = rpc_state(run->call)->schema;
    if (!schema) {
        return proto_fault_set(fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
    }
    run->match.name = schema->name;
    if (!field_find(run->call, PROTO_Q_MATCH_FIELD, &run->match.name, fault) ||
        !field_find(run->call, PROTO_Q_MATCH_COUNTRY_FIELD, &run->match.country, fault)) {
        return false;
    }
    return run->match.name ||
           proto_fault_set(fault, PROTO_MISSING_FIELD, "field",
                           "the schema does not say which field names accounts (\"name\"): say "
                           "here which one to match by");
}

static bool candidate_write(const struct match_call *run, uint32_t slot, const char *match,
                            double score, const char *why, struct proto_fault *fault)
{
    struct proto_writer *out = run->call->out;
    struct feature_record record;
    struct feature_value name;
    if (!engine_record(run->call->worker->engine, slot, &record, fault)) {
        return false;
    }
    bool named =
        feature_record_value(&record, run->match.name->id, &name) && name.type == FEATURE_CATEGORY;
    proto_write_map(out, 5);
    rpc_member_str(out, RPC_MEMBER(CANDIDATE, ID), record.id);
    rpc_member_str(out, RPC_MEMBER(CANDIDATE, NAME), named ? name.text : proto_span_text(""));
    rpc_member_text(out, RPC_MEMBER(CANDIDATE, MATCH), match);
    rpc_member_number(out, RPC_MEMBER(CANDIDATE, SCORE), score);
    rpc_member_text(out, RPC_MEMBER(CANDIDATE, WHY), why);
    return true;
}

static bool hits_write(const struct match_call *run, const struct matched_row *matched,
                       struct proto_fault *fault)
{
    struct proto_writer *out = run->call->out;
    bool one = matched->hit_count == 1;
    proto_write_map(out, 2);
    rpc_member_text(out, RPC_MEMBER(MATCHED, MATCH), one ? "key" : "maybe");
    rpc_member(out, RPC_MEMBER(MATCHED, CANDIDATES));
    proto_write_array(out, matched->hit_count);
    for (size_t i = 0; i < matched->hit_count; i++) {
        const struct key_hit *hit = &matched->hits[i];
        char why[PROTO_ID_BYTES_MAX + 64];
        snprintf(why, sizeof why, "%.*s%s", (int)hit->key.bytes, (const char *)hit->key.data,
                 one ? "" : "; another key is another account's");
        if (!candidate_write(run, hit->slot, one ? "key" : "maybe", 1, why, fault)) {
            return false;
        }
    }
    return true;
}

static bool names_write(const struct match_call *run, size_t row, struct proto_fault *fault)
{
    struct proto_writer *out = run->call->out;
    size_t count = 0;
    bool common = false;
    const struct identity_candidate *list =
        identity_matcher_found(run->match.matcher, row, &count, &common);
    static const char *const words[] = {"same", "maybe"};
    proto_write_map(out, 2U + common);
    rpc_member_text(out, RPC_MEMBER(MATCHED, MATCH),
                    count > 0 ? words[identity_candidate_match(&list[0])] : "none");
    if (common) {
        rpc_member_flag(out, RPC_MEMBER(MATCHED, COMMON), true);
    }
    rpc_member(out, RPC_MEMBER(MATCHED, CANDIDATES));
    proto_write_array(out, count);
    for (size_t i = 0; i < count; i++) {
        char why[IDENTITY_WHY_BYTES];
        if (!candidate_write(run, list[i].slot, words[identity_candidate_match(&list[i])],
                             (double)list[i].score, identity_candidate_why(&list[i], why), fault)) {
            return false;
        }
    }
    return true;
}

static bool reply_write(const struct match_call *run, struct proto_fault *fault)
{
    struct rpc_call *call = run->call;
    struct proto_writer *out = call->out;
    proto_write_map(out, 3);
    rpc_put_uint(out, call->op, PROTO_A_MATCH_SEQ, engine_worker_seq(call->worker->engine));
    rpc_put_uint(out, call->op, PROTO_A_MATCH_ACCOUNTS, run->match.named);
    rpc_key(out, call->op, PROTO_A_MATCH_ROWS);
    proto_write_array(out, run->match.row_count);
    for (size_t i = 0; i < run->match.row_count; i++) {
        const struct matched_row *matched = &run->matched[i];
        if (out->bytes > PROTO_FRAME_BYTES_MAX) {
            return proto_fault_set(fault, PROTO_TOO_LARGE, "rows",
                                   "the candidates of %zu rows do not fit one frame; ask for fewer",
                                   run->match.row_count);
        }
        bool ok =
            matched->hit_count > 0 ? hits_write(run, matched, fault) : names_write(run, i, fault);
        if (!ok) {
            return false;
        }
    }
    return true;
}

enum rpc_outcome rpc_on_MATCH(struct rpc_call *call, struct proto_fault *fault)
{
    struct match_call run = {.call = call};
    run.match.candidates = (unsigned)rpc_arg_uint(call, PROTO_Q_MATCH_CANDIDATES);
    bool ok = fields_read(&run, fault) && rows_read(&run, fault) &&
              listing_match(call->worker->engine, call->scan, &run.match, fault) &&
              reply_write(&run, fault);
    identity_matcher_destroy(run.match.matcher);
    return ok ? RPC_DONE : RPC_FAILED;
}
