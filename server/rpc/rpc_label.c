/* SPDX-License-Identifier: Apache-2.0 */
/* label, on the lane MEASURE: the cases of a policy counted by archetype, and a page of them. */
#include "server/lifecycle/lifecycle_label.h"

#include <stdio.h>

#include "server/math/accuracy.h"
#include "server/rpc/display_name.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/rpc_rules.h"

/* Cases that are wanted: of one archetype, open ones, or all. */
enum { WANT_ALL = -1, WANT_OPEN = -2 };

struct page {
    struct rpc_call *call;
    const struct measure_policy *policy;
    const struct lifecycle_label *label;
    int64_t wanted;
    uint64_t skip, limit, count;
    uint64_t next; /* 0: this is the last page */
};

static bool wanted_read(struct page *page, struct proto_fault *fault)
{
    const struct proto_arg *arg = &page->call->args[PROTO_Q_LABEL_ARCHETYPE];
    page->wanted = WANT_ALL;
    if (!arg->present) {
        return true;
    }
    if (proto_span_is(arg->text, "open")) {
        page->wanted = WANT_OPEN;
        return true;
    }
    for (size_t i = 0; i <= page->policy->archetype_count; i++) {
        if (proto_span_equal(arg->text, measure_policy_archetype(page->policy, i))) {
            page->wanted = (int64_t)i;
            return true;
        }
    }
    return proto_fault_set(fault, PROTO_BAD_FIELD, "archetype",
                           "the policy has no archetype '%.*s'; and there are none and open",
                           (int)arg->text.bytes, (const char *)arg->text.data);
}

static bool is_wanted(const struct page *page, const struct lifecycle_case *one)
{
    bool open = lifecycle_case_open(page->label, one);
    return page->wanted == WANT_ALL || (page->wanted == WANT_OPEN && open) ||
           (!open && page->wanted == (int64_t)one->archetype);
}

static bool case_write(const struct page *page, const struct lifecycle_case *one, bool names,
                       struct proto_fault *fault)
{
    struct rpc_call *call = page->call;
    struct proto_writer *out = call->out;
    bool open = lifecycle_case_open(page->label, one);
    struct feature_record record;
    if (!engine_record(call->worker->engine, one->slot, &record, fault)) {
        return false;
    }
    proto_write_map(out, 3U + names + (one->subject.bytes > 0) + !open + page->policy->by_stage);
    rpc_member_str(out, RPC_MEMBER(LABELLED, ID), record.id);
    if (names) {
        rpc_member_str(out, RPC_MEMBER(LABELLED, NAME), rpc_display_name(call, &record));
    }
    if (one->subject.bytes > 0) {
        rpc_member_str(out, RPC_MEMBER(LABELLED, SUBJECT), one->subject);
    }
    if (page->policy->by_stage) {
        rpc_member_text(out, RPC_MEMBER(LABELLED, STAGE), lifecycle_case_stage(page->label, one));
    }
    rpc_member_int(out, RPC_MEMBER(LABELLED, MOMENT), one->moment_ms);
    rpc_member_str(out, RPC_MEMBER(LABELLED, ARCHETYPE),
                   open ? proto_span_text("open")
                        : measure_policy_archetype(page->policy, one->archetype));
    if (!open) {
        rpc_member_int(out, RPC_MEMBER(LABELLED, SETTLED), one->settled_ms);
    }
    return true;
}

static void page_measure(struct page *page)
{
    const struct lifecycle_label *label = page->label;
    page->count = 0;
    for (size_t i = 0; i < label->count; i++) {
        page->count += is_wanted(page, &label->cases[i]);
    }
    uint64_t left = page->count > page->skip ? page->count - page->skip : 0;
    page->next = left > page->limit && page->limit > 0 ? page->skip + page->limit : 0;
    page->limit = left < page->limit ? left : page->limit;
}

static bool list_write(const struct page *page, struct proto_fault *fault)
{
    const struct lifecycle_label *label = page->label;
    bool names = rpc_names_wanted(page->call, PROTO_Q_LABEL_NAMES);
    uint64_t met = 0;
    rpc_key(page->call->out, page->call->op, PROTO_A_LABEL_LIST);
    proto_write_array(page->call->out, (size_t)page->limit);
    for (size_t i = 0; i < label->count && met < page->skip + page->limit; i++) {
        if (!is_wanted(page, &label->cases[i]) || met++ < page->skip) {
            continue;
        }
        if (!case_write(page, &label->cases[i], names, fault)) {
            return false;
        }
    }
    return true;
}

