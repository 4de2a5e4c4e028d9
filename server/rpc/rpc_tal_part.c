/* SPDX-License-Identifier: Apache-2.0 */
/* tal-get: a list and one of its parts, page by page; tal-account: where one account stands on it.
 * A list of format 1 has members alone, and says so when it is asked for more. */
#include <stdio.h>
#include <string.h>

#include "server/feature/json_text.h"
#include "server/listing/listing.h"
#include "server/rpc/display_name.h"
#include "server/rpc/json_write.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/write.h"

static bool head_member(const char *name)
{
    return strcmp(name, "entries") != 0 && strcmp(name, "just_missed") != 0 &&
           strcmp(name, "sample") != 0 && strcmp(name, "exclude") != 0;
}

static void write_head(struct proto_writer *out, json_t *document)
{
    const char *name;
    json_t *value;
    size_t members = 0;
    json_object_foreach(document, name, value)
    {
        members += head_member(name);
    }
    proto_write_map(out, members);
    json_object_foreach(document, name, value)
    {
        if (head_member(name)) {
            proto_write_text(out, name);
            rpc_write_json(out, value);
        }
    }
}

/* The names go into the document as it was read, not as it is stored. */
static bool write_entries(struct rpc_call *call, json_t *entries, uint64_t offset, uint64_t limit,
                          struct proto_fault *fault)
{
    size_t count = json_array_size(entries);
    size_t from = offset < count ? (size_t)offset : count;
    size_t end = limit < count - from ? from + (size_t)limit : count;
    if (rpc_names_wanted(call, PROTO_Q_TAL_GET_NAMES) &&
        !rpc_display_names_set(call, entries, from, end, fault)) {
        return false;
    }
    rpc_key(call->out, call->op, PROTO_A_TAL_GET_ENTRIES);
    proto_write_array(call->out, end - from);
    for (size_t i = from; i < end; i++) {
        rpc_write_json(call->out, json_array_get(entries, i));
    }
    return true;
}

/* Those of the members that are held out; NULL with *fault. */
static json_t *held_out_of(const json_t *document, struct proto_fault *fault)
{
    const json_t *entries = json_object_get(document, "entries");
    json_t *held = json_array();
    bool ok = held != NULL;
    for (size_t i = 0; ok && i < json_array_size(entries); i++) {
        json_t *entry = json_array_get(entries, i);
        ok = !json_is_true(json_object_get(entry, "held_out")) ||
             json_array_append(held, entry) == 0;
    }
    if (!ok) {
        json_decref(held);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
        return NULL;
    }
    return held;
}

/* The entries of a part, to be dropped; NULL with *fault. */
static json_t *part_of(const json_t *document, struct proto_span part, struct proto_fault *fault)
{
    bool missed = proto_span_is(part, "just-missed");
    bool sample = proto_span_is(part, "sample");
    bool held = proto_span_is(part, "hold-out");
    const char *member = missed ? "just_missed" : sample ? "sample" : "entries";
    if (part.bytes > 0 && !missed && !sample && !held && !proto_span_is(part, "members")) {
        proto_fault_set(
            fault, PROTO_BAD_FIELD, "part",
            "a list has the parts members, just-missed, sample and hold-out, not '%.*s'",
            (int)part.bytes, (const char *)part.data);
        return NULL;
    }
    if ((missed || sample || held) && !json_is_object(json_object_get(document, "draw"))) {
        proto_fault_set(fault, PROTO_NOT_FOUND, "part",
                        "the list is of format 1: it froze its members alone, so who just missed "
                        "it, a sample or a hold-out cannot be told");
        return NULL;
    }
    return held ? held_out_of(document, fault) : json_incref(json_object_get(document, member));
}

