/* SPDX-License-Identifier: Apache-2.0 */
/* Candidates of names among accounts: which, how sure, and why; and that blocking loses nothing
 * that a comparison of every pair finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/identity/name_match.h"

struct listed {
    const char *name;
    const char *country;
};

static const struct listed accounts[] = {
    {"Anvil GmbH", "DE"},          {"Brick Works Ltd", "GB"},     {"Facebook", ""},
    {"Amber Software Inc", "US"},  {"Amber Holdings", "US"},      {"Microsoft Corporation", "US"},
    {"Cobalt Software Inc", "US"}, {"Dune Software Inc", ""},     {"Elm Software LLC", "US"},
    {"Twin Peaks Software", "US"}, {"Twin Peaks Software", "CA"}, {"トヨタ株式会社", "Japan"},
};
enum { ACCOUNTS = sizeof accounts / sizeof *accounts };

static struct identity_matcher *matched(const struct listed *rows, size_t count, unsigned most)
{
    struct proto_fault fault;
    struct identity_matcher *matcher = identity_matcher_create(ACCOUNTS, count, most, &fault);
    struct identity_name name;
    assert_non_null(matcher);
    for (size_t i = 0; i < count; i++) {
        identity_matcher_row(matcher, proto_span_text(rows[i].name),
                             proto_span_text(rows[i].country));
    }
    for (size_t i = 0; i < ACCOUNTS; i++) {
        assert_true(identity_name_normal(proto_span_text(accounts[i].name), &name));
        identity_matcher_count(matcher, &name);
    }
    assert_true(identity_matcher_index(matcher, &fault));
    for (size_t i = 0; i < ACCOUNTS; i++) {
        assert_true(identity_name_normal(proto_span_text(accounts[i].name), &name));
        identity_matcher_offer(matcher, (uint32_t)i, &name, proto_span_text(accounts[i].country));
    }
    identity_matcher_end(matcher);
    return matcher;
}

static const struct {
    struct listed row;
    int slot; /* of the best candidate, -1: none */
    enum identity_match match;
    const char *why;
} rightly[] = {
    {{"ANVIL GmbH.", ""}, 0, IDENTITY_MATCH_SAME, "the same words"},
    {{"anvil", "de"}, 0, IDENTITY_MATCH_SAME, "the same words; same country"},
    {{"Anvil AG", ""}, 0, IDENTITY_MATCH_MAYBE, "legal forms differ (ag, gmbh)"},
    {{"Anvil", "FR"}, 0, IDENTITY_MATCH_MAYBE, "other country"},
    {{"Anvil", "Germany"}, 0, IDENTITY_MATCH_SAME, "the same words"},
    {{"Works, Brick (London)", ""}, 1, IDENTITY_MATCH_SAME, "the same words"},
    {{"Brickworks", ""}, 1, IDENTITY_MATCH_SAME, "the same in one word"},
    {{"Face Book Inc", ""}, 2, IDENTITY_MATCH_SAME, "the same in one word"},
    {{"Mircosoft", ""}, 5, IDENTITY_MATCH_MAYBE, "0 words the same, 1 alike, 0 on one side only"},
    {{"Microsft Corp", ""}, 5, IDENTITY_MATCH_MAYBE, "1 alike"},
    {{"Amber Softwares", ""}, 3, IDENTITY_MATCH_MAYBE, "1 words the same, 1 alike"},
    {{"Twin Peaks Software", ""}, 9, IDENTITY_MATCH_MAYBE, "several accounts are called so"},
    {{"トヨタ", ""}, 11, IDENTITY_MATCH_SAME, "the same words"},
    {{"Fjord Software", ""}, -1, IDENTITY_MATCH_MAYBE, ""},
    {{"Quartz", ""}, -1, IDENTITY_MATCH_MAYBE, ""},
    {{"", ""}, -1, IDENTITY_MATCH_MAYBE, ""},
    {{"---", ""}, -1, IDENTITY_MATCH_MAYBE, ""},
};

