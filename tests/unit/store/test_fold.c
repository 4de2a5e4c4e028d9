/* SPDX-License-Identifier: Apache-2.0 */
/* Random batches, encoders, folds and crashes against a plain model: whenever a view is looked at,
 * it must hold what the model held at the view's sequence, byte for byte, however old the view is,
 * wherever what it sees lies (tables, sealed or active generation), and whatever was folded since.
 * Which slots the writer gives is heard of each commit: new ones, or such as no view that is held
 * sees an account in; a start after a crash must give the same again.
 * The seed of a failure is printed; ICP_SEED and ICP_ROUNDS choose. */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    IDS = 40,
    KEYS = 30,
    KEYS_EACH = 2,
    SLOTS = 4000,
    VIEWS = 6,
    DOCUMENTS = 200,
    STEPS = 250,
    ROUNDS = 24,
    RECORD_BYTES = 512,
    TOUCHED = 64,
};

struct model_account {
    int id;        /* -1: deleted */
    uint32_t keys; /* bit per key */
    int number;
    uint32_t created_s;
    size_t bytes;
    uint8_t value[STORE_ACCOUNT_HEADER_BYTES + RECORD_BYTES];
};

struct model {
    uint64_t seq;
    uint32_t slots;
    uint32_t accounts;
    uint32_t icps;
    uint32_t active;
    uint32_t switches;
    int slot_of[IDS]; /* -1: none */
    int owner_of[KEYS];
    struct model_account account[SLOTS];
};

struct held_view {
    struct store_view *view;
    struct model *model;
};

struct run {
    struct fixture *fixture;
    struct model *now;
    struct model *tried;
    struct held_view views[VIEWS];
    uint64_t random;
    uint64_t digest;
    uint8_t salt[256];
    uint32_t touched[TOUCHED]; /* by the last commit, as it was told */
    size_t touched_count;
    size_t touched_at; /* next of them that may be a new account's; TOUCHED: they are not known */
    uint64_t given_again;
};

static uint32_t below(struct run *run, uint32_t count)
{
    run->random = run->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((run->random >> 33) % count);
}

static const char *id_text(int id, char text[16])
{
    snprintf(text, 16, "id%d", id);
    return text;
}

static const char *key_text(int key, char text[16])
{
    snprintf(text, 16, "crm:%d", key);
    return text;
}

static void record_of(struct made *made, int id, uint32_t keys, int number)
{
    char id_name[16];
    char names[KEYS][16];
    const char *list[KEYS + 1];
    size_t count = 0;
    for (int key = 0; key < KEYS; key++) {
        if ((keys >> key & 1) != 0) {
            list[count++] = key_text(key, names[key]);
        }
    }
    list[count] = NULL;
    make_record(made, id_text(id, id_name), list, number, "Soft");
}

static void account_write(struct model *model, uint32_t slot, struct proto_span record,
                          uint32_t now_s)
{
    struct model_account *account = &model->account[slot];
    account->bytes = store_account_bytes(record);
    assert_true(account->bytes <= sizeof account->value);
    store_account_encode(account->value, slot, record, account->created_s, now_s);
}

static void keys_set(struct model *model, uint32_t slot, uint32_t keys)
{
    struct model_account *account = &model->account[slot];
    for (int key = 0; key < KEYS; key++) {
        if ((account->keys >> key & 1) != 0 && (keys >> key & 1) == 0) {
            model->owner_of[key] = -1;
        } else if ((keys >> key & 1) != 0) {
            model->owner_of[key] = (int)slot;
        }
    }
    account->keys = keys;
}

static bool keys_free(const struct model *model, int slot, uint32_t keys)
{
    for (int key = 0; key < KEYS; key++) {
        if ((keys >> key & 1) != 0 && model->owner_of[key] != -1 && model->owner_of[key] != slot) {
            return false;
        }
    }
    return true;
}

/* The slot of a new account: the next that the commit touched and that held none before, or, where
 * it is not known yet, the first that was never given. */
static uint32_t new_slot(struct run *run, const struct model *model)
{
    for (; run->touched_at < run->touched_count; run->touched_at++) {
        uint32_t slot = run->touched[run->touched_at];
        if (slot >= run->now->slots || run->now->account[slot].id < 0) {
            run->touched_at++;
            return slot;
        }
    }
    return model->slots;
}

