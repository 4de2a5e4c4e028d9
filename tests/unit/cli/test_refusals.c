/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a command asks, a refusal of the server ends it: with the exit status of its kind, with
 * the server's own words and the field behind the command's name, and with nothing printed that a
 * program could take for a result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <sysexits.h>

#include "tests/unit/cli/canned.h"

/* Commands with arguments that are right, and the operation that they ask first. */
static const struct {
    const char *line;
    enum proto_op op;
} commands[] = {
    {"schema get", PROTO_OP_SCHEMA_GET},
    {"get acme", PROTO_OP_ACCOUNT_GET},
    {"history acme", PROTO_OP_ACCOUNT_HISTORY},
    {"delete acme", PROTO_OP_ACCOUNT_DELETE},
    {"identity merge a b", PROTO_OP_IDENTITY},
    {"identity split a", PROTO_OP_IDENTITY},
    {"identity undo 1", PROTO_OP_IDENTITY},
    {"identity list", PROTO_OP_IDENTITY_LIST},
    {"timeline acme", PROTO_OP_TIMELINE},
    {"list", PROTO_OP_ICP_LIST},
    {"show", PROTO_OP_ICP_GET},
    {"activate 1", PROTO_OP_ICP_ACTIVATE},
    {"revert", PROTO_OP_ICP_REVERT},
    {"what-if 2", PROTO_OP_ICP_WHAT_IF},
    {"score acme", PROTO_OP_SCORE},
    {"explain acme", PROTO_OP_EXPLAIN},
    {"filter won", PROTO_OP_FILTER},
    {"count won", PROTO_OP_COUNT},
    {"similar acme", PROTO_OP_SIMILAR},
    {"recall", PROTO_OP_RECALL},
    {"tal build q3", PROTO_OP_TAL_BUILD},
    {"tal list", PROTO_OP_TAL_LIST},
    {"tal show q3", PROTO_OP_TAL_GET},
    {"tal diff q2 q3", PROTO_OP_TAL_DIFF},
    {"tal check q3", PROTO_OP_TAL_CHECK},
    {"jobs", PROTO_OP_JOB_LIST},
    {"cancel 1", PROTO_OP_JOB_CANCEL},
    {"backup nightly", PROTO_OP_BACKUP},
    {"scrub", PROTO_OP_SCRUB},
    {"capture start x", PROTO_OP_CAPTURE_START},
    {"capture stop", PROTO_OP_CAPTURE_STOP},
    {"capture state", PROTO_OP_CAPTURE_STATE},
    {"ping", PROTO_OP_PING},
    {"stats", PROTO_OP_STATS},
    {"clients", PROTO_OP_CLIENT_LIST},
    {"slowlog", PROTO_OP_SLOW_LOG},
    {"audit", PROTO_OP_AUDIT},
    {"event query", PROTO_OP_EVENT_QUERY},
    {"measure mrr --from 2024-01-01 --to 2024-06-01", PROTO_OP_MEASURE},
    {"import list", PROTO_OP_IMPORT_LIST},
};

/* None that a client tries again by itself. */
static const struct {
    enum proto_error code;
    int status;
} refusals[] = {
    {PROTO_DENIED, EX_NOPERM},     {PROTO_CORRUPT, EX_SOFTWARE},  {PROTO_LIMIT, EX_DATAERR},
    {PROTO_BAD_FIELD, EX_DATAERR}, {PROTO_BAD_CONFIG, EX_CONFIG},
};

static void is_refused(const char *line, enum proto_op op, enum proto_error code, int status)
{
    const struct canned replies[] = {{op, "limit: the server does not want this", code}};
    struct canned_run run;
    canned_run(&run, line, CANNED(replies));
    if (run.status != status || run.printed[0] != '\0' ||
        strstr(run.said, "limit: the server does not want this") == NULL) {
        fail_msg("icp %s, refused by %s: status %d, printed '%s', said '%s'", line,
                 proto_error_find(code)->name, run.status, run.printed, run.said);
    }
    assert_int_equal(strncmp(run.said, "icp ", 4), 0);
    if (run.asked[0] == '\0') {
        fail_msg("icp %s asks nothing", line);
    }
    canned_fini(&run);
}

static void a_refusal_ends_every_command_with_the_status_of_its_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        for (size_t k = 0; k < sizeof refusals / sizeof *refusals; k++) {
            is_refused(commands[i].line, commands[i].op, refusals[k].code, refusals[k].status);
        }
    }
}

static void in_the_form_of_programs_too(void **state)
{
    (void)state;
    static const char *const lines[] = {"get acme --json", "jobs --csv", "list --json",
                                        "stats --json"};
    static const enum proto_op ops[] = {PROTO_OP_ACCOUNT_GET, PROTO_OP_JOB_LIST, PROTO_OP_ICP_LIST,
                                        PROTO_OP_STATS};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        is_refused(lines[i], ops[i], PROTO_DENIED, EX_NOPERM);
    }
}

/* An older server knows an operation by nothing but its number. */
static void an_operation_that_the_server_does_not_know_is_a_fault_of_the_protocol(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct canned replies[] = {
            {commands[i].op, ": opcode 99 names no operation", PROTO_UNKNOWN_OP}};
        struct canned_run run;
        canned_run(&run, commands[i].line, CANNED(replies));
        if (run.status != EX_PROTOCOL || run.printed[0] != '\0') {
            fail_msg("icp %s: status %d, printed '%s'", commands[i].line, run.status, run.printed);
        }
        canned_fini(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_ends_every_command_with_the_status_of_its_kind),
        cmocka_unit_test(in_the_form_of_programs_too),
        cmocka_unit_test(an_operation_that_the_server_does_not_know_is_a_fault_of_the_protocol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
