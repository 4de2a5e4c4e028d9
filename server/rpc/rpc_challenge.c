/* SPDX-License-Identifier: Apache-2.0 */
/* challenge, challenge-try, challenge-show and challenge-list: on the lane SCAN. A challenge is
 * worked out, kept unless it is only tried, and answered as it is kept; so a list shows what was
 * answered. What is damaged is counted by a list, and told by its number when it is asked for. */
#include "server/dispute/challenge_record.h"
#include "server/dispute/dispute_label.h"
#include "server/rpc/shape_write.h"
#include "server/rpc/write.h"

/* challenge-try has the fields of a challenge up to its note, in their order. */
static_assert((int)PROTO_Q_CHALLENGE_ICP == (int)PROTO_Q_CHALLENGE_TRY_ICP &&
                  (int)PROTO_Q_CHALLENGE_CONDITION == (int)PROTO_Q_CHALLENGE_TRY_CONDITION &&
                  (int)PROTO_Q_CHALLENGE_FIELD == (int)PROTO_Q_CHALLENGE_TRY_FIELD &&
                  (int)PROTO_Q_CHALLENGE_CLAIM == (int)PROTO_Q_CHALLENGE_TRY_CLAIM &&
                  (int)PROTO_Q_CHALLENGE_SLICE == (int)PROTO_Q_CHALLENGE_TRY_SLICE &&
                  (int)PROTO_Q_CHALLENGE_PERIOD == (int)PROTO_Q_CHALLENGE_TRY_PERIOD &&
                  (int)PROTO_Q_CHALLENGE_OUTCOME == (int)PROTO_Q_CHALLENGE_TRY_OUTCOME &&
                  (int)PROTO_Q_CHALLENGE_MARGIN == (int)PROTO_Q_CHALLENGE_TRY_MARGIN,
              "both operations have the same claim");

static bool claim_read(const struct rpc_call *call, struct dispute_claim *claim,
                       struct proto_fault *fault)
{
    *claim = (struct dispute_claim){
        .icp = rpc_arg_uint(call, PROTO_Q_CHALLENGE_ICP),
        .condition = rpc_arg_text(call, PROTO_Q_CHALLENGE_CONDITION),
        .field = rpc_arg_text(call, PROTO_Q_CHALLENGE_FIELD),
        .slice = rpc_arg_text(call, PROTO_Q_CHALLENGE_SLICE),
        .period = rpc_arg_text(call, PROTO_Q_CHALLENGE_PERIOD),
        .outcome = rpc_arg_text(call, PROTO_Q_CHALLENGE_OUTCOME),
        .margin = rpc_arg_number(call, PROTO_Q_CHALLENGE_MARGIN),
    };
    struct proto_span word = rpc_arg_text(call, PROTO_Q_CHALLENGE_CLAIM);
    if (!dispute_text_kept(claim->condition, "condition", fault) ||
        !dispute_text_kept(claim->field, "field", fault) ||
        !dispute_text_kept(claim->slice, "slice", fault) ||
        !dispute_text_kept(claim->period, "period", fault) ||
        !dispute_text_kept(claim->outcome, "outcome", fault)) {
        return false;
    }
    return word.bytes == 0 || dispute_claimed_read(word, &claim->claimed) ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "claim", "a claim is in, out or either");
}

static json_t *challenge_hear(struct rpc_call *call, const struct dispute_claim *claim,
                              const char *by, struct proto_span note, struct proto_fault *fault)
{
    struct engine_worker *worker = call->worker->engine;
    struct dispute_finding finding;
    uint64_t seq = engine_worker_seq(worker);
    if (!dispute_challenge(call->worker->rpc->options.dispute, worker, call->scan, claim, &finding,
                           fault)) {
        return NULL;
    }
    json_t *record = dispute_record_make(claim, &finding, by, note, seq, fault);
    dispute_finding_fini(&finding);
    return record;
}

/* The challenge that the operation kept before, or a new one that is kept now. */
static json_t *challenge_keep(struct rpc_call *call, struct dispute_recorded *recorded,
                              struct proto_fault *fault)
{
    struct engine_worker *worker = call->worker->engine;
    struct engine_operation operation = rpc_operation(call, PROTO_Q_CHALLENGE_OPERATION);
    struct dispute_claim claim;
    struct engine_written before;
    if (!claim_read(call, &claim, fault) ||
        !dispute_text_kept(rpc_arg_text(call, PROTO_Q_CHALLENGE_NOTE), "note", fault) ||
        !engine_operation_find(worker->engine, &operation, &before, fault)) {
        return NULL;
    }
    if (before.repeated) {
        *recorded = (struct dispute_recorded){before.version, before.seq, true};
        return engine_worker_refresh(worker, fault)
                   ? dispute_record_read(worker, before.version, fault)
                   : NULL;
    }
    json_t *record = challenge_hear(call, &claim, operation.author,
                                    rpc_arg_text(call, PROTO_Q_CHALLENGE_NOTE), fault);
    if (record != NULL && !dispute_record_store(worker, &record, &operation, recorded, fault)) {
        json_decref(record);
        return NULL;
    }
    return record;
}

enum rpc_outcome rpc_on_CHALLENGE(struct rpc_call *call, struct proto_fault *fault)
{
    struct dispute_recorded recorded = {0};
    json_t *record = challenge_keep(call, &recorded, fault);
    if (record == NULL) {
        return RPC_FAILED;
    }
    proto_write_map(call->out, 2U + recorded.repeated);
    rpc_key(call->out, call->op, PROTO_A_CHALLENGE_CHALLENGE);
    rpc_shape_write(call->out, PROTO_SHAPE_CHALLENGE, record);
    rpc_put_uint(call->out, call->op, PROTO_A_CHALLENGE_SEQ, recorded.seq);
    rpc_put_repeated(call->out, call->op, PROTO_A_CHALLENGE_REPEATED, recorded.repeated);
    json_decref(record);
    return RPC_DONE;
}

