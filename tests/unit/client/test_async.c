/* SPDX-License-Identifier: Apache-2.0 */
/* The client in an event loop: by poll and by libuv, and bytes for a transport of one's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>

#include "client/icp_async.h"
#include "client/icp_uv.h"
#include "tests/unit/client/fake_server.h"

static bool serve_pings(int fd)
{
    struct fake_request request;
    if (!fake_greet(fd)) {
        return false;
    }
    while (fake_read(fd, &request)) {
        if (!fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_ping)) {
            return false;
        }
    }
    return true;
}

/* For a client that does not wait for all replies. */
static bool serve_pings_while_there(int fd)
{
    (void)serve_pings(fd);
    return true;
}

static bool serve_silence(int fd)
{
    (void)fake_greet(fd); /* its client may go at any time */
    return fake_until_closed(fd);
}

static bool serve_and_hang_up(int fd)
{
    struct fake_request request;
    return fake_greet(fd) && fake_read(fd, &request);
}

struct seen {
    size_t succeeded;
    size_t failed;
    size_t progress;
    enum icp_error last;
    struct icp_async *async;      /* where a callback asks again, if `again` is left */
    struct icp_async_task *other; /* what a callback cancels */
    size_t again;
};

static void on_reply(void *context, const struct icp_reply *reply)
{
    struct seen *seen = context;
    struct icp_fault fault;
    seen->last = reply->fault.code;
    seen->progress += reply->more;
    seen->succeeded += !reply->more && reply->fault.code == ICP_OK;
    seen->failed += reply->fault.code != ICP_OK;
    if (seen->other != NULL) {
        icp_async_cancel(seen->async, seen->other);
        seen->other = NULL;
    }
    if (seen->again > 0) {
        seen->again--;
        (void)icp_async_call(seen->async, ICP_OP_PING, NULL, 0, on_reply, seen, &fault);
    }
}

static void loop(struct icp_async *async)
{
    while (icp_async_in_flight(async) > 0) {
        struct pollfd watched = {.fd = icp_async_fd(async), .events = POLLIN};
        (void)poll(&watched, 1, icp_async_timeout_ms(async));
        icp_async_turn(async);
    }
}

static void callbacks_run_once_each_and_may_ask_again(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_pings};
    struct fake_server server;
    struct icp_fault fault;
    fake_start(&server, true, scripts, 1);
    struct icp_async *async = icp_async_create(server.uri, NULL, &fault);
    struct seen seen = {.async = async, .again = 50};
    assert_non_null(async);
    assert_int_equal(icp_async_timeout_ms(async), -1);
    for (int i = 0; i < 100; i++) {
        assert_non_null(icp_async_call(async, ICP_OP_PING, NULL, 0, on_reply, &seen, &fault));
    }
    assert_int_equal(icp_async_timeout_ms(async), 0);
    loop(async);
    assert_int_equal(seen.succeeded, 150);
    assert_int_equal(seen.failed, 0);
    icp_async_destroy(async);
    assert_true(fake_stop(&server));
}

static void request_without_a_callback_is_taken(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_pings};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    int contexts[3];
    void *context = NULL;
    fake_start(&server, true, scripts, 1);
    struct icp_async *async = icp_async_create(server.uri, NULL, &fault);
    for (int i = 0; i < 3; i++) {
        assert_non_null(icp_async_call(async, ICP_OP_PING, NULL, 0, NULL, &contexts[i], &fault));
    }
    for (int taken = 0; taken < 3;) {
        struct pollfd watched = {.fd = icp_async_fd(async), .events = POLLIN};
        (void)poll(&watched, 1, icp_async_timeout_ms(async));
        icp_async_turn(async);
        while (icp_async_take(async, &context, &reply)) {
            assert_ptr_equal(context, &contexts[taken]);
            assert_int_equal(icp_reply_int(&reply, "time", 0), 1234);
            taken++;
        }
    }
    assert_int_equal(icp_async_in_flight(async), 0);
    icp_reply_fini(&reply);
    icp_async_destroy(async);
    assert_true(fake_stop(&server));
}

