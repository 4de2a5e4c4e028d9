/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of a server as icp shows them: put together of pages, verified here and not by the server,
 * printed; and histories that are cut, altered or somebody else's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "server/term/term_audit.h"
#include "tests/unit/cli/canned.h"
#include "tests/unit/term/term_story.h"

enum { REPLY_BYTES = 1 << 16 };

struct told {
    struct term_story story;
    char head[TERM_HASH_HEX + 1], pages[3][REPLY_BYTES];
};

static int story_make(void **state)
{
    struct told *told = calloc(1, sizeof *told);
    assert_non_null(told);
    term_story_begin(&told->story);
    term_story_tell(&told->story, "next");
    term_hex_print(told->story.plan.head.bytes, TERM_HASH_BYTES, told->head);
    *state = told;
    return 0;
}

static int story_drop(void **state)
{
    struct told *told = *state;
    term_story_end(&told->story);
    free(told);
    return 0;
}

/* A reply with the entries [from, to) of so many. */
static struct canned page(char *out, const struct told *told, size_t from, size_t to, size_t count)
{
    json_t *lines = json_array();
    for (size_t i = from; i < to; i++) {
        json_array_append_new(lines, json_string(told->story.lines[i]));
    }
    char *text = json_dumps(lines, JSON_COMPACT);
    json_decref(lines);
    assert_non_null(text);
    assert_true(snprintf(out, REPLY_BYTES,
                         "{'name':'2027','state':'closed','count':%zu,'head':'%s','terms':'{}',"
                         "'signed_by':[],'ownerless':'','lost':0,'lines':%s}",
                         count, told->head, text) < REPLY_BYTES);
    free(text);
    return (struct canned){PROTO_OP_PLAN_GET, out, PROTO_OK};
}

static void has(const char *text, const char *wanted)
{
    if (strstr(text, wanted) == NULL) {
        fail_msg("'%s' is not in\n%s", wanted, text);
    }
}

static void a_plan_of_two_pages_is_shown_with_its_terms(void **state)
{
    struct told *told = *state;
    size_t count = told->story.count;
    struct canned_run run;
    const struct canned replies[] = {page(told->pages[0], told, 0, 5, count),
                                     page(told->pages[1], told, 5, count, count)};
    canned_run(&run, "plan show 2027", CANNED(replies));
    assert_int_equal(run.status, EX_OK);
    assert_string_equal(run.asked, "plan-get {\"name\":\"2027\",\"after\":0}\n"
                                   "plan-get {\"name\":\"2027\",\"after\":5}\n");
    assert_string_equal(run.said, "");
    has(run.printed, "2027: next, 2027-01-01 to 2028-03-31, ICP version 3\n"
                     "  evidence: held-out AUC 0.78\n"
                     "  list 2027-q1: 500 accounts, root 0123456789abcdef");
    has(run.printed, "\n  layer routing: Ines, budget 1 EUR, metric NRR\n"
                     "  stage acquisition: Ines, budget 1 EUR, metric NRR\n");
    has(run.printed, ", signed in entry 13\n  verdict: supported ('icp plan history' has the "
                     "reason)\n  next: 2028\n  17 entries, head ");
    has(run.printed, told->head);
    canned_fini(&run);
}

/* As it is before anybody has an owner or a list: no NULL stands where a name would. */
static void a_plan_that_has_only_begun_says_what_is_missing(void **state)
{
    struct told *told = *state;
    struct canned_run run;
    struct canned replies[1];
    struct term_plan begun = {.state = TERM_STATE_FIT};
    struct proto_fault fault = {.code = PROTO_OK};
    struct term_finding finding;
    char *text = term_story_export(told->story.lines, 1, "2027");
    char kept[sizeof told->head];
    assert_true(term_audit(proto_span_text(text), NULL, &begun, &finding, &fault));
    memcpy(kept, told->head, sizeof kept);
    term_hex_print(begun.head.bytes, TERM_HASH_BYTES, told->head);
    replies[0] = page(told->pages[0], told, 0, 1, 1);
    memcpy(told->head, kept, sizeof kept);
    canned_run(&run, "plan show 2027", CANNED(replies));
    assert_int_equal(run.status, EX_OK);
    has(run.printed, "2027: fit, 2027-01-01 to 2027-12-31, ICP version 3\n"
                     "  layer profile: no owner, which keeps the plan from being committed\n");
    assert_null(strstr(run.printed, "null"));
    canned_fini(&run);
    term_plan_fini(&begun);
    free(text);
}

static void an_export_is_what_verify_reads(void **state)
{
    struct told *told = *state;
    size_t count = told->story.count;
    struct canned_run run;
    const struct canned replies[] = {page(told->pages[0], told, 0, count, count)};
    char *wanted = term_story_export(told->story.lines, count, "2027");
    canned_run(&run, "plan export 2027", CANNED(replies));
    assert_int_equal(run.status, EX_OK);
    assert_string_equal(run.printed, wanted);
    canned_fini(&run);
    canned_run(&run, "plan export 2027 --out /nowhere/plan", CANNED(replies));
    assert_int_equal(run.status, EX_CANTCREAT);
    assert_string_equal(run.printed, "");
    canned_fini(&run);
    free(wanted);
}

