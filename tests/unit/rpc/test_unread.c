/* SPDX-License-Identifier: Apache-2.0 */
/* A node that is not to be read: what the store holds is refused, on the way of plain scores too;
 * what the server does, and what an administrator asks for, is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <string.h>

#include "server/engine/submit.h"
#include "tests/unit/rpc/rpc_fixture.h"
#include "tests/unit/rpc/rpc_request.h"

enum { ACCOUNTS = 300 };

static struct rpc_fixture fixture;
static struct proto_writer request;

static bool refuses(void *context, struct proto_fault *fault)
{
    (void)context;
    proto_fault_set(fault, PROTO_BEHIND, "", "planted");
    return true;
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

static uint8_t status_of(enum proto_op op, const char *json)
{
    struct proto_span reply;
    return rpc_fixture_call(&fixture, (uint8_t)op, rpc_request_json(&request, json), &reply);
}

static void what_the_store_holds_is_refused_and_the_rest_is_not(void **state)
{
    (void)state;
    static const struct {
        enum proto_op op;
        const char *request;
        bool reads;
    } asked[] = {
        {PROTO_OP_SCORE, "{\"id\":\"a1\"}", true}, /* answered on the shortest way */
        {PROTO_OP_SCORE, "{\"values\":{\"employees\":12}}", true},
        {PROTO_OP_SCORE_MANY, "{\"ids\":[\"a1\",\"a2\"]}", true},
        {PROTO_OP_ACCOUNT_GET, "{\"id\":\"a1\"}", true},
        {PROTO_OP_COUNT, "{\"filter\":\"employees > 1\"}", true},
        {PROTO_OP_SCHEMA_GET, "{}", true},
        {PROTO_OP_HELLO, "{\"client\":\"test\"}", false},
        {PROTO_OP_PING, "{}", false},
        {PROTO_OP_STATS, "{}", false},
        {PROTO_OP_JOB_LIST, "{}", false},
        {PROTO_OP_SLOW_LOG, "{}", false},
        {PROTO_OP_AUDIT, "{}", false},
    };
    for (int refused = 0; refused < 2; refused++) {
        const struct engine_route route = {.refuses = refused != 0 ? refuses : NULL};
        engine_route_set(fixture.engine, &route);
        for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
            uint8_t status = status_of(asked[i].op, asked[i].request);
            assert_int_equal(status, refused != 0 && asked[i].reads ? PROTO_BEHIND : PROTO_OK);
        }
    }
    const struct engine_route none = {.submit = NULL};
    engine_route_set(fixture.engine, &none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_store_holds_is_refused_and_the_rest_is_not),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