enum rpc_outcome rpc_on_TAL_GET(struct rpc_call *call, struct proto_fault *fault)
{
    struct proto_span name = rpc_arg_text(call, PROTO_Q_TAL_GET_NAME);
    struct proto_span text = {0};
    uint64_t limit = rpc_arg_uint(call, PROTO_Q_TAL_GET_LIMIT);
    json_t *document = listing_open(call->worker->engine, name, &text, fault);
    if (!document) {
        return RPC_FAILED;
    }
    json_t *entries = part_of(document, rpc_arg_text(call, PROTO_Q_TAL_GET_PART), fault);
    struct proto_writer *out = call->out;
    bool ok = entries != NULL;
    if (!ok) {
        json_decref(document);
        return RPC_FAILED;
    }
    proto_write_map(out, 4);
    rpc_put_str(out, call->op, PROTO_A_TAL_GET_NAME, name);
    rpc_key(out, call->op, PROTO_A_TAL_GET_HEAD);
    write_head(out, document);
    rpc_put_uint(out, call->op, PROTO_A_TAL_GET_COUNT, json_array_size(entries));
    if (rpc_arg_flag(call, PROTO_Q_TAL_GET_DOCUMENT)) {
        rpc_put_str(out, call->op, PROTO_A_TAL_GET_DOCUMENT, text);
    } else {
        ok = write_entries(call, entries, rpc_arg_uint(call, PROTO_Q_TAL_GET_OFFSET), limit, fault);
    }
    json_decref(entries);
    json_decref(document);
    return ok ? RPC_DONE : RPC_FAILED;
}

/* The entry of that id; NULL if there is none. */
static json_t *entry_find(const json_t *document, const char *member, struct proto_span id)
{
    const json_t *entries = json_object_get(document, member);
    for (size_t i = 0; i < json_array_size(entries); i++) {
        json_t *entry = json_array_get(entries, i);
        if (proto_span_equal(feature_json_span(json_object_get(entry, "id")), id)) {
            return entry;
        }
    }
    return NULL;
}

static void draw_put(struct rpc_call *call, const json_t *draw, struct proto_span id)
{
    char digits[17];
    const struct proto_op_info *op = call->op;
    struct proto_span seed = feature_json_span(json_object_get(draw, "seed"));
    (void)snprintf(digits, sizeof digits, "%016llx", (unsigned long long)listing_draw_of(seed, id));
    rpc_put_str(call->out, op, PROTO_A_TAL_ACCOUNT_SEED, seed);
    rpc_put_text(call->out, op, PROTO_A_TAL_ACCOUNT_DRAW, digits);
    rpc_put_str(call->out, op, PROTO_A_TAL_ACCOUNT_BELOW,
                feature_json_span(json_object_get(draw, "below")));
}

enum rpc_outcome rpc_on_TAL_ACCOUNT(struct rpc_call *call, struct proto_fault *fault)
{
    struct proto_span name = rpc_arg_text(call, PROTO_Q_TAL_ACCOUNT_NAME);
    struct proto_span id = rpc_arg_text(call, PROTO_Q_TAL_ACCOUNT_ID);
    json_t *document = listing_open(call->worker->engine, name, NULL, fault);
    struct proto_writer *out = call->out;
    if (!document) {
        return RPC_FAILED;
    }
    const json_t *draw = json_object_get(document, "draw");
    json_t *member = entry_find(document, "entries", id);
    json_t *missed = entry_find(document, "just_missed", id);
    json_t *drawn = entry_find(document, "sample", id);
    json_t *entry = member ? member : missed ? missed : drawn;
    bool held = json_is_true(json_object_get(member, "held_out"));
    proto_write_map(out, 4U + (draw ? 3U : 0U) + (entry != NULL));
    rpc_put_str(out, call->op, PROTO_A_TAL_ACCOUNT_NAME, name);
    rpc_put_str(out, call->op, PROTO_A_TAL_ACCOUNT_ID, id);
    rpc_put_text(out, call->op, PROTO_A_TAL_ACCOUNT_PART,
                 held     ? "held-out"
                 : member ? "member"
                 : missed ? "just-missed"
                          : "none");
    rpc_put_flag(out, call->op, PROTO_A_TAL_ACCOUNT_SAMPLED, drawn != NULL);
    if (draw) {
        draw_put(call, draw, id);
    }
    if (entry) {
        rpc_key(out, call->op, PROTO_A_TAL_ACCOUNT_ENTRY);
        rpc_write_json(out, entry);
    }
    json_decref(document);
    return RPC_DONE;
}
