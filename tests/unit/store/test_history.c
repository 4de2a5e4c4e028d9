/* SPDX-License-Identifier: Apache-2.0 */
/* What values were before, held against a model that keeps every state of every account, over
 * folds, restarts, kills and slots given again. Whatever is asked as of a sequence or a time is
 * what the model has for it, or is said not to be kept; and what a fold leaves does not depend on
 * when it was. Then: an older view and a copy. */
#include <stdio.h>

#include "server/store/dump.h"
#include "server/store/past_table.h"
#include "tests/unit/store/past_model.h"

enum { ACCOUNTS = 5, STEPS = 400 / TEST_SHORTER, SOME = 120 };

static struct past_model models[ACCOUNTS];

static const char *name_of(unsigned at)
{
    static const char *const names[ACCOUNTS] = {"h0", "h1", "h2", "h3", "h4"};
    return names[at];
}

/* The same steps whatever is folded when; `folds`: how many steps in a hundred fold or reopen. */
static void run(struct fixture *fixture, uint64_t seed, unsigned steps, unsigned folds,
                bool compare)
{
    uint64_t other = seed + 1;
    struct proto_fault fault;
    memset(models, 0, sizeof models);
    for (unsigned step = 0; step < steps; step++) {
        unsigned at = (unsigned)(past_random(&seed) % ACCOUNTS);
        uint64_t what = past_random(&seed) % 100;
        fixture->now_ms += (int64_t)(past_random(&seed) % 5000) + 1000;
        if (what < 12 || !past_begin(&models[at]).lives) {
            past_step_put(fixture, &models[at], name_of(at), &seed);
        } else if (what < 97) {
            past_step_patch(fixture, &models[at], name_of(at), &seed);
        } else {
            past_step_delete(fixture, &models[at], name_of(at));
        }
        uint64_t fold = past_random(&other) % 100;
        if (fold < folds / 2) {
            assert_true(store_fold_wait(fixture->store, &fault));
        } else if (fold < folds) {
            past_step_reopen(fixture, past_random(&other) % 2 == 0);
        }
        if (compare) {
            past_must_be(viewed(fixture), name_of(at), &models[at], &other);
        }
        if (step % 100 == 0) {
            must_be_sound(fixture);
        }
    }
    assert_true(store_fold_wait(fixture->store, &fault));
    must_be_sound(fixture);
}

static void an_account_is_what_it_was_at_any_moment(void **state)
{
    run(*state, 7, STEPS, 12, true);
    for (unsigned at = 0; at < ACCOUNTS; at++) {
        uint64_t seed = at;
        past_must_be(viewed(*state), name_of(at), &models[at], &seed);
    }
}

static void the_comparison_sees_a_model_that_is_wrong(void **state)
{
    struct fixture *fixture = *state;
    unsigned seen = 0;
    run(fixture, 9, SOME, 5, false);
    for (unsigned at = 0; at < ACCOUNTS; at++) {
        struct past_model *model = &models[at];
        struct past_moment *moment = &model->moments[model->count - (model->count > 1 ? 2 : 1)];
        uint64_t seq = moment->seq;
        if (!past_now(model)->lives || moment->born != past_now(model)->born ||
            moment->seq == past_now(model)->seq) {
            continue;
        }
        assert_true(past_moment_same(viewed(fixture), name_of(at), model, seq, INT64_MAX, false));
        moment->cells[2].value += 1;
        seen += !past_moment_same(viewed(fixture), name_of(at), model, seq, INT64_MAX, false);
        moment->cells[2].value -= 1;
    }
    assert_true(seen > 0);
}

static void what_is_kept_does_not_depend_on_when_it_was_folded(void **state)
{
    struct fixture *fixture = *state;
    int64_t now_ms = fixture->now_ms;
    uint64_t digests[3];
    static const unsigned folds[] = {0, 4, 30};
    for (unsigned i = 0; i < 3; i++) {
        fixture->now_ms = now_ms;
        run(fixture, 21, SOME, folds[i], false);
        digests[i] = past_digest(fixture);
        fixture_fini(fixture);
        fixture_init(fixture);
        fixture_open(fixture);
    }
    assert_true(digests[0] != 0);
    assert_int_equal(digests[0], digests[1]);
    assert_int_equal(digests[0], digests[2]);
}

static void the_oldest_go_and_it_is_said(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    bool gone;
    size_t counts[2];
    for (int folded = 0; folded < 2; folded++) {
        const char *id = folded == 0 ? "often" : "seldom";
        for (int i = 0; i < 900; i += 60) {
            past_put_numbers(fixture, id, i, 60);
            if (folded == 0 && i % 120 == 0) {
                assert_true(store_fold_wait(fixture->store, &fault));
            }
        }
        counts[folded] = past_changes(fixture, id, &gone);
        assert_true(gone);
        assert_true(counts[folded] > 300 && counts[folded] < 899);
        assert_true(store_fold_wait(fixture->store, &fault));
        assert_int_equal(past_changes(fixture, id, &gone), counts[folded]);
    }
    must_be_sound(fixture);
}

