/* SPDX-License-Identifier: Apache-2.0 */
/* By the label of segments in place of a field: kept segments that say what a field says are told
 * as that field is, figure by figure, by every measure, view and question that has segments. The
 * label has no place among an account's values, so whoever would look for it there must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/measure/measure.h"
#include "tests/unit/rpc/rpc_fixture.h"
#include "tests/unit/rpc/rpc_request.h"

enum { ACCOUNTS = 90, REQUEST_BYTES = 2048 };
#define DAY INT64_C(86400000)
#define NOW (20000 * DAY)

static struct rpc_fixture fixture;
static struct proto_writer request;
static const char *const industries[] = {"Software", "Retail", "Steel"};

/* The text with another in the place of each '#'. */
static void put_in(char *to, size_t room, const char *text, const char *in)
{
    size_t used = 0;
    for (; *text != '\0'; text++) {
        const char one[2] = {*text, '\0'};
        used += (size_t)snprintf(to + used, room - used, "%s", *text == '#' ? in : one);
        assert_true(used < room);
    }
}

static uint8_t call(enum proto_op op, const char *json, struct proto_span *reply)
{
    return rpc_fixture_call(&fixture, (uint8_t)op, rpc_request_json(&request, json), reply);
}

static void ask(enum proto_op op, const char *json, struct proto_arg *args)
{
    rpc_fixture_ask(&fixture, (uint8_t)op, rpc_request_json(&request, json), args);
}

static void refused(enum proto_op op, const char *json, enum proto_error code, const char *field,
                    const char *message)
{
    struct proto_span reply;
    struct proto_fault told = {.code = PROTO_OK};
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t status = call(op, json, &reply);
    if (status != code) {
        fail_msg("%s: status %u, not %u", json, status, code);
    }
    assert_true(proto_fault_decode(reply, &told, &fault));
    assert_string_equal(told.field, field);
    assert_string_equal(told.message, message);
}

/* What an account did, an event each; # is its number, times are in days. */
static const struct {
    const char *type, *id, *more;
    int64_t day;
} deeds[] = {
    {"touch", "t", "\"kind\":\"referral\",\"label\":\"a#\",\"campaign\":\"fair\"", 19000},
    {"touch", "u", "\"kind\":\"call\",\"person\":\"p#\",\"function\":\"sales\"", 19001},
    {"stage", "s", "\"kind\":\"created\",\"subject\":\"d#\",\"person\":\"p#\"", 19002},
    {"touch", "v", "\"kind\":\"email\",\"subject\":\"d#\"", 19003},
    {"outcome", "o",
     "\"kind\":\"won\",\"subject\":\"d#\",\"label\":\"pro\",\"amount\":900,\"currency\":\"USD\"",
     19020},
    {"subscription", "b",
     "\"subject\":\"b#\",\"label\":\"pro\",\"amount\":1200,\"currency\":\"USD\",\"months\":12",
     19021},
};

static void deeds_tell(unsigned account)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    char json[REQUEST_BYTES];
    size_t used = (size_t)snprintf(json, sizeof json, "{\"source\":\"crm\",\"events\":[");
    /* One in three only met somebody; of the others one in two was won, and pays. */
    size_t count = account % 3 == 0 ? 2 : account % 2 == 0 ? 4 : sizeof deeds / sizeof *deeds;
    for (size_t i = 0; i < count; i++) {
        char more[160];
        char number[16];
        (void)snprintf(number, sizeof number, "%u", i == 0 ? (account + 7) % ACCOUNTS : account);
        put_in(more, sizeof more, deeds[i].more, number);
        used += (size_t)snprintf(json + used, sizeof json - used,
                                 "%s{\"account\":\"a%u\",\"type\":\"%s\",\"id\":\"%s\",\"time\":"
                                 "%lld,%s}",
                                 i > 0 ? "," : "", account, deeds[i].type, deeds[i].id,
                                 (long long)deeds[i].day * DAY + account, more);
    }
    (void)snprintf(json + used, sizeof json - used, "]}");
    ask(PROTO_OP_EVENT_APPEND, json, args);
}

static int setup(void **state)
{
    (void)state;
    struct proto_arg args[PROTO_ARGS_MAX];
    char json[REQUEST_BYTES];
    proto_writer_init(&request);
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, ACCOUNTS);
    rpc_fixture_learn(&fixture);
    ask(PROTO_OP_ACCOUNT_PATCH, "{\"accounts\":[{\"id\":\"a1\",\"values\":{\"industry\":null}}]}",
        args);
    ask(PROTO_OP_TAL_BUILD, "{\"name\":\"list\",\"k\":40,\"seed\":\"m\",\"sample\":9}", args);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(json, sizeof json, "{\"name\":\"%s\",\"filter\":\"industry = '%s'\"}",
                       industries[i], industries[i]);
        ask(PROTO_OP_SEGMENT_PUT, json, args);
    }
    for (unsigned account = 0; account < ACCOUNTS; account++) {
        deeds_tell(account);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    proto_writer_fini(&request);
    rpc_fixture_close(&fixture);
    return 0;
}

