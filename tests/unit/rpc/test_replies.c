/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation is asked until each field of its reply and each member of what stands in it has
 * been written once; the fixture holds every reply against its description meanwhile. What no
 * request here can bring about is listed with its reason, and a reason that holds no more is a
 * fault too. Before that, planted faults of each kind are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>

#include "proto/shape.h"
#include "server/engine/applied.h"
#include "tests/unit/rpc/rpc_fixture.h"
#include "tests/unit/rpc/rpc_request.h"

enum { ACCOUNTS = 400 };

static struct rpc_fixture fixture;
static struct proto_writer request;

/* ---- planted faults ---- */

static bool looks_right(enum proto_op op, const char *reply, bool progress,
                        struct proto_fault *fault)
{
    *fault = (struct proto_fault){.code = PROTO_OK};
    return rpc_fixture_look(proto_op_find((uint8_t)op), rpc_request_json(&request, reply), progress,
                            fault);
}

#define JOB_ROW                                                                                    \
    "\"job\":1,\"op\":\"scrub\",\"state\":\"ended\",\"stage\":\"\",\"done\":1.0,\"icp\":0,"        \
    "\"error\":\"\",\"started\":1"

static void a_reply_that_is_not_as_described_is_found(void **state)
{
    (void)state;
    static const struct {
        enum proto_op op;
        const char *reply;
        const char *way;
    } planted[] = {
        {PROTO_OP_PING, "{}", "time"},
        {PROTO_OP_PING, "[1]", ""},
        {PROTO_OP_PING, "{\"time\":\"now\"}", "time"},
        {PROTO_OP_PING, "{\"time\":-1}", "time"},
        {PROTO_OP_PING, "{\"time\":null}", "time"},
        {PROTO_OP_PING, "{\"time\":1,\"clock\":2}", "clock"},
        {PROTO_OP_JOB_LIST, "{\"jobs\":{}}", "jobs"},
        {PROTO_OP_JOB_LIST, "{\"jobs\":[7]}", "jobs[0]"},
        {PROTO_OP_JOB_LIST, "{\"jobs\":[{" JOB_ROW "}]}", "jobs[0].ended"},
        {PROTO_OP_JOB_LIST, "{\"jobs\":[{" JOB_ROW ",\"ended\":\"2\"}]}", "jobs[0].ended"},
        {PROTO_OP_JOB_LIST, "{\"jobs\":[{" JOB_ROW ",\"ended\":2},{}]}", "jobs[1].job"},
        {PROTO_OP_JOB_LIST, "{\"jobs\":[{" JOB_ROW ",\"ended\":2,\"end\":2}]}", "jobs[0].end"},
    };
    struct proto_fault fault;
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++) {
        if (looks_right(planted[i].op, planted[i].reply, false, &fault)) {
            fail_msg("%s passes", planted[i].reply);
        }
        if (strcmp(fault.field, planted[i].way) != 0) {
            fail_msg("%s: '%s', not '%s'", planted[i].reply, fault.field, planted[i].way);
        }
    }
    assert_true(looks_right(PROTO_OP_PING, "{\"time\":1}", false, &fault));
    assert_true(
        looks_right(PROTO_OP_JOB_LIST, "{\"jobs\":[{" JOB_ROW ",\"ended\":2}]}", false, &fault));
    assert_true(looks_right(PROTO_OP_PING, "{}", true, &fault)); /* of a frame of progress */
    assert_false(looks_right(PROTO_OP_PING, "{\"clock\":1}", true, &fault));
}

/* What a count that was taken before its entries comes to. */
static void a_count_that_is_not_that_of_the_entries_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
    } planted[] = {
        {"\x81\xa4jobs\x91", 7},              /* one job that never comes */
        {"\x82\xa4jobs\x90", 7},              /* one pair that never comes */
        {"\x81\xa4jobs\x90\xa4more\xc0", 13}, /* one pair too many */
        {"\x82\xa4jobs\x90\xa4jobs\x90", 13}, /* one pair twice */
        {"\x81\xa4jobs\x90\xc0", 8},          /* a value that belongs to nothing */
        {"", 0},
    };
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++) {
        struct proto_span reply = {(const uint8_t *)planted[i].bytes, planted[i].count};
        struct proto_fault fault = {.code = PROTO_OK};
        if (rpc_fixture_look(proto_op_find(PROTO_OP_JOB_LIST), reply, false, &fault)) {
            fail_msg("planted count %zu passes", i);
        }
    }
}

/* ---- what has been written so far ---- */

static bool fields_seen[UINT8_MAX + 1][PROTO_ARGS_MAX];
static bool members_seen[PROTO_SHAPE_COUNT][PROTO_ARGS_MAX];

static void value_note(enum proto_shape shape, enum proto_type type, struct proto_span value);

