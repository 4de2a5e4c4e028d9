/* SPDX-License-Identifier: Apache-2.0 */
/* Which host is tried: a clock of the test's own for the choice, hosts that drain or have no room
 * for what follows from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/client.h"
#include "tests/unit/client/fake_server.h"

static void hosts_follow_in_the_order_of_the_uri(void **state)
{
    (void)state;
    const struct client_core core = {.host_count = 3};
    assert_int_equal(client_host_after(&core, 0, 0), 1);
    assert_int_equal(client_host_after(&core, 2, 0), 0);
}

static void host_that_failed_is_passed_over_for_a_while(void **state)
{
    (void)state;
    struct client_core core = {.host_count = 3};
    client_host_failed(&core, &core.hosts[1], 1000);
    assert_int_equal(client_host_after(&core, 0, 1000), 2);
    assert_int_equal(client_host_after(&core, 0, 1499), 2); /* half a second at least */
    assert_int_equal(client_host_after(&core, 0, 2001), 1); /* a second at most */
}

static void host_that_goes_on_failing_is_tried_twice_a_minute(void **state)
{
    (void)state;
    struct client_core core = {.host_count = 2};
    int64_t now_ms = 0;
    unsigned attempts = 0;
    for (; now_ms < INT64_C(600000); now_ms += 100) {
        if (client_host_after(&core, 0, now_ms) == 1) {
            client_host_failed(&core, &core.hosts[1], now_ms);
            attempts++;
        }
    }
    assert_in_range(attempts, 15, 50); /* every 15 to 30 seconds of ten minutes, and some before */
}

static void host_that_worked_is_tried_in_its_turn(void **state)
{
    (void)state;
    struct client_core core = {.host_count = 2};
    client_host_failed(&core, &core.hosts[1], 0);
    client_host_failed(&core, &core.hosts[1], 0);
    client_host_worked(&core.hosts[1]);
    assert_int_equal(client_host_after(&core, 0, 0), 1);
    client_host_failed(&core, &core.hosts[1], 0);
    assert_int_equal(client_host_after(&core, 0, 1001), 1); /* as after a first failure */
}

static void order_is_kept_where_all_have_failed(void **state)
{
    (void)state;
    struct client_core core = {.host_count = 3};
    for (size_t i = 0; i < 3; i++) {
        client_host_failed(&core, &core.hosts[i], 0);
    }
    assert_int_equal(client_host_after(&core, 0, 0), 1);
    assert_int_equal(client_host_after(&core, 1, 0), 2);
    assert_int_equal(client_host_after(&core, 2, 0), 0);
}

/* Refuses every request with that error, until the client goes. */
static bool serve_refusals(int fd, enum proto_error code)
{
    struct fake_request request;
    struct proto_writer writer;
    struct proto_fault fault = {0};
    bool fine = fake_greet(fd);
    proto_fault_set(&fault, code, "", "not here");
    while (fine && fake_read(fd, &request)) {
        proto_writer_init(&writer);
        proto_write_fault(&writer, &fault, PROTO_FLAG_REPLY, request.header.request_id);
        fine = fake_send(fd, writer.data, writer.bytes);
        proto_writer_fini(&writer);
    }
    return fine;
}

static bool serve_busy(int fd)
{
    return serve_refusals(fd, PROTO_BUSY);
}

static bool serve_draining(int fd)
{
    return serve_refusals(fd, PROTO_SHUTTING_DOWN);
}

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

/* One call to two hosts, of which the first refuses all that it is asked. */
static void call_between(fake_script refuses)
{
    const struct icp_options quick = {ICP_OPTIONS, .call_timeout_ms = 30000};
    const fake_script one[] = {refuses};
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
    assert_true(icp_call(client, ICP_OP_PING, NULL, &reply)); /* and it stays there */
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&first));
    assert_true(fake_stop(&second));
}

static void host_that_drains_is_left(void **state)
{
    (void)state;
    call_between(serve_draining);
}

static void host_that_stays_busy_is_left(void **state)
{
    (void)state;
    call_between(serve_busy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_follow_in_the_order_of_the_uri),
        cmocka_unit_test(host_that_failed_is_passed_over_for_a_while),
        cmocka_unit_test(host_that_goes_on_failing_is_tried_twice_a_minute),
        cmocka_unit_test(host_that_worked_is_tried_in_its_turn),
        cmocka_unit_test(order_is_kept_where_all_have_failed),
        cmocka_unit_test(host_that_drains_is_left),
        cmocka_unit_test(host_that_stays_busy_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
