/* SPDX-License-Identifier: Apache-2.0 */
/* Random batches, encoders, folds and crashes against a plain model: whenever a view is looked at,
 * it must hold what the model held at the view's sequence, byte for byte, however old the view is,
 * wherever what it sees lies (tables, sealed or active generation), and whatever was folded since.
 * Which slots the writer gives is heard of each commit: new ones, or such as no view that is held
 * sees an account in; a start after a crash must give the same again.
 * The seed of a failure is printed; ICP_SEED and ICP_ROUNDS choose. */
#include "tests/unit/store/fold_model.h"

#include <stdio.h>
#include <stdlib.h>

static uint32_t some_keys(struct run *run)
{
    uint32_t keys = 0;
    for (uint32_t left = fold_draw(run, KEYS_EACH + 1); left > 0; left--) {
        keys |= UINT32_C(1) << fold_draw(run, KEYS);
    }
    return keys;
}

/* One command into the batch and the model that is tried; false: the batch must be refused. */
static bool add_command(struct run *run, struct store_batch *batch)
{
    struct proto_fault fault;
    struct made made;
    char text[16];
    int id = (int)fold_draw(run, IDS);
    int number = (int)fold_draw(run, 200);
    uint32_t keys = some_keys(run);
    uint32_t now_s = (uint32_t)(run->fixture->now_ms / 1000);
    switch (fold_draw(run, 8)) {
    case 0:
    case 1:
        assert_true(store_batch_delete(batch, span(fold_id(id, text)), &fault));
        fold_delete(run->tried, id, now_s);
        return true;
    case 2:
    case 3:
        if (run->tried->slot_of[id] < 0 && fold_draw(run, 4) != 0) {
            return true; /* not too many that are refused */
        }
        fold_record(&made, id, keys, number);
        assert_true(store_batch_patch(batch, made_span(&made), NULL, 0, &fault));
        return fold_patch(run->tried, id, keys, number, now_s);
    default:
        fold_record(&made, id, keys, number);
        assert_true(store_batch_put(batch, made_span(&made), &fault));
        return fold_put(run, id, keys, number, now_s);
    }
}

static void add_document(struct run *run, struct store_batch *batch)
{
    struct proto_fault fault;
    char text[24];
    bool activate = fold_draw(run, 2) == 0;
    if (run->tried->icps >= DOCUMENTS) {
        return;
    }
    fold_icp(++run->tried->icps, text);
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
    if (fold_draw(run, 10) == 0) {
        add_document(run, batch);
    }
    for (uint32_t left = 1 + fold_draw(run, 6); left > 0 && *good; left--) {
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

static void views_close(struct run *run)
{
    for (int i = 0; i < VIEWS; i++) {
        store_view_close(run->views[i].view);
        run->views[i].view = NULL;
    }
}

static void step_view(struct run *run)
{
    struct held_view *held = &run->views[fold_draw(run, VIEWS)];
    struct proto_fault fault;
    if (held->view == NULL) {
        held->view = store_view_open(run->fixture->store, &fault);
        assert_non_null(held->view);
        *held->model = *run->now;
    } else if (fold_draw(run, 3) == 0) {
        if (fold_draw(run, 2) == 0) {
            store_view_rest(held->view);
        }
        assert_true(store_view_refresh(held->view, &fault));
        *held->model = *run->now;
    }
    fold_check(run, held->view, held->model);
}

static void step_encoder(struct run *run)
{
    run->digest = 1 + fold_draw(run, 250);
    struct store_encoder encoder =
        fixture_encoder(run->digest, 40 + fold_draw(run, 3) * 20, &run->salt[run->digest]);
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
    if (fold_draw(run, 2) == 0) {
        must_be_sound(fixture);
    }
    fold_check(run, viewed(fixture), run->now);
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
    fixture->options.fold_bytes = 1 << (15 + fold_draw(run, 4));
    fixture->tuning.hash_mask = fold_draw(run, 2) == 0 ? 0 : 7; /* texts collide */
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
        switch (fold_draw(run, 24)) {
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
            if (fold_draw(run, 4) == 0) {
                step_reopen(run, fold_draw(run, 3) != 0);
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
