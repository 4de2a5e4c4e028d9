/* SPDX-License-Identifier: Apache-2.0 */
/* The header that is made from the tables: a request's members go out by name, a reply's come in,
 * lists are read element by element, and a failure leaves everything empty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <icp_typed.h>

#include "tests/unit/client/fake_server.h"

static bool serve_count(int fd)
{
    struct fake_request request;
    struct proto_request read;
    struct proto_fault fault = {0};
    return fake_greet(fd) && fake_read(fd, &request) && request.header.code == PROTO_OP_COUNT &&
           proto_request_decode(proto_op_find(PROTO_OP_COUNT), request.payload, &read, &fault) &&
           proto_span_is(read.args[PROTO_Q_COUNT_FILTER].text, "country = 'DE'") &&
           read.args[PROTO_Q_COUNT_ICP].present && read.args[PROTO_Q_COUNT_ICP].uint == 3 &&
           fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_count) &&
           fake_read(fd, &request) &&
           fake_reply(fd, request.header.request_id, PROTO_BAD_FILTER, 0, NULL) &&
           fake_until_closed(fd);
}

static void call_writes_and_reads_by_name(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_count};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    struct icp_count_reply count;
    struct icp_count_request request = {.filter = "country = 'DE'", .has_icp = true, .icp = 3};
    fake_start(&server, true, scripts, 1);
    struct icp_client *client = icp_connect(server.uri, NULL, &fault);
    assert_non_null(client);
    assert_true(icp_do_count(client, &request, 0, &count, &reply));
    assert_int_equal(count.count, 7);
    assert_int_equal(count.of, 9);
    assert_int_equal(count.seq, 1);
    request.has_icp = false;
    assert_false(icp_do_count(client, &request, 0, &count, &reply));
    assert_int_equal(reply.fault.code, ICP_BAD_FILTER);
    assert_int_equal(count.count, 0);
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server));
}

static void fill_versions(struct proto_writer *writer)
{
    proto_write_map(writer, 2);
    proto_write_text(writer, "icps");
    proto_write_array(writer, 2);
    for (unsigned i = 1; i <= 2; i++) {
        proto_write_map(writer, 3);
        proto_write_text(writer, "icp");
        proto_write_uint(writer, i);
        proto_write_text(writer, "name");
        proto_write_text(writer, i == 1 ? "first" : "second");
        proto_write_text(writer, "active");
        proto_write_bool(writer, i == 2);
    }
    proto_write_text(writer, "switches");
    proto_write_array(writer, 0);
}

static bool serve_list(int fd)
{
    struct fake_request request;
    return fake_greet(fd) && fake_read(fd, &request) && request.header.code == PROTO_OP_ICP_LIST &&
           fake_reply(fd, request.header.request_id, PROTO_OK, 0, fill_versions) &&
           fake_until_closed(fd);
}

static void elements_of_a_list_are_read(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_list};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    struct icp_icp_list_reply list;
    const struct icp_icp_list_request request = {0};
    fake_start(&server, true, scripts, 1);
    struct icp_client *client = icp_connect(server.uri, NULL, &fault);
    assert_non_null(client);
    assert_true(icp_do_icp_list(client, &request, 0, &list, &reply));
    struct icp_walk walk = icp_walk_over(&list.icps);
    struct icp_value element;
    for (unsigned i = 1; i <= 2; i++) {
        struct icp_shape_version version;
        assert_true(icp_next(&walk, NULL, &element));
        icp_shape_version_read(&element, &version);
        assert_int_equal(version.icp, i);
        assert_int_equal(version.active, i == 2);
        assert_int_equal(version.name.bytes, i == 1 ? 5 : 6);
    }
    assert_false(icp_next(&walk, NULL, &element));
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call_writes_and_reads_by_name),
        cmocka_unit_test(elements_of_a_list_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