/* The same question by either; of a table `rows` alone, else the whole answer. False where neither
 * is answered, which both are refused alike. */
static bool alike(enum proto_op op, const char *asked, int rows)
{
    const struct proto_op_info *info = proto_op_find((uint8_t)op);
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_arg args[PROTO_ARGS_MAX];
    struct proto_span reply[2];
    uint8_t status[2];
    uint8_t *first = NULL;
    char json[REQUEST_BYTES];
    for (int way = 0; way < 2; way++) {
        put_in(json, sizeof json, asked, way == 0 ? "industry" : "segment");
        status[way] = call(op, json, &reply[way]);
        if (status[way] == PROTO_OK && rows >= 0) {
            assert_true(
                proto_fields_decode(info->reply, info->reply_count, reply[way], args, &fault));
            reply[way] = args[rows].value;
        }
        if (way == 0) { /* the reply lives until the next call */
            first = malloc(reply[0].bytes);
            assert_non_null(first);
            memcpy(first, reply[0].data, reply[0].bytes);
        }
    }
    bool same = status[0] == status[1] && reply[0].bytes == reply[1].bytes &&
                memcmp(first, reply[1].data, reply[0].bytes) == 0;
    free(first);
    if (!same) {
        fail_msg("%s: status %u and %u, %.*s", json, status[0], status[1], (int)reply[1].bytes,
                 (const char *)reply[1].data);
    }
    return status[0] == PROTO_OK;
}

/* Parameters that a measure cannot do without, or that let it say something of few. */
static const struct {
    enum measure_id id;
    const char *parameters;
} parameters[] = {
    {MEASURE_ID_MRR, "\"from\":\"2022-01-01\",\"to\":\"2023-01-01\""},
    {MEASURE_ID_RETENTION, "\"from\":\"2022-06-01\",\"to\":\"2023-01-01\""},
    {MEASURE_ID_SURVIVAL, "\"as-of\":\"2023-01-01\""},
    {MEASURE_ID_GAP, "\"a\":\"p4\",\"resamples\":100,\"least\":1"},
    {MEASURE_ID_PATTERNS, "\"least\":1,\"show\":\"all\""},
    {MEASURE_ID_YIELD, "\"least\":1,\"mature\":30"},
    {MEASURE_ID_FOCUS, "\"least\":1,\"resamples\":100,\"second\":\"trial\""},
    {MEASURE_ID_PRICE, "\"least\":1"},
    {MEASURE_ID_REFERRAL, "\"least\":1,\"permutations\":99,\"segments\":2"},
    {MEASURE_ID_CAMPAIGN, "\"least\":1,\"tal\":\"list\""},
};

static void every_measure_by_the_label_is_as_by_the_field(void **state)
{
    (void)state;
    size_t answered = 0;
    for (int id = 0; id < MEASURE_IDS; id++) {
        char asked[REQUEST_BYTES];
        const char *more = "";
        for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
            more = (int)parameters[i].id == id ? parameters[i].parameters : more;
        }
        (void)snprintf(asked, sizeof asked, "{\"measure\":\"%s\",\"by\":\"#\",\"parameters\":{%s}}",
                       measure_info((enum measure_id)id)->name, more);
        if (strncmp(measure_info((enum measure_id)id)->name, "view-m", 6) != 0) {
            bool good = alike(PROTO_OP_MEASURE, asked, PROTO_A_MEASURE_ROWS);
            answered += good;
            if (more[0] != '\0' && !good) {
                fail_msg("%s is not answered", asked);
            }
        }
    }
    assert_true(answered >= sizeof parameters / sizeof *parameters);
}

static void views_and_questions_by_the_label_are_as_by_the_field(void **state)
{
    (void)state;
    assert_true(alike(PROTO_OP_VIEW,
                      "{\"views\":[\"finance\",\"grid\"],\"by\":\"#\","
                      "\"parameters\":{\"as-of\":1700000000000}}",
                      PROTO_A_VIEW_VIEWS));
    assert_true(alike(PROTO_OP_EVENT_QUERY,
                      "{\"by\":\"#\",\"sum\":\"amount\",\"members\":[\"type\",\"currency\"]}",
                      PROTO_A_EVENT_QUERY_ROWS));
    assert_true(alike(PROTO_OP_MEASURE,
                      "{\"measure\":\"focus\",\"by\":\"trial\",\"parameters\":{\"least\":1,"
                      "\"resamples\":100,\"second\":\"#\"}}",
                      PROTO_A_MEASURE_ROWS));
}

