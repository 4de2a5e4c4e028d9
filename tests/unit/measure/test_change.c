/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/math/random.h"
#include "server/measure/change.h"
#include "server/measure/movement.h"

#define DAY MEASURE_DAY_MS
#define CHANGES_MAX 40
#define ACCOUNTS 4
#define SUBSCRIPTIONS 3
#define DAYS 400

/* One stream: changes with late, repeated and taken-back ones among them, in any order. */
struct stream {
    struct measure_change changes[3 * CHANGES_MAX];
    size_t count;
};

static struct measure_change random_change(struct math_random *random, uint64_t id)
{
    int64_t at = (int64_t)math_random_below(random, DAYS);
    return (struct measure_change){
        .id = id,
        .account = (uint32_t)math_random_below(random, ACCOUNTS),
        .subscription = (uint32_t)math_random_below(random, SUBSCRIPTIONS),
        .kind = math_random_below(random, 2) == 0
                    ? MEASURE_CHANGE_SET
                    : (enum measure_change_kind)math_random_below(random, MEASURE_CHANGE_RETRACT),
        .term_months = math_random_below(random, 3) == 0 ? 12 : 1,
        .amount = (int64_t)math_random_below(random, 100000),
        .true_ms = at * DAY,
        .known_ms = (at + (int64_t)math_random_below(random, 60)) * DAY};
}

static void stream_make(struct math_random *random, struct stream *stream)
{
    size_t unique = 1 + math_random_below(random, CHANGES_MAX);
    stream->count = 0;
    for (size_t i = 0; i < unique; i++) {
        struct measure_change change = random_change(random, i);
        stream->changes[stream->count++] = change;
        if (math_random_below(random, 4) == 0) { /* sent again, later */
            change.known_ms += (int64_t)math_random_below(random, 90) * DAY;
            stream->changes[stream->count++] = change;
        }
        if (math_random_below(random, 6) == 0) {
            struct measure_change back = change;
            back.kind = MEASURE_CHANGE_RETRACT;
            back.id = 1000 + i;
            back.retracts = i;
            back.known_ms += (int64_t)math_random_below(random, 90) * DAY;
            stream->changes[stream->count++] = back;
        }
    }
    for (size_t i = stream->count; i > 1; i--) {
        size_t other = math_random_below(random, i);
        struct measure_change kept = stream->changes[i - 1];
        stream->changes[i - 1] = stream->changes[other];
        stream->changes[other] = kept;
    }
}

static struct measure_spells spells_of(const struct stream *stream, int64_t known_ms,
                                       const struct measure_rules *rules)
{
    struct proto_fault fault = {.code = PROTO_OK};
    size_t count = 0;
    struct measure_subscription *subscriptions =
        measure_changes_fold(stream->changes, stream->count, known_ms, &count, &fault);
    assert_non_null(subscriptions);
    struct measure_spells spells;
    if (!measure_spells_make(subscriptions, count, ACCOUNTS, rules, &spells, &fault)) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
    free(subscriptions);
    return spells;
}

/* The oracle: whether a change counts, and what one subscription is worth on a day, both by looking
 * at every change, without sorting and without stretches. */
static bool counts(const struct stream *stream, size_t at, int64_t known_ms)
{
    const struct measure_change *change = &stream->changes[at];
    if (change->known_ms > known_ms || change->kind == MEASURE_CHANGE_RETRACT) {
        return false;
    }
    for (size_t i = 0; i < stream->count; i++) {
        const struct measure_change *other = &stream->changes[i];
        if (other->known_ms > known_ms) {
            continue;
        }
        if (other->kind == MEASURE_CHANGE_RETRACT && other->retracts == change->id) {
            return false;
        }
        /* Of copies the one known first, of equal ones the first in the list. */
        bool copy = other->kind != MEASURE_CHANGE_RETRACT && other->id == change->id && i != at;
        if (copy && (other->known_ms < change->known_ms ||
                     (other->known_ms == change->known_ms && i < at))) {
            return false;
        }
    }
    return true;
}

static int64_t worth(const struct stream *stream, uint32_t account, uint32_t subscription,
                     int64_t at_ms, int64_t known_ms)
{
    bool runs = false;
    bool paused = false;
    int64_t minor = 0;
    bool used[3 * CHANGES_MAX] = {false};
    for (;;) {
        size_t next = SIZE_MAX;
        for (size_t i = 0; i < stream->count; i++) {
            const struct measure_change *c = &stream->changes[i];
            if (used[i] || c->account != account || c->subscription != subscription ||
                c->true_ms > at_ms || !counts(stream, i, known_ms)) {
                continue;
            }
            const struct measure_change *best = next != SIZE_MAX ? &stream->changes[next] : NULL;
            if (best == NULL || c->true_ms < best->true_ms ||
                (c->true_ms == best->true_ms && c->id < best->id)) {
                next = i;
            }
        }
        if (next == SIZE_MAX) {
            return runs && !paused ? minor : 0;
        }
        used[next] = true;
        const struct measure_change *c = &stream->changes[next];
        if (c->kind == MEASURE_CHANGE_SET) {
            paused = runs && paused;
            runs = true;
            minor = (2 * c->amount / c->term_months + 1) / 2;
        } else if (c->kind == MEASURE_CHANGE_END) {
            runs = false;
        } else if (c->kind == MEASURE_CHANGE_PAUSE || c->kind == MEASURE_CHANGE_RESUME) {
            paused = c->kind == MEASURE_CHANGE_PAUSE;
        }
    }
}

