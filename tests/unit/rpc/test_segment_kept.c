/* SPDX-License-Identifier: Apache-2.0 */
/* Segments over the wire: what a put, a list and a get answer, and that the short ways of a score
 * tell the label byte by byte as the ordinary one does. */
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

#define ACCOUNTS 300

static struct rpc_fixture fixture;

static int setup(void **state)
{
    (void)state;
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, ACCOUNTS);
    rpc_fixture_learn(&fixture);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rpc_fixture_close(&fixture);
    return 0;
}

static void ask(enum proto_op op, const char *json, struct proto_arg *args)
{
    struct proto_writer request;
    proto_writer_init(&request);
    rpc_fixture_ask(&fixture, (uint8_t)op, rpc_request_json(&request, json), args);
    proto_writer_fini(&request);
}

static void put(const char *json)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    ask(PROTO_OP_SEGMENT_PUT, json, args);
}

/* The status of a request that is refused, and that its message has the words. */
static void refused(enum proto_op op, const char *json, enum proto_error code, const char *words)
{
    struct proto_writer request;
    struct proto_span reply;
    proto_writer_init(&request);
    uint8_t status =
        rpc_fixture_call(&fixture, (uint8_t)op, rpc_request_json(&request, json), &reply);
    if (status != code || memmem(reply.data, reply.bytes, words, strlen(words)) == NULL) {
        fail_msg("%s: status %u, %.*s", json, status, (int)reply.bytes, (const char *)reply.data);
    }
    proto_writer_fini(&request);
}

/* A copy of the reply to a score; 0 bytes where it is refused. */
static size_t score(const char *json, uint8_t *bytes, size_t room)
{
    struct proto_writer request;
    struct proto_span reply;
    proto_writer_init(&request);
    uint8_t status =
        rpc_fixture_call(&fixture, PROTO_OP_SCORE, rpc_request_json(&request, json), &reply);
    proto_writer_fini(&request);
    assert_true(reply.bytes <= room);
    memcpy(bytes, reply.data, reply.bytes);
    return status == PROTO_OK ? reply.bytes : 0;
}

static bool names(const uint8_t *bytes, size_t count, const char *segment)
{
    return memmem(bytes, count, segment, strlen(segment)) != NULL;
}

static void a_put_says_what_it_became(void **state)
{
    (void)state;
    struct proto_arg args[PROTO_ARGS_MAX];
    ask(PROTO_OP_SEGMENT_PUT, "{\"name\":\"one\",\"filter\":\"employees > 10\",\"dry_run\":true}",
        args);
    assert_false(args[PROTO_A_SEGMENT_PUT_SEQ].present);
    ask(PROTO_OP_SEGMENT_PUT, "{\"name\":\"one\",\"filter\":\"employees > 10\"}", args);
    assert_true(args[PROTO_A_SEGMENT_PUT_SEQ].present);
    assert_false(args[PROTO_A_SEGMENT_PUT_BEFORE].present);
    ask(PROTO_OP_SEGMENT_PUT, "{\"name\":\"one\",\"filter\":\"employees>10\"}", args);
    assert_true(args[PROTO_A_SEGMENT_PUT_UNCHANGED].flag);
    assert_int_equal(args[PROTO_A_SEGMENT_PUT_BEFORE].uint, 1);
    ask(PROTO_OP_SEGMENT_PUT, "{\"name\":\"one\",\"filter\":\"employees > 9\"}", args);
    assert_false(args[PROTO_A_SEGMENT_PUT_UNCHANGED].flag);
    ask(PROTO_OP_SEGMENT_LIST, "{\"frontier\":true}", args);
    assert_true(args[PROTO_A_SEGMENT_LIST_FRONTIER].present);
    assert_int_equal(args[PROTO_A_SEGMENT_LIST_ACCOUNTS].uint, ACCOUNTS);
    ask(PROTO_OP_SEGMENT_GET, "{\"name\":\"one@1\"}", args);
    assert_true(args[PROTO_A_SEGMENT_GET_NOW].present && args[PROTO_A_SEGMENT_GET_APART].present);
    put("{\"name\":\"one\",\"drop\":true}");
    ask(PROTO_OP_SEGMENT_GET, "{\"name\":\"one@3\"}", args);
    assert_false(args[PROTO_A_SEGMENT_GET_NOW].present);
}

