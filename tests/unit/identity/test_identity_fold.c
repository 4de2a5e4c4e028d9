/* SPDX-License-Identifier: Apache-2.0 */
/* Which records are one account, held against a slow one that joins by repainting; entries as bytes
 * and back; bytes that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/identity/identity_fold.h"

enum { RECORDS = 7, EDGES = 12, ROUNDS = 4000 };

static uint64_t random_of(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static struct proto_span text(const char *from)
{
    return (struct proto_span){(const uint8_t *)from, strlen(from)};
}

/* Groups as colours: a join paints the second's group in the first's colour. */
static bool slow_fold(const struct identity_edge *edges, size_t count, uint32_t *colour)
{
    for (uint32_t i = 0; i < RECORDS; i++) {
        colour[i] = i;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count; i++) {
            const struct identity_edge *edge = &edges[i];
            bool forbidden = edge->act != (pass == 0 ? IDENTITY_MERGE : IDENTITY_LINK);
            for (size_t j = 0; j < count; j++) {
                forbidden |= edges[j].act == IDENTITY_SPLIT && edges[j].number > edge->number &&
                             (edges[j].a == edge->a || edges[j].a == edge->b);
            }
            uint32_t from = colour[edge->b];
            uint32_t to = colour[edge->a];
            for (size_t j = 0; pass == 1 && j < count; j++) {
                uint32_t x = edges[j].act == IDENTITY_NEVER ? colour[edges[j].a] : 0;
                uint32_t y = edges[j].act == IDENTITY_NEVER ? colour[edges[j].b] : 0;
                forbidden |= x != y && ((x == from && y == to) || (x == to && y == from));
            }
            for (uint32_t k = 0; !forbidden && k < RECORDS; k++) {
                colour[k] = colour[k] == from ? to : colour[k];
            }
        }
        for (size_t j = 0; pass == 0 && j < count; j++) {
            if (edges[j].act == IDENTITY_NEVER && colour[edges[j].a] == colour[edges[j].b]) {
                return false;
            }
        }
    }
    return true;
}

static void fold_is_what_joining_one_by_one_comes_to(void **state)
{
    static const char *const ids[RECORDS] = {"a", "b", "c", "d", "e", "f", "g"};
    uint64_t seed = 7;
    size_t refused = 0;
    size_t joined = 0;
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct identity_record records[RECORDS];
        struct identity_edge edges[EDGES];
        uint32_t room[4 * RECORDS];
        uint32_t colour[RECORDS];
        uint32_t never = 0;
        size_t count = random_of(&seed) % (EDGES + 1);
        for (uint32_t i = 0; i < RECORDS; i++) {
            records[i] = (struct identity_record){.id = text(ids[i]), .created_s = i % 3};
        }
        for (size_t i = 0; i < count; i++) {
            uint32_t a = (uint32_t)(random_of(&seed) % RECORDS);
            edges[i] = (struct identity_edge){
                .number = (uint32_t)i + 1,
                .act = (enum identity_act)(IDENTITY_LINK + random_of(&seed) % 5),
                .a = a,
                .b = (a + 1 + (uint32_t)(random_of(&seed) % (RECORDS - 1))) % RECORDS};
        }
        bool good =
            identity_fold(records, RECORDS, edges, count, room, &never) == IDENTITY_FOLD_GOOD;
        assert_int_equal(slow_fold(edges, count, colour), good);
        refused += !good;
        for (uint32_t i = 0; good && i < RECORDS; i++) {
            for (uint32_t j = 0; j < RECORDS; j++) {
                bool one = records[i].account == records[j].account;
                assert_int_equal(one, colour[i] == colour[j]);
                assert_true(i == j || !one || records[i].rank != records[j].rank);
                joined += i < j && one;
            }
            assert_int_equal(records[i].rank == 0, records[i].account == i);
        }
    }
    assert_true(refused > 100 && joined > 1000);
}

static void first_of_a_merge_gives_the_id_and_a_pin_stands_above_it(void **state)
{
    struct identity_record records[3] = {
        {.id = text("a"), .created_s = 9}, {.id = text("b")}, {.id = text("c"), .created_s = 5}};
    struct identity_edge edges[] = {{.number = 1, .act = IDENTITY_MERGE, .a = 0, .b = 1},
                                    {.number = 2, .act = IDENTITY_MERGE, .a = 1, .b = 2},
                                    {.number = 3, .act = IDENTITY_PIN, .a = 2}};
    uint32_t room[12];
    uint32_t never;
    (void)state;
    assert_int_equal(identity_fold(records, 3, edges, 2, room, &never), IDENTITY_FOLD_GOOD);
    assert_int_equal(records[2].account, 0);
    assert_int_equal(records[1].rank, 1); /* older than c */
    assert_int_equal(identity_fold(records, 3, edges, 3, room, &never), IDENTITY_FOLD_GOOD);
    assert_int_equal(records[0].account, 2);
    assert_int_equal(records[0].rank, 2);
}

static void entries_come_back_and_other_bytes_are_none(void **state)
{
    struct identity_entry entry = {.act = IDENTITY_MERGE,
                                   .taken_by = 9,
                                   .before = {3, UINT32_MAX},
                                   .ids = {text("a17"), text("crm 5")},
                                   .author = text("ops"),
                                   .reason = text("same VAT number")};
    struct identity_entry back;
    uint8_t bytes[256];
    (void)state;
    size_t count = identity_entry_bytes(&entry);
    identity_entry_encode(&entry, bytes);
    assert_true(identity_entry_decode((struct proto_span){bytes, count}, &back));
    assert_int_equal(back.act, IDENTITY_MERGE);
    assert_int_equal(back.taken_by, 9);
    assert_int_equal(back.before[1], UINT32_MAX);
    assert_true(proto_span_equal(back.ids[1], entry.ids[1]));
    assert_true(proto_span_equal(back.reason, entry.reason));
    for (size_t cut = 0; cut < count; cut++) {
        assert_false(identity_entry_decode((struct proto_span){bytes, cut}, &back));
    }
    bytes[1] = IDENTITY_SPLIT; /* which names one record */
    assert_false(identity_entry_decode((struct proto_span){bytes, count}, &back));
    bytes[1] = IDENTITY_ACT_END;
    assert_false(identity_entry_decode((struct proto_span){bytes, count}, &back));
    assert_int_equal(identity_act_find(text("never")), IDENTITY_NEVER);
    assert_int_equal(identity_act_find(text("Merge")), IDENTITY_NO_ACT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fold_is_what_joining_one_by_one_comes_to),
        cmocka_unit_test(first_of_a_merge_gives_the_id_and_a_pin_stands_above_it),
        cmocka_unit_test(entries_come_back_and_other_bytes_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
