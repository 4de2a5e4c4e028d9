/* SPDX-License-Identifier: Apache-2.0 */
/* Who follows commits is told of both ends of each, in order, and of none outside its time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/engine/engine_internal.h"
#include "tests/unit/engine/engine_fixture.h"

enum { TOLD_MAX = 64 };

/* What a follower heard. Written on the writer thread, read between commits. */
struct heard {
    enum store_commit_phase phases[TOLD_MAX];
    uint64_t seqs[TOLD_MAX];
    size_t slots[TOLD_MAX];
    size_t count;
    struct heard *before; /* must have heard as much already */
};

static void hear(void *context, const struct store_commit *commit)
{
    struct heard *heard = context;
    if (heard->count == TOLD_MAX) {
        return;
    }
    if (heard->before) {
        assert_int_equal(heard->before->count, heard->count + 1);
    }
    heard->phases[heard->count] = commit->phase;
    heard->seqs[heard->count] = commit->seq;
    heard->slots[heard->count] = commit->count;
    heard->count++;
}

static void put(struct engine_fixture *fixture, const char *id)
{
    engine_fixture_put(fixture, id, (const char *const[]){"employees", "12", NULL});
}

static void both_ends_are_told_in_the_order_of_joining(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    struct proto_fault fault = {0};
    struct heard first = {0};
    struct heard second = {.before = &first};
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, 0);
    assert_true(engine_follow(fixture.engine, &(struct engine_follower){&first, hear}, &fault));
    assert_true(engine_follow(fixture.engine, &(struct engine_follower){&second, hear}, &fault));
    put(&fixture, "x");
    put(&fixture, "y");
    engine_unfollow(fixture.engine, &second);
    assert_int_equal(first.count, 4);
    assert_int_equal(second.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(second.phases[i], i % 2 == 0 ? STORE_COMMIT_BEGIN : STORE_COMMIT_DONE);
        assert_int_equal(second.slots[i], 1);
    }
    assert_int_equal(second.seqs[1] + 1, second.seqs[3]);
    put(&fixture, "z");
    engine_unfollow(fixture.engine, &first);
    assert_int_equal(first.count, 6);
    assert_int_equal(second.count, 4);
    engine_fixture_close(&fixture);
}

static void a_place_that_is_left_can_be_taken_again(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    struct proto_fault fault = {0};
    struct heard heard[ENGINE_FOLLOWERS_MAX + 1] = {0};
    size_t joined = 0;
    engine_fixture_open(&fixture);
    while (joined <= ENGINE_FOLLOWERS_MAX &&
           engine_follow(fixture.engine, &(struct engine_follower){&heard[joined], hear}, &fault)) {
        joined++;
    }
    /* The scores of the engine follow too, and what is told of how far it is. */
    assert_int_equal(joined, ENGINE_FOLLOWERS_MAX - 2);
    assert_int_equal(fault.code, PROTO_LIMIT);
    engine_unfollow(fixture.engine, &heard[3]);
    engine_unfollow(fixture.engine, &heard[3]); /* not there: nothing happens */
    assert_true(engine_follow(fixture.engine, &(struct engine_follower){&heard[3], hear}, &fault));
    assert_false(engine_follow(fixture.engine, &(struct engine_follower){&heard[3], hear}, &fault));
    engine_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_are_told_in_the_order_of_joining),
        cmocka_unit_test(a_place_that_is_left_can_be_taken_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