enum rpc_outcome rpc_on_CHALLENGE_TRY(struct rpc_call *call, struct proto_fault *fault)
{
    struct dispute_claim claim;
    json_t *record = claim_read(call, &claim, fault)
                         ? challenge_hear(call, &claim, "", (struct proto_span){0}, fault)
                         : NULL;
    if (record == NULL) {
        return RPC_FAILED;
    }
    proto_write_map(call->out, 1);
    rpc_key(call->out, call->op, PROTO_A_CHALLENGE_TRY_CHALLENGE);
    rpc_shape_write(call->out, PROTO_SHAPE_CHALLENGE, record);
    json_decref(record);
    return RPC_DONE;
}

enum rpc_outcome rpc_on_CHALLENGE_SHOW(struct rpc_call *call, struct proto_fault *fault)
{
    uint64_t number = rpc_arg_uint(call, PROTO_Q_CHALLENGE_SHOW_NUMBER);
    bool again = rpc_arg_flag(call, PROTO_Q_CHALLENGE_SHOW_AGAIN);
    json_t *record = dispute_record_read(call->worker->engine, (uint32_t)number, fault);
    json_t *now = NULL;
    if (record != NULL && again) {
        struct dispute_claim claim;
        dispute_record_claim(record, &claim);
        claim.icp = rpc_arg_uint(call, PROTO_Q_CHALLENGE_SHOW_ICP);
        now = challenge_hear(call, &claim, "", (struct proto_span){0}, fault);
    }
    bool ok = record != NULL && (now != NULL || !again);
    if (ok) {
        proto_write_map(call->out, 1U + again);
        rpc_key(call->out, call->op, PROTO_A_CHALLENGE_SHOW_CHALLENGE);
        rpc_shape_write(call->out, PROTO_SHAPE_CHALLENGE, record);
    }
    if (ok && again) {
        rpc_key(call->out, call->op, PROTO_A_CHALLENGE_SHOW_NOW);
        rpc_shape_write(call->out, PROTO_SHAPE_CHALLENGE, now);
    }
    json_decref(now);
    json_decref(record);
    return ok ? RPC_DONE : RPC_FAILED;
}

struct page {
    json_t **records; /* in the arena; count of them */
    size_t count;
    uint64_t damaged;
    uint32_t next; /* 0: no more */
};

/* Those below `before`, the newest first, at most `limit`. */
static bool page_read(struct rpc_call *call, size_t limit, struct page *page,
                      struct proto_fault *fault)
{
    struct engine_worker *worker = call->worker->engine;
    const struct proto_arg *asked = &call->args[PROTO_Q_CHALLENGE_LIST_BEFORE];
    json_int_t icp = (json_int_t)rpc_arg_uint(call, PROTO_Q_CHALLENGE_LIST_ICP);
    uint32_t number = dispute_record_count(worker);
    number = asked->present && asked->uint <= number ? (uint32_t)asked->uint - 1 : number;
    for (; number > 0 && page->count < limit; number--) {
        struct proto_fault local = {.code = PROTO_OK};
        json_t *record = dispute_record_read(worker, number, &local);
        if ((record == NULL && local.code != PROTO_CORRUPT) ||
            !engine_scan_goes_on(call->scan, &local)) {
            json_decref(record);
            *fault = local;
            return false;
        }
        page->damaged += record == NULL;
        if (record != NULL &&
            (icp == 0 || json_integer_value(json_object_get(record, "icp")) == icp)) {
            page->records[page->count++] = record;
        } else {
            json_decref(record);
        }
    }
    page->next = number > 0 ? number + 1 : 0;
    return true;
}

static void page_put(struct rpc_call *call, const struct page *page)
{
    proto_write_map(call->out, 1U + (page->damaged > 0) + (page->next > 0));
    rpc_key(call->out, call->op, PROTO_A_CHALLENGE_LIST_CHALLENGES);
    proto_write_array(call->out, page->count);
    for (size_t i = 0; i < page->count; i++) {
        rpc_shape_write(call->out, PROTO_SHAPE_CHALLENGE, page->records[i]);
    }
    if (page->damaged > 0) {
        rpc_put_uint(call->out, call->op, PROTO_A_CHALLENGE_LIST_DAMAGED, page->damaged);
    }
    if (page->next > 0) {
        rpc_put_uint(call->out, call->op, PROTO_A_CHALLENGE_LIST_NEXT, page->next);
    }
}

enum rpc_outcome rpc_on_CHALLENGE_LIST(struct rpc_call *call, struct proto_fault *fault)
{
    size_t limit = (size_t)rpc_arg_uint(call, PROTO_Q_CHALLENGE_LIST_LIMIT);
    struct page page = {.records =
                            base_arena_array(&call->worker->arena, limit, sizeof *page.records)};
    if (page.records == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "limit", "no memory for the challenges");
        return RPC_FAILED;
    }
    bool ok = page_read(call, limit, &page, fault);
    if (ok) {
        page_put(call, &page);
    }
    for (size_t i = 0; i < page.count; i++) {
        json_decref(page.records[i]);
    }
    return ok ? RPC_DONE : RPC_FAILED;
}