static void deadlines_and_losses_are_told(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_silence, serve_and_hang_up};
    const struct icp_options options = {ICP_OPTIONS, .no_retry = true};
    struct fake_server server;
    struct icp_fault fault;
    fake_start(&server, true, scripts, 2);
    struct icp_async *async = icp_async_create(server.uri, &options, &fault);
    struct seen seen = {.async = async};
    assert_non_null(icp_async_call(async, ICP_OP_PING, NULL, 20, on_reply, &seen, &fault));
    loop(async);
    assert_int_equal(seen.failed, 1);
    assert_int_equal(seen.last, ICP_TIMEOUT);
    icp_async_destroy(async);
    async = icp_async_create(server.uri, &options, &fault);
    assert_non_null(icp_async_call(async, ICP_OP_PING, NULL, 0, on_reply, &seen, &fault));
    loop(async);
    assert_int_equal(seen.failed, 2);
    assert_int_equal(seen.last, ICP_CLOSED);
    assert_null(icp_async_call(async, (enum icp_op)250, NULL, 0, on_reply, &seen, &fault));
    assert_int_equal(fault.code, ICP_USAGE);
    icp_async_destroy(async);
    assert_true(fake_stop(&server));
}

static void what_the_connection_waits_for_is_said(void **state)
{
    (void)state;
    static const fake_script scripts[] = {fake_until_closed};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    void *context = NULL;
    fake_start(&server, false, scripts, 1);
    struct icp_async *async = icp_async_create(server.uri, NULL, &fault);
    assert_non_null(icp_async_call(async, ICP_OP_PING, NULL, 20, NULL, NULL, &fault));
    while (!icp_async_take(async, &context, &reply)) {
        struct pollfd watched = {.fd = icp_async_fd(async), .events = POLLIN};
        (void)poll(&watched, 1, icp_async_timeout_ms(async));
        icp_async_turn(async);
    }
    assert_int_equal(reply.fault.code, ICP_TIMEOUT);
    assert_non_null(strstr(reply.fault.message, server.uri + strlen("icp://")));
    assert_non_null(strstr(reply.fault.message, "it has not greeted"));
    icp_reply_fini(&reply);
    icp_async_destroy(async);
    (void)fake_stop(&server);
    assert_false(server.failed);
}

static void what_is_cancelled_is_not_told_and_what_is_left_is_told_at_the_end(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_pings_while_there, serve_silence};
    struct fake_server server;
    struct icp_fault fault;
    fake_start(&server, true, scripts, 2);
    struct icp_async *async = icp_async_create(server.uri, NULL, &fault);
    struct seen seen = {.async = async};
    struct seen never = {.async = async};
    assert_non_null(icp_async_call(async, ICP_OP_PING, NULL, 0, on_reply, &seen, &fault));
    seen.other = icp_async_call(async, ICP_OP_PING, NULL, 0, on_reply, &never, &fault);
    struct icp_async_task *at_once =
        icp_async_call(async, ICP_OP_PING, NULL, 0, on_reply, &never, &fault);
    icp_async_cancel(async, at_once);
    loop(async);
    assert_int_equal(seen.succeeded, 1);
    assert_int_equal(never.succeeded + never.failed, 0);
    icp_async_destroy(async);
    async = icp_async_create(server.uri, NULL, &fault);
    for (int i = 0; i < 3; i++) {
        assert_non_null(icp_async_call(async, ICP_OP_PING, NULL, 0, on_reply, &seen, &fault));
    }
    icp_async_turn(async);
    icp_async_destroy(async);
    assert_int_equal(seen.failed, 3);
    assert_int_equal(seen.last, ICP_CLOSED);
    (void)fake_stop(&server); /* the second connection may not have been accepted yet */
    assert_false(server.failed);
}

static void fill_progress(struct proto_writer *writer)
{
    proto_write_map(writer, 1);
    proto_write_text(writer, "job");
    proto_write_uint(writer, 5);
}

static bool serve_job(int fd)
{
    struct fake_request request;
    if (!fake_greet(fd) || !fake_read(fd, &request)) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        if (!fake_reply(fd, request.header.request_id, PROTO_OK, PROTO_FLAG_MORE, fill_progress)) {
            return false;
        }
    }
    return fake_reply(fd, request.header.request_id, PROTO_OK, 0, fill_progress) &&
           fake_until_closed(fd);
}

