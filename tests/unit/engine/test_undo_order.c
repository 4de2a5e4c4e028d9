/* SPDX-License-Identifier: Apache-2.0 */
/* Several imports that are taken back in random orders, with tellings between, against what is
 * worked out without them, with a control. */
#include "tests/unit/engine/undo_fixture.h"

#include <stdio.h>
#include <stdlib.h>

/* All tellings of a field in order, by whom and when true; nobody's are those of NOBODY. */
enum { IMPORTS = 4, NOBODY = IMPORTS, ORDERS = 4, STEPS = 44, WORDS = STEPS * 2 };
struct word {
    int writer, value;
    int64_t time_ms;
};
struct words {
    struct word list[WORDS];
    int count;
};

/* What the field is by the words of those who are not gone: the newest in time, the last of those.
 */
static int words_without(const struct words *words, unsigned gone)
{
    struct word now = {.time_ms = INT64_MIN};
    for (int i = 0; i < words->count; i++) {
        const struct word *word = &words->list[i];
        now = (gone >> word->writer & 1U) == 0 && word->time_ms >= now.time_ms ? *word : now;
    }
    return now.value;
}

/* The control: what an undo gives back counts as told by nobody, as it once did. */
static void words_back_naive(struct words *words, int writer)
{
    int at = words->count;
    while (at > 0 && words->list[at - 1].writer == writer) {
        at--;
    }
    if (at < words->count) {
        int before = at > 0 ? words->list[at - 1].value : 0;
        words->list[words->count++] = (struct word){NOBODY, before, fixture.now_ms};
    }
}

struct order {
    uint32_t seed;
    int round;
    bool dated;
    int step;
    unsigned gone;
    struct words words[ACCOUNTS][FIELDS], naive[ACCOUNTS][FIELDS];
    int naive_wrong;
};

/* A value for the field that can be told apart: that somebody repeated one between two others who
 * told it leaves no trace (docs/imports.md), nor does a late one that is the same. */
static int order_value(struct order *order, const struct words *words, bool late)
{
    int value = 1 + random_of(&order->seed, 5);
    int shown = words_without(words, order->gone);
    bool twice = words->count > 1 && words->list[words->count - 2].value == value;
    if (value == shown && (late || order->dated || order->gone != 0 || twice)) {
        value = 1 + value % 5;
    }
    return value;
}

static void order_tell(struct order *order)
{
    char import[32];
    char ids[ACCOUNTS][32];
    struct telling told[ACCOUNTS];
    size_t count = 0;
    int writer = random_of(&order->seed, IMPORTS + 1);
    /* No two times are the same: of those it is not told who was late. */
    int64_t ago_ms = order->dated ? 1 + 1000 * random_of(&order->seed, 12) + order->step++ : 0;
    if ((order->gone >> writer & 1U) != 0) {
        return;
    }
    for (int i = 0; i < ACCOUNTS; i++) {
        if (random_of(&order->seed, 4) != 0) {
            continue;
        }
        (void)snprintf(ids[count], sizeof ids[count], "o%d-%d-%d", order->dated, order->round, i);
        told[count] = (struct telling){.id = ids[count], .ago_ms = ago_ms};
        for (int f = 0; f < FIELDS; f++) {
            struct words *words = &order->words[i][f];
            const struct word word = {writer, order_value(order, words, ago_ms > 0),
                                      fixture.now_ms + 1000 - ago_ms};
            if (random_of(&order->seed, 3) != 0) {
                told[count].values[f] = word.value;
                words->list[words->count++] = word;
                order->naive[i][f].list[order->naive[i][f].count++] = word;
            }
        }
        count++;
    }
    (void)snprintf(import, sizeof import, "order-%d-%d-%d", order->dated, order->round, writer);
    if (count > 0) {
        tell(writer == NOBODY ? NULL : import, told, count, writer % 2 == 0 ? "crm" : "billing");
    }
}

static void order_check(struct order *order, int last)
{
    for (int i = 0; i < ACCOUNTS; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "o%d-%d-%d", order->dated, order->round, i);
        for (int f = 0; f < FIELDS; f++) {
            const struct words *naive = &order->naive[i][f];
            int expected = words_without(&order->words[i][f], order->gone);
            int value = value_of(id, f);
            if ((value == -1 ? 0 : value) != expected) {
                fail_msg("round %d, dated %d, after the undo of %d, gone %x: %s, field %d: %d, not "
                         "%d",
                         order->round, order->dated, last, order->gone, id, f, value, expected);
            }
            order->naive_wrong +=
                naive->count > 0 && naive->list[naive->count - 1].value != expected;
        }
    }
}

static void order_undo(struct order *order)
{
    char import[32];
    int writer = random_of(&order->seed, IMPORTS);
    (void)snprintf(import, sizeof import, "order-%d-%d-%d", order->dated, order->round, writer);
    if ((order->gone >> writer & 1U) != 0 || undo(import, false, NULL).state != ENGINE_JOB_DONE) {
        return; /* or the import told nothing yet */
    }
    order->gone |= 1U << writer;
    for (int i = 0; i < ACCOUNTS * FIELDS; i++) {
        words_back_naive(&order->naive[i / FIELDS][i % FIELDS], writer);
    }
    order_check(order, writer);
}

static void the_order_of_undos_is_of_no_matter(void **state)
{
    (void)state;
    int naive_wrong = 0;
    int rounds = getenv("ICP_LONG") != NULL ? 60 * ORDERS : ORDERS;
    for (int round = 0; round < rounds; round++) {
        static struct order order;
        memset(&order, 0, sizeof order);
        order.seed = 71 + (uint32_t)round;
        order.round = round;
        order.dated = round % 2 == 1;
        for (int step = 0; step < STEPS; step++) {
            bool back = step > STEPS / 3 && random_of(&order.seed, 4) == 0;
            (back ? order_undo : order_tell)(&order);
        }
        while (order.gone != (1U << IMPORTS) - 1) {
            order_undo(&order);
        }
        again();
        order_check(&order, -1);
        naive_wrong += order.dated ? 0 : order.naive_wrong;
    }
    assert_true(naive_wrong > 0); /* the control: the order did matter to what was done once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_order_of_undos_is_of_no_matter, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
