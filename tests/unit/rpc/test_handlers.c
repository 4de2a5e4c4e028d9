/* SPDX-License-Identifier: Apache-2.0 */
/* Every handler by a table: a request as JSON, and what must come of it. What is accepted is
 * decoded by the operation's table; what is refused must say where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rpc/rpc_fixture.h"
#include "tests/unit/rpc/rpc_request.h"

enum { ACCOUNTS = 600 };

static struct rpc_fixture fixture;
static struct proto_writer request;

static struct proto_span request_of(const char *text)
{
    return rpc_request_json(&request, text);
}

/* Sends it and decodes the reply, which must be no fault. */
static void ask(enum proto_op op, const char *text, struct proto_arg *args)
{
    rpc_fixture_ask(&fixture, (uint8_t)op, request_of(text), args);
}

struct refusal {
    enum proto_op op;
    const char *request;
    enum proto_error code;
    const char *field; /* begins with this */
};

static void must_refuse(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct refusal *refusal = &refusals[i];
        struct proto_span payload;
        struct proto_fault reply = {0};
        struct proto_fault fault = {0};
        uint8_t status = rpc_fixture_call(&fixture, (uint8_t)refusal->op,
                                          request_of(refusal->request), &payload);
        if (status != refusal->code) {
            fail_msg("%s: status %u, not %u", refusal->request, status, refusal->code);
        }
        assert_true(proto_fault_decode(payload, &reply, &fault));
        assert_int_equal(reply.code, refusal->code);
        if (strncmp(reply.field, refusal->field, strlen(refusal->field)) != 0) {
            fail_msg("%s: field %s, not %s", refusal->request, reply.field, refusal->field);
        }
        assert_true(reply.message[0] != '\0');
    }
}

#define MUST_REFUSE(list) must_refuse(list, sizeof(list) / sizeof *(list))