static bool model_put(struct run *run, int id, uint32_t keys, int number, uint32_t now_s)
{
    struct model *model = run->tried;
    struct made made;
    int slot = model->slot_of[id];
    if (!keys_free(model, slot, keys)) {
        return false;
    }
    if (slot < 0) {
        slot = (int)new_slot(run, model);
        assert_true(slot < SLOTS && (uint32_t)slot <= model->slots);
        run->given_again += (uint32_t)slot < model->slots;
        model->slots += (uint32_t)slot == model->slots;
        model->slot_of[id] = slot;
        model->account[slot] = (struct model_account){.id = id, .created_s = now_s};
        model->accounts++;
    }
    keys_set(model, (uint32_t)slot, keys);
    model->account[slot].number = number;
    record_of(&made, id, keys, number);
    account_write(model, (uint32_t)slot, made_span(&made), now_s);
    return true;
}

static bool model_patch(struct model *model, int id, uint32_t keys, int number, uint32_t now_s)
{
    struct store_patch_room room = {0};
    struct made made;
    struct proto_fault fault;
    size_t bytes = 0;
    int slot = model->slot_of[id];
    if (slot < 0 || !keys_free(model, slot, keys)) {
        return false;
    }
    struct model_account *account = &model->account[slot];
    record_of(&made, id, keys, number);
    struct store_command patch = {.kind = STORE_COMMAND_PATCH, .text = made_span(&made)};
    uint8_t *joined = store_patch(&room,
                                  (struct proto_span){account->value + STORE_ACCOUNT_HEADER_BYTES,
                                                      account->bytes - STORE_ACCOUNT_HEADER_BYTES},
                                  &patch, &bytes, &fault);
    assert_non_null(joined);
    keys_set(model, (uint32_t)slot, account->keys | keys);
    account->number = number;
    account_write(model, (uint32_t)slot, (struct proto_span){joined, bytes}, now_s);
    free(joined);
    store_patch_room_fini(&room);
    return true;
}

static void model_delete(struct model *model, int id, uint32_t now_s)
{
    int slot = model->slot_of[id];
    if (slot < 0) {
        return;
    }
    keys_set(model, (uint32_t)slot, 0);
    model->slot_of[id] = -1;
    model->account[slot].id = -1;
    model->accounts--;
    account_write(model, (uint32_t)slot, (struct proto_span){0}, now_s);
}

static uint32_t some_keys(struct run *run)
{
    uint32_t keys = 0;
    for (uint32_t left = below(run, KEYS_EACH + 1); left > 0; left--) {
        keys |= UINT32_C(1) << below(run, KEYS);
    }
    return keys;
}

/* One command into the batch and the model that is tried; false: the batch must be refused. */
static bool add_command(struct run *run, struct store_batch *batch)
{
    struct proto_fault fault;
    struct made made;
    char text[16];
    int id = (int)below(run, IDS);
    int number = (int)below(run, 200);
    uint32_t keys = some_keys(run);
    uint32_t now_s = (uint32_t)(run->fixture->now_ms / 1000);
    switch (below(run, 8)) {
    case 0:
    case 1:
        assert_true(store_batch_delete(batch, span(id_text(id, text)), &fault));
        model_delete(run->tried, id, now_s);
        return true;
    case 2:
    case 3:
        if (run->tried->slot_of[id] < 0 && below(run, 4) != 0) {
            return true; /* not too many that are refused */
        }
        record_of(&made, id, keys, number);
        assert_true(store_batch_patch(batch, made_span(&made), NULL, 0, &fault));
        return model_patch(run->tried, id, keys, number, now_s);
    default:
        record_of(&made, id, keys, number);
        assert_true(store_batch_put(batch, made_span(&made), &fault));
        return model_put(run, id, keys, number, now_s);
    }
}

static void icp_text(uint32_t version, char text[24])
{
    snprintf(text, 24, "icp %u", version);
}

static void add_document(struct run *run, struct store_batch *batch)
{
    struct proto_fault fault;
    char text[24];
    bool activate = below(run, 2) == 0;
    if (run->tried->icps >= DOCUMENTS) {
        return;
    }
    icp_text(++run->tried->icps, text);
    struct store_document document = {.kind = STORE_DOCUMENT_ICP,
                                      .text = span(text),
                                      .activate = activate,
                                      .reason = span("why")};
    assert_true(store_batch_document(batch, &document, &fault));
    if (activate) {
        run->tried->active = run->tried->icps;
        run->tried->switches++;
    }
}

