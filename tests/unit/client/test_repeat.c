/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent twice and what is not: writes with an operation id, reads that are hedged; and what
 * a score is when nobody answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/icp.h"
#include "tests/unit/client/fake_server.h"

/* What the scripts of a test have seen. */
static char operations[4][80];
static atomic_size_t operation_count;
static atomic_size_t requests;

static bool operation_note(const struct fake_request *request)
{
    const struct icp_reply seen = {.payload = request->payload.data,
                                   .payload_bytes = request->payload.bytes};
    struct icp_text text = icp_reply_text(&seen, "operation");
    size_t at = atomic_fetch_add(&operation_count, 1);
    if (at >= 4 || text.bytes >= sizeof operations[0]) {
        return false;
    }
    memcpy(operations[at], text.data, text.bytes);
    operations[at][text.bytes] = '\0';
    return true;
}

static bool greet_with_operations(int fd)
{
    struct fake_request request;
    return fake_read(fd, &request) && request.header.code == PROTO_OP_HELLO &&
           fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_hello_operations);
}

static void fill_put(struct proto_writer *writer)
{
    proto_write_map(writer, 2);
    proto_write_text(writer, "icp");
    proto_write_uint(writer, 3);
    proto_write_text(writer, "seq");
    proto_write_uint(writer, 9);
}

static bool hang_up_on_a_write(int fd)
{
    struct fake_request request;
    return greet_with_operations(fd) && fake_read(fd, &request) && operation_note(&request);
}

static bool answer_a_write(int fd)
{
    struct fake_request request;
    return greet_with_operations(fd) && fake_read(fd, &request) && operation_note(&request) &&
           fake_reply(fd, request.header.request_id, PROTO_OK, 0, fill_put) &&
           fake_until_closed(fd);
}

static bool answer_a_write_plainly(int fd)
{
    struct fake_request request;
    return fake_greet(fd) && fake_read(fd, &request) && operation_note(&request) &&
           fake_reply(fd, request.header.request_id, PROTO_OK, 0, fill_put) &&
           fake_until_closed(fd);
}

/* Greets without operations and takes no request. */
static bool greet_plainly(int fd)
{
    return fake_greet(fd) && fake_until_closed(fd);
}

static bool hang_up_plainly(int fd)
{
    struct fake_request request;
    return fake_greet(fd) && fake_read(fd, &request) && operation_note(&request);
}

/* Calls an operation with a payload that names `operation`, or not. */
static bool call(enum icp_op op, const fake_script *scripts, size_t count, const char *operation,
                 const struct icp_options *options, struct icp_fault *fault)
{
    struct fake_server server;
    struct icp_reply reply = {0};
    struct icp_payload *payload = icp_payload_create();
    operation_count = 0;
    fake_start(&server, true, scripts, count);
    if (op == ICP_OP_ICP_PUT) {
        icp_payload_text(payload, "document", "{}");
    }
    if (operation != NULL) {
        icp_payload_text(payload, "operation", operation);
    }
    struct icp_client *client = icp_connect(server.uri, options, fault);
    assert_non_null(client);
    bool succeeded = icp_call(client, op, payload, &reply);
    *fault = reply.fault;
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    icp_close(client);
    assert_true(fake_stop(&server));
    return succeeded;
}

static bool put(const fake_script *scripts, size_t count, const char *operation,
                const struct icp_options *options, struct icp_fault *fault)
{
    return call(ICP_OP_ICP_PUT, scripts, count, operation, options, fault);
}

/* What the table gives no id, the server does not know by one. */
static void what_takes_no_operation_id_is_not_repeated(void **state)
{
    (void)state;
    static const fake_script scripts[] = {hang_up_on_a_write};
    struct icp_fault fault;
    assert_false(call(ICP_OP_CAPTURE_STOP, scripts, 1, NULL, NULL, &fault));
    assert_int_equal(fault.code, ICP_CLOSED);
    assert_string_equal(operations[0], "");
    assert_false(call(ICP_OP_CAPTURE_STOP, scripts, 1, "mine", NULL, &fault));
    assert_int_equal(fault.code, ICP_CLOSED);
}

static void write_is_repeated_under_one_operation_id(void **state)
{
    (void)state;
    static const fake_script scripts[] = {hang_up_on_a_write, answer_a_write};
    struct icp_fault fault;
    assert_true(put(scripts, 2, NULL, NULL, &fault));
    assert_int_equal(operation_count, 2);
    assert_int_equal(strlen(operations[0]), 32);
    assert_int_equal(strspn(operations[0], "0123456789abcdef"), 32);
    assert_string_equal(operations[0], operations[1]);
    /* Another write has another one. */
    char before[80];
    memcpy(before, operations[0], sizeof before);
    assert_true(put(scripts, 2, NULL, NULL, &fault));
    assert_string_not_equal(before, operations[0]);
}

