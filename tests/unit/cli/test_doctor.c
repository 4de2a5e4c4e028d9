/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "tools/cli/doctor.h"

static struct doctor_facts healthy(void)
{
    return (struct doctor_facts){.uptime_s = 3600,
                                 .accounts = 200000,
                                 .requests = 100000,
                                 .file_bytes = 1e9,
                                 .map_bytes = 64e9,
                                 .readers = 6,
                                 .index_ready = 1,
                                 .rows_done = 10,
                                 .rows_total = 10,
                                 .icp = 1,
                                 .schema = 1,
                                 .round_trip_us = 30,
                                 .nofile_soft = 65536,
                                 .connections_open = 10,
                                 .disk_free_bytes = 1e11,
                                 .memory_available_bytes = 8e9,
                                 .clock_synchronised = 1};
}

static enum doctor_state state_of(const struct doctor_facts *facts, const char *check)
{
    struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
    size_t count = doctor_judge(facts, findings);
    for (size_t i = 0; i < count; i++) {
        bool remedied = findings[i].remedy[0] != '\0';
        assert_true(findings[i].found[0] != '\0');
        assert_int_equal(remedied,
                         findings[i].state == DOCTOR_LOOK || findings[i].state == DOCTOR_BAD);
        if (strcmp(findings[i].check, check) == 0) {
            return findings[i].state;
        }
    }
    fail_msg("no check is called %s", check);
    return DOCTOR_UNKNOWN;
}

static void a_healthy_server_has_nothing_to_mend(void **state)
{
    (void)state;
    struct doctor_facts facts = healthy();
    struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
    size_t count = doctor_judge(&facts, findings);
    assert_in_range(count, 12, DOCTOR_FINDINGS_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(findings[i].state, DOCTOR_GOOD);
    }
}

/* The control of each check: the trouble that it is for. */
static void every_trouble_is_found(void **state)
{
    (void)state;
    struct doctor_facts facts;
#define TROUBLE(check, wanted, member, value)                                                      \
    facts = healthy();                                                                             \
    facts.member = value;                                                                          \
    assert_int_equal(state_of(&facts, check), wanted)
    TROUBLE("damage", DOCTOR_BAD, corrupt_found, 1);
    TROUBLE("map", DOCTOR_LOOK, file_bytes, 55e9);
    TROUBLE("map", DOCTOR_BAD, file_bytes, 63e9);
    TROUBLE("disk", DOCTOR_LOOK, disk_free_bytes, 1.5e9);
    TROUBLE("disk", DOCTOR_BAD, disk_free_bytes, 1e8);
    TROUBLE("disk", DOCTOR_UNKNOWN, disk_free_bytes, (double)NAN);
    TROUBLE("commits", DOCTOR_LOOK, commit_ns_max, 2e9);
    TROUBLE("commits", DOCTOR_BAD, commit_ns_max, 6e9);
    TROUBLE("readers", DOCTOR_LOOK, readers_cleared, 1);
    TROUBLE("memory", DOCTOR_LOOK, memory_available_bytes, 5e8);
    TROUBLE("memory", DOCTOR_BAD, memory_available_bytes, 1e8);
    TROUBLE("memory", DOCTOR_UNKNOWN, memory_available_bytes, (double)NAN);
    TROUBLE("descriptors", DOCTOR_BAD, accept_emfile, 1);
    TROUBLE("descriptors", DOCTOR_LOOK, nofile_soft, 256);
    TROUBLE("descriptors", DOCTOR_LOOK, connections_open, 60000);
    TROUBLE("connections", DOCTOR_LOOK, connections_refused, 1);
    TROUBLE("slow", DOCTOR_LOOK, requests_slow, 2000);
    TROUBLE("index", DOCTOR_LOOK, index_ready, 0);
    TROUBLE("rows", DOCTOR_LOOK, rows_done, 9);
    TROUBLE("profile", DOCTOR_LOOK, icp, 0);
    TROUBLE("profile", DOCTOR_LOOK, schema, 0);
    TROUBLE("way", DOCTOR_LOOK, round_trip_us, 30000);
    TROUBLE("clock", DOCTOR_LOOK, clock_synchronised, 0);
    TROUBLE("clock", DOCTOR_LOOK, clock_apart_ms, -5000);
    TROUBLE("clock", DOCTOR_BAD, clock_apart_ms, 120000);
    TROUBLE("huge pages", DOCTOR_LOOK, huge_pages_never, 1);
    TROUBLE("huge pages", DOCTOR_UNKNOWN, huge_pages_never, (double)NAN);
#undef TROUBLE
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_server_has_nothing_to_mend),
        cmocka_unit_test(every_trouble_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
