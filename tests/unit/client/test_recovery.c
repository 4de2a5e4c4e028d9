/* SPDX-License-Identifier: Apache-2.0 */
/* What a client does when its server goes, comes back, says nothing or has no room. Each test is a
 * way in which it once stood still for ever or for seconds. No test asserts how long something
 * takes, but for deadlines that would otherwise be passed by seconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/client.h"
#include "tests/unit/client/fake_server.h"

/* Far above any deadline of a test, far below what standing still would take. */
#define SOON_MS 4000

static const struct icp_options quick = {ICP_OPTIONS, .call_timeout_ms = 30000};

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

static bool serve_greeting_only(int fd)
{
    return fake_greet(fd);
}

static bool serve_silence(int fd)
{
    return fake_until_closed(fd);
}

/* No room: one busy under id 0, and the end. */
static bool serve_busy(int fd)
{
    struct proto_writer writer;
    struct proto_fault fault = {0};
    proto_writer_init(&writer);
    proto_fault_set(&fault, PROTO_BUSY, "", "every connection is taken");
    proto_write_fault(&writer, &fault, PROTO_FLAG_REPLY, 0);
    bool sent = fake_send(fd, writer.data, writer.bytes);
    proto_writer_fini(&writer);
    return sent;
}

static void reconnecting_holds_the_deadline_of_the_call(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_greeting_only, serve_silence};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, false, scripts, 2);
    struct icp_client *client = icp_connect(server.uri, &quick, &fault);
    assert_non_null(client);
    int64_t began_ms = client_now_ms();
    assert_false(icp_call_within(client, ICP_OP_PING, NULL, 20, &reply));
    assert_true(client_now_ms() - began_ms < SOON_MS); /* it was 5,004 */
    assert_true(reply.fault.retryable);
    icp_close(client);
    (void)fake_stop(&server); /* 20 ms may end before the second connection */
    assert_false(server.failed);
}

static void call_recovers_after_a_failed_reconnect(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_greeting_only, serve_silence, serve_pings};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, false, scripts, 3);
    struct icp_client *client = icp_connect(server.uri, &quick, &fault);
    assert_non_null(client);
    /* A machine that stood still meanwhile may find the reply of a rival before the deadline. */
    (void)icp_call_within(client, ICP_OP_PING, NULL, 20, &reply);
    /* The silent connection is still open, and is not what the second call waits for. */
    assert_true(icp_call_within(client, ICP_OP_PING, NULL, 30000, &reply));
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server));
}

static void call_recovers_after_busy_under_id_0(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_greeting_only, serve_busy, serve_busy, serve_pings};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, true, scripts, 4);
    struct icp_client *client = icp_connect(server.uri, &quick, &fault);
    assert_non_null(client);
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server));
}

static void connect_says_that_the_server_is_busy(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_busy};
    struct fake_server server;
    struct icp_fault fault;
    fake_start(&server, true, scripts, 1);
    assert_null(icp_connect(server.uri, NULL, &fault));
    assert_int_equal(fault.code, ICP_BUSY);
    assert_true(fault.retryable);
    assert_non_null(strstr(fault.message, "every connection is taken"));
    assert_true(fake_stop(&server));
}

/* As after idle_ms: the server has closed while nobody looked. */
static void call_notices_a_connection_closed_meanwhile(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_greeting_only, serve_pings, serve_pings};
    const struct icp_options options = {ICP_OPTIONS, .no_retry = true};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, true, scripts, 2);
    struct icp_client *client = icp_connect(server.uri, &options, &fault);
    assert_non_null(client);
    fake_sleep_ms(1100); /* longer than a connection is trusted unseen */
    /* Nothing was sent yet, so that even what must not be repeated goes well. */
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server));
}