static struct store_batch *batch_make(struct run *run, bool *good)
{
    struct store_batch *batch = store_batch_create();
    *good = true;
    *run->tried = *run->now;
    if (below(run, 10) == 0) {
        add_document(run, batch);
    }
    for (uint32_t left = 1 + below(run, 6); left > 0 && *good; left--) {
        *good = add_command(run, batch);
    }
    run->tried->seq++;
    return batch;
}

static void heard(void *context, const struct store_commit *commit)
{
    struct run *run = context;
    if (commit->phase == STORE_COMMIT_DONE && commit->count > 0) {
        assert_true(commit->count < TOUCHED);
        memcpy(run->touched, commit->slots, commit->count * sizeof *commit->slots);
        run->touched_count = commit->count;
    }
}

/* No view that is held sees an account where the commit put a new one. */
static void check_given(const struct run *run)
{
    for (size_t i = 0; i < run->touched_count; i++) {
        uint32_t slot = run->touched[i];
        bool again = slot < run->now->slots && run->now->account[slot].id < 0;
        for (int j = 0; again && j < VIEWS; j++) {
            const struct model *seen = run->views[j].model;
            assert_true(run->views[j].view == NULL || slot >= seen->slots ||
                        seen->account[slot].id < 0);
        }
    }
}

static void step_batch(struct run *run)
{
    struct store_result result;
    bool good;
    uint64_t random = run->random;
    run->fixture->now_ms += 700;
    store_view_rest(run->fixture->view);
    run->touched_count = 0;
    run->touched_at = TOUCHED;
    struct store_batch *batch = batch_make(run, &good);
    assert_int_equal(store_submit_wait(run->fixture->store, batch, &result), good);
    if (!good) {
        return;
    }
    assert_int_equal(result.seq, run->tried->seq);
    check_given(run);
    /* The same again, now that its slots are known. */
    run->random = random;
    run->touched_at = 0;
    store_batch_destroy(batch_make(run, &good));
    struct model *was = run->now;
    run->now = run->tried;
    run->tried = was;
}

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
        struct proto_span name = span(id_text(id, text));
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
            assert_int_equal(store_find_key(view, span(key_text(key, text)), &fault), expected);
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
        icp_text(version, expected);
        assert_true(store_document_get(view, STORE_DOCUMENT_ICP, version, &change, &fault));
        assert_true(proto_span_is(change.text, expected));
    }
    assert_false(store_document_get(view, STORE_DOCUMENT_ICP, model->icps + 1, &change, &fault));
    assert_true(store_switches(view, count_switch, &switches, &fault));
    assert_int_equal(switches, model->switches);
}

static void check_view(const struct run *run, struct store_view *view, const struct model *model)
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
            assert_int_equal(record.bytes, account->bytes - STORE_ACCOUNT_HEADER_BYTES);
            assert_memory_equal(record.data, account->value + STORE_ACCOUNT_HEADER_BYTES,
                                record.bytes);
        }
        check_row(run, view, account, slot);
    }
    check_rows(view, model);
}

static void views_close(struct run *run)
{
    for (int i = 0; i < VIEWS; i++) {
        store_view_close(run->views[i].view);
        run->views[i].view = NULL;
    }
}

static void step_view(struct run *run)
{
    struct held_view *held = &run->views[below(run, VIEWS)];
    struct proto_fault fault;
    if (held->view == NULL) {
        held->view = store_view_open(run->fixture->store, &fault);
        assert_non_null(held->view);
        *held->model = *run->now;
    } else if (below(run, 3) == 0) {
        if (below(run, 2) == 0) {
            store_view_rest(held->view);
        }
        assert_true(store_view_refresh(held->view, &fault));
        *held->model = *run->now;
    }
    check_view(run, held->view, held->model);
}

static void step_encoder(struct run *run)
{
    run->digest = 1 + below(run, 250);
    struct store_encoder encoder =
        fixture_encoder(run->digest, 40 + below(run, 3) * 20, &run->salt[run->digest]);
    store_set_encoder(run->fixture->store, &encoder);
}