/* MRR_end − MRR_start is the sum of the movements, in every period and for every account. */
static void identity_holds(const struct measure_spells *spells, struct math_random *random)
{
    int64_t at = 0;
    while (at < DAYS * DAY) {
        int64_t next = at + (1 + (int64_t)math_random_below(random, 60)) * DAY;
        struct measure_movement all = {0};
        for (uint32_t a = 0; a < ACCOUNTS; a++) {
            struct measure_movement one = {0};
            (void)measure_movement_add(spells, a, at, next, &one);
            (void)measure_movement_add(spells, a, at, next, &all);
            assert_int_equal(one.end - one.start,
                             one.sum[MEASURE_NEW] + one.sum[MEASURE_REACTIVATION] +
                                 one.sum[MEASURE_EXPANSION] - one.sum[MEASURE_CONTRACTION] -
                                 one.sum[MEASURE_CHURN]);
        }
        assert_int_equal(all.end - all.start, all.sum[MEASURE_NEW] + all.sum[MEASURE_REACTIVATION] +
                                                  all.sum[MEASURE_EXPANSION] -
                                                  all.sum[MEASURE_CONTRACTION] -
                                                  all.sum[MEASURE_CHURN]);
        at = next;
    }
}

static void one_stream(struct math_random *random, const struct measure_rules *rules)
{
    struct stream stream;
    stream_make(random, &stream);
    int64_t known = math_random_below(random, 3) == 0
                        ? (int64_t)math_random_below(random, DAYS) * DAY
                        : MEASURE_NEVER;
    struct measure_spells spells = spells_of(&stream, known, rules);
    identity_holds(&spells, random);
    for (int probe = 0; probe < 3; probe++) {
        uint32_t account = (uint32_t)math_random_below(random, ACCOUNTS);
        int64_t at = (int64_t)math_random_below(random, DAYS) * DAY;
        int64_t sum = 0;
        for (uint32_t s = 0; s < SUBSCRIPTIONS; s++) {
            sum += worth(&stream, account, s, at, known);
        }
        assert_int_equal(measure_account_at(&spells, account, at, NULL), sum);
    }
    measure_spells_fini(&spells);
}

/* 3,000 streams; with ICP_LONG=1 the 100,000 that the method promises. */
static void movements_add_up_over_random_streams(void **state)
{
    (void)state;
    struct measure_rules rules;
    struct math_random random;
    measure_rules_default(&rules);
    uint64_t streams = getenv("ICP_LONG") != NULL ? 100000 : 3000;
    for (uint64_t seed = 0; seed < streams; seed++) {
        math_random_init(&random, seed);
        one_stream(&random, &rules);
    }
    print_message("%llu streams\n", (unsigned long long)streams);
}

static struct measure_change set(uint64_t id, int64_t at, int64_t amount)
{
    return (struct measure_change){.id = id,
                                   .kind = MEASURE_CHANGE_SET,
                                   .term_months = 1,
                                   .amount = amount,
                                   .true_ms = at * DAY,
                                   .known_ms = at * DAY};
}

/* A correction restates; the old figure can still be had by what was known. */
static void late_and_corrected_changes_restate_and_the_old_figure_stays(void **state)
{
    (void)state;
    struct measure_rules rules;
    measure_rules_default(&rules);
    struct stream stream = {.count = 3};
    stream.changes[0] = set(1, 0, 1000);
    stream.changes[1] = set(2, 10, 5000);
    stream.changes[1].known_ms = 100 * DAY; /* late */
    stream.changes[2] = (struct measure_change){
        .id = 3, .kind = MEASURE_CHANGE_RETRACT, .retracts = 2, .known_ms = 200 * DAY};
    const int64_t known[] = {50, 150, 250};
    const int64_t right[] = {1000, 5000, 1000};
    for (size_t i = 0; i < 3; i++) {
        struct measure_spells spells = spells_of(&stream, known[i] * DAY, &rules);
        assert_int_equal(measure_account_at(&spells, 0, 20 * DAY, NULL), right[i]);
        measure_spells_fini(&spells);
    }
}

static void a_cancellation_counts_once_and_where_the_definition_says(void **state)
{
    (void)state;
    struct measure_rules rules;
    struct proto_fault fault = {.code = PROTO_OK};
    measure_rules_default(&rules);
    struct stream stream = {.count = 4};
    stream.changes[0] = set(1, 0, 1000);
    stream.changes[1] = set(2, 30, 0);
    stream.changes[1].kind = MEASURE_CHANGE_CANCEL;
    stream.changes[2] = stream.changes[1];
    stream.changes[2].id = 3;
    stream.changes[3] = set(4, 60, 0);
    stream.changes[3].kind = MEASURE_CHANGE_END;
    struct measure_spells spells = spells_of(&stream, MEASURE_NEVER, &rules);
    assert_int_equal(measure_movement_of(&spells, 0, 90 * DAY).sum[MEASURE_CHURN], 1000);
    assert_int_equal(measure_account_at(&spells, 0, 59 * DAY, NULL), 1000);
    measure_spells_fini(&spells);
    assert_true(measure_rules_set_text(&rules, "churn-at=cancel", &fault));
    spells = spells_of(&stream, MEASURE_NEVER, &rules);
    assert_int_equal(measure_account_at(&spells, 0, 29 * DAY, NULL), 1000);
    assert_int_equal(measure_account_at(&spells, 0, 30 * DAY, NULL), 0);
    measure_spells_fini(&spells);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(movements_add_up_over_random_streams),
        cmocka_unit_test(late_and_corrected_changes_restate_and_the_old_figure_stays),
        cmocka_unit_test(a_cancellation_counts_once_and_where_the_definition_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