static void write_keeps_the_operation_id_of_its_caller(void **state)
{
    (void)state;
    static const fake_script scripts[] = {hang_up_on_a_write, answer_a_write};
    struct icp_fault fault;
    assert_true(put(scripts, 2, "job 17, step 2", NULL, &fault));
    assert_string_equal(operations[0], "job 17, step 2");
    assert_string_equal(operations[1], "job 17, step 2");
}

static void write_is_not_repeated_where_operations_are_unknown(void **state)
{
    (void)state;
    static const fake_script plain[] = {hang_up_plainly};
    static const fake_script changed[] = {hang_up_on_a_write, greet_plainly};
    static const fake_script first[] = {answer_a_write_plainly};
    struct icp_fault fault;
    assert_false(put(plain, 1, NULL, NULL, &fault));
    assert_int_equal(fault.code, ICP_CLOSED);
    assert_string_equal(operations[0], ""); /* such a server is not bothered with one */
    assert_false(put(plain, 1, "mine", NULL, &fault));
    assert_string_equal(operations[0], "mine");
    /* The server that comes back is an older one. */
    assert_false(put(changed, 2, NULL, NULL, &fault));
    assert_int_equal(fault.code, ICP_CLOSED);
    assert_non_null(strstr(fault.message, "does not know operation ids"));
    assert_true(put(first, 1, NULL, NULL, &fault));
}

static void write_is_not_repeated_when_told_so(void **state)
{
    (void)state;
    static const fake_script scripts[] = {hang_up_on_a_write};
    const struct icp_options options = {ICP_OPTIONS, .no_retry = true};
    struct icp_fault fault;
    assert_false(put(scripts, 1, NULL, &options, &fault));
    assert_int_equal(fault.code, ICP_CLOSED);
    assert_string_equal(operations[0], "");
}

/* Hedging. */

static bool never_answer(int fd)
{
    struct fake_request request;
    if (!fake_greet(fd)) {
        return false;
    }
    while (fake_read(fd, &request)) {
        if (request.header.code != PROTO_OP_PING) {
            atomic_fetch_add(&requests, 1);
        } else if (!fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_ping)) {
            return false;
        }
    }
    return true;
}

static bool answer_counts(int fd)
{
    struct fake_request request;
    if (!fake_greet(fd)) {
        return false;
    }
    while (fake_read(fd, &request)) {
        atomic_fetch_add(&requests, 1);
        if (!fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_count)) {
            return false;
        }
    }
    return true;
}

static void slow_read_is_answered_by_the_second_connection(void **state)
{
    (void)state;
    static const fake_script scripts[] = {never_answer, answer_counts};
    const struct icp_options options = {ICP_OPTIONS, .hedge_ms = 5, .hedge_percent_max = 100};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, true, scripts, 2);
    requests = 0;
    struct icp_client *client = icp_connect(server.uri, &options, &fault);
    assert_non_null(client);
    for (int i = 0; i < 5; i++) {
        assert_true(icp_call_within(client, ICP_OP_COUNT, NULL, 60000, &reply));
        assert_int_equal(icp_reply_int(&reply, "count", 0), 7);
    }
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server));
    assert_int_equal(requests, 10); /* five asked twice */
}

static void hedging_stays_within_its_share(void **state)
{
    (void)state;
    static const fake_script scripts[] = {never_answer, answer_counts};
    const struct icp_options options = {ICP_OPTIONS, .hedge_ms = 1, .hedge_percent_max = 25,
                                        .call_timeout_ms = 100};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    size_t answered = 0;
    fake_start(&server, true, scripts, 2);
    requests = 0;
    struct icp_client *client = icp_connect(server.uri, &options, &fault);
    assert_non_null(client);
    for (int i = 0; i < 12; i++) {
        answered += icp_call(client, ICP_OP_COUNT, NULL, &reply);
    }
    assert_true(answered >= 1 && answered <= 3); /* a quarter of twelve */
    icp_reply_fini(&reply);
    icp_close(client);
    assert_true(fake_stop(&server));
}