/* Closes without folding what is in memory, as a kill would leave it, or properly. */
static void step_reopen(struct run *run, bool abandon)
{
    struct fixture *fixture = run->fixture;
    views_close(run);
    fixture->store->tuning.abandon = abandon;
    fixture_close(fixture);
    fixture_open(fixture);
    run->digest = 0;
    if (below(run, 2) == 0) {
        must_be_sound(fixture);
    }
    check_view(run, viewed(fixture), run->now);
}

static void ignore_change(void *context, const struct store_change *change)
{
    (void)context;
    (void)change;
}

static void run_begin(struct run *run, struct fixture *fixture, uint64_t seed)
{
    *run = (struct run){.fixture = fixture, .random = seed};
    run->now = calloc(1, sizeof *run->now);
    run->tried = calloc(1, sizeof *run->tried);
    assert_true(run->now != NULL && run->tried != NULL);
    for (int i = 0; i < VIEWS; i++) {
        run->views[i].model = calloc(1, sizeof(struct model));
        assert_non_null(run->views[i].model);
    }
    for (int i = 0; i < IDS; i++) {
        run->now->slot_of[i] = -1;
    }
    for (int i = 0; i < KEYS; i++) {
        run->now->owner_of[i] = -1;
    }
    for (size_t i = 0; i < sizeof run->salt; i++) {
        run->salt[i] = (uint8_t)(i * 7);
    }
    fixture_init(fixture);
    fixture->options.on_change = ignore_change;
    fixture->options.on_commit = heard;
    fixture->options.commit_context = run;
    fixture->options.fold_bytes = 1 << (15 + below(run, 4));
    fixture->tuning.hash_mask = below(run, 2) == 0 ? 0 : 7; /* texts collide */
    fixture_open(fixture);
}

static void run_end(struct run *run)
{
    views_close(run);
    fixture_fini(run->fixture);
    free(run->now);
    free(run->tried);
    for (int i = 0; i < VIEWS; i++) {
        free(run->views[i].model);
    }
}

static void run_steps(struct run *run, int steps)
{
    struct proto_fault fault;
    for (int step = 0; step < steps; step++) {
        switch (below(run, 24)) {
        case 0:
            if (run->digest == 0) { /* a fold may wait for the first encoder after a start */
                step_encoder(run);
            }
            assert_true(store_fold_wait(run->fixture->store, &fault));
            break;
        case 1:
            step_encoder(run);
            break;
        case 2:
            if (below(run, 4) == 0) {
                step_reopen(run, below(run, 3) != 0);
            }
            break;
        case 3:
        case 4:
        case 5:
        case 6:
        case 7:
            step_view(run);
            break;
        default:
            step_batch(run);
        }
    }
    step_reopen(run, true);
    step_reopen(run, false);
}

static void every_view_equals_the_model_at_its_sequence(void **state)
{
    static struct fixture fixture;
    static struct run run;
    const char *given = getenv("ICP_SEED");
    const char *rounds = getenv("ICP_ROUNDS");
    uint64_t first = given == NULL ? 1 : strtoull(given, NULL, 10);
    uint64_t count = rounds == NULL ? ROUNDS / TEST_SHORTER + 1 : strtoull(rounds, NULL, 10);
    uint64_t given_again = 0;
    (void)state;
    for (uint64_t seed = first; seed < first + count; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        run_begin(&run, &fixture, seed);
        run_steps(&run, STEPS);
        given_again += run.given_again;
        run_end(&run);
    }
    assert_true(given_again > 0);
}

/* The control: with another truth about one code the comparison must fail. */
static void the_comparison_sees_a_wrong_row(void **state)
{
    static struct fixture fixture;
    static struct run run;
    (void)state;
    run_begin(&run, &fixture, 1);
    step_encoder(&run);
    settle(&fixture, run.digest);
    for (int i = 0; i < 20; i++) {
        step_batch(&run);
    }
    uint32_t living = 0;
    while (living < run.now->slots && run.now->account[living].id < 0) {
        living++;
    }
    assert_true(living < run.now->slots);
    struct proto_fault fault;
    const uint8_t *codes = store_row(viewed(&fixture), living, &fault);
    assert_non_null(codes);
    run.now->account[living].number++;
    assert_int_not_equal(codes[0], run.now->account[living].number);
    run_end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_comparison_sees_a_wrong_row),
        cmocka_unit_test(every_view_equals_the_model_at_its_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