static void archetypes_write(const struct page *page)
{
    const struct measure_policy *policy = page->policy;
    struct proto_writer *out = page->call->out;
    uint64_t settled = page->label->count - page->label->open;
    rpc_key(out, page->call->op, PROTO_A_LABEL_ARCHETYPES);
    proto_write_array(out, policy->archetype_count + 1);
    for (size_t i = 0; i <= policy->archetype_count; i++) {
        uint64_t cases = page->label->of[i];
        double low = 0;
        double high = 1;
        if (settled > 0) {
            math_wilson((size_t)cases, (size_t)settled, &low, &high);
        }
        proto_write_map(out, 6);
        rpc_member_str(out, RPC_MEMBER(ARCHETYPE, NAME), measure_policy_archetype(policy, i));
        rpc_member_text(out, RPC_MEMBER(ARCHETYPE, SIDE),
                        (policy->positive >> i & 1) != 0   ? "positive"
                        : (policy->negative >> i & 1) != 0 ? "negative"
                                                           : "neither");
        rpc_member_uint(out, RPC_MEMBER(ARCHETYPE, CASES), cases);
        rpc_member_number(out, RPC_MEMBER(ARCHETYPE, SHARE),
                          settled > 0 ? (double)cases / (double)settled : 0);
        rpc_member_number(out, RPC_MEMBER(ARCHETYPE, LOW), low);
        rpc_member_number(out, RPC_MEMBER(ARCHETYPE, HIGH), high);
    }
}

static void notes_write(const struct page *page)
{
    struct proto_writer *out = page->call->out;
    char text[300];
    size_t count = 0;
    for (size_t m = 0; m < page->policy->match_count; m++) {
        count += lifecycle_label_unseen(page->label, page->policy, m, text, sizeof text);
    }
    rpc_key(out, page->call->op, PROTO_A_LABEL_NOTES);
    proto_write_array(out, count + (page->label->ended > 0));
    if (page->label->ended > 0) {
        (void)snprintf(text, sizeof text,
                       "stages that were entered when their opportunity had ended, at that very "
                       "moment or later, are no cases: %llu",
                       (unsigned long long)page->label->ended);
        proto_write_text(out, text);
    }
    for (size_t m = 0; m < page->policy->match_count; m++) {
        if (lifecycle_label_unseen(page->label, page->policy, m, text, sizeof text)) {
            proto_write_text(out, text);
        }
    }
}

static bool answer_write(struct page *page, struct proto_fault *fault)
{
    struct proto_writer *out = page->call->out;
    const struct proto_op_info *op = page->call->op;
    const struct lifecycle_label *label = page->label;
    page_measure(page);
    proto_write_map(out, 14U + (page->next > 0));
    rpc_put_str(out, op, PROTO_A_LABEL_NAME, page->policy->name);
    rpc_put_int(out, op, PROTO_A_LABEL_AT, label->at_ms);
    rpc_put_uint(out, op, PROTO_A_LABEL_ACCOUNTS, label->accounts);
    rpc_put_uint(out, op, PROTO_A_LABEL_EVENTS, label->events);
    rpc_put_uint(out, op, PROTO_A_LABEL_WITHOUT, label->without);
    rpc_put_uint(out, op, PROTO_A_LABEL_CASES, label->count);
    rpc_put_uint(out, op, PROTO_A_LABEL_OPEN, label->open);
    rpc_put_uint(out, op, PROTO_A_LABEL_POSITIVES, label->positives);
    rpc_put_uint(out, op, PROTO_A_LABEL_NEGATIVES, label->negatives);
    archetypes_write(page);
    rpc_put_uint(out, op, PROTO_A_LABEL_COUNT, page->count);
    if (!list_write(page, fault)) {
        return false;
    }
    if (page->next > 0) {
        rpc_put_uint(out, op, PROTO_A_LABEL_NEXT, page->next);
    }
    notes_write(page);
    rpc_put_uint(out, op, PROTO_A_LABEL_SEQ, label->seq);
    return true;
}

enum rpc_outcome rpc_on_LABEL(struct rpc_call *call, struct proto_fault *fault)
{
    const struct proto_arg *at = &call->args[PROTO_Q_LABEL_AT];
    struct measure_policy *policy =
        measure_policy_read(rpc_arg_text(call, PROTO_Q_LABEL_POLICY), fault);
    if (policy == NULL) {
        (void)proto_fault_within(fault, "policy");
        return RPC_FAILED;
    }
    struct lifecycle_label label = {.count = 0};
    struct page page = {.call = call,
                        .policy = policy,
                        .label = &label,
                        .skip = rpc_arg_uint(call, PROTO_Q_LABEL_SKIP),
                        .limit = rpc_arg_uint(call, PROTO_Q_LABEL_LIMIT)};
    const struct lifecycle_label_request request = {
        .policy = policy,
        .filter = rpc_arg_text(call, PROTO_Q_LABEL_FILTER),
        .icp = rpc_arg_uint(call, PROTO_Q_LABEL_ICP),
        .at_ms = at->present ? at->integer : MEASURE_NEVER,
        .as_of = rpc_as_of(call, PROTO_Q_LABEL_SEQ, PROTO_Q_LABEL_KNOWN),
        .subjects = page.limit > 0};
    bool good = wanted_read(&page, fault) &&
                lifecycle_label(call->worker->engine, call->scan, &request, &label, fault) &&
                answer_write(&page, fault);
    lifecycle_label_fini(&label);
    measure_policy_destroy(policy);
    return good ? RPC_DONE : RPC_FAILED;
}