/* The server is away between two lives on one port. */
static void call_rides_out_a_restart(void **state)
{
    (void)state;
    static const fake_script first[] = {serve_greeting_only};
    static const fake_script second[] = {serve_pings};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, false, first, 1);
    const char *colon = strrchr(server.uri, ':');
    unsigned port = (unsigned)atoi(colon + 1);
    struct icp_client *client = icp_connect(server.uri, &quick, &fault);
    assert_non_null(client);
    assert_true(fake_stop(&server));
    const struct icp_options once = {ICP_OPTIONS, .no_retry = true};
    assert_null(icp_connect(server.uri, &once, &fault));
    assert_int_equal(fault.code, ICP_CONNECT);
    for (int i = 0; i < 20; i++) {
        assert_false(icp_call_within(client, ICP_OP_PING, NULL, 5, &reply));
    }
    fake_start_at(&server, port, second, 1);
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server));
}

static bool read_one(int fd)
{
    struct fake_request request;
    return fake_greet(fd) && fake_read(fd, &request) && fake_until_closed(fd);
}

/* A connection that has died without a word: its peer takes everything and says nothing more. */
static void silent_connection_is_replaced(void **state)
{
    (void)state;
    static const fake_script scripts[] = {read_one, serve_pings};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, true, scripts, 2);
    struct icp_client *client = icp_connect(server.uri, &quick, &fault);
    assert_non_null(client);
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server));
}

/* A connection that creeps: each reply comes, and comes too late. */
static bool serve_late(int fd)
{
    struct fake_request request;
    bool there = fake_greet(fd);
    while (there && fake_read(fd, &request)) {
        fake_sleep_ms(60);
        there = fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_ping);
    }
    return true; /* its client leaves when it has had enough */
}

static void creeping_connection_is_left(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_late, serve_pings};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, true, scripts, 2);
    struct icp_client *client = icp_connect(server.uri, &quick, &fault);
    assert_non_null(client);
    bool answered = false;
    for (int calls = 0; !answered && calls < 500; calls++) {
        answered = icp_call_within(client, ICP_OP_PING, NULL, 20, &reply);
    }
    assert_true(answered); /* it never was */
    icp_reply_fini(&reply);
    icp_close(client);
    (void)fake_stop(&server);
    assert_int_equal(server.served, 2);
}

/* Answers pings, and every other request only when it is told to stop: slow, not dead. */
static bool serve_slow_scan(int fd)
{
    struct fake_request request;
    uint32_t scan = 0;
    if (!fake_greet(fd)) {
        return false;
    }
    for (int pings = 0; pings < 2;) {
        if (!fake_read(fd, &request)) {
            return false;
        }
        if (request.header.code == PROTO_OP_PING) {
            pings++;
            if (!fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_ping)) {
                return false;
            }
        } else {
            scan = request.header.request_id;
        }
    }
    return fake_reply(fd, scan, PROTO_OK, 0, fake_fill_count) && fake_until_closed(fd);
}

static void slow_request_is_waited_for_while_pings_are_answered(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_slow_scan};
    const struct icp_options options = {ICP_OPTIONS, .no_retry = true};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, true, scripts, 1);
    struct icp_client *client = icp_connect(server.uri, &options, &fault);
    assert_non_null(client);
    assert_true(icp_call(client, ICP_OP_COUNT, NULL, &reply));
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server)); /* one connection was made, not two */
}

static bool serve_refusals(int fd)
{
    struct fake_request request;
    if (!fake_greet(fd)) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        if (!fake_read(fd, &request) ||
            !fake_reply(fd, request.header.request_id, PROTO_BUSY, 0, NULL)) {
            return false;
        }
    }
    return fake_read(fd, &request) &&
           fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_ping) &&
           fake_until_closed(fd);
}

static void busy_is_tried_again_and_told_when_it_stays(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_refusals};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, true, scripts, 1);
    struct icp_client *client = icp_connect(server.uri, &quick, &fault);
    assert_non_null(client);
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    icp_close(client);
    assert_true(fake_stop(&server));
    const struct icp_options once = {ICP_OPTIONS, .no_retry = true};
    fake_start(&server, true, scripts, 1);
    client = icp_connect(server.uri, &once, &fault);
    for (int i = 0; i < 2; i++) {
        assert_false(icp_call(client, ICP_OP_PING, NULL, &reply));
        assert_int_equal(reply.fault.code, ICP_BUSY);
    }
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server));
}