static void what_an_account_may_not_be_is_refused_where_it_is(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {PROTO_OP_ACCOUNT_PUT, "{}", PROTO_MISSING_FIELD, "accounts"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[]}", PROTO_BAD_FIELD, "accounts"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":7}", PROTO_BAD_FIELD, "accounts"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{}]}", PROTO_MISSING_FIELD, "accounts[0].id"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{\"id\":\"\"}]}", PROTO_BAD_FIELD, "accounts[0].id"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{\"id\":\"x\"},{\"id\":\"a\\u0001\"}]}",
         PROTO_BAD_FIELD, "accounts[1].id"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{\"id\":\"x\",\"keys\":[\"nokey\"]}]}",
         PROTO_BAD_FIELD, "accounts[0].keys"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{\"id\":\"x\",\"keys\":[7]}]}", PROTO_BAD_FIELD,
         "accounts[0].keys"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{\"id\":\"x\",\"values\":{\"nofield\":1}}]}",
         PROTO_BAD_FIELD, "accounts[0].values.nofield"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{\"id\":\"x\",\"values\":{\"employees\":[1]}}]}",
         PROTO_BAD_FIELD, "accounts[0].values.employees"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{\"id\":\"x\",\"values\":{\"trial\":2}}]}",
         PROTO_BAD_FIELD, "accounts[0].values.trial"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{\"id\":\"x\",\"values\":{\"tech\":[1]}}]}",
         PROTO_BAD_FIELD, "accounts[0].values.tech"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{\"id\":\"x\",\"values\":{\"embedding\":[1]}}]}",
         PROTO_BAD_FIELD, "accounts[0].values.embedding"},
        {PROTO_OP_ACCOUNT_PUT,
         "{\"accounts\":[{\"id\":\"x\",\"keys\":[\"domain:company0.example\"]}]}", PROTO_CONFLICT,
         "accounts[0].keys[0]"},
        {PROTO_OP_ACCOUNT_PATCH, "{\"accounts\":[{\"id\":\"nobody\"}]}", PROTO_NOT_FOUND,
         "accounts[0].id"},
        {PROTO_OP_ACCOUNT_DELETE, "{}", PROTO_MISSING_FIELD, "ids"},
        {PROTO_OP_ACCOUNT_DELETE, "{\"ids\":[\"\"]}", PROTO_BAD_FIELD, "ids"},
        {PROTO_OP_ACCOUNT_DELETE, "{\"ids\":\"a1\"}", PROTO_BAD_FIELD, "ids"},
        {PROTO_OP_ACCOUNT_GET, "{}", PROTO_MISSING_FIELD, "id"},
        {PROTO_OP_ACCOUNT_GET, "{\"id\":\"a1\",\"key\":\"crm:1\"}", PROTO_BAD_FIELD, "id"},
        {PROTO_OP_ACCOUNT_GET, "{\"id\":\"nobody\"}", PROTO_NOT_FOUND, ""},
        {PROTO_OP_ACCOUNT_GET, "{\"email\":\"ann@gmail.com\"}", PROTO_NOT_FOUND, ""},
    };
    MUST_REFUSE(refusals);
}

static void an_account_goes_in_changes_and_goes_out(void **state)
{
    (void)state;
    struct proto_arg args[PROTO_ARGS_MAX];
    ask(PROTO_OP_ACCOUNT_PUT,
        "{\"accounts\":[{\"id\":\"way\",\"keys\":[\"domain:Way.example\",\"crm:W1\"],"
        "\"values\":{\"industry\":\"Steel\",\"employees\":\"12\",\"tech\":[\"Jira\",\"SAP\"],"
        "\"trial\":true,\"embedding\":[0.5,1]}}],\"source\":\"crm\"}",
        args);
    assert_int_equal(args[PROTO_A_ACCOUNT_PUT_COUNT].uint, 1);
    assert_int_equal(args[PROTO_A_ACCOUNT_PUT_CREATED].uint, 1);
    assert_false(args[PROTO_A_ACCOUNT_PUT_REPEATED].present);
    uint64_t seq = args[PROTO_A_ACCOUNT_PUT_SEQ].uint;
    ask(PROTO_OP_ACCOUNT_GET, "{\"key\":\"domain:WAY.example\"}", args);
    assert_true(proto_span_equal(args[PROTO_A_ACCOUNT_GET_ID].text, proto_span_text("way")));
    assert_int_equal(args[PROTO_A_ACCOUNT_GET_SEQ].uint, seq);
    ask(PROTO_OP_ACCOUNT_PATCH,
        "{\"accounts\":[{\"id\":\"way\",\"values\":{\"employees\":null,\"trial\":false}}]}", args);
    assert_int_equal(args[PROTO_A_ACCOUNT_PATCH_COUNT].uint, 1);
    assert_int_equal(args[PROTO_A_ACCOUNT_PATCH_CREATED].uint, 0);
    assert_int_equal(args[PROTO_A_ACCOUNT_PATCH_SEQ].uint, seq + 1);
    ask(PROTO_OP_COUNT, "{\"filter\":\"industry = 'Steel' and employees is missing\"}", args);
    assert_true(args[PROTO_A_COUNT_COUNT].uint >= 1);
    ask(PROTO_OP_ACCOUNT_DELETE, "{\"ids\":[\"way\",\"nobody\"]}", args);
    assert_int_equal(args[PROTO_A_ACCOUNT_DELETE_COUNT].uint, 1);
    static const struct refusal gone[] = {
        {PROTO_OP_ACCOUNT_GET, "{\"key\":\"crm:W1\"}", PROTO_NOT_FOUND, ""}};
    MUST_REFUSE(gone);
}

static void a_write_under_an_id_is_answered_as_the_first_time(void **state)
{
    (void)state;
    static const char put[] = "{\"accounts\":[{\"id\":\"named\"}],\"operation\":\"n-1\"}";
    struct proto_arg first[PROTO_ARGS_MAX];
    struct proto_arg again[PROTO_ARGS_MAX];
    ask(PROTO_OP_ACCOUNT_PUT, put, first);
    uint64_t seq = first[PROTO_A_ACCOUNT_PUT_SEQ].uint;
    ask(PROTO_OP_ACCOUNT_PUT, put, again);
    assert_true(again[PROTO_A_ACCOUNT_PUT_REPEATED].flag);
    assert_int_equal(again[PROTO_A_ACCOUNT_PUT_SEQ].uint, seq);
    assert_int_equal(again[PROTO_A_ACCOUNT_PUT_CREATED].uint, 1);
    /* The order of keys and the deadline are no part of it; anything else is. */
    ask(PROTO_OP_ACCOUNT_PUT,
        "{\"operation\":\"n-1\",\"deadline_ms\":9000000000000,\"accounts\":[{\"id\":\"named\"}]}",
        again);
    assert_true(again[PROTO_A_ACCOUNT_PUT_REPEATED].flag);
    static const struct refusal others[] = {
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{\"id\":\"other\"}],\"operation\":\"n-1\"}",
         PROTO_CONFLICT, "operation"},
        {PROTO_OP_ACCOUNT_PUT,
         "{\"accounts\":[{\"id\":\"named\"}],\"operation\":\"n-1\",\"source\":\"crm\"}",
         PROTO_CONFLICT, "operation"},
        {PROTO_OP_ACCOUNT_PATCH, "{\"accounts\":[{\"id\":\"named\"}],\"operation\":\"n-1\"}",
         PROTO_CONFLICT, "operation"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{\"id\":\"named\"}],\"operation\":\"\"}",
         PROTO_BAD_FIELD, "operation"},
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{\"id\":\"named\"}],\"operation\":7}",
         PROTO_BAD_FIELD, "operation"},
    };
    MUST_REFUSE(others);
}

static void documents_are_put_read_and_switched(void **state)
{
    (void)state;
    struct proto_arg args[PROTO_ARGS_MAX];
    ask(PROTO_OP_SCHEMA_GET, "{}", args);
    uint64_t schema = args[PROTO_A_SCHEMA_GET_SCHEMA].uint;
    assert_true(schema >= 1 && args[PROTO_A_SCHEMA_GET_DOCUMENT].text.bytes > 0);
    ask(PROTO_OP_ICP_GET, "{}", args);
    struct proto_span text = args[PROTO_A_ICP_GET_DOCUMENT].text;
    assert_true(args[PROTO_A_ICP_GET_ACTIVE].flag);
    struct proto_writer put;
    proto_writer_init(&put);
    proto_write_map(&put, 1);
    proto_write_text(&put, "document");
    proto_write_str(&put, text);
    rpc_fixture_ask(&fixture, PROTO_OP_ICP_PUT, proto_writer_span(&put), args);
    proto_writer_fini(&put);
    assert_int_equal(args[PROTO_A_ICP_PUT_ICP].uint, 2);
    ask(PROTO_OP_ICP_ACTIVATE, "{\"icp\":2,\"reason\":\"better\"}", args);
    assert_int_equal(args[PROTO_A_ICP_ACTIVATE_ICP].uint, 2);
    assert_int_equal(args[PROTO_A_ICP_ACTIVATE_PREVIOUS].uint, 1);
    ask(PROTO_OP_ICP_REVERT, "{}", args);
    assert_int_equal(args[PROTO_A_ICP_REVERT_ICP].uint, 1);
    ask(PROTO_OP_ICP_LIST, "{}", args);
    assert_true(args[PROTO_A_ICP_LIST_ICPS].present && args[PROTO_A_ICP_LIST_SWITCHES].present);
    static const struct refusal refusals[] = {
        {PROTO_OP_SCHEMA_PUT, "{\"document\":\"{}\"}", PROTO_BAD_SCHEMA, ""},
        {PROTO_OP_SCHEMA_PUT, "{}", PROTO_MISSING_FIELD, "document"},
        {PROTO_OP_SCHEMA_GET, "{\"schema\":99}", PROTO_NOT_FOUND, "schema"},
        {PROTO_OP_ICP_PUT, "{\"document\":\"{}\"}", PROTO_BAD_DOCUMENT, ""},
        {PROTO_OP_ICP_IMPORT, "{\"document\":\"{}\"}", PROTO_BAD_DOCUMENT, ""},
        {PROTO_OP_ICP_IMPORT, "{}", PROTO_MISSING_FIELD, "document"},
        {PROTO_OP_ICP_GET, "{\"icp\":99}", PROTO_NOT_FOUND, "icp"},
        {PROTO_OP_ICP_ACTIVATE, "{\"icp\":99}", PROTO_NOT_FOUND, "icp"},
        {PROTO_OP_ICP_ACTIVATE, "{\"icp\":0}", PROTO_BAD_FIELD, "icp"},
        {PROTO_OP_ICP_ACTIVATE, "{}", PROTO_MISSING_FIELD, "icp"},
        {PROTO_OP_ICP_LEARN, "{\"label\":\"nofield = 1\"}", PROTO_BAD_FILTER, "label"},
        {PROTO_OP_ICP_LEARN, "{\"label\":\"won = 1\",\"fields\":[\"nofield\"]}", PROTO_BAD_FIELD,
         "fields[0]"},
        {PROTO_OP_ICP_LEARN, "{\"label\":\"won = 1\",\"pairs\":65}", PROTO_BAD_FIELD, "pairs"},
        {PROTO_OP_ICP_LEARN, "{\"label\":\"won = 1\",\"time_field\":\"industry\"}", PROTO_BAD_FIELD,
         "time_field"},
        {PROTO_OP_JOB_CANCEL, "{\"job\":4711}", PROTO_NOT_FOUND, ""},
    };
    MUST_REFUSE(refusals);
}

static void scores_are_refused_by_what_is_wrong_with_them(void **state)
{
    (void)state;
    struct proto_arg args[PROTO_ARGS_MAX];
    static const struct refusal refusals[] = {
        {PROTO_OP_SCORE, "{}", PROTO_MISSING_FIELD, "id"},
        {PROTO_OP_SCORE, "{\"id\":\"nobody\"}", PROTO_NOT_FOUND, ""},
        {PROTO_OP_SCORE, "{\"id\":\"nobody\",\"reasons\":3}", PROTO_NOT_FOUND, ""},
        {PROTO_OP_SCORE, "{\"id\":\"a1\",\"icp\":99}", PROTO_NOT_FOUND, "icp"},
        {PROTO_OP_SCORE, "{\"id\":\"a1\",\"key\":\"crm:1\"}", PROTO_BAD_FIELD, "id"},
        {PROTO_OP_SCORE, "{\"values\":{\"employees\":\"many\"}}", PROTO_BAD_FIELD,
         "values.employees"},
        {PROTO_OP_SCORE, "{\"values\":7}", PROTO_BAD_FIELD, "values"},
        {PROTO_OP_SCORE_MANY, "{}", PROTO_MISSING_FIELD, "ids"},
        {PROTO_OP_SCORE_MANY, "{\"ids\":[\"a1\"],\"leads\":[]}", PROTO_BAD_FIELD, "ids"},
        {PROTO_OP_SCORE_MANY, "{\"ids\":[1]}", PROTO_BAD_FIELD, "ids"},
        {PROTO_OP_FILTER, "{\"filter\":\"\"}", PROTO_BAD_FILTER, "filter"},
        {PROTO_OP_FILTER, "{\"filter\":\"employees >\"}", PROTO_BAD_FILTER, "filter"},
        {PROTO_OP_FILTER, "{\"filter\":\"employees > 1\",\"limit\":0}", PROTO_BAD_FIELD, "limit"},
        {PROTO_OP_FILTER, "{\"filter\":\"employees > 1\",\"sort\":\"name\"}", PROTO_BAD_FIELD,
         "sort"},
        {PROTO_OP_FILTER, "{\"filter\":\"employees > 1\",\"fields\":[\"nofield\"]}",
         PROTO_BAD_FIELD, "fields[0]"},
        {PROTO_OP_FILTER, "{\"filter\":\"employees > 1\",\"after\":\"x\"}", PROTO_BAD_FIELD,
         "after"},
        {PROTO_OP_COUNT, "{\"filter\":\"nofield = 1\"}", PROTO_BAD_FILTER, "filter"},
    };
    MUST_REFUSE(refusals);
    ask(PROTO_OP_SCORE_MANY, "{\"ids\":[\"a1\",\"nobody\"]}", args);
    assert_int_equal(args[PROTO_A_SCORE_MANY_FIT].text.bytes, 8);
    assert_int_equal(args[PROTO_A_SCORE_MANY_GRADE].text.data[1], '-');
    ask(PROTO_OP_SCORE_MANY,
        "{\"leads\":[{\"values\":{\"employees\":5}},{\"id\":\"nobody\"},{\"id\":\"a1\",\"icp\":1}]"
        "}",
        args);
    assert_true(args[PROTO_A_SCORE_MANY_SCORES].present);
    ask(PROTO_OP_FILTER,
        "{\"filter\":\"employees > 1\",\"limit\":3,\"sort\":\"fit\",\"fields\":[\"employees\"]}",
        args);
    assert_true(args[PROTO_A_FILTER_NEXT].present && args[PROTO_A_FILTER_VALUES].present);
    assert_int_equal(args[PROTO_A_FILTER_RAW].text.bytes, 24);
}

static void a_list_is_built_read_compared_and_checked(void **state)
{
    (void)state;
    struct proto_arg args[PROTO_ARGS_MAX];
    static const char build[] = "{\"name\":\"ten\",\"k\":10,\"operation\":\"t-1\"}";
    ask(PROTO_OP_TAL_BUILD, build, args);
    assert_int_equal(args[PROTO_A_TAL_BUILD_COUNT].uint, 10);
    uint64_t matched = args[PROTO_A_TAL_BUILD_MATCHED].uint;
    uint64_t seq = args[PROTO_A_TAL_BUILD_SEQ].uint;
    char digest[32] = {0};
    memcpy(digest, args[PROTO_A_TAL_BUILD_DIGEST].text.data, 16);
    ask(PROTO_OP_TAL_BUILD, build, args);
    assert_true(args[PROTO_A_TAL_BUILD_REPEATED].flag);
    assert_int_equal(args[PROTO_A_TAL_BUILD_COUNT].uint, 10);
    assert_int_equal(args[PROTO_A_TAL_BUILD_MATCHED].uint, matched);
    assert_int_equal(args[PROTO_A_TAL_BUILD_SEQ].uint, seq);
    assert_memory_equal(args[PROTO_A_TAL_BUILD_DIGEST].text.data, digest, 16);
    ask(PROTO_OP_TAL_BUILD, "{\"name\":\"five\",\"k\":5,\"filter\":\"employees > 10\"}", args);
    ask(PROTO_OP_TAL_LIST, "{}", args);
    ask(PROTO_OP_TAL_GET, "{\"name\":\"ten\",\"limit\":3}", args);
    assert_int_equal(args[PROTO_A_TAL_GET_COUNT].uint, 10);
    ask(PROTO_OP_TAL_DIFF, "{\"a\":\"ten\",\"b\":\"five\"}", args);
    assert_int_equal(args[PROTO_A_TAL_DIFF_BOTH].uint + args[PROTO_A_TAL_DIFF_ONLY_A].uint, 10);
    ask(PROTO_OP_TAL_CHECK, "{\"name\":\"ten\"}", args);
    assert_true(args[PROTO_A_TAL_CHECK_SAME].flag);
    static const struct refusal refusals[] = {
        {PROTO_OP_TAL_BUILD, "{\"name\":\"ten\"}", PROTO_CONFLICT, "name"},
        {PROTO_OP_TAL_BUILD, "{\"name\":\"\"}", PROTO_BAD_FIELD, "name"},
        {PROTO_OP_TAL_BUILD, "{\"name\":\"none\",\"filter\":\"employees < 0\"}", PROTO_BAD_FIELD,
         "filter"},
        {PROTO_OP_TAL_BUILD, "{\"name\":\"q\",\"quota\":3}", PROTO_BAD_FIELD, "quota"},
        {PROTO_OP_TAL_BUILD,
         "{\"name\":\"q\",\"owners\":[{\"name\":\"a\",\"capacity\":5},{\"name\":\"a\",\"capacity\":"
         "5}]}",
         PROTO_BAD_FIELD, "owners[1].name"},
        {PROTO_OP_TAL_BUILD, "{\"name\":\"r\",\"k\":11,\"operation\":\"t-1\"}", PROTO_CONFLICT,
         "operation"},
        {PROTO_OP_TAL_GET, "{\"name\":\"none\"}", PROTO_NOT_FOUND, "name"},
        {PROTO_OP_TAL_DIFF, "{\"a\":\"ten\",\"b\":\"none\"}", PROTO_NOT_FOUND, ""},
        {PROTO_OP_TAL_CHECK, "{\"name\":\"none\"}", PROTO_NOT_FOUND, "name"},
    };
    MUST_REFUSE(refusals);
}

static void a_greeting_says_what_the_server_knows(void **state)
{
    (void)state;
    struct proto_arg args[PROTO_ARGS_MAX];
    ask(PROTO_OP_HELLO, "{\"client\":\"test\"}", args);
    assert_true(args[PROTO_A_HELLO_OPERATIONS].flag);
    assert_int_equal(args[PROTO_A_HELLO_PROTOCOL].uint, 1);
    assert_int_equal(args[PROTO_A_HELLO_ICP].uint, 1);
    ask(PROTO_OP_PING, "{}", args);
    assert_true(args[PROTO_A_PING_TIME].uint > 0);
    ask(PROTO_OP_JOB_LIST, "{}", args);
    assert_true(args[PROTO_A_JOB_LIST_JOBS].present);
}

static const struct {
    const char *bytes;
    size_t count;
    uint8_t status;
} payloads[] = {
    {"", 0, PROTO_MISSING_FIELD},
    {"\x81\xa2id\xa2"
     "a1",
     7, PROTO_OK},
    {"\x81\xa2id\xd9\x02"
     "a1",
     8, PROTO_OK},
    {"\x81\xa2id\xda\x00\x02"
     "a1",
     9, PROTO_OK},
    {"\x81\xa2id\xa3"
     "a1",
     7, PROTO_BAD_PAYLOAD},
    {"\x81\xa2id\xa2"
     "a1x",
     8, PROTO_BAD_PAYLOAD},
    {"\x81\xa2id\xd9\xff"
     "a1",
     8, PROTO_BAD_PAYLOAD},
    {"\x81\xa2id", 4, PROTO_BAD_PAYLOAD},
    {"\x81\xa2id\x07", 5, PROTO_BAD_FIELD},
    {"\x82\xa2id\xa2"
     "a1\xa7"
     "reasons\x03",
     16, PROTO_OK},
    {"\x82\xa2id\xa2"
     "a1\xa7"
     "reasons\x00",
     16, PROTO_OK},
    {"\x82\xa2id\xa2"
     "a1\xa7"
     "reasons\xcc\x80",
     17, PROTO_OK},
    {"\x82\xa2id\xa2"
     "a1\xa7"
     "reasonz\x03",
     16, PROTO_OK},
    {"\x82\xa2id\xa2"
     "a1\xa7"
     "reason",
     14, PROTO_BAD_PAYLOAD},
    {"\x82\xa2id\xa2"
     "a1\xa2id\xa2"
     "a1",
     13, PROTO_DUPLICATE_KEY},
    {"\x81\xa6values\x80", 9, PROTO_OK},
    {"\x82\xa6values\x80\xa7"
     "reasons\x02",
     18, PROTO_OK},
    {"\x82\xa6values\x80\xa7"
     "reasons\xff",
     18, PROTO_BAD_FIELD},
    {"\x81\xa6values\x07", 9, PROTO_BAD_FIELD},
    {"\x81\xa6values", 8, PROTO_BAD_PAYLOAD},
};

static void timelines_are_measured_and_an_account_is_told(void **state)
{
    (void)state;
    struct proto_arg args[PROTO_ARGS_MAX];
    ask(PROTO_OP_EVENT_APPEND,
        "{\"source\":\"billing\",\"events\":[{\"account\":\"a1\",\"type\":\"subscription\",\"id\":"
        "\"1\",\"subject\":\"s\",\"time\":0,\"amount\":1200,\"currency\":\"USD\",\"months\":12}]}",
        args);
    ask(PROTO_OP_MEASURE_LIST, "{}", args);
    assert_true(args[PROTO_A_MEASURE_LIST_RULES].present);
    ask(PROTO_OP_MEASURE,
        "{\"measure\":\"mrr\",\"parameters\":{\"from\":\"1970-02-01\",\"to\":\"1971-02-01\"}}",
        args);
    assert_int_equal(args[PROTO_A_MEASURE_SUBSCRIPTIONS].uint, 1);
    assert_int_equal(args[PROTO_A_MEASURE_EVENTS].uint, 1);
    assert_true(proto_span_equal(args[PROTO_A_MEASURE_CURRENCY].text, proto_span_text("USD")));
    assert_false(args[PROTO_A_MEASURE_AGAINST].present);
    assert_true(proto_span_is(args[PROTO_A_MEASURE_DEFINITION].text, "usual"));
    assert_true(args[PROTO_A_MEASURE_KEPT].flag);
    ask(PROTO_OP_LIFECYCLE, "{\"id\":\"a1\",\"at\":86400000}", args);
    assert_int_equal(args[PROTO_A_LIFECYCLE_MRR].integer, 100);
    assert_int_equal(args[PROTO_A_LIFECYCLE_TENURE_DAYS].uint, 1);
    ask(PROTO_OP_EVENT_QUERY,
        "{\"types\":[\"subscription\"],\"members\":[\"kind\"],\"period\":\"year\",\"cohort\":"
        "\"year\","
        "\"by\":\"industry\",\"sum\":\"amount\"}",
        args);
    assert_int_equal(args[PROTO_A_EVENT_QUERY_EVENTS].uint, 1);
    assert_true(args[PROTO_A_EVENT_QUERY_ACCOUNTS].uint >= ACCOUNTS);
    assert_true(proto_span_equal(args[PROTO_A_EVENT_QUERY_CURRENCY].text, proto_span_text("USD")));
    static const struct refusal refusals[] = {
        {PROTO_OP_EVENT_QUERY, "{\"types\":[\"sale\"]}", PROTO_BAD_FIELD, "types[0]"},
        {PROTO_OP_EVENT_QUERY, "{\"types\":[\"retraction\"]}", PROTO_BAD_FIELD, "types"},
        {PROTO_OP_EVENT_QUERY, "{\"sum\":\"months\"}", PROTO_BAD_FIELD, "sum"},
        {PROTO_OP_EVENT_QUERY, "{\"cohort\":\"week\"}", PROTO_BAD_FIELD, "cohort"},
        {PROTO_OP_EVENT_QUERY, "{\"period\":\"fortnight\"}", PROTO_BAD_FIELD, "period"},
        {PROTO_OP_EVENT_QUERY, "{\"where\":\"kind =\"}", PROTO_BAD_FILTER, "where"},
        {PROTO_OP_EVENT_QUERY, "{\"members\":[\"amount\"]}", PROTO_BAD_FIELD, "members[0]"},
        {PROTO_OP_MEASURE, "{}", PROTO_MISSING_FIELD, "measure"},
        {PROTO_OP_MEASURE, "{\"measure\":\"mmr\"}", PROTO_BAD_FIELD, "measure"},
        {PROTO_OP_MEASURE, "{\"measure\":\"mrr\",\"parameters\":7}", PROTO_BAD_FIELD, "parameters"},
        {PROTO_OP_MEASURE, "{\"measure\":\"mrr\",\"parameters\":{\"from\":[]}}", PROTO_BAD_FIELD,
         "parameters.from"},
        {PROTO_OP_MEASURE, "{\"measure\":\"mrr\",\"rules\":{\"trials\":true}}", PROTO_BAD_FIELD,
         "rules.trials"},
        {PROTO_OP_MEASURE, "{\"measure\":\"bridge\",\"against\":{\"trials\":\"some\"}}",
         PROTO_BAD_FIELD, "against.trials"},
        {PROTO_OP_MEASURE, "{\"measure\":\"mrr\",\"definition\":\"{}\"}", PROTO_BAD_DOCUMENT,
         "definition.metric"},
        {PROTO_OP_MEASURE, "{\"measure\":\"bridge\",\"against_definition\":\"7\"}",
         PROTO_BAD_DOCUMENT, "against_definition"},
        {PROTO_OP_LIFECYCLE, "{\"id\":\"nobody\"}", PROTO_NOT_FOUND, ""},
        {PROTO_OP_LIFECYCLE, "{\"id\":\"a1\",\"key\":\"crm:1\"}", PROTO_BAD_FIELD, "id"},
    };
    MUST_REFUSE(refusals);
}

/* Frames that begin as the short ways want them and are none: the ordinary handler answers. */
static void what_only_looks_like_a_short_way_is_answered_like_any_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        struct proto_span payload = {(const uint8_t *)payloads[i].bytes, payloads[i].count};
        struct proto_span reply;
        uint8_t status = rpc_fixture_call(&fixture, PROTO_OP_SCORE, payload, &reply);
        if (status != payloads[i].status) {
            fail_msg("payload %zu: status %u, not %u", i, status, payloads[i].status);
        }
    }
    struct proto_span reply;
    assert_int_equal(rpc_fixture_call(&fixture, PROTO_OP_SCORE, (struct proto_span){0}, &reply),
                     PROTO_MISSING_FIELD);
}

static int setup(void **state)
{
    (void)state;
    proto_writer_init(&request);
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, ACCOUNTS);
    rpc_fixture_learn(&fixture);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    proto_writer_fini(&request);
    rpc_fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_greeting_says_what_the_server_knows),
        cmocka_unit_test(what_an_account_may_not_be_is_refused_where_it_is),
        cmocka_unit_test(an_account_goes_in_changes_and_goes_out),
        cmocka_unit_test(a_write_under_an_id_is_answered_as_the_first_time),
        cmocka_unit_test(documents_are_put_read_and_switched),
        cmocka_unit_test(scores_are_refused_by_what_is_wrong_with_them),
        cmocka_unit_test(a_list_is_built_read_compared_and_checked),
        cmocka_unit_test(timelines_are_measured_and_an_account_is_told),
        cmocka_unit_test(what_only_looks_like_a_short_way_is_answered_like_any_other),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
