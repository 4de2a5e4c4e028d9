/* SPDX-License-Identifier: Apache-2.0 */
/* What stands beside a score: label, reasons, strangers' names, the display name, worth and
 * engagement, each of them asked for or not. In each of these ways the reply has exactly the
 * members that it announces, and each says the same whatever stands beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/unit/rpc/rpc_fixture.h"
#include "tests/unit/rpc/rpc_request.h"

enum { ACCOUNTS = 300, REQUEST_BYTES = 512, PAIRS_MAX = 64 };

static struct rpc_fixture fixture;
static struct proto_writer request;

static void ask(enum proto_op op, const char *json, struct proto_arg *args)
{
    rpc_fixture_ask(&fixture, (uint8_t)op, rpc_request_json(&request, json), args);
}

static int setup(void **state)
{
    (void)state;
    struct proto_arg args[PROTO_ARGS_MAX];
    proto_writer_init(&request);
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, ACCOUNTS);
    ask(PROTO_OP_ICP_LEARN, "{\"label\":\"won = 1\",\"value\":\"employees\",\"activate\":true}",
        args);
    ask(PROTO_OP_SCHEMA_PUT,
        "{\"document\":\"{\\\"name\\\":\\\"industry\\\",\\\"fields\\\":["
        "{\\\"name\\\":\\\"industry\\\",\\\"type\\\":\\\"category\\\"},{\\\"name\\\":"
        "\\\"employees\\\",\\\"type\\\":\\\"number\\\"},{\\\"name\\\":\\\"tech\\\",\\\"type\\\":"
        "\\\"tags\\\"},{\\\"name\\\":\\\"trial\\\",\\\"type\\\":\\\"flag\\\"},{\\\"name\\\":"
        "\\\"won\\\",\\\"type\\\":\\\"flag\\\"}]}\"}",
        args);
    ask(PROTO_OP_ACCOUNT_PUT,
        "{\"accounts\":[{\"id\":\"early\",\"time\":1000,\"values\":{\"industry\":\"Steel\","
        "\"employees\":70,\"trial\":true}}]}",
        args);
    ask(PROTO_OP_SEGMENT_PUT, "{\"name\":\"with trial\",\"filter\":\"trial\"}", args);
    ask(PROTO_OP_EVENT_APPEND,
        "{\"source\":\"crm\",\"events\":[{\"account\":\"early\",\"type\":\"touch\",\"id\":\"1\","
        "\"kind\":\"demo\",\"time\":86400000},{\"account\":\"early\",\"type\":\"usage\",\"id\":"
        "\"2\","
        "\"quantity\":1000,\"time\":86400001}]}",
        args);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    proto_writer_fini(&request);
    rpc_fixture_close(&fixture);
    return 0;
}

/* What can be asked for beside a score, and the members that come of it: of a stored account, of a
 * lead that is nobody's. */
static const struct beside {
    const char *asked;
    const char *members[8], *of_lead[8];
} besides[] = {
    {"\"trial\":true", {"segment"}, {"segment"}},
    {"\"nonsense\":1", {"unknown"}, {"unknown"}},
    {"\"reasons\":3",
     {"id", "intercept", "reasons", "rest", "missing", "stale", "fit_low", "fit_high"},
     {"intercept", "reasons", "rest", "missing", "stale", "fit_low", "fit_high"}},
    {"\"names\":true", {"name"}, {NULL}},
    {"\"value\":true",
     {"value", "value_low", "value_high", "expected", "expected_low", "expected_high"},
     {"value", "value_low", "value_high", "expected", "expected_low", "expected_high"}},
    {"\"engagement\":\"usual\"", {"engagement"}, {NULL}},
};
enum { BESIDES = sizeof besides / sizeof *besides, VALUES = 2, WAYS = 1 << BESIDES };

static void request_make(char json[REQUEST_BYTES], const char *who, int way)
{
    bool trial = (way & 1) != 0;
    int used =
        snprintf(json, REQUEST_BYTES, "{%s\"values\":{\"trial\":%s", who, trial ? "true" : "false");
    for (int b = 1; b < BESIDES; b++) {
        used += b == VALUES ? snprintf(json + used, REQUEST_BYTES - (size_t)used, "}") : 0;
        if ((way >> b & 1) != 0) {
            used += snprintf(json + used, REQUEST_BYTES - (size_t)used, ",%s", besides[b].asked);
        }
    }
    (void)snprintf(json + used, REQUEST_BYTES - (size_t)used, "}");
}

/* Pairs of a reply; the bytes of a value by the place of its member. */
struct said {
    size_t count;
    struct proto_span names[PAIRS_MAX], values[PAIRS_MAX];
};

static void reply_read(struct proto_span reply, struct said *said)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_reader reader;
    proto_reader_init(&reader, reply, &fault);
    said->count = proto_read_map(&reader);
    assert_true(said->count < PAIRS_MAX);
    for (size_t i = 0; i < said->count; i++) {
        said->names[i] = proto_read_key(&reader);
        said->values[i] = proto_read_any(&reader);
    }
    proto_reader_leave(&reader);
    assert_true(proto_reader_end(&reader)); /* as many as were announced, and nothing behind */
}