static size_t member_place(const struct proto_shape_info *info, struct proto_span key)
{
    for (size_t i = 0; i < info->member_count; i++) {
        if (proto_span_is(key, info->members[i].name) || info->members[i].name[0] == '<') {
            return i;
        }
    }
    return info->member_count;
}

static void map_note(enum proto_shape shape, struct proto_span map)
{
    const struct proto_shape_info *info = proto_shape_info(shape);
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_reader reader;
    proto_reader_init(&reader, map, &fault);
    size_t pairs = proto_read_map(&reader);
    for (size_t i = 0; i < pairs; i++) {
        size_t place = member_place(info, proto_read_key(&reader));
        struct proto_span value = proto_read_any(&reader);
        if (place < info->member_count) {
            members_seen[shape][place] = true;
            value_note(info->of[place], info->members[place].type, value);
        }
    }
    assert_true(proto_reader_ok(&reader));
}

static void value_note(enum proto_shape shape, enum proto_type type, struct proto_span value)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_reader reader;
    if (shape == PROTO_SHAPE_NONE || type == PROTO_ANY || value.data[0] == 0xc0) { /* nil */
        return;
    }
    if (type == PROTO_MAP) {
        map_note(shape, value);
        return;
    }
    proto_reader_init(&reader, value, &fault);
    size_t count = proto_read_array(&reader);
    for (size_t i = 0; i < count; i++) {
        map_note(shape, proto_read_any(&reader));
    }
}

static void ask(enum proto_op op, const char *text, struct proto_arg *args)
{
    const struct proto_op_info *info = proto_op_find((uint8_t)op);
    rpc_fixture_ask(&fixture, (uint8_t)op, rpc_request_json(&request, text), args);
    for (size_t i = 0; i < info->reply_count; i++) {
        if (args[i].present) {
            fields_seen[op][i] = true;
            value_note(proto_shape_of(info, true, i), info->reply[i].type, args[i].value);
        }
    }
}

/* ---- the requests ---- */

#define SCHEMA                                                                                     \
    "{\\\"name\\\":\\\"company\\\",\\\"fields\\\":["                                               \
    "{\\\"name\\\":\\\"industry\\\",\\\"type\\\":\\\"category\\\"},"                               \
    "{\\\"name\\\":\\\"employees\\\",\\\"type\\\":\\\"number\\\"},"                                \
    "{\\\"name\\\":\\\"tech\\\",\\\"type\\\":\\\"tags\\\"},"                                       \
    "{\\\"name\\\":\\\"trial\\\",\\\"type\\\":\\\"flag\\\"},"                                      \
    "{\\\"name\\\":\\\"embedding\\\",\\\"type\\\":\\\"vector\\\",\\\"dims\\\":2},"                 \
    "{\\\"name\\\":\\\"won\\\",\\\"type\\\":\\\"flag\\\"},"                                        \
    "{\\\"name\\\":\\\"company\\\",\\\"type\\\":\\\"category\\\"}]}"
#define WAY                                                                                        \
    "{\"id\":\"way\",\"keys\":[\"domain:way.example\"],\"source\":\"crm\",\"time\":1000,"          \
    "\"values\":{\"company\":\"Way Steel\",\"industry\":\"Steel\",\"employees\":12,"               \
    "\"tech\":[\"Jira\"],\"trial\":true,\"embedding\":[0.5,1]}}"
#define EVENT(type, id, more)                                                                      \
    "{\"account\":\"way\",\"type\":\"" type "\",\"id\":\"" id "\"," more "}"
#define POLICY                                                                                     \
    "{\\\"policy\\\":1,\\\"name\\\":\\\"won\\\",\\\"case\\\":\\\"subject\\\","                     \
    "\\\"moment\\\":\\\"stage:created\\\",\\\"archetypes\\\":["                                    \
    "{\\\"name\\\":\\\"good\\\",\\\"when\\\":[{\\\"event\\\":\\\"outcome:won\\\","                 \
    "\\\"within\\\":\\\"1 days\\\"}]}]}"

#define STAGES                                                                                     \
    "{\\\"policy\\\":1,\\\"name\\\":\\\"won\\\",\\\"case\\\":\\\"stage\\\","                       \
    "\\\"stage_field\\\":\\\"deal\\\",\\\"moment\\\":\\\"stage\\\",\\\"archetypes\\\":["           \
    "{\\\"name\\\":\\\"good\\\",\\\"when\\\":[{\\\"event\\\":\\\"outcome:won\\\","                 \
    "\\\"within\\\":\\\"1 days\\\"}]}]}"

#define PLAN                                                                                       \
    "{\"name\":\"year\",\"act\":\"create\",\"operation\":\"o17\",\"body\":\"{"                     \
    "\\\"from\\\":\\\"2027-01-01\\\",\\\"to\\\":\\\"2027-12-31\\\","                               \
    "\\\"layers\\\":[\\\"data\\\"],\\\"stages\\\":[\\\"renewal\\\"]}\"}"