#define POLICY                                                                                     \
    "{\\\"policy\\\":1,\\\"name\\\":\\\"won\\\",\\\"case\\\":\\\"subject\\\","                     \
    "\\\"moment\\\":\\\"stage:created\\\",\\\"archetypes\\\":["                                    \
    "{\\\"name\\\":\\\"good\\\",\\\"when\\\":[{\\\"event\\\":\\\"outcome:won\\\","                 \
    "\\\"within\\\":\\\"30 days\\\"}]}]}"

static void a_verdict_takes_the_label_as_strata(void **state)
{
    (void)state;
    assert_true(alike(PROTO_OP_VERDICT,
                      "{\"name\":\"list\",\"policy\":\"" POLICY "\",\"since\":0,\"by\":\"#\"}",
                      PROTO_A_VERDICT_TABLES));
}

static void a_label_is_no_name_of_who_referred(void **state)
{
    (void)state;
    refused(PROTO_OP_MEASURE,
            "{\"measure\":\"referral\",\"by\":\"industry\",\"parameters\":{\"field\":\"segment\"}}",
            PROTO_BAD_FIELD, "parameters.field",
            "the label of segments names no account; a category is wanted that holds ids or keys");
    refused(PROTO_OP_MEASURE,
            "{\"measure\":\"referral\",\"by\":\"segment\",\"parameters\":{\"field\":\"trial\"}}",
            PROTO_BAD_FIELD, "parameters.field",
            "the field is of type flag; a category is wanted that holds ids or keys");
    refused(PROTO_OP_MEASURE,
            "{\"measure\":\"bridge\",\"churn_flag\":\"segment\",\"against\":{\"trials\":"
            "\"counted\"},\"parameters\":{\"from\":"
            "\"2022-01-01\",\"to\":\"2023-01-01\"}}",
            PROTO_BAD_FIELD, "churn_flag", "the schema has no field 'segment'");
}

/* The members of each segment of the view are those that its filter finds. */
static void the_filter_of_a_segment_selects_its_members(void **state)
{
    (void)state;
    static const char *const fields[] = {"segment", "industry", "trial", "employees"};
    for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
        struct proto_arg args[PROTO_ARGS_MAX];
        struct measure_table told;
        char json[REQUEST_BYTES];
        char filters[ACCOUNTS][128];
        int64_t members[ACCOUNTS];
        size_t count = 0;
        (void)snprintf(json, sizeof json, "{\"measure\":\"view-marketing\",\"by\":\"%s\"}",
                       fields[f]);
        ask(PROTO_OP_MEASURE, json, args);
        measure_table_init(&told, MEASURE_ID_MARKETING);
        struct proto_fault fault = {.code = PROTO_OK};
        struct proto_reader reader;
        proto_reader_init(&reader, args[PROTO_A_MEASURE_ROWS].value, &fault);
        size_t rows = proto_read_array(&reader);
        for (size_t row = 0; row < rows; row++) {
            assert_int_equal(proto_read_array(&reader), told.columns);
            bool segment = proto_span_is(proto_read_str(&reader), "segment");
            (void)proto_read_str(&reader); /* its name */
            struct proto_span filter = proto_read_str(&reader);
            int64_t in = proto_read_int(&reader);
            for (size_t c = 4; c < told.columns; c++) {
                (void)proto_read_any(&reader);
            }
            proto_reader_leave(&reader);
            if (segment) {
                assert_true(count < ACCOUNTS);
                (void)snprintf(filters[count], sizeof *filters, "%.*s", (int)filter.bytes,
                               (const char *)filter.data);
                members[count++] = in;
            }
        }
        assert_true(proto_reader_ok(&reader) && count > 1);
        measure_table_fini(&told);
        for (size_t i = 0; i < count; i++) {
            json_t *asked = json_pack("{s:s}", "filter", filters[i]);
            char *text = json_dumps(asked, JSON_COMPACT);
            ask(PROTO_OP_COUNT, text, args);
            if ((int64_t)args[PROTO_A_COUNT_COUNT].uint != members[i]) {
                fail_msg("%s: %d, not %d", filters[i], (int)args[PROTO_A_COUNT_COUNT].uint,
                         (int)members[i]);
            }
            free(text);
            json_decref(asked);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_measure_by_the_label_is_as_by_the_field),
        cmocka_unit_test(views_and_questions_by_the_label_are_as_by_the_field),
        cmocka_unit_test(the_filter_of_a_segment_selects_its_members),
        cmocka_unit_test(a_verdict_takes_the_label_as_strata),
        cmocka_unit_test(a_label_is_no_name_of_who_referred),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