static void names_find_whom_they_mean(void **state)
{
    (void)state;
    struct listed rows[sizeof rightly / sizeof *rightly];
    size_t count = sizeof rightly / sizeof *rightly;
    for (size_t i = 0; i < count; i++) {
        rows[i] = rightly[i].row;
    }
    struct identity_matcher *matcher = matched(rows, count, 3);
    for (size_t i = 0; i < count; i++) {
        char why[IDENTITY_WHY_BYTES] = "";
        size_t found = 0;
        bool common = false;
        const struct identity_candidate *list = identity_matcher_found(matcher, i, &found, &common);
        int slot = found > 0 ? (int)list[0].slot : -1;
        if (slot != rightly[i].slot ||
            (slot >= 0 &&
             (identity_candidate_match(&list[0]) != rightly[i].match ||
              strstr(identity_candidate_why(&list[0], why), rightly[i].why) == NULL))) {
            fail_msg("'%s' finds %d: %s", rows[i].name, slot, why);
        }
        assert_false(common);
        for (size_t c = 1; c < found; c++) {
            assert_true(list[c].score <= list[c - 1].score + 0.1F);
        }
    }
    identity_matcher_destroy(matcher);
}

static void another_account_of_the_name_is_seen_though_one_is_shown(void **state)
{
    (void)state;
    const struct listed row = {"Twin Peaks Software", "US"};
    struct identity_matcher *matcher = matched(&row, 1, 1);
    size_t found = 0;
    bool common = false;
    const struct identity_candidate *list = identity_matcher_found(matcher, 0, &found, &common);
    assert_int_equal(found, 1);
    assert_int_equal(list[0].slot, 9);
    assert_true(list[0].shared_name);
    assert_int_equal(identity_candidate_match(&list[0]), IDENTITY_MATCH_MAYBE);
    identity_matcher_destroy(matcher);
}

static uint32_t next_random(uint32_t *random)
{
    *random = *random * 1664525 + 1013904223;
    return *random >> 8;
}

static void name_make(uint32_t *random, char out[64])
{
    static const char *const words[] = {"anvil", "brick", "cobalt", "dune",   "ember",
                                        "fjord", "grove", "haze",   "island", "juniper"};
    size_t used = 0;
    size_t count = 1 + next_random(random) % 3;
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(out + used, 64 - used, "%s%s%u", i > 0 ? " " : "",
                                 words[next_random(random) % 10], next_random(random) % 30);
    }
}

enum { MANY = 3000, ROWS = 200 };

/* Of a name with one slip, the account that it was made of is among the candidates: a letter
 * dropped, doubled, changed, or swapped with the next. */
static void a_slip_of_one_letter_hides_nobody(void **state)
{
    (void)state;
    static char all[MANY][64];
    static char slips[ROWS][64];
    uint32_t random = 11;
    struct proto_fault fault;
    struct identity_name name;
    struct identity_matcher *matcher = identity_matcher_create(MANY, ROWS, 10, &fault);
    for (size_t i = 0; i < MANY; i++) {
        name_make(&random, all[i]);
        /* A rare word, for a row of common words alone is not looked for word by word. */
        snprintf(all[i] + strlen(all[i]), 16, " rare%zu", 10000 + i);
    }
    for (size_t r = 0; r < ROWS; r++) {
        char *slip = slips[r];
        memcpy(slip, all[r * 7], sizeof slips[r]);
        size_t bytes = strlen(slip);
        size_t at = bytes - 2 - next_random(&random) % 3;
        switch (r % 4) {
        case 0:
            memmove(slip + at, slip + at + 1, bytes - at);
            break;
        case 1:
            memmove(slip + at + 1, slip + at, bytes - at + 1);
            break;
        case 2:
            slip[at] = 'z';
            break;
        default: {
            char swapped = slip[at];
            slip[at] = slip[at + 1];
            slip[at + 1] = swapped;
        }
        }
        identity_matcher_row(matcher, proto_span_text(slip), proto_span_text(""));
    }
    for (size_t i = 0; i < MANY; i++) {
        assert_true(identity_name_normal(proto_span_text(all[i]), &name));
        identity_matcher_count(matcher, &name);
    }
    assert_true(identity_matcher_index(matcher, &fault));
    for (size_t i = 0; i < MANY; i++) {
        assert_true(identity_name_normal(proto_span_text(all[i]), &name));
        identity_matcher_offer(matcher, (uint32_t)i, &name, proto_span_text(""));
    }
    identity_matcher_end(matcher);
    for (size_t r = 0; r < ROWS; r++) {
        size_t found = 0;
        bool common = false;
        bool there = false;
        const struct identity_candidate *list = identity_matcher_found(matcher, r, &found, &common);
        for (size_t c = 0; c < found; c++) {
            there |= list[c].slot == r * 7;
        }
        if (!there) {
            fail_msg("'%s' does not find '%s'", slips[r], all[r * 7]);
        }
    }
    identity_matcher_destroy(matcher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_find_whom_they_mean),
        cmocka_unit_test(another_account_of_the_name_is_seen_though_one_is_shown),
        cmocka_unit_test(a_slip_of_one_letter_hides_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