/* The usual rules of a metric, one of them as said. */
#define DEFINITION(reactivation)                                                                   \
    "{\\\"metric\\\":\\\"churn-count\\\",\\\"name\\\":\\\"board\\\",\\\"currency\\\":\\\"\\\","    \
    "\\\"rates\\\":{},\\\"rules\\\":{\\\"churn-at\\\":\\\"end\\\","                                \
    "\\\"churn-evidence\\\":\\\"account-zero\\\",\\\"churn-unit\\\":\\\"account\\\","              \
    "\\\"discount\\\":\\\"net\\\",\\\"end-day\\\":\\\"exclusive\\\","                              \
    "\\\"free\\\":\\\"churned\\\",\\\"one-off\\\":\\\"excluded\\\","                               \
    "\\\"past-due\\\":\\\"counted\\\",\\\"paused\\\":\\\"excluded\\\","                            \
    "\\\"reactivation\\\":\\\"" reactivation "\\\",\\\"trials\\\":\\\"excluded\\\"}}"

static const struct {
    enum proto_op op;
    const char *request;
} asked[] = {
    {PROTO_OP_HELLO, "{\"client\":\"test/1\"}"},
    {PROTO_OP_PING, "{}"},
    {PROTO_OP_STATS, "{}"},
    {PROTO_OP_MONITOR, "{}"},
    {PROTO_OP_SCHEMA_PUT, "{\"document\":\"" SCHEMA "\",\"operation\":\"o1\"}"},
    {PROTO_OP_SCHEMA_PUT, "{\"document\":\"" SCHEMA "\",\"operation\":\"o1\"}"},
    {PROTO_OP_SCHEMA_GET, "{}"},
    {PROTO_OP_MONITOR, "{\"after\":1}"},
    {PROTO_OP_CLIENT_LIST, "{}"},
    {PROTO_OP_SLOW_LOG, "{}"},
    {PROTO_OP_IMPORT_MARK, "{\"import_id\":\"i1\",\"name\":\"way.csv\"}"},
    {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[" WAY "],\"import_id\":\"i1\",\"operation\":\"o2\"}"},
    {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[" WAY "],\"import_id\":\"i1\",\"operation\":\"o2\"}"},
    {PROTO_OP_IMPORT_MARK, "{\"import_id\":\"i1\",\"done\":true,\"operation\":\"o3\"}"},
    {PROTO_OP_IMPORT_MARK, "{\"import_id\":\"i1\",\"done\":true,\"operation\":\"o3\"}"},
    {PROTO_OP_ACCOUNT_PATCH,
     "{\"accounts\":[{\"id\":\"way\",\"values\":{\"employees\":13,\"trial\":null}}],"
     "\"source\":\"people\",\"operation\":\"o4\"}"},
    {PROTO_OP_ACCOUNT_PATCH,
     "{\"accounts\":[{\"id\":\"way\",\"values\":{\"employees\":13,\"trial\":null}}],"
     "\"source\":\"people\",\"operation\":\"o4\"}"},
    {PROTO_OP_ACCOUNT_HISTORY, "{\"id\":\"way\",\"limit\":1}"},
    {PROTO_OP_ACCOUNT_HISTORY, "{\"id\":\"way\"}"},
    {PROTO_OP_MATCH, "{\"rows\":[{\"name\":\"Way Steel Ltd\",\"country\":\"DE\"},{\"name\":\"x\","
                     "\"keys\":[\"domain:way.example\"]}]}"},
    {PROTO_OP_IMPORT_LIST, "{}"},
    {PROTO_OP_AUDIT, "{\"limit\":9}"},
    {PROTO_OP_IDENTITY, "{\"entries\":[{\"act\":\"merge\",\"account\":\"a17\",\"other\":\"a18\","
                        "\"reason\":\"same\"}],\"operation\":\"o5\"}"},
    {PROTO_OP_IDENTITY, "{\"entries\":[{\"act\":\"merge\",\"account\":\"a17\",\"other\":\"a18\","
                        "\"reason\":\"same\"}],\"operation\":\"o5\"}"},
    {PROTO_OP_ACCOUNT_GET, "{\"id\":\"a18\",\"names\":true}"},
    {PROTO_OP_IDENTITY_LIST, "{\"id\":\"a17\",\"names\":true}"},
    {PROTO_OP_IDENTITY, "{\"entries\":[{\"act\":\"undo\",\"entry\":1}]}"},
    {PROTO_OP_IDENTITY_LIST, "{\"limit\":1}"},
    {PROTO_OP_IDENTITY_LIST, "{}"},
    {PROTO_OP_ICP_LEARN, "{\"label\":\"won = 1\",\"operation\":\"o6\",\"progress\":true}"},
    {PROTO_OP_ICP_LEARN, "{\"label\":\"won = 1\",\"operation\":\"o6\",\"progress\":true}"},
    {PROTO_OP_ICP_GET, "{}"},
    {PROTO_OP_ICP_ACTIVATE, "{\"icp\":2,\"reason\":\"better\",\"operation\":\"o7\"}"},
    {PROTO_OP_ICP_ACTIVATE, "{\"icp\":2,\"reason\":\"better\",\"operation\":\"o7\"}"},
    {PROTO_OP_ICP_REVERT, "{\"operation\":\"o8\"}"},
    {PROTO_OP_ICP_REVERT, "{\"operation\":\"o8\"}"},
    {PROTO_OP_ICP_LIST, "{}"},
    {PROTO_OP_ICP_WHAT_IF, "{\"icp\":2,\"by\":\"industry\",\"names\":true}"},
    {PROTO_OP_ICP_LEARN, "{\"label\":\"won = 1\",\"value\":\"employees\"}"},
    {PROTO_OP_ICP_WHAT_IF, "{\"icp\":3,\"against\":1,\"by\":\"industry\"}"},
    {PROTO_OP_ICP_WHAT_IF, "{\"icp\":1,\"against\":3,\"by\":\"industry\"}"},
    {PROTO_OP_SCORE, "{\"id\":\"a1\",\"icp\":3,\"value\":true,\"names\":true}"},
    {PROTO_OP_EXPLAIN, "{\"id\":\"a1\",\"icp\":3,\"value\":true}"},
    {PROTO_OP_ICP_DRIFT, "{\"label\":\"won = 1\"}"},
    {PROTO_OP_CHALLENGE,
     "{\"condition\":\"employees > 10\",\"claim\":\"in\",\"operation\":\"o15\"}"},
    {PROTO_OP_CHALLENGE,
     "{\"condition\":\"employees > 10\",\"claim\":\"in\",\"operation\":\"o15\"}"},
    {PROTO_OP_CHALLENGE, "{\"field\":\"industry\"}"},
    {PROTO_OP_CHALLENGE_LIST, "{\"limit\":1}"},
    {PROTO_OP_CHALLENGE_SHOW, "{\"number\":2,\"again\":true}"},
    {PROTO_OP_CHALLENGE_TRY, "{\"slice\":\"employees > 10\"}"},
    {PROTO_OP_SEGMENT_FIND, "{}"},
    {PROTO_OP_SEGMENT_PUT, "{\"name\":\"s\",\"filter\":\"employees > 10\",\"operation\":\"o71\"}"},
    {PROTO_OP_SEGMENT_PUT, "{\"name\":\"s\",\"filter\":\"employees > 10\",\"operation\":\"o71\"}"},
    {PROTO_OP_SEGMENT_PUT, "{\"name\":\"s\",\"filter\":\"employees > 5\",\"dry_run\":true}"},
    {PROTO_OP_SEGMENT_LIST, "{\"frontier\":true,\"outcome\":\"won = 1\"}"},
    {PROTO_OP_SEGMENT_GET, "{\"name\":\"s\",\"outcome\":\"won = 1\"}"},
    {PROTO_OP_ICP_WHAT_IF, "{\"icp\":2,\"by\":\"segment\"}"},
    {PROTO_OP_SCORE, "{\"values\":{\"employees\":70}}"},
    {PROTO_OP_EXPLAIN, "{\"values\":{\"employees\":70}}"},
    {PROTO_OP_SCORE_MANY, "{\"icp\":3,\"leads\":[{\"id\":\"a1\"}],\"value\":true}"},
    {PROTO_OP_SEGMENT_PUT, "{\"name\":\"s\",\"drop\":true}"},
    {PROTO_OP_SEGMENT_LIST, "{\"all\":true}"},
    {PROTO_OP_SEGMENT_GET, "{\"name\":\"s@2\"}"},
    {PROTO_OP_SCORE, "{\"id\":\"a1\"}"},
    {PROTO_OP_SCORE, "{\"id\":\"a1\",\"reasons\":3}"},
    {PROTO_OP_SCORE, "{\"values\":{\"employees\":7,\"nonsense\":1},\"reasons\":2}"},
    {PROTO_OP_SCORE_MANY, "{\"ids\":[\"a1\",\"nobody\"],\"names\":true}"},
    {PROTO_OP_SCORE_MANY, "{\"leads\":[{\"id\":\"a1\"},{\"id\":\"a1\",\"key\":\"crm:1\"}]}"},
    {PROTO_OP_EXPLAIN, "{\"id\":\"a1\"}"},
    {PROTO_OP_EXPLAIN, "{\"values\":{\"employees\":7,\"nonsense\":1},\"shapes\":9}"},
    {PROTO_OP_FILTER, "{\"filter\":\"employees > 1\",\"fields\":[\"industry\"],\"scores\":true,"
                      "\"names\":true,\"limit\":2}"},
    {PROTO_OP_COUNT, "{\"filter\":\"employees > 1\"}"},
    {PROTO_OP_SIMILAR_BUILD, "{\"metric\":\"cosine\",\"weights\":{\"employees\":2}}"},
    {PROTO_OP_SIMILAR_PLAN, "{}"},
    {PROTO_OP_SIMILAR, "{\"positives\":[{\"id\":\"a1\"}],\"names\":true}"},
    {PROTO_OP_SIMILAR, "{\"positives\":[{\"values\":{\"industry\":\"Steel\",\"employees\":5}}]}"},
    {PROTO_OP_RECALL, "{\"n\":5}"},
    {PROTO_OP_TAL_BUILD,
     "{\"name\":\"ten\",\"k\":10,\"segments\":[{\"name\":\"s\",\"quota\":9}],"
     "\"owners\":[{\"name\":\"ann\",\"capacity\":5}],\"note\":\"n\",\"operation\":\"o9\"}"},
    {PROTO_OP_TAL_BUILD,
     "{\"name\":\"ten\",\"k\":10,\"segments\":[{\"name\":\"s\",\"quota\":9}],"
     "\"owners\":[{\"name\":\"ann\",\"capacity\":5}],\"note\":\"n\",\"operation\":\"o9\"}"},
    {PROTO_OP_TAL_BUILD, "{\"name\":\"five\",\"k\":5,\"filter\":\"employees > 10\"}"},
    {PROTO_OP_TAL_BUILD, "{\"name\":\"drawn\",\"k\":40,\"icp\":2,\"hold_out\":0.5,"
                         "\"seed\":\"monday\",\"sample\":9,\"last_icp\":1}"},
    {PROTO_OP_TAL_LIST, "{}"},
    {PROTO_OP_TAL_GET, "{\"name\":\"drawn\"}"},
    {PROTO_OP_TAL_GET, "{\"name\":\"drawn\",\"part\":\"sample\"}"},
    {PROTO_OP_TAL_ACCOUNT, "{\"name\":\"drawn\",\"id\":\"nobody\"}"},
    {PROTO_OP_TAL_ACCOUNT, "{\"name\":\"drawn\",\"id\":\"a1\"}"},
    {PROTO_OP_TAL_ACCOUNT, "{\"name\":\"drawn\",\"id\":\"a2\"}"},
    {PROTO_OP_TAL_GET, "{\"name\":\"ten\",\"names\":true}"},
    {PROTO_OP_TAL_GET, "{\"name\":\"ten\",\"document\":true}"},
    {PROTO_OP_TAL_DIFF, "{\"a\":\"ten\",\"b\":\"five\",\"names\":true}"},
    {PROTO_OP_ACCOUNT_PATCH, "{\"accounts\":[{\"id\":\"a1\",\"values\":{\"employees\":1}}]}"},
    {PROTO_OP_TAL_CHECK, "{\"name\":\"ten\",\"names\":true}"},
    {PROTO_OP_EVENT_APPEND, "{\"source\":\"crm\",\"operation\":\"o10\",\"import_id\":\"i1\","
                            "\"events\":[" EVENT(
                                "s"
                                "t"
                                "a"
                                "g"
                                "e",
                                "e"
                                "1",
                                "\"kind\":\"created\",\"subject\":\"d1\",\"time\":0") "," EVENT("ou"
                                                                                                "tc"
                                                                                                "om"
                                                                                                "e",
                                                                                                "e"
                                                                                                "2",
                                                                                                "\""
                                                                                                "ki"
                                                                                                "nd"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "wo"
                                                                                                "n"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "su"
                                                                                                "bj"
                                                                                                "ec"
                                                                                                "t"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "d1"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "ti"
                                                                                                "me"
                                                                                                "\""
                                                                                                ":1"
                                                                                                "00"
                                                                                                "0,"
                                                                                                "\""
                                                                                                "mo"
                                                                                                "ti"
                                                                                                "on"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "pl"
                                                                                                "g"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "fu"
                                                                                                "nc"
                                                                                                "ti"
                                                                                                "on"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "sa"
                                                                                                "le"
                                                                                                "s"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "ca"
                                                                                                "mp"
                                                                                                "ai"
                                                                                                "gn"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "c"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "pe"
                                                                                                "rs"
                                                                                                "on"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "p"
                                                                                                "\"") "," EVENT("subscription",
                                                                                                                "e3",
                                                                                                                "\"subject\":\"s1\",\"label\":\"pro\",\"time\":2000,"
                                                                                                                "\"amount\":1200,\"currency\":\"USD\",\"months\":12,\"end\":63000000000") "," EVENT("subscription", "e4", "\"kind\":\"trial\",\"subject\":\"s2\",\"time\":2000,\"amount\":0,\"currency\":\"USD\",\"months\":1") "," EVENT("outcome",
                                                                                                                                                                                                                                                                                                                                          "e5", "\"kind\":\"nps\",\"quantity\":9000,\"time\":3000") "," EVENT("touch",
                                                                                                                                                                                                                                                                                                                                                                                                              "e6", "\"kind\":\"email\",\"time\":4000") "," EVENT("touch", "e9", "\"time\":4500") "," EVENT("stage",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            "e7",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            "\"kind\":\"created\",\"subject\":\"d2\",\"time\":80000000") "]}"},
    {PROTO_OP_EVENT_APPEND, "{\"source\":\"crm\",\"operation\":\"o11\",\"events\":[" EVENT(
                                "retraction", "e8", "\"retracts\":\"e6\",\"time\":5000") "]}"},
    {PROTO_OP_EVENT_APPEND, "{\"source\":\"crm\",\"operation\":\"o11\",\"events\":[" EVENT(
                                "retraction", "e8", "\"retracts\":\"e6\",\"time\":5000") "]}"},
    {PROTO_OP_TIMELINE, "{\"id\":\"way\",\"limit\":1}"},
    {PROTO_OP_TIMELINE, "{\"id\":\"way\",\"all\":true}"},
    {PROTO_OP_EVENT_QUERY, "{\"by\":\"industry\",\"sum\":\"amount\",\"members\":[\"kind\"]}"},
    {PROTO_OP_MEASURE_LIST, "{}"},
    {PROTO_OP_MEASURE, "{\"measure\":\"mrr\",\"parameters\":{\"from\":\"1970-01-01\","
                       "\"to\":\"1970-06-01\"}}"},
    {PROTO_OP_MEASURE, "{\"measure\":\"bridge\",\"parameters\":{\"from\":\"1970-01-01\","
                       "\"to\":\"1970-06-01\"},\"against\":{\"trials\":\"counted\"}}"},
    {PROTO_OP_METRIC_PUT, "{\"definition\":\"" DEFINITION("apart") "\",\"operation\":\"o16\"}"},
    {PROTO_OP_METRIC_PUT, "{\"definition\":\"" DEFINITION("apart") "\",\"operation\":\"o16\"}"},
    {PROTO_OP_METRIC_PUT, "{\"definition\":\"" DEFINITION("within") "\"}"},
    {PROTO_OP_METRIC_GET, "{\"name\":\"board@1\"}"},
    {PROTO_OP_METRIC_LIST, "{\"all\":true}"},
    {PROTO_OP_PLAN_ADD, PLAN},
    {PROTO_OP_PLAN_ADD, PLAN},
    {PROTO_OP_PLAN_GET, "{\"name\":\"year\"}"},
    {PROTO_OP_PLAN_LIST, "{}"},
    {PROTO_OP_LIFECYCLE, "{\"id\":\"way\",\"at\":9000000}"},
    {PROTO_OP_SCORE, "{\"id\":\"way\",\"engagement\":\"usual\"}"},
    {PROTO_OP_EXPLAIN, "{\"id\":\"way\",\"engagement\":\"usual@1\"}"},
    {PROTO_OP_VIEW,
     "{\"views\":[\"sales\",\"marketing\",\"success\",\"product\",\"finance\",\"grid\"],"
     "\"parameters\":{\"as-of\":9000000}}"},
    {PROTO_OP_MEASURE, "{\"measure\":\"grid\",\"parameters\":{\"as-of\":9000000}}"},
    {PROTO_OP_CARD, "{\"id\":\"way\",\"at\":9000000}"},
    {PROTO_OP_CHANGES, "{\"since\":0,\"limit\":1}"},
    {PROTO_OP_LABEL, "{\"policy\":\"" POLICY "\",\"limit\":1,\"names\":true,\"at\":200000000}"},
    {PROTO_OP_LABEL, "{\"policy\":\"" POLICY "\",\"names\":true,\"at\":200000000}"},
    {PROTO_OP_LABEL, "{\"policy\":\"" STAGES "\",\"at\":200000000}"},
    {PROTO_OP_VERDICT,
     "{\"name\":\"drawn\",\"policy\":\"" POLICY "\",\"since\":0,\"weekly\":true}"},
    {PROTO_OP_EROSION, "{\"name\":\"five\",\"committed\":0.999,\"false_alarm\":2,\"since\":0}"},
    {PROTO_OP_EROSION, "{\"name\":\"drawn\",\"committed\":0.001,\"since\":0}"},
    {PROTO_OP_IMPORT_UNDO, "{\"import_id\":\"i1\",\"operation\":\"o12\",\"progress\":true}"},
    {PROTO_OP_IMPORT_UNDO, "{\"import_id\":\"i1\",\"operation\":\"o12\",\"progress\":true}"},
    {PROTO_OP_BACKUP, "{\"name\":\"nightly\"}"},
    {PROTO_OP_SCRUB, "{}"},
    {PROTO_OP_JOB_LIST, "{}"},
    {PROTO_OP_ACCOUNT_DELETE, "{\"ids\":[\"a2\"],\"operation\":\"o13\"}"},
    {PROTO_OP_ACCOUNT_DELETE, "{\"ids\":[\"a2\"],\"operation\":\"o13\"}"},
    /* A list whose filter names a field that is gone. */
    {PROTO_OP_SCHEMA_PUT,
     "{\"document\":\"{\\\"fields\\\":[{\\\"name\\\":\\\"won\\\",\\\"type\\\":\\\"flag\\\"}]}\"}"},
    {PROTO_OP_TAL_CHECK, "{\"name\":\"five\"}"},
};

