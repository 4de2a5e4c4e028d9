/* SPDX-License-Identifier: Apache-2.0 */
/* Counts, every text by every way that leads to it, documents, then each account with its row, and
 * rows as a walk sees them. */
#include "tests/unit/store/fold_model.h"

static void check_row(const struct run *run, struct store_view *view,
                      const struct model_account *account, uint32_t slot)
{
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t digest = store_view_rows_digest(view);
    const uint8_t *codes = store_row(view, slot, &fault);
    assert_int_equal(fault.code, PROTO_OK);
    if (account->id < 0 || digest == 0) {
        assert_null(codes);
    } else if (slot < store_view_rows_slots(view)) {
        assert_non_null(codes);
    }
    if (codes == NULL) {
        return;
    }
    assert_int_equal(codes[0], account->number);
    assert_int_equal(codes[1], 'S');
    assert_int_equal(codes[2], run->salt[digest]);
}

static void check_rows(struct store_view *view, const struct model *model)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_rows rows;
    for (uint32_t slot = 0; store_rows(view, slot, &rows, &fault); slot += rows.count) {
        assert_int_equal(rows.damaged, 0);
        for (uint32_t i = 0; i < rows.count; i++) {
            const struct model_account *account = &model->account[slot + i];
            assert_int_equal(rows.living >> i & 1, account->id >= 0);
            if (account->id >= 0) {
                assert_int_equal(rows.codes[i * rows.stride], account->number);
            }
        }
    }
    assert_int_equal(fault.code, PROTO_OK);
}

/* A text that is not there may take the answer of one that has its hash: with 64 bits none has. */
static void check_texts(struct store_view *view, const struct model *model, bool collide)
{
    struct proto_fault fault = {.code = PROTO_OK};
    char text[16];
    uint32_t slot;
    const uint8_t *row;
    for (int id = 0; id < IDS; id++) {
        uint32_t expected = model->slot_of[id] < 0 ? STORE_NO_SLOT : (uint32_t)model->slot_of[id];
        struct proto_span name = span(fold_id(id, text));
        if (collide && expected == STORE_NO_SLOT) {
            continue;
        }
        assert_int_equal(store_find_id(view, name, &fault), expected);
        store_find_many(view, &name, 1, &slot, &row);
        assert_int_equal(slot, expected);
    }
    for (int key = 0; key < KEYS; key++) {
        uint32_t expected =
            model->owner_of[key] < 0 ? STORE_NO_SLOT : (uint32_t)model->owner_of[key];
        if (!collide || expected != STORE_NO_SLOT) {
            assert_int_equal(store_find_key(view, span(fold_key(key, text)), &fault), expected);
        }
    }
    assert_int_equal(fault.code, PROTO_OK);
}

static void count_switch(void *context, const struct store_change *change)
{
    (void)change;
    ++*(uint32_t *)context;
}

static void check_documents(struct store_view *view, const struct model *model)
{
    struct proto_fault fault;
    struct store_change change;
    char expected[24];
    uint32_t switches = 0;
    for (uint32_t version = 1; version <= model->icps; version++) {
        fold_icp(version, expected);
        assert_true(store_document_get(view, STORE_DOCUMENT_ICP, version, &change, &fault));
        assert_true(proto_span_is(change.text, expected));
    }
    assert_false(store_document_get(view, STORE_DOCUMENT_ICP, model->icps + 1, &change, &fault));
    assert_true(store_switches(view, count_switch, &switches, &fault));
    assert_int_equal(switches, model->switches);
}

void fold_check(const struct run *run, struct store_view *view, const struct model *model)
{
    assert_int_equal(store_view_seq(view), model->seq);
    assert_int_equal(store_view_slots(view), model->slots);
    assert_int_equal(store_view_accounts(view), model->accounts);
    check_texts(view, model, run->fixture->tuning.hash_mask != 0);
    check_documents(view, model);
    for (uint32_t slot = 0; slot < model->slots; slot++) {
        const struct model_account *account = &model->account[slot];
        struct proto_fault fault = {.code = PROTO_OK};
        struct proto_span record;
        bool found = store_record(view, slot, &record, &fault);
        assert_int_equal(found, account->id >= 0);
        assert_int_equal(fault.code, found ? PROTO_OK : PROTO_NOT_FOUND);
        if (found) {
            assert_true(proto_span_equal(
                record, store_account_record((struct proto_span){account->value, account->bytes})));
        }
        check_row(run, view, account, slot);
    }
    check_rows(view, model);
}
