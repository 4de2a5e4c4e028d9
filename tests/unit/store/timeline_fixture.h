/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of timelines share: a store that is open, events by number, and how many an account
 * has.
 *
 * Ownership: setup makes the fixture, teardown frees it. Errors: the test fails. Threads: one. */
#ifndef TESTS_UNIT_STORE_TIMELINE_FIXTURE_H
#define TESTS_UNIT_STORE_TIMELINE_FIXTURE_H

#include "tests/unit/store/store_fixture.h"

#include <stdlib.h>

#include "server/store/store_event.h"
#include "tests/unit/event/event_fixture.h"

static inline int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture_init(fixture);
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static inline int teardown(void **state)
{
    fixture_fini(*state);
    free(*state);
    return 0;
}

/* The event of that number, always the same; its id lies in `id`. */
static inline struct event event_number_of(uint64_t number, char id[24])
{
    uint64_t seed = number * 1000003;
    return event_of(&seed, number, id);
}

static inline bool append(struct fixture *fixture, const char *account, const uint64_t *numbers,
                          size_t count, struct store_result *result)
{
    struct proto_fault fault;
    struct store_batch *batch = store_batch_create();
    for (size_t i = 0; i < count; i++) {
        char id[24];
        struct event event = event_number_of(numbers[i], id);
        assert_true(store_batch_event(batch, span(account), false, &event, &fault));
    }
    return store_submit_wait(fixture->store, batch, result);
}

static inline bool count_each(void *context, const struct event *event)
{
    (void)event;
    ++*(size_t *)context;
    return true;
}

static inline size_t count_of(struct fixture *fixture, const char *account)
{
    struct proto_fault fault;
    size_t count = 0;
    assert_true(
        store_timeline(viewed(fixture), find_id(fixture, account), count_each, &count, &fault));
    return count;
}

#endif