/* The active version's document as a new version, under an id, twice. */
static void put_again(void)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    ask(PROTO_OP_ICP_GET, "{}", args);
    struct proto_span text = args[PROTO_A_ICP_GET_DOCUMENT].text;
    json_t *put = json_pack("{s:s%,s:s}", "document", text.data, text.bytes, "operation", "o14");
    char *asked_so = json_dumps(put, JSON_COMPACT);
    assert_non_null(asked_so);
    ask(PROTO_OP_ICP_PUT, asked_so, args);
    ask(PROTO_OP_ICP_PUT, asked_so, args);
    assert_true(args[PROTO_A_ICP_PUT_REPEATED].flag);
    free(asked_so);
    /* And once more, measured by the accounts that are there. */
    json_object_set_new(put, "label", json_string("won = 1"));
    json_object_set_new(put, "operation", json_string("o-import"));
    json_object_set_new(put, "progress", json_true());
    asked_so = json_dumps(put, JSON_COMPACT);
    assert_non_null(asked_so);
    ask(PROTO_OP_ICP_IMPORT, asked_so, args);
    ask(PROTO_OP_ICP_IMPORT, asked_so, args);
    assert_true(args[PROTO_A_ICP_IMPORT_REPEATED].flag);
    free(asked_so);
    json_decref(put);
}

