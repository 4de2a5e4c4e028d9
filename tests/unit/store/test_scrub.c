/* SPDX-License-Identifier: Apache-2.0 */
/* A scrub beside a store that goes on: accounts are changed, deleted and folded while it rests, its
 * snapshot moves on, and it finds nothing; an ended one says so. What it finds is the subject of
 * tests/damage and tests/system/test_scrub.py. */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ACCOUNTS = 2400, EACH = 60 };

struct beside {
    struct fixture *fixture;
    int times;
    int end_at; /* the call that ends the scrub; 0: none */
    double done;
    bool logged;
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture_init(&fixture);
    fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    return 0;
}

/* More than a megabyte, so that the scrub looks up from its work. */
static void change(struct fixture *fixture, int first, int end, double number)
{
    char category[800];
    memset(category, 'a', sizeof category - 1);
    category[sizeof category - 1] = '\0';
    for (int i = first; i < end; i += EACH) {
        struct proto_fault fault;
        struct store_result result;
        struct store_batch *batch = store_batch_create();
        for (int j = i; j < i + EACH; j++) {
            struct made made;
            char id[32];
            char key[32];
            snprintf(id, sizeof id, "id%d", j);
            snprintf(key, sizeof key, "crm:%d", j);
            const char *keys[] = {key, NULL};
            make_record(&made, id, keys, number, category);
            assert_true(store_batch_put(batch, made_span(&made), &fault));
        }
        assert_true(store_submit_wait(fixture->store, batch, &result));
    }
}

static bool write_beside(void *context, double done, const char *stage)
{
    struct beside *beside = context;
    struct store_result result;
    struct proto_fault fault;
    beside->logged |= strcmp(stage, "log") == 0;
    assert_true(done >= beside->done && done <= 1);
    beside->done = done;
    if (++beside->times == beside->end_at) {
        return false;
    }
    if (beside->times == 1) {
        change(beside->fixture, ACCOUNTS / 2, ACCOUNTS + EACH, 9);
        assert_true(delete_one(beside->fixture, "id7", &result));
        assert_true(delete_one(beside->fixture, "id2000", &result));
        assert_true(store_fold_wait(beside->fixture->store, &fault));
        /* Longer than a scrub holds one snapshot. */
        nanosleep(&(struct timespec){.tv_sec = 2, .tv_nsec = 100000000}, NULL);
    }
    return true;
}

static void tell(void *context, const char *what)
{
    (void)context;
    print_error("scrub: %s\n", what);
}

static void nothing_is_found_while_folds_go_on(void **state)
{
    struct fixture *fixture = *state;
    struct beside beside = {.fixture = fixture};
    struct proto_fault fault = {.code = PROTO_OK};
    const struct store_scrub_request request = {
        .on_bad = tell, .on_progress = write_beside, .context = &beside};
    change(fixture, 0, ACCOUNTS, 5);
    assert_true(store_fold_wait(fixture->store, &fault));
    assert_int_equal(store_scrub_paced(fixture->store, &request, &fault), 0);
    assert_int_equal(fault.code, PROTO_OK);
    assert_true(beside.times > 1);
    assert_true(beside.logged);
    must_be_sound(fixture);
}

static void an_ended_scrub_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    change(fixture, 0, ACCOUNTS, 5);
    assert_true(store_fold_wait(fixture->store, &fault));
    struct beside beside = {.fixture = fixture, .end_at = 1};
    const struct store_scrub_request request = {
        .on_bad = tell, .on_progress = write_beside, .context = &beside};
    assert_int_equal(store_scrub_paced(fixture->store, &request, &fault), 0);
    assert_int_equal(fault.code, PROTO_CANCELLED);
    assert_int_equal(beside.times, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_found_while_folds_go_on),
        TEST(an_ended_scrub_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
