/* SPDX-License-Identifier: Apache-2.0 */
/* The hooks: each allocation of a client is made to fail in turn, and whatever then happens is a
 * fault that is told, never a crash, a leak or a wedge; and what is logged, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/icp_async.h"
#include "tests/unit/client/fake_server.h"

/* Counts what is out, and refuses the allocation number `fails` (0: none). */
struct purse {
    size_t blocks;
    size_t allocations;
    size_t fails;
};

static void *purse_resize(void *context, void *memory, size_t bytes)
{
    struct purse *purse = context;
    if (bytes == 0) {
        purse->blocks--;
        free(memory);
        return NULL;
    }
    if (++purse->allocations == purse->fails) {
        return NULL;
    }
    purse->blocks += memory == NULL;
    return realloc(memory, bytes);
}

static bool serve_pings(int fd)
{
    struct fake_request request;
    if (!fake_greet(fd)) {
        return true; /* a client that had no memory for hello */
    }
    while (fake_read(fd, &request)) {
        if (!fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_ping)) {
            return true;
        }
    }
    return true;
}

static void on_reply(void *context, const struct icp_reply *reply)
{
    size_t *told = context;
    (void)reply;
    ++*told;
}

/* Everything that allocates, once. Faults are fine; being told of each request is not optional. */
static bool use_everything(const char *uri, struct purse *purse)
{
    const struct icp_options options = {ICP_OPTIONS, .call_timeout_ms = 2000, .token = "t",
                                        .no_retry = true, .allocator = {purse_resize, purse}};
    struct icp_fault fault;
    struct icp_reply reply = {0};
    bool succeeded = true;
    struct icp_client *client = icp_connect(uri, &options, &fault);
    if (client == NULL) {
        return false;
    }
    struct icp_payload *payload = icp_payload_create_with(&options.allocator);
    if (payload != NULL) {
        icp_payload_text(payload, "client", "somebody with a name that needs some room");
        icp_payload_list_begin(payload, "list");
        icp_payload_list_end(payload);
        succeeded &= icp_call(client, ICP_OP_PING, payload, &reply);
        uint32_t first = icp_send(client, ICP_OP_PING, payload, &fault);
        uint32_t second = icp_send(client, ICP_OP_PING, payload, &fault);
        if (first != 0 && second != 0) {
            succeeded &= icp_receive(client, second, 0, &reply);
            succeeded &= icp_receive(client, first, 0, &reply);
        }
        succeeded &= first != 0 && second != 0;
        icp_payload_destroy(payload);
    }
    succeeded &= payload != NULL;
    /* Once memory is there again, so is the client. */
    size_t fails = purse->fails;
    purse->fails = 0;
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    purse->fails = fails;
    icp_close(client);
    icp_reply_fini(&reply); /* a reply may outlive its client */
    struct icp_async *async = icp_async_create(uri, &options, &fault);
    size_t told = 0;
    if (async == NULL) {
        return false;
    }
    bool is_sent = icp_async_call(async, ICP_OP_PING, NULL, 0, on_reply, &told, &fault) != NULL;
    icp_async_turn(async);
    icp_async_destroy(async);
    assert_int_equal(told, is_sent);
    return succeeded && is_sent;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    fake_script scripts[FAKE_CONNECTIONS_MAX];
    for (size_t i = 0; i < FAKE_CONNECTIONS_MAX; i++) {
        scripts[i] = serve_pings;
    }
    size_t failures = 0;
    bool succeeded = false;
    for (size_t fails = 1; !succeeded; fails++) {
        struct fake_server server;
        struct purse purse = {.fails = fails};
        fake_start(&server, true, scripts, FAKE_CONNECTIONS_MAX);
        succeeded = use_everything(server.uri, &purse);
        failures += !succeeded;
        assert_int_equal(purse.blocks, 0);
        (void)fake_stop_now(&server);
        assert_true(fails < 1000);
        succeeded = succeeded && purse.allocations < fails;
    }
    assert_true(failures >= 8);
}

/* The log. */

struct lines {
    char text[4][200];
    size_t count;
};

static void on_log(void *context, enum icp_log_level level, const char *message)
{
    struct lines *lines = context;
    (void)level;
    if (lines->count < 4) {
        strncpy(lines->text[lines->count++], message, 199);
    }
}

static bool serve_and_hang_up(int fd)
{
    struct fake_request request;
    return fake_greet(fd) && fake_read(fd, &request) &&
           fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_ping);
}

static void connections_are_logged_as_they_come_and_go(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_and_hang_up, serve_pings};
    struct lines lines = {.count = 0};
    const struct icp_options options = {ICP_OPTIONS, .on_log = on_log, .log_context = &lines};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, false, scripts, 2);
    struct icp_client *client = icp_connect(server.uri, &options, &fault);
    assert_non_null(client);
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    icp_reply_fini(&reply);
    icp_close(client);
    assert_int_equal(lines.count, 3);
    assert_non_null(strstr(lines.text[0], "connected to 127.0.0.1:"));
    assert_non_null(strstr(lines.text[1], "closed the connection"));
    assert_non_null(strstr(lines.text[2], "connected to 127.0.0.1:"));
    assert_true(fake_stop(&server));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(connections_are_logged_as_they_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