/* ---- what stays unwritten, and why ---- */

#define ALL (-1)
static const struct {
    enum proto_op op;
    int field;
    const char *why;
} fields_unasked[] = {
    {PROTO_OP_CAPTURE_START, ALL, "nothing is recorded here: unit/capture"},
    {PROTO_OP_CAPTURE_STOP, ALL, "as above"},
    {PROTO_OP_CAPTURE_STATE, ALL, "as above"},
    {PROTO_OP_EVERYTHING_EXPORT, ALL, "no place for exports here: system/everything"},
    {PROTO_OP_EVERYTHING_READ, ALL, "as above"},
    {PROTO_OP_EVERYTHING_IMPORT, ALL, "wants an empty store: system/everything"},
    {PROTO_OP_TAL_DROP, ALL, "wants a damaged list: system/tal_drop"},
    {PROTO_OP_SCORE, PROTO_A_SCORE_TAL_UNSURE, "as above"},
    {PROTO_OP_CHALLENGE_LIST, PROTO_A_CHALLENGE_LIST_DAMAGED, "wants a damaged challenge"},
    {PROTO_OP_PLAN_GET, PROTO_A_PLAN_GET_WRONG, "wants a history that was altered: unit/term"},
    {PROTO_OP_JOB_CANCEL, ALL, "wants a job that runs long: system/operations"},
    {PROTO_OP_ACCOUNT_GET, PROTO_A_ACCOUNT_GET_UNKEPT, "wants long values: unit/store/history"},
    {PROTO_OP_ACCOUNT_HISTORY, PROTO_A_ACCOUNT_HISTORY_GONE, "wants many changes: as above"},
};