/* Nothing is shown of a plan whose history does not hold; its history is, with what is wrong. */
static void a_history_that_is_cut_or_altered_is_not_shown_as_a_plan(void **state)
{
    struct told *told = *state;
    size_t count = told->story.count;
    struct canned_run run;
    char *kept = told->story.lines[2];
    char *other = strdup(kept);
    assert_non_null(other);
    *strstr(other, "Ines") = 'J';
    for (int way = 0; way < 4; way++) {
        static const char *const said[] = {
            "icp plan show: line 18: entry 17 was dropped: the last line tells of 17 entries\n",
            ("icp plan show: line 4: entry 3 was altered: it does not have the hash that follows "
             "on entry 2\n"),
            "icp plan show: line 2: entry 1 was dropped: entry 2 follows on entry 0\n",
            "icp plan show: line 2: entry 1 was dropped: the last line tells of 17 entries\n"};
        told->story.lines[2] = way == 1 ? other : kept;
        /* cut at the end; one altered; the first missing; none at all */
        const struct canned replies[] = {page(told->pages[0], told, way == 2,
                                              way == 3   ? 0
                                              : way == 0 ? count - 1
                                                         : count,
                                              count),
                                         page(told->pages[1], told, 0, 0, count)};
        canned_run(&run, "plan show 2027", CANNED(replies));
        assert_int_equal(run.status, EX_DATAERR);
        assert_string_equal(run.printed, "");
        assert_string_equal(run.said, said[way]);
        canned_fini(&run);
        canned_run(&run, "plan history 2027 --csv", CANNED(replies));
        assert_int_equal(run.status, EX_DATAERR);
        has(run.printed, way == 3 ? "entry,act,at,by,body,hash\n" : ",validate,");
        canned_fini(&run);
    }
    told->story.lines[2] = kept;
    free(other);
}

static void a_plan_under_another_name_is_not_this_one(void **state)
{
    struct told *told = *state;
    struct canned_run run;
    const struct canned replies[] = {
        page(told->pages[0], told, 0, told->story.count, told->story.count)};
    canned_run(&run, "plan show 2028", CANNED(replies));
    assert_int_equal(run.status, EX_DATAERR);
    assert_string_equal(run.printed, "");
    assert_string_equal(run.said, "icp plan show: line 1: the first line was altered: it names "
                                  "another plan than the entries\n");
    canned_fini(&run);
}

static void plans_are_listed_with_what_is_wrong_or_lost(void **state)
{
    (void)state;
#define LISTED(NAME, REST)                                                                         \
    "{'name':'" NAME "','state':'committed','begins':'2027-01-01','ends':'2027-12-31',"            \
    "'entries':12,'updated':1798761600000,'head':'ab'" REST "}"
    static const struct canned replies_0[] = {
        {PROTO_OP_PLAN_LIST,
         "{'lost':1,'plans':[" LISTED("2027", "") "," LISTED("\\u001b[1m",
                                                             ",'wrong':'entry 3 is missing'") "]}",
         PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_PLAN_LIST, "{'lost':2,'plans':[]}", PROTO_OK}};
    static const struct canned replies_2[] = {
        {PROTO_OP_PLAN_GET, "name: there is no plan x", PROTO_NOT_FOUND}};
    static const struct canned_row rows[] = {
        {"plan list", CANNED(replies_0), EX_OK, "plan-list {}\n",
         "name     state      from        to          entries  updated\n"
         "2027     committed  2027-01-01  2027-12-31       12  2027-01-01 00:00\n"
         "\\x1b[1m  committed  2027-01-01  2027-12-31       12  2027-01-01 00:00\n",
         "icp plan list: the history of \\x1b[1m is wrong: entry 3 is missing\n"
         "icp plan list: 1 entry of plans cannot be read: 'icp plan verify NAME' says where one is "
         "missing\n"},
        {"plan list --csv", CANNED(replies_1), EX_OK, "plan-list {}\n",
         "name,state,from,to,entries,updated\n",
         "icp plan list: 2 entries of plans cannot be read: 'icp plan verify NAME' says where one "
         "is missing\n"},
        {"plan list now", NULL, 0, EX_USAGE, "", "",
         "icp plan list: 'now' is too much: only options may follow; 'icp help plan list' lists "
         "them\n"},
        {"plan show", NULL, 0, EX_USAGE, "", "",
         "icp plan show: NAME is missing; 'icp help plan show' has examples\n"},
        {"plan show x", CANNED(replies_2), EX_DATAERR, "plan-get {\"name\":\"x\",\"after\":0}\n",
         "", "icp plan show: name: there is no plan x\n"},
        {"plan history x", CANNED(replies_2), EX_DATAERR, "plan-get {\"name\":\"x\",\"after\":0}\n",
         "", "icp plan history: name: there is no plan x\n"},
        {"plan export x", CANNED(replies_2), EX_DATAERR, "plan-get {\"name\":\"x\",\"after\":0}\n",
         "", "icp plan export: name: there is no plan x\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_of_two_pages_is_shown_with_its_terms),
        cmocka_unit_test(a_plan_that_has_only_begun_says_what_is_missing),
        cmocka_unit_test(an_export_is_what_verify_reads),
        cmocka_unit_test(a_history_that_is_cut_or_altered_is_not_shown_as_a_plan),
        cmocka_unit_test(a_plan_under_another_name_is_not_this_one),
        cmocka_unit_test(plans_are_listed_with_what_is_wrong_or_lost),
    };
    return cmocka_run_group_tests(tests, story_make, story_drop);
}