static void fill_busy_for_long(struct proto_writer *writer)
{
    struct proto_writer frame;
    struct proto_fault fault;
    proto_writer_init(&frame);
    proto_fault_set(&fault, PROTO_BUSY, "", "not for ten minutes");
    fault.retry_after_ms = 600000;
    proto_write_fault(&frame, &fault, 0, 0);
    struct proto_span whole = proto_writer_span(&frame);
    proto_write_raw(writer, (struct proto_span){whole.data + PROTO_HEADER_BYTES,
                                                whole.bytes - PROTO_HEADER_BYTES});
    proto_writer_fini(&frame);
}

static bool serve_busy_for_long(int fd)
{
    struct fake_request request;
    return fake_greet(fd) && fake_read(fd, &request) &&
           fake_reply(fd, request.header.request_id, PROTO_BUSY, 0, fill_busy_for_long) &&
           fake_until_closed(fd);
}

static void busy_that_outlasts_the_deadline_is_told_at_once(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_busy_for_long};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, true, scripts, 1);
    struct icp_client *client = icp_connect(server.uri, &quick, &fault);
    assert_non_null(client);
    assert_false(icp_call(client, ICP_OP_PING, NULL, &reply));
    assert_int_equal(reply.fault.code, ICP_BUSY);
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server)); /* it was asked once */
}

/* Names. */

static int resolve_slowly(const char *host, const char *port, const struct addrinfo *hints,
                          struct addrinfo **found)
{
    (void)host;
    fake_sleep_ms(300);
    return getaddrinfo("127.0.0.1", port, hints, found);
}

static int resolve_nothing(const char *host, const char *port, const struct addrinfo *hints,
                           struct addrinfo **found)
{
    (void)host;
    (void)port;
    (void)hints;
    *found = NULL;
    return EAI_NONAME;
}

static void looking_up_a_name_holds_the_deadline(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_pings};
    struct fake_server server;
    struct proto_fault fault = {0};
    struct icp_reply reply = {0};
    char uri[64];
    fake_start(&server, false, scripts, 1);
    snprintf(uri, sizeof uri, "icp://scores.example%s", strrchr(server.uri, ':'));
    struct icp_client *client = client_create(uri, &quick, resolve_slowly, &fault);
    assert_non_null(client);
    for (int i = 0; i < 3; i++) { /* all three wait for one and the same look-up */
        assert_false(icp_call_within(client, ICP_OP_PING, NULL, 10, &reply));
        assert_int_equal(reply.fault.code, ICP_TIMEOUT);
    }
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    icp_reply_fini(&reply);
    icp_close(client);
    /* One that is still being looked up when the client goes ends by itself. */
    client = client_create(uri, &quick, resolve_slowly, &fault);
    assert_false(icp_call_within(client, ICP_OP_PING, NULL, 10, &reply));
    icp_close(client);
    fake_sleep_ms(600);
    assert_true(fake_stop(&server));
}

static void name_that_nobody_knows_is_told(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct icp_reply reply = {0};
    const struct icp_options options = {ICP_OPTIONS, .no_retry = true};
    struct icp_client *client =
        client_create("icp://nowhere.example", &options, resolve_nothing, &fault);
    assert_non_null(client);
    assert_false(icp_call(client, ICP_OP_PING, NULL, &reply));
    assert_int_equal(reply.fault.code, ICP_CONNECT);
    assert_non_null(strstr(reply.fault.message, "nowhere.example:4273"));
    icp_close(client);
}

/* Pipelining. */