static void the_first_put_and_a_value_told_again_write_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    bool gone;
    assert_true(past_put_number(fixture, "a", 5));
    assert_true(past_put_number(fixture, "a", 5));
    assert_int_equal(past_changes(fixture, "a", &gone), 0);
    assert_true(store_fold_wait(fixture->store, &fault));
    assert_int_equal(past_pieces(fixture), 0);
    assert_true(past_put_number(fixture, "a", 6));
    assert_int_equal(past_changes(fixture, "a", &gone), 1);
    must_be_sound(fixture);
}

static void a_late_value_is_kept_once(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    struct store_result result;
    static char texts[PAST_FIELDS][PAST_LONG];
    bool gone;
    for (int i = 0; i < 4; i++) {
        struct past_cell cells[PAST_FIELDS] = {{0}};
        struct feature_value values[PAST_FIELDS];
        cells[0] = (struct past_cell){i == 0 ? 10 : 3, fixture->now_ms - (i == 0 ? 0 : 500000)};
        past_values_fill(values, cells, texts);
        struct feature_record record = past_record("a", values);
        struct store_batch *batch = store_batch_create();
        assert_true(store_batch_patch_record(batch, &record, NULL, 0,
                                             STORE_PATCH_DATED | STORE_PATCH_CREATE, &fault));
        assert_true(store_submit_wait(fixture->store, batch, &result));
        assert_int_equal(past_changes(fixture, "a", &gone), i > 0);
        if (i == 2) {
            assert_true(store_fold_wait(fixture->store, &fault));
        }
    }
    assert_true(number_of(fixture, "a") == 10);
    must_be_sound(fixture);
}

static void an_older_view_keeps_what_it_saw(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    struct store_result result;
    struct store_history history;
    uint64_t begun;
    assert_true(past_put_number(fixture, "a", 1));
    assert_true(past_put_number(fixture, "a", 2));
    struct store_view *old = store_view_open(fixture->store, &fault);
    uint32_t slot = find_id(fixture, "a");
    assert_true(past_put_number(fixture, "a", 3));
    for (int i = 0; i < 2; i++) {
        assert_true(store_history(old, slot, &history, &begun, &fault));
        assert_int_equal(history.count, 1);
        store_history_fini(&history);
        assert_true(store_fold_wait(fixture->store, &fault));
    }
    assert_true(delete_one(fixture, "a", &result));
    assert_true(store_fold_wait(fixture->store, &fault));
    assert_true(store_history(old, slot, &history, &begun, &fault));
    assert_int_equal(history.count, 1);
    store_history_fini(&history);
    store_view_close(old);
    assert_int_equal(past_pieces(fixture), 0); /* it went with the account */
}

static void a_copy_of_the_store_has_the_history(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    struct store_entry entry;
    char path[96];
    bool gone;
    for (int i = 0; i < 50; i++) {
        assert_true(past_put_number(fixture, "a", i));
    }
    (void)snprintf(path, sizeof path, "%s-copy", fixture->path);
    struct store_dump *dump = store_dump_open(fixture->store, &fault);
    struct store_rebuild *rebuild = store_rebuild_open(path, (size_t)1 << 28, &fault);
    assert_true(dump != NULL && rebuild != NULL);
    while (store_dump_next(dump, &entry, &fault) == DISK_GOT_ONE) {
        assert_true(store_rebuild_put(rebuild, &entry, &fault));
    }
    assert_true(store_rebuild_finish(rebuild, &fault));
    store_dump_close(dump);
    uint64_t digest = store_digest(fixture->store, true);
    fixture_close(fixture);
    fixture_remove(fixture->path);
    fixture->options.path = path;
    fixture_open(fixture);
    assert_int_equal(past_changes(fixture, "a", &gone), 49);
    assert_int_equal(store_digest(fixture->store, true), digest);
    fixture_close(fixture);
    fixture_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_account_is_what_it_was_at_any_moment, past_setup,
                                        past_teardown),
        cmocka_unit_test_setup_teardown(the_comparison_sees_a_model_that_is_wrong, past_setup,
                                        past_teardown),
        cmocka_unit_test_setup_teardown(what_is_kept_does_not_depend_on_when_it_was_folded,
                                        past_setup, past_teardown),
        cmocka_unit_test_setup_teardown(the_oldest_go_and_it_is_said, past_setup, past_teardown),
        cmocka_unit_test_setup_teardown(the_first_put_and_a_value_told_again_write_nothing,
                                        past_setup, past_teardown),
        cmocka_unit_test_setup_teardown(a_late_value_is_kept_once, past_setup, past_teardown),
        cmocka_unit_test_setup_teardown(an_older_view_keeps_what_it_saw, past_setup, past_teardown),
        cmocka_unit_test_setup_teardown(a_copy_of_the_store_has_the_history, past_setup,
                                        past_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