static const struct {
    enum proto_shape shape;
    int member;
    const char *why;
} members_unasked[] = {
    {PROTO_SHAPE_PAST_CHANGE, PROTO_M_PAST_CHANGE_UNKEPT, "wants long values: unit/store/history"},
    {PROTO_SHAPE_MOVE, PROTO_M_MOVE_BEFORE, "wants a sequence between writes: system/views"},
    {PROTO_SHAPE_MOVE, PROTO_M_MOVE_FIT_BEFORE, "as above"},
    {PROTO_SHAPE_MOVE, PROTO_M_MOVE_LIST, "as above"},
    {PROTO_SHAPE_CONTRIBUTION, PROTO_M_CONTRIBUTION_SECOND, "wants a pair that earns its place"},
    {PROTO_SHAPE_CONTRIBUTION, PROTO_M_CONTRIBUTION_SECOND_VALUE, "as above"},
    {PROTO_SHAPE_PLAN, PROTO_M_PLAN_WRONG, "wants a history that was altered: unit/term"},
    {PROTO_SHAPE_TAL, PROTO_M_TAL_NUMBER, "wants a damaged list: system/tal_drop"},
    {PROTO_SHAPE_TAL, PROTO_M_TAL_ERROR, "as above"},
    {PROTO_SHAPE_MATCHED, PROTO_M_MATCHED_COMMON, "wants a name of common words: unit/rpc/match"},
};

