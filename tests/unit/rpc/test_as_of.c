/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked as of a sequence is answered as it was answered then: values, scores with their
 * reasons, explanations, timelines and what they come to, whatever was written since; before an
 * account was there it is not found; a sequence that is yet to come is now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>

#include "tests/unit/rpc/rpc_fixture.h"
#include "tests/unit/rpc/rpc_request.h"

enum { ACCOUNTS = 400, STEPS = 4, REQUEST_BYTES = 512 };

static struct rpc_fixture fixture;
static struct proto_writer request;

static void ask(enum proto_op op, const char *text, struct proto_arg *args)
{
    rpc_fixture_ask(&fixture, (uint8_t)op, rpc_request_json(&request, text), args);
}

/* What an operation said after each step, and the sequence of it. */
static const struct {
    enum proto_op op;
    const char *asked; /* members of the request */
    int seq;           /* of the reply: it tells when it is of, so that differs */
} questions[] = {
    {PROTO_OP_ACCOUNT_GET, "\"id\":\"late\"", PROTO_A_ACCOUNT_GET_SEQ},
    {PROTO_OP_SCORE, "\"id\":\"late\",\"reasons\":3", PROTO_A_SCORE_SEQ},
    {PROTO_OP_EXPLAIN, "\"id\":\"late\"", PROTO_A_EXPLAIN_SEQ},
    {PROTO_OP_TIMELINE, "\"id\":\"late\"", PROTO_A_TIMELINE_SEQ},
    {PROTO_OP_LIFECYCLE, "\"id\":\"late\",\"at\":900000", PROTO_A_LIFECYCLE_SEQ},
};
enum { QUESTIONS = sizeof questions / sizeof *questions };

static struct proto_writer answers[QUESTIONS][STEPS];
static uint64_t sequences[STEPS];
static uint64_t before; /* the account was there */

/* The fields of a reply but its sequence, as they are encoded; when values were told is told too,
 * so an answer can be held against another to the byte. */
static void answer_take(size_t question, const struct proto_span payload, struct proto_writer *out)
{
    const struct proto_op_info *op = proto_op_find((uint8_t)questions[question].op);
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_reader reader;
    proto_writer_reset(out);
    proto_reader_init(&reader, payload, &fault);
    size_t pairs = proto_read_map(&reader);
    for (size_t i = 0; i < pairs; i++) {
        struct proto_span key = proto_read_key(&reader);
        struct proto_span value = proto_read_any(&reader);
        if (!proto_span_is(key, op->reply[questions[question].seq].name)) {
            proto_write_str(out, key);
            proto_write_raw(out, value);
        }
    }
    assert_true(proto_reader_ok(&reader) && pairs > 1);
}

static uint8_t question_ask(size_t question, uint64_t seq, struct proto_span *payload)
{
    char text[REQUEST_BYTES];
    char as_of[48] = "";
    if (seq > 0) {
        (void)snprintf(as_of, sizeof as_of, ",\"seq\":%" PRIu64, seq);
    }
    (void)snprintf(text, sizeof text, "{%s%s}", questions[question].asked, as_of);
    return rpc_fixture_call(&fixture, (uint8_t)questions[question].op,
                            rpc_request_json(&request, text), payload);
}

static void each_answer_is_what_it_was_then(void **state)
{
    (void)state;
    struct proto_writer now;
    proto_writer_init(&now);
    for (size_t q = 0; q < QUESTIONS; q++) {
        for (size_t step = 0; step < STEPS; step++) {
            struct proto_span payload;
            assert_int_equal(question_ask(q, sequences[step], &payload), PROTO_OK);
            answer_take(q, payload, &now);
            if (!proto_span_equal(proto_writer_span(&now), proto_writer_span(&answers[q][step]))) {
                fail_msg("%s as of step %zu is another than it was",
                         proto_op_find((uint8_t)questions[q].op)->name, step);
            }
        }
    }
    proto_writer_fini(&now);
}

/* The control: each step changed each answer. */
static void answers_of_different_moments_differ(void **state)
{
    (void)state;
    for (size_t q = 0; q < QUESTIONS; q++) {
        for (size_t step = 1; step < STEPS; step++) {
            assert_false(proto_span_equal(proto_writer_span(&answers[q][step - 1]),
                                          proto_writer_span(&answers[q][step])));
        }
    }
}

