/* SPDX-License-Identifier: Apache-2.0 */
/* A ranking that passes over what nobody will take, against one that keeps all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/listing/listing_rank.h"
#include "tests/unit/engine/engine_fixture.h"

enum { ACCOUNTS = 500, ADDED = 60000 };

static struct engine_fixture fixture;
static struct engine_worker *worker;

static int setup(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, ACCOUNTS);
    worker = engine_worker_create(fixture.engine, &fault);
    return worker ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
    return 0;
}

/* Takes `wanted` from both and compares; the one that keeps all is the definition. */
static void compare(size_t wanted, int64_t spread, unsigned order)
{
    struct listing_ranking all = {0};
    struct listing_ranking few = {.wanted = wanted};
    struct proto_fault fault = {0};
    uint64_t seed = 7 + wanted;
    for (int64_t i = 0; i < ADDED; i++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        int64_t raw = (int64_t)((seed >> 20) % (uint64_t)spread) - spread / 2;
        raw = order == 0 ? raw : order == 1 ? i / 3 : -i / 3;
        uint32_t slot = (uint32_t)(i % ACCOUNTS);
        assert_true(listing_ranking_add(&all, slot, raw, &fault));
        assert_true(listing_ranking_add(&few, slot, raw, &fault));
    }
    assert_true(few.count <= all.count);
    for (size_t i = 0; i < wanted; i++) {
        struct listing_ranked a;
        struct listing_ranked b;
        assert_true(listing_ranking_next(&all, worker, &a, &fault));
        assert_true(listing_ranking_next(&few, worker, &b, &fault));
        assert_int_equal(a.raw, b.raw);
        assert_true(a.id.bytes == b.id.bytes && memcmp(a.id.data, b.id.data, a.id.bytes) == 0);
    }
    listing_ranking_fini(&all);
    listing_ranking_fini(&few);
}

static void what_is_wanted_is_the_same_as_if_all_were_kept(void **state)
{
    (void)state;
    static const size_t wanted[] = {1, 2, 100, 5000};
    static const int64_t spreads[] = {1, 3, 1000, INT64_C(1) << 40};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            compare(wanted[i], spreads[j], 0);
        }
        compare(wanted[i], 1, 1);
        compare(wanted[i], 1, 2);
    }
}

static void most_of_what_is_not_wanted_is_passed_over(void **state)
{
    (void)state;
    struct listing_ranking few = {.wanted = 10};
    struct proto_fault fault = {0};
    for (int64_t i = 0; i < ADDED; i++) {
        assert_true(listing_ranking_add(&few, 0, i * 7919 % 65521, &fault));
    }
    assert_true(few.count < ADDED / 8);
    listing_ranking_fini(&few);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wanted_is_the_same_as_if_all_were_kept),
        cmocka_unit_test(most_of_what_is_not_wanted_is_passed_over),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
