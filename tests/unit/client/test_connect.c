/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/icp.h"
#include "tests/unit/client/fake_server.h"

static bool serve_quietly(int fd)
{
    return fake_greet(fd) && fake_until_closed(fd);
}

static void connect_greets_over_tcp_and_unix(void **state)
{
    (void)state;
    for (int is_unix = 0; is_unix < 2; is_unix++) {
        static const fake_script scripts[] = {serve_quietly};
        struct fake_server server;
        fake_start(&server, is_unix, scripts, 1);
        struct icp_fault fault = {0};
        struct icp_client *client = icp_connect(server.uri, NULL, &fault);
        assert_non_null(client);
        assert_string_equal(icp_server_info(client)->server, "fake 1");
        assert_string_equal(icp_server_info(client)->role, "admin");
        assert_int_equal(icp_server_info(client)->icp, 7);
        assert_int_equal(icp_server_info(client)->schema, 2);
        icp_close(client);
        assert_true(fake_stop(&server));
    }
}

/* The hello must carry the name and the token that the options gave. */
static bool serve_token(int fd)
{
    struct fake_request request;
    struct proto_request hello;
    struct proto_fault fault = {0};
    return fake_read(fd, &request) && (request.header.flags & PROTO_FLAG_CHECKSUM) == 0 &&
           proto_request_decode(proto_op_find(PROTO_OP_HELLO), request.payload, &hello, &fault) &&
           proto_span_is(hello.args[PROTO_Q_HELLO_CLIENT].text, "router 2") &&
           proto_span_is(hello.args[PROTO_Q_HELLO_TOKEN].text, "s3cret") &&
           fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_hello) &&
           fake_until_closed(fd);
}

static void connect_passes_name_and_token_and_omits_checksums_when_told(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_token};
    struct fake_server server;
    fake_start(&server, true, scripts, 1);
    struct icp_options options = {.name = "router 2", .token = "s3cret", .no_checksum = true};
    struct icp_fault fault = {0};
    struct icp_client *client = icp_connect(server.uri, &options, &fault);
    assert_non_null(client);
    icp_close(client);
    assert_true(fake_stop(&server));
}

static bool serve_refusal(int fd)
{
    struct fake_request request;
    struct proto_writer writer;
    struct proto_fault fault = {0};
    proto_writer_init(&writer);
    proto_fault_set(&fault, PROTO_BAD_TOKEN, "token", "the token is not known");
    bool read = fake_read(fd, &request);
    proto_write_fault(&writer, &fault, PROTO_FLAG_REPLY, request.header.request_id);
    bool sent = fake_send(fd, writer.data, writer.bytes);
    proto_writer_fini(&writer);
    return read && sent;
}

static bool serve_close(int fd)
{
    (void)fd;
    return true;
}

static bool serve_silence(int fd)
{
    return fake_until_closed(fd);
}

static bool serve_http(int fd)
{
    static const char text[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    struct fake_request request;
    return fake_read(fd, &request) && fake_send(fd, text, sizeof text - 1);
}

static void connect_tells_why_a_greeting_failed(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_refusal, serve_close, serve_silence, serve_http};
    static const enum icp_error expected[] = {ICP_BAD_TOKEN, ICP_CLOSED, ICP_TIMEOUT,
                                              ICP_BAD_REPLY};
    struct fake_server server;
    fake_start(&server, false, scripts, 4);
    struct icp_options options = {.connect_timeout_ms = 200};
    for (size_t i = 0; i < 4; i++) {
        struct icp_fault fault = {0};
        assert_null(icp_connect(server.uri, &options, &fault));
        assert_int_equal(fault.code, expected[i]);
        assert_true(fault.message[0] != '\0');
    }
    assert_true(fake_stop(&server));
}

static void connect_refuses_bad_uris_and_dead_servers(void **state)
{
    (void)state;
    struct icp_fault fault = {0};
    assert_null(icp_connect("http://127.0.0.1", NULL, &fault));
    assert_int_equal(fault.code, ICP_USAGE);
    assert_string_equal(fault.field, "uri");
    struct fake_server server;
    fake_start(&server, false, NULL, 0);
    assert_true(fake_stop(&server));
    assert_null(icp_connect(server.uri, NULL, &fault));
    assert_int_equal(fault.code, ICP_CONNECT);
    assert_true(fault.retryable);
    assert_null(icp_connect("icp+unix:/nonexistent/socket", NULL, &fault));
    assert_int_equal(fault.code, ICP_CONNECT);
    assert_non_null(strstr(fault.message, "/nonexistent/socket"));
    icp_close(NULL);
}

static void connect_leaves_signal_handlers_alone(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_quietly, fake_greet};
    struct sigaction before;
    struct sigaction after;
    sigaction(SIGPIPE, NULL, &before);
    const struct icp_options options = {ICP_OPTIONS, .no_retry = true};
    struct fake_server server;
    fake_start(&server, false, scripts, 2);
    struct icp_fault fault = {0};
    struct icp_client *client = icp_connect(server.uri, &options, &fault);
    assert_non_null(client);
    assert_true(icp_reconnect(client, &fault));
    /* The second script has closed by now or will: calls fail, and no signal ends the test. */
    struct icp_reply reply = {0};
    for (int i = 0; i < 5; i++) {
        assert_false(icp_call(client, ICP_OP_PING, NULL, &reply));
    }
    assert_int_equal(reply.fault.code, ICP_CLOSED);
    sigaction(SIGPIPE, NULL, &after);
    assert_true(before.sa_handler == after.sa_handler);
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_greets_over_tcp_and_unix),
        cmocka_unit_test(connect_passes_name_and_token_and_omits_checksums_when_told),
        cmocka_unit_test(connect_tells_why_a_greeting_failed),
        cmocka_unit_test(connect_refuses_bad_uris_and_dead_servers),
        cmocka_unit_test(connect_leaves_signal_handlers_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