static void a_sequence_that_is_yet_to_come_is_now(void **state)
{
    (void)state;
    struct proto_writer now;
    proto_writer_init(&now);
    for (size_t q = 0; q < QUESTIONS; q++) {
        struct proto_span payload;
        assert_int_equal(question_ask(q, sequences[STEPS - 1] + 1000000, &payload), PROTO_OK);
        answer_take(q, payload, &now);
        assert_true(
            proto_span_equal(proto_writer_span(&now), proto_writer_span(&answers[q][STEPS - 1])));
    }
    proto_writer_fini(&now);
}

static void before_an_account_was_there_it_has_neither_values_nor_a_score(void **state)
{
    (void)state;
    for (size_t q = 0; q < QUESTIONS; q++) {
        bool values = questions[q].op == PROTO_OP_ACCOUNT_GET ||
                      questions[q].op == PROTO_OP_SCORE || questions[q].op == PROTO_OP_EXPLAIN;
        struct proto_span payload;
        uint8_t status = question_ask(q, before, &payload);
        assert_int_equal(status, values ? PROTO_NOT_FOUND : PROTO_OK);
    }
}

static void an_explanation_adds_up_to_the_score_of_the_same_moment(void **state)
{
    (void)state;
    for (size_t step = 0; step < STEPS; step++) {
        char text[REQUEST_BYTES];
        struct proto_arg args[PROTO_ARGS_MAX];
        (void)snprintf(text, sizeof text, "{\"id\":\"late\",\"seq\":%" PRIu64 "}", sequences[step]);
        ask(PROTO_OP_SCORE, text, args);
        int64_t raw = args[PROTO_A_SCORE_RAW].integer;
        ask(PROTO_OP_EXPLAIN, text, args);
        assert_true(args[PROTO_A_EXPLAIN_RAW].integer == raw);
    }
}

static void step_make(size_t step)
{
    static const char *const steps[STEPS][2] = {
        {"{\"accounts\":[{\"id\":\"late\",\"values\":{\"industry\":\"Steel\",\"employees\":5}}]}",
         "{\"events\":[{\"account\":\"late\",\"type\":\"touch\",\"id\":\"1\",\"time\":1000}]}"},
        {"{\"accounts\":[{\"id\":\"late\",\"values\":{\"industry\":\"Software\"}}]}",
         "{\"events\":[{\"account\":\"late\",\"type\":\"touch\",\"id\":\"2\",\"time\":500}]}"},
        {"{\"accounts\":[{\"id\":\"late\",\"values\":{\"employees\":900}}]}",
         "{\"events\":[{\"account\":\"late\",\"type\":\"touch\",\"id\":\"3\",\"time\":1500}]}"},
        {"{\"accounts\":[{\"id\":\"late\",\"values\":{\"industry\":null,\"tech\":[\"Jira\"]}}]}",
         "{\"events\":[{\"account\":\"late\",\"type\":\"retraction\",\"id\":\"4\",\"retracts\":"
         "\"1\","
         "\"time\":2000}]}"},
    };
    struct proto_arg args[PROTO_ARGS_MAX];
    ask(step == 0 ? PROTO_OP_ACCOUNT_PUT : PROTO_OP_ACCOUNT_PATCH, steps[step][0], args);
    ask(PROTO_OP_EVENT_APPEND, steps[step][1], args);
    sequences[step] = args[PROTO_A_EVENT_APPEND_SEQ].uint;
    for (size_t q = 0; q < QUESTIONS; q++) {
        struct proto_span payload;
        assert_int_equal(question_ask(q, 0, &payload), PROTO_OK);
        answer_take(q, payload, &answers[q][step]);
    }
}

static int setup(void **state)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    (void)state;
    proto_writer_init(&request);
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, ACCOUNTS);
    rpc_fixture_learn(&fixture);
    ask(PROTO_OP_SCORE, "{\"id\":\"a1\"}", args);
    before = args[PROTO_A_SCORE_SEQ].uint;
    for (size_t step = 0; step < STEPS; step++) {
        for (size_t q = 0; q < QUESTIONS; q++) {
            proto_writer_init(&answers[q][step]);
        }
        step_make(step);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t step = 0; step < STEPS; step++) {
        for (size_t q = 0; q < QUESTIONS; q++) {
            proto_writer_fini(&answers[q][step]);
        }
    }
    proto_writer_fini(&request);
    rpc_fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_is_what_it_was_then),
        cmocka_unit_test(answers_of_different_moments_differ),
        cmocka_unit_test(a_sequence_that_is_yet_to_come_is_now),
        cmocka_unit_test(before_an_account_was_there_it_has_neither_values_nor_a_score),
        cmocka_unit_test(an_explanation_adds_up_to_the_score_of_the_same_moment),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