static const struct proto_span *find(const struct said *said, const char *name)
{
    for (size_t i = 0; i < said->count; i++) {
        if (proto_span_is(said->names[i], name)) {
            return &said->values[i];
        }
    }
    return NULL;
}

/* The members of one thing beside: all there with the same bytes as where it was alone, or none. */
static size_t members_count(const struct said *said, const struct said *alone,
                            const char *const members[8], bool asked)
{
    size_t count = 0;
    for (; count < 8 && members[count] != NULL; count++) {
        const struct proto_span *value = find(said, members[count]);
        if ((value != NULL) != asked) {
            fail_msg("%s is %s", members[count], asked ? "not told" : "told unasked");
        }
        if (asked && alone != NULL && !proto_span_equal(*value, *find(alone, members[count]))) {
            fail_msg("%s depends on what stands beside it", members[count]);
        }
    }
    return asked ? count : 0;
}

/* Copies of replies, which live until the next call; by way, where one thing alone is asked for. */
static struct proto_writer kept[BESIDES];

static void each_way_has_the_members_that_it_announces(const char *who, bool lead)
{
    struct said alone[BESIDES];
    for (int b = 0; b < BESIDES; b++) {
        char json[REQUEST_BYTES];
        struct proto_span reply;
        /* The score is of trial, so that all but the first are asked for with it. */
        request_make(json, who, 1 | 1 << b);
        assert_int_equal(
            rpc_fixture_call(&fixture, PROTO_OP_SCORE, rpc_request_json(&request, json), &reply),
            PROTO_OK);
        proto_writer_init(&kept[b]);
        proto_write_raw(&kept[b], reply);
        reply_read(proto_writer_span(&kept[b]), &alone[b]);
    }
    for (int way = 0; way < WAYS; way++) {
        char json[REQUEST_BYTES];
        struct proto_span reply;
        struct said said;
        size_t members = 8; /* icp, seq, found, tal, fit, p, grade, raw */
        request_make(json, who, way);
        assert_int_equal(
            rpc_fixture_call(&fixture, PROTO_OP_SCORE, rpc_request_json(&request, json), &reply),
            PROTO_OK);
        reply_read(reply, &said);
        for (int b = 0; b < BESIDES; b++) {
            members +=
                members_count(&said, (way & 1) != 0 ? &alone[b] : NULL,
                              lead ? besides[b].of_lead : besides[b].members, (way >> b & 1) != 0);
        }
        if (said.count != members) {
            fail_msg("%s: %zu members, not %zu", json, said.count, members);
        }
    }
    for (int b = 0; b < BESIDES; b++) {
        proto_writer_fini(&kept[b]);
    }
}

static void of_an_account_all_together(void **state)
{
    (void)state;
    each_way_has_the_members_that_it_announces("\"id\":\"early\",\"at\":172800000,", false);
}

static void of_a_lead_all_that_can_be_told(void **state)
{
    (void)state;
    each_way_has_the_members_that_it_announces("", true);
    each_way_has_the_members_that_it_announces("\"key\":\"domain:nobody.example\",", true);
}

/* Parts of engagement add up to it; of an account that did nothing there are none, and no last. */
static void engagement_is_told_by_its_parts(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        int64_t at;
        size_t parts;
    } cases[] = {{"early", 172800000, 2},
                 {"early", 86400000, 1},
                 {"early", 5000, 0},
                 {"a2", INT64_C(1900000000000), 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proto_arg args[PROTO_ARGS_MAX];
        struct said said;
        struct proto_fault fault = {.code = PROTO_OK};
        struct proto_reader reader;
        char json[REQUEST_BYTES];
        (void)snprintf(json, sizeof json, "{\"id\":\"%s\",\"at\":%lld,\"engagement\":\"usual\"}",
                       cases[i].id, (long long)cases[i].at);
        ask(PROTO_OP_EXPLAIN, json, args);
        reply_read(args[PROTO_A_EXPLAIN_ENGAGEMENT].value, &said);
        assert_int_equal(said.count, 7U + (cases[i].parts > 0));
        assert_int_equal(find(&said, "last") != NULL, cases[i].parts > 0);
        proto_reader_init(&reader, *find(&said, "parts"), &fault);
        size_t parts = proto_read_map(&reader);
        double sum = 0;
        for (size_t p = 0; p < parts; p++) {
            (void)proto_read_key(&reader);
            sum += proto_read_number(&reader);
        }
        assert_int_equal(parts, cases[i].parts);
        proto_reader_init(&reader, *find(&said, "score"), &fault);
        double score = proto_read_number(&reader);
        assert_true(score - sum < 1e-6 && sum - score < 1e-6);
        proto_reader_init(&reader, *find(&said, "band"), &fault);
        assert_true(parts > 0 || proto_span_is(proto_read_str(&reader), "none"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_an_account_all_together),
        cmocka_unit_test(of_a_lead_all_that_can_be_told),
        cmocka_unit_test(engagement_is_told_by_its_parts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