static void writes_are_never_hedged(void **state)
{
    (void)state;
    static const fake_script scripts[] = {never_answer};
    const struct icp_options options = {ICP_OPTIONS, .hedge_ms = 1, .hedge_percent_max = 100,
                                        .call_timeout_ms = 50};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_reply reply = {0};
    fake_start(&server, true, scripts, 1);
    requests = 0;
    struct icp_client *client = icp_connect(server.uri, &options, &fault);
    assert_non_null(client);
    assert_false(icp_call(client, ICP_OP_ACCOUNT_PUT, NULL, &reply));
    assert_int_equal(reply.fault.code, ICP_TIMEOUT);
    icp_close(client);
    assert_true(fake_stop(&server));
    assert_int_equal(requests, 1);
}

/* A default score. */

static bool refuse_a_field(int fd)
{
    struct fake_request request;
    return fake_greet(fd) && fake_read(fd, &request) &&
           fake_reply(fd, request.header.request_id, PROTO_BAD_FIELD, 0, NULL) &&
           fake_until_closed(fd);
}

static void score_falls_back_on_the_default_when_nobody_answers(void **state)
{
    (void)state;
    static const fake_script scripts[] = {never_answer, refuse_a_field};
    struct icp_options options = {ICP_OPTIONS, .default_score = true, .default_grade = 'C',
                                  .default_fit = 40, .default_p = 0.25};
    struct fake_server server;
    struct icp_fault fault;
    struct icp_score score = {ICP_SCORE};
    struct icp_query query = {ICP_QUERY, .id = "a1", .timeout_ms = 20};
    fake_start(&server, true, scripts, 2);
    struct icp_client *client = icp_connect(server.uri, &options, &fault);
    assert_non_null(client);
    assert_true(icp_score_lead(client, &query, &score, &fault));
    assert_true(score.is_default);
    assert_int_equal(score.grade, 'C');
    assert_true(score.fit == 40 && score.p == 0.25 && score.fit_low == 40);
    assert_int_equal(score.reason_count, 0);
    assert_false(score.found);
    assert_int_equal(fault.code, ICP_TIMEOUT);
    /* What is wrong with the query itself is not hidden. */
    assert_true(icp_reconnect(client, &fault));
    query.timeout_ms = 0;
    assert_false(icp_score_lead(client, &query, &score, &fault));
    assert_int_equal(fault.code, ICP_BAD_FIELD);
    icp_close(client);
    assert_true(fake_stop(&server));
    /* Without a server at all, from the first call on. */
    options.connect_later = true;
    options.connect_timeout_ms = 50;
    client = icp_connect("icp://127.0.0.1:1", &options, &fault);
    assert_non_null(client);
    assert_true(icp_score_lead(client, &query, &score, &fault));
    assert_true(score.is_default);
    assert_int_equal(fault.code, ICP_CONNECT);
    icp_score_fini(&score);
    icp_close(client);
}

/* A program built for a newer header, run with this library. */
static void structs_of_another_version_are_read_or_refused(void **state)
{
    (void)state;
    struct {
        struct icp_options options;
        uint64_t more;
    } newer = {{.size = sizeof newer, .connect_later = true}, 0};
    struct icp_fault fault;
    struct icp_client *client = icp_connect("icp://127.0.0.1:1", &newer.options, &fault);
    assert_non_null(client); /* it uses nothing that is new */
    icp_close(client);
    newer.more = 1;
    assert_null(icp_connect("icp://127.0.0.1:1", &newer.options, &fault));
    assert_int_equal(fault.code, ICP_USAGE);
    struct icp_options older = icp_options_default();
    older.size = offsetof(struct icp_options, connect_later); /* what follows is not read */
    older.connect_later = true;
    assert_null(icp_connect("icp://127.0.0.1:1", &older, &fault));
    assert_int_equal(fault.code, ICP_CONNECT);
    assert_int_equal(icp_version_number(), ICP_VERSION_NUMBER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_is_repeated_under_one_operation_id),
        cmocka_unit_test(write_keeps_the_operation_id_of_its_caller),
        cmocka_unit_test(write_is_not_repeated_where_operations_are_unknown),
        cmocka_unit_test(write_is_not_repeated_when_told_so),
        cmocka_unit_test(what_takes_no_operation_id_is_not_repeated),
        cmocka_unit_test(slow_read_is_answered_by_the_second_connection),
        cmocka_unit_test(hedging_stays_within_its_share),
        cmocka_unit_test(writes_are_never_hedged),
        cmocka_unit_test(score_falls_back_on_the_default_when_nobody_answers),
        cmocka_unit_test(structs_of_another_version_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