static void progress_is_told_before_the_end(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_job};
    struct fake_server server;
    struct icp_fault fault;
    fake_start(&server, true, scripts, 1);
    struct icp_async *async = icp_async_create(server.uri, NULL, &fault);
    struct seen seen = {.async = async};
    assert_non_null(icp_async_call(async, ICP_OP_ICP_LEARN, NULL, 0, on_reply, &seen, &fault));
    loop(async);
    assert_int_equal(seen.progress, 3);
    assert_int_equal(seen.succeeded, 1);
    icp_async_destroy(async);
    assert_true(fake_stop(&server));
}

/* libuv. */

struct uv_run {
    struct icp_uv uv;
    size_t told;
    bool closed;
};

static void on_closed(struct icp_uv *uv)
{
    struct uv_run *run = uv->data;
    run->closed = true;
}

static void on_uv_reply(void *context, const struct icp_reply *reply)
{
    struct uv_run *run = context;
    struct icp_fault fault;
    run->told += reply->fault.code == ICP_OK;
    if (run->told < 20) {
        (void)icp_uv_call(&run->uv, ICP_OP_PING, NULL, 0, on_uv_reply, run, &fault);
    } else {
        icp_uv_close(&run->uv, on_closed);
    }
}

static void libuv_loop_runs_until_the_client_is_closed(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_and_hang_up, serve_pings};
    struct fake_server server;
    struct icp_fault fault;
    uv_loop_t uv;
    struct uv_run run = {0};
    fake_start(&server, true, scripts, 2);
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_true(icp_uv_init(&run.uv, &uv, server.uri, NULL, &fault));
    run.uv.data = &run;
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0); /* idle: it does not keep the loop alive */
    assert_non_null(icp_uv_call(&run.uv, ICP_OP_PING, NULL, 0, on_uv_reply, &run, &fault));
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(run.told, 20);
    assert_true(run.closed);
    assert_int_equal(uv_loop_close(&uv), 0);
    assert_true(fake_stop(&server));
}

/* Bytes. */

static void wire_takes_and_gives_bytes(void **state)
{
    (void)state;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    struct proto_writer writer;
    size_t bytes = 0;
    struct icp_wire *wire = icp_wire_create(NULL, &fault);
    assert_non_null(wire);
    assert_null(icp_wire_output(wire, &bytes));
    uint32_t first = icp_wire_request(wire, ICP_OP_PING, NULL, &fault);
    uint32_t second = icp_wire_request(wire, ICP_OP_PING, NULL, &fault);
    uint32_t third = icp_wire_request(wire, ICP_OP_PING, NULL, &fault);
    assert_non_null(icp_wire_output(wire, &bytes));
    assert_int_equal(bytes, 3 * (PROTO_HEADER_BYTES + 1));
    icp_wire_sent(wire, bytes);
    icp_wire_forget(wire, second);
    proto_writer_init(&writer);
    fake_frame(&writer, second, PROTO_OK, 0, fake_fill_ping);
    fake_frame(&writer, first, PROTO_OK, 0, fake_fill_ping);
    for (size_t i = 0; i < writer.bytes; i++) {
        assert_false(icp_wire_next(wire, &reply));
        assert_true(icp_wire_feed(wire, writer.data + i, 1, &fault));
    }
    assert_true(icp_wire_next(wire, &reply));
    assert_int_equal(reply.request_id, first);
    assert_int_equal(reply.fault.code, ICP_OK);
    icp_wire_end(wire);
    assert_true(icp_wire_next(wire, &reply));
    assert_int_equal(reply.request_id, third);
    assert_int_equal(reply.fault.code, ICP_CLOSED);
    assert_false(icp_wire_next(wire, &reply));
    assert_int_equal(icp_wire_request(wire, ICP_OP_PING, NULL, &fault), 0);
    assert_int_equal(fault.code, ICP_CLOSED);
    assert_false(icp_wire_feed(wire, "x", 1, &fault));
    proto_writer_fini(&writer);
    icp_reply_fini(&reply);
    icp_wire_destroy(wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callbacks_run_once_each_and_may_ask_again),
        cmocka_unit_test(request_without_a_callback_is_taken),
        cmocka_unit_test(deadlines_and_losses_are_told),
        cmocka_unit_test(what_the_connection_waits_for_is_said),
        cmocka_unit_test(what_is_cancelled_is_not_told_and_what_is_left_is_told_at_the_end),
        cmocka_unit_test(progress_is_told_before_the_end),
        cmocka_unit_test(libuv_loop_runs_until_the_client_is_closed),
        cmocka_unit_test(wire_takes_and_gives_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