/* Frames of progress have these; the fixture looks at them, and passes on the last frame. */
static bool is_progress(const struct proto_op_info *op, size_t field)
{
    const char *name = op->reply[field].name;
    return op->lane == PROTO_LANE_JOB && (strcmp(name, "done") == 0 || strcmp(name, "stage") == 0);
}

static bool has_reason(const struct proto_op_info *op, size_t field)
{
    bool found = is_progress(op, field);
    for (size_t i = 0; i < sizeof fields_unasked / sizeof *fields_unasked; i++) {
        found |= fields_unasked[i].op == op->op &&
                 (fields_unasked[i].field == ALL || fields_unasked[i].field == (int)field);
    }
    return found;
}

static bool member_has_reason(int shape, size_t member)
{
    bool found = false;
    for (size_t i = 0; i < sizeof members_unasked / sizeof *members_unasked; i++) {
        found |= (int)members_unasked[i].shape == shape && members_unasked[i].member == (int)member;
    }
    return found;
}

/* A segment that comes and goes, as the feed tells it. */
static void segment_feed(void)
{
    static const char *const puts[] = {"{\"name\":\"fed\",\"filter\":\"true\"}",
                                       "{\"name\":\"fed\",\"drop\":true}"};
    for (size_t i = 0; i < sizeof puts / sizeof *puts; i++) {
        struct proto_arg args[PROTO_ARGS_MAX];
        char since[64];
        ask(PROTO_OP_SEGMENT_PUT, puts[i], args);
        (void)snprintf(since, sizeof since, "{\"since\":%llu}",
                       (unsigned long long)args[PROTO_A_SEGMENT_PUT_SEQ].uint - 1);
        ask(PROTO_OP_CHANGES, since, args);
    }
}