static void send_connects_again_by_itself(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_greeting_only, serve_pings};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, true, scripts, 2);
    struct icp_client *client = icp_connect(server.uri, NULL, &fault);
    assert_non_null(client);
    uint32_t lost = icp_send(client, ICP_OP_PING, NULL, &fault);
    assert_int_not_equal(lost, 0);
    assert_false(icp_receive(client, lost, 0, &reply));
    assert_int_equal(reply.fault.code, ICP_CLOSED);
    uint32_t next = icp_send(client, ICP_OP_PING, NULL, &fault);
    assert_int_not_equal(next, 0);
    assert_true(icp_receive(client, next, 0, &reply));
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server));
}

/* Several hosts. */

static bool serve_one_ping(int fd)
{
    struct fake_request request;
    return fake_greet(fd) && fake_read(fd, &request) &&
           fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_ping);
}

static void next_host_is_taken_and_kept(void **state)
{
    (void)state;
    static const fake_script one[] = {serve_one_ping, serve_pings};
    static const fake_script two[] = {serve_pings};
    struct fake_server first;
    struct fake_server second;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    char uri[512];
    fake_start(&first, false, one, 2);
    fake_start(&second, false, two, 1);
    snprintf(uri, sizeof uri, "%s,%s", first.uri, second.uri + strlen("icp://"));
    struct icp_client *client = icp_connect(uri, &quick, &fault);
    assert_non_null(client);
    /* The first host closes after it has answered; it is asked again first. */
    for (int i = 0; i < 2; i++) {
        assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    }
    assert_true(fake_stop_now(&first));
    for (int i = 0; i < 3; i++) {
        assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    }
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&second));
}

static void silent_host_does_not_keep_from_the_next(void **state)
{
    (void)state;
    static const fake_script one[] = {serve_silence};
    static const fake_script two[] = {serve_pings};
    struct fake_server first;
    struct fake_server second;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    char uri[512];
    fake_start(&first, false, one, 1);
    fake_start(&second, false, two, 1);
    snprintf(uri, sizeof uri, "%s,%s", first.uri, second.uri + strlen("icp://"));
    struct icp_client *client = icp_connect(uri, &quick, &fault);
    assert_non_null(client);
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&first));
    assert_true(fake_stop(&second));
}

/* Fork. */

static void child_opens_its_own_connection(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_pings, serve_pings};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, true, scripts, 2);
    struct icp_client *client = icp_connect(server.uri, &quick, &fault);
    assert_non_null(client);
    uint32_t before = icp_send(client, ICP_OP_PING, NULL, &fault);
    pid_t child = fork();
    if (child == 0) {
        struct icp_reply own = {0};
        bool told = !icp_receive(client, before, 0, &own) && own.fault.code == ICP_CLOSED;
        bool called = icp_call(client, ICP_OP_PING, NULL, &own);
        called = icp_call(client, ICP_OP_PING, NULL, &own) && called;
        icp_reply_fini(&own);
        icp_close(client);
        _exit(told && called ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    /* The parent's is as it was, its request in flight too. */
    assert_true(icp_receive(client, before, 0, &reply));
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply));
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reconnecting_holds_the_deadline_of_the_call),
        cmocka_unit_test(call_recovers_after_a_failed_reconnect),
        cmocka_unit_test(call_recovers_after_busy_under_id_0),
        cmocka_unit_test(connect_says_that_the_server_is_busy),
        cmocka_unit_test(call_notices_a_connection_closed_meanwhile),
        cmocka_unit_test(call_rides_out_a_restart),
        cmocka_unit_test(silent_connection_is_replaced),
        cmocka_unit_test(creeping_connection_is_left),
        cmocka_unit_test(slow_request_is_waited_for_while_pings_are_answered),
        cmocka_unit_test(busy_is_tried_again_and_told_when_it_stays),
        cmocka_unit_test(busy_that_outlasts_the_deadline_is_told_at_once),
        cmocka_unit_test(looking_up_a_name_holds_the_deadline),
        cmocka_unit_test(name_that_nobody_knows_is_told),
        cmocka_unit_test(send_connects_again_by_itself),
        cmocka_unit_test(next_host_is_taken_and_kept),
        cmocka_unit_test(silent_host_does_not_keep_from_the_next),
        cmocka_unit_test(child_opens_its_own_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