/* Of every account, by its id, with nothing else and with what the short way does not read. */
static void both_ways_tell_the_label(void **state)
{
    (void)state;
    static const char *const segments[] = {"Large ones", "Steel & others"};
    unsigned found[3] = {0, 0, 0};
    put("{\"name\":\"Large ones\",\"filter\":\"employees > 437\"}");
    put("{\"name\":\"Steel & others\",\"filter\":\"industry = 'Steel' or trial\"}");
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        char json[3][96];
        uint8_t bytes[3][1024];
        size_t counts[3];
        (void)snprintf(json[0], sizeof json[0], "{\"id\":\"a%u\"}", i);
        (void)snprintf(json[1], sizeof json[1], "{\"id\":\"a%u\",\"icp\":1}", i);
        (void)snprintf(json[2], sizeof json[2], "{\"key\":\"domain:company%u.example\"}", i);
        for (size_t way = 0; way < 3; way++) {
            counts[way] = score(json[way], bytes[way], sizeof bytes[way]);
            assert_true(counts[way] > 0 && counts[way] == counts[0]);
            assert_memory_equal(bytes[way], bytes[0], counts[0]);
        }
        bool first = names(bytes[0], counts[0], segments[0]);
        bool second = names(bytes[0], counts[0], segments[1]);
        assert_false(first && second);
        found[first ? 0 : second ? 1 : 2]++;
    }
    assert_true(found[0] > 0 && found[1] > 0 && found[2] > 0);
    /* Leads: where bins decide, where they do not, where there is none. */
    static const struct {
        const char *values;
        const char *segment;
    } leads[] = {{"{\"employees\":90000}", "Large ones"},
                 {"{\"employees\":438}", "Large ones"},
                 {"{\"employees\":437,\"industry\":\"Steel\"}", "Steel & others"},
                 {"{\"employees\":437}", NULL},
                 {"{\"employees\":1,\"trial\":true}", "Steel & others"},
                 {"{\"industry\":\"Never heard of\"}", NULL}};
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
        char json[2][160];
        uint8_t bytes[2][1024];
        (void)snprintf(json[0], sizeof json[0], "{\"values\":%s}", leads[i].values);
        (void)snprintf(json[1], sizeof json[1], "{\"values\":%s,\"icp\":1}", leads[i].values);
        size_t count = score(json[0], bytes[0], sizeof bytes[0]);
        assert_true(count > 0 && count == score(json[1], bytes[1], sizeof bytes[1]));
        assert_memory_equal(bytes[0], bytes[1], count);
        assert_int_equal(names(bytes[0], count, "segment"), leads[i].segment != NULL);
        assert_true(leads[i].segment == NULL || names(bytes[0], count, leads[i].segment));
    }
    put("{\"name\":\"Large ones\",\"drop\":true}");
    put("{\"name\":\"Steel & others\",\"drop\":true}");
    uint8_t bytes[1024];
    size_t count = score("{\"values\":{\"employees\":90000}}", bytes, sizeof bytes);
    assert_false(names(bytes, count, "segment"));
}

static void what_is_not_there_is_refused_with_what_is(void **state)
{
    (void)state;
    put("{\"name\":\"here\",\"filter\":\"trial\"}");
    refused(PROTO_OP_COUNT, "{\"filter\":\"segment = 'their'\"}", PROTO_BAD_FILTER, "'here'");
    refused(PROTO_OP_SEGMENT_GET, "{\"name\":\"their\"}", PROTO_NOT_FOUND, "'here'");
    refused(PROTO_OP_SEGMENT_GET, "{\"name\":\"here@9\"}", PROTO_NOT_FOUND, "the newest is 1");
    refused(PROTO_OP_SEGMENT_PUT, "{\"name\":\"their\",\"drop\":true}", PROTO_NOT_FOUND, "'here'");
    refused(PROTO_OP_SEGMENT_PUT, "{\"name\":\"x\"}", PROTO_MISSING_FIELD, "filter");
    refused(PROTO_OP_SEGMENT_PUT, "{\"name\":\"x\",\"filter\":\"trial and\"}", PROTO_BAD_FILTER,
            "column 10");
    refused(PROTO_OP_SCORE_MANY, "{\"ids\":[\"a1\"],\"value\":true}", PROTO_BAD_FIELD, "leads");
    put("{\"name\":\"here\",\"drop\":true}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_put_says_what_it_became),
        cmocka_unit_test(both_ways_tell_the_label),
        cmocka_unit_test(what_is_not_there_is_refused_with_what_is),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
