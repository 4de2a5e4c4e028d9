/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/icp.h"
#include "tests/unit/client/fake_server.h"

static void write_reason(struct proto_writer *writer, const char *field, int64_t contribution)
{
    proto_write_map(writer, 3);
    proto_write_text(writer, "field");
    proto_write_text(writer, field);
    proto_write_text(writer, "value");
    proto_write_uint(writer, 250);
    proto_write_text(writer, "contribution");
    proto_write_int(writer, contribution);
}

static void write_scalars(struct proto_writer *writer, const char *grade)
{
    proto_write_text(writer, "icp");
    proto_write_uint(writer, 4);
    proto_write_text(writer, "seq");
    proto_write_uint(writer, 99);
    proto_write_text(writer, "found");
    proto_write_bool(writer, true);
    proto_write_text(writer, "tal");
    proto_write_bool(writer, false);
    proto_write_text(writer, "fit");
    proto_write_f64(writer, 87.5);
    proto_write_text(writer, "p");
    proto_write_f64(writer, 0.25);
    proto_write_text(writer, "grade");
    proto_write_text(writer, grade);
    proto_write_text(writer, "raw");
    proto_write_int(writer, -1000);
}

static void fill_plain(struct proto_writer *writer)
{
    proto_write_map(writer, 8);
    write_scalars(writer, "B");
}

static void fill_two_letters(struct proto_writer *writer)
{
    proto_write_map(writer, 8);
    write_scalars(writer, "AA");
}

static void fill_reasons(struct proto_writer *writer)
{
    proto_write_map(writer, 15);
    write_scalars(writer, "B");
    proto_write_text(writer, "id");
    proto_write_text(writer, "acme");
    proto_write_text(writer, "intercept");
    proto_write_int(writer, -1500);
    proto_write_text(writer, "reasons");
    proto_write_array(writer, 2);
    write_reason(writer, "employees", 700);
    write_reason(writer, "country", -300);
    proto_write_text(writer, "rest");
    proto_write_int(writer, 100);
    proto_write_text(writer, "missing");
    proto_write_array(writer, 2);
    proto_write_text(writer, "revenue");
    proto_write_text(writer, "founded");
    proto_write_text(writer, "fit_low");
    proto_write_f64(writer, 50);
    proto_write_text(writer, "unknown");
    proto_write_array(writer, 1);
    proto_write_text(writer, "industri");
}

static void fill_bad_reason(struct proto_writer *writer)
{
    proto_write_map(writer, 9);
    write_scalars(writer, "B");
    proto_write_text(writer, "reasons");
    proto_write_array(writer, 1);
    proto_write_map(writer, 0);
}

/* Expects the query of the test and answers it plainly. */
static bool serve_query(int fd)
{
    struct fake_request request;
    struct proto_request score;
    struct proto_fault fault = {0};
    return fake_greet(fd) && fake_read(fd, &request) &&
           proto_request_decode(proto_op_find(PROTO_OP_SCORE), request.payload, &score, &fault) &&
           proto_span_is(score.args[PROTO_Q_SCORE_ID].text, "a1") &&
           proto_span_is(score.args[PROTO_Q_SCORE_KEY].text, "domain:acme.com") &&
           proto_span_is(score.args[PROTO_Q_SCORE_EMAIL].text, "ann@acme.com") &&
           score.args[PROTO_Q_SCORE_VALUES].present && score.args[PROTO_Q_SCORE_ICP].uint == 4 &&
           !score.args[PROTO_Q_SCORE_REASONS].present &&
           fake_reply(fd, request.header.request_id, PROTO_OK, 0, fill_plain) &&
           fake_until_closed(fd);
}

static bool serve_scores(int fd)
{
    static void (*const fills[])(struct proto_writer *) = {fill_reasons, fill_plain,
                                                           fill_two_letters, fill_bad_reason};
    struct fake_request request;
    if (!fake_greet(fd)) {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        if (!fake_read(fd, &request) ||
            !fake_reply(fd, request.header.request_id, PROTO_OK, 0, fills[i])) {
            return false;
        }
    }
    return fake_until_closed(fd);
}

static void score_sends_the_query_and_reads_the_answer(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_query};
    struct fake_server server;
    struct icp_fault fault = {0};
    fake_start(&server, true, scripts, 1);
    struct icp_client *client = icp_connect(server.uri, NULL, &fault);
    struct icp_payload *values = icp_payload_create();
    icp_payload_number(values, "employees", 250);
    struct icp_query query = {
        .id = "a1", .key = "domain:acme.com", .email = "ann@acme.com", .values = values, .icp = 4};
    struct icp_score score = {0};
    assert_true(icp_score_lead(client, &query, &score, &fault));
    assert_int_equal(score.icp, 4);
    assert_int_equal(score.seq, 99);
    assert_true(score.found);
    assert_false(score.tal);
    assert_true(score.fit == 87.5);
    assert_true(score.fit_low == 87.5);
    assert_true(score.p == 0.25);
    assert_int_equal(score.grade, 'B');
    assert_int_equal(score.raw, -1000);
    assert_int_equal(score.reason_count, 0);
    icp_score_fini(&score);
    icp_payload_destroy(values);
    icp_close(client);
    assert_true(fake_stop(&server));
}

static void score_reads_reasons_that_add_up_and_refuses_bad_ones(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_scores};
    struct fake_server server;
    struct icp_fault fault = {0};
    fake_start(&server, true, scripts, 1);
    struct icp_client *client = icp_connect(server.uri, NULL, &fault);
    struct icp_query query = {.id = "acme", .reasons = 3};
    struct icp_score score = {0};
    uint32_t id = icp_score_send(client, &query, &fault);
    assert_true(icp_score_receive(client, id, 0, &score, &fault));
    assert_int_equal(score.reason_count, 2);
    assert_memory_equal(score.reasons[1].field.data, "country", 7);
    assert_int_equal(score.reasons[0].value.integer, 250);
    int64_t sum = score.intercept + score.rest;
    for (size_t i = 0; i < score.reason_count; i++) {
        sum += score.reasons[i].contribution;
    }
    assert_int_equal(sum, score.raw);
    assert_int_equal(score.missing_count, 2);
    assert_memory_equal(score.missing[1].data, "founded", 7);
    assert_int_equal(score.stale_count, 0);
    assert_int_equal(score.unknown_count, 1);
    assert_memory_equal(score.unknown[0].data, "industri", 8);
    assert_memory_equal(score.id.data, "acme", 4);
    assert_true(score.fit_low == 50.0);
    /* The next answer has none, and must not show those of the last. */
    assert_true(icp_score_lead(client, &query, &score, &fault));
    assert_int_equal(score.reason_count, 0);
    assert_int_equal(score.missing_count, 0);
    assert_int_equal(score.unknown_count, 0);
    assert_false(icp_score_lead(client, &query, &score, &fault));
    assert_int_equal(fault.code, ICP_BAD_REPLY);
    assert_string_equal(fault.field, "grade");
    assert_false(icp_score_lead(client, &query, &score, &fault));
    assert_int_equal(fault.code, ICP_BAD_REPLY);
    icp_score_fini(&score);
    icp_close(client);
    assert_true(fake_stop(&server));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score_sends_the_query_and_reads_the_answer),
        cmocka_unit_test(score_reads_reasons_that_add_up_and_refuses_bad_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