/* A server that follows a log which others follow too says so. */
static void hello_of_a_follower(void)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    engine_applied_follow(fixture.engine, 7);
    ask(PROTO_OP_HELLO, "{}", args);
    assert_int_equal(args[PROTO_A_HELLO_LOG].uint, 7);
    engine_applied_follow(fixture.engine, 0);
}

static void every_field_of_every_reply_is_written_as_described(void **state)
{
    (void)state;
    struct proto_arg args[PROTO_ARGS_MAX];
    size_t count = 0;
    unsigned wrong = 0;
    const struct proto_op_info *ops = proto_ops(&count);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        ask(asked[i].op, asked[i].request, args);
    }
    segment_feed();
    hello_of_a_follower();
    put_again();
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < ops[i].reply_count; k++) {
            bool seen = fields_seen[ops[i].op][k];
            if (seen == has_reason(&ops[i], k)) {
                wrong++;
                print_error("%s.%s %s\n", ops[i].name, ops[i].reply[k].name,
                            seen ? "is written, and listed as one that is not"
                                 : "is never written");
            }
        }
    }
    assert_int_equal(wrong, 0);
}

static void every_member_of_what_stands_in_replies_is_written_as_described(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (int shape = 1; shape < PROTO_SHAPE_COUNT; shape++) {
        const struct proto_shape_info *info = proto_shape_info((enum proto_shape)shape);
        bool any = false;
        for (size_t i = 0; i < info->member_count; i++) {
            any |= members_seen[shape][i];
        }
        for (size_t i = 0; i < info->member_count; i++) {
            if (any && members_seen[shape][i] == member_has_reason(shape, i)) {
                wrong++;
                print_error("a %s %s with %s\n", info->name,
                            members_seen[shape][i] ? "is written, against the list,"
                                                   : "is never written",
                            info->members[i].name);
            }
        }
    }
    assert_int_equal(wrong, 0);
}

static int setup(void **state)
{
    (void)state;
    proto_writer_init(&request);
    rpc_fixture_open(&fixture, false);
    rpc_session_open(fixture.rpc, &fixture.session, "127.0.0.1:4273");
    snprintf(fixture.backups, sizeof fixture.backups, "%s", "/tmp/icpd-replies-XXXXXX");
    assert_non_null(mkdtemp(fixture.backups));
    rpc_fixture_fill(&fixture, ACCOUNTS);
    rpc_fixture_learn(&fixture);
    return 0;
}

static int entry_remove(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    nftw(fixture.backups, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
    proto_writer_fini(&request);
    rpc_fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_that_is_not_as_described_is_found),
        cmocka_unit_test(a_count_that_is_not_that_of_the_entries_is_found),
        cmocka_unit_test(every_field_of_every_reply_is_written_as_described),
        cmocka_unit_test(every_member_of_what_stands_in_replies_is_written_as_described),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
