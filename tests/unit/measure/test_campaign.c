/* SPDX-License-Identifier: Apache-2.0 */
/* Members of campaigns by owner, by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "server/measure/campaign.h"

static const char *const campaigns[] = {"spring", "fair"};
static const char *const owners[] = {"(none)", "ann", "bob"};

static void add(struct measure_members *members, uint32_t campaign, uint32_t owner, bool on_list,
                bool watched, bool worked)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_member member = {campaign, owner, on_list, true, watched, worked};
    assert_true(measure_members_add(members, &member, &fault));
}

static void campaigns_are_told_with_their_owners(void **state)
{
    (void)state;
    struct measure_members members = {.count = 0};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_campaign_options options = {.list = true, .owners = 1, .least = 3};
    assert_false(measure_campaign_table(&members, campaigns, owners, &options, &table, &fault));
    assert_non_null(strstr(fault.message, "no touch of the campaign is told"));
    measure_table_fini(&table);
    add(&members, 1, 2, true, true, true);
    add(&members, 0, 1, true, true, true);
    add(&members, 0, 2, false, true, false);
    add(&members, 0, 2, true, false, false);
    assert_true(measure_campaign_table(&members, campaigns, owners, &options, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 4);
    assert_string_equal(measure_cell_find(&table, 0, "campaign")->text, "spring");
    assert_int_equal(measure_cell_find(&table, 0, "on_list")->whole, 2);
    assert_int_equal(measure_cell_find(&table, 0, "in_segment")->kind, MEASURE_ABSENT);
    assert_int_equal(measure_cell_find(&table, 0, "watched")->whole, 2);
    assert_true(measure_cell_find(&table, 0, "worked_share")->number == 0.5);
    assert_string_equal(measure_cell_find(&table, 0, "verdict")->text, "");
    assert_string_equal(measure_cell_find(&table, 1, "owner")->text, "bob"); /* two of three */
    assert_string_equal(measure_cell_find(&table, 1, "verdict")->text,
                        "insufficient: 3 are needed");
    assert_string_equal(measure_cell_find(&table, 2, "campaign")->text, "fair");
    measure_table_fini(&table);
    measure_members_fini(&members);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(campaigns_are_told_with_their_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
