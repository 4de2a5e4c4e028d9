/* SPDX-License-Identifier: Apache-2.0 */
/* rpc_serve on a real engine: what the system tests cannot see from outside. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/rpc/rpc_fixture.h"

static struct rpc_fixture fixture;

static int setup(void **state)
{
    (void)state;
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, 600);
    rpc_fixture_learn(&fixture);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rpc_fixture_close(&fixture);
    return 0;
}

static struct proto_span request_id(struct proto_writer *request, const char *id, unsigned reasons)
{
    proto_writer_reset(request);
    proto_write_map(request, reasons > 0 ? 2 : 1);
    proto_write_text(request, "id");
    proto_write_text(request, id);
    if (reasons > 0) {
        proto_write_text(request, "reasons");
        proto_write_uint(request, reasons);
    }
    return proto_writer_span(request);
}

static void a_batch_is_answered_in_one_piece_each_under_its_id(void **state)
{
    (void)state;
    enum { FRAMES = 300 };
    struct proto_frame frames[FRAMES] = {0};
    struct proto_writer requests[FRAMES];
    for (unsigned i = 0; i < FRAMES; i++) {
        char id[16];
        snprintf(id, sizeof id, i % 7 == 6 ? "nobody%u" : "a%u", i);
        proto_writer_init(&requests[i]);
        frames[i].payload = request_id(&requests[i], id, i % 5 == 0 ? 2 : 0);
        frames[i].header = (struct proto_header){
            .code = i % 11 == 10 ? 250 : PROTO_OP_SCORE, .version = 1, .request_id = 1000 + i};
    }
    struct proto_writer out;
    proto_writer_init(&out);
    struct rpc_batch batch = {.session = &fixture.session,
                              .frames = frames,
                              .count = FRAMES,
                              .out_room = SIZE_MAX,
                              .out = &out};
    while (batch.count > 0) { /* a turn may be over before the batch is, on a slow machine */
        assert_int_equal(rpc_serve(fixture.worker, &batch), 0);
        assert_true(batch.done > 0);
        batch.frames += batch.done;
        batch.count -= batch.done;
    }
    bool seen[FRAMES] = {false};
    struct proto_span bytes = proto_writer_span(&out);
    for (unsigned i = 0; i < FRAMES; i++) {
        struct proto_header header;
        struct proto_span payload;
        struct proto_fault fault;
        size_t used;
        assert_int_equal(
            proto_frame_split(bytes, PROTO_FRAME_BYTES_MAX, true, &header, &payload, &used, &fault),
            PROTO_FRAME_WHOLE);
        unsigned index = header.request_id - 1000;
        assert_true(index < FRAMES && !seen[index]);
        seen[index] = true;
        assert_int_equal(header.code, index % 11 == 10 ? PROTO_UNKNOWN_OP
                                      : index % 7 == 6 ? PROTO_NOT_FOUND
                                                       : PROTO_OK);
        bytes.data += used;
        bytes.bytes -= used;
    }
    assert_int_equal(bytes.bytes, 0);
    proto_writer_fini(&out);
    for (unsigned i = 0; i < FRAMES; i++) {
        proto_writer_fini(&requests[i]);
    }
}

static void a_checksum_is_answered_with_a_checksum(void **state)
{
    (void)state;
    struct proto_frame frame = {
        .header = {.version = 1, .code = PROTO_OP_PING, .flags = PROTO_FLAG_CHECKSUM}};
    struct proto_header header;
    proto_writer_reset(&fixture.out);
    struct rpc_batch batch = {.session = &fixture.session,
                              .frames = &frame,
                              .count = 1,
                              .out_room = SIZE_MAX,
                              .out = &fixture.out};
    rpc_serve(fixture.worker, &batch);
    proto_header_decode(fixture.out.data, &header);
    assert_int_equal(header.flags, PROTO_FLAG_REPLY | PROTO_FLAG_CHECKSUM);
    assert_int_equal(header.checksum,
                     proto_checksum((struct proto_span){fixture.out.data + PROTO_HEADER_BYTES,
                                                        header.payload_bytes}));
}

static void a_score_from_the_stored_row_equals_the_explained_one(void **state)
{
    (void)state;
    struct proto_writer request;
    struct proto_arg plain[PROTO_ARGS_MAX];
    struct proto_arg explained[PROTO_ARGS_MAX];
    proto_writer_init(&request);
    for (unsigned i = 0; i < 600; i += 7) {
        char id[16];
        snprintf(id, sizeof id, "a%u", i);
        rpc_fixture_ask(&fixture, PROTO_OP_SCORE, request_id(&request, id, 0), plain);
        rpc_fixture_ask(&fixture, PROTO_OP_SCORE, request_id(&request, id, 3), explained);
        assert_true(plain[PROTO_A_SCORE_RAW].integer == explained[PROTO_A_SCORE_RAW].integer);
        assert_true(plain[PROTO_A_SCORE_FIT].number >= 0 && plain[PROTO_A_SCORE_FIT].number <= 100);
    }
    proto_writer_fini(&request);
}

static void replies_that_fill_the_room_end_the_turn(void **state)
{
    (void)state;
    struct proto_frame frames[10] = {0};
    for (unsigned i = 0; i < 10; i++) {
        frames[i].header = (struct proto_header){.version = 1, .code = PROTO_OP_ICP_GET};
    }
    struct rpc_batch batch = {.session = &fixture.session,
                              .frames = frames,
                              .count = 10,
                              .out_room = 100,
                              .out = &fixture.out};
    proto_writer_reset(&fixture.out);
    assert_int_equal(rpc_serve(fixture.worker, &batch), 0);
    assert_int_equal(batch.done, 1);
}

static void a_passed_deadline_is_refused_before_any_work(void **state)
{
    (void)state;
    struct proto_writer request;
    struct proto_span reply;
    proto_writer_init(&request);
    proto_write_map(&request, 1);
    proto_write_text(&request, "deadline_ms");
    proto_write_uint(&request, 5);
    /* The fixture says that the frame was read at time 0 of the monotonic clock: long ago. */
    assert_int_equal(rpc_fixture_call(&fixture, PROTO_OP_PING, proto_writer_span(&request), &reply),
                     PROTO_DEADLINE);
    proto_writer_fini(&request);
}

/* Whatever its lane, and on the short way of scores too: what waited too long is not begun. */
static void no_operation_is_begun_after_its_deadline(void **state)
{
    (void)state;
    size_t count;
    size_t late = 0;
    struct proto_writer request;
    struct proto_span reply;
    const struct proto_op_info *ops = proto_ops(&count);
    proto_writer_init(&request);
    for (size_t i = 0; i < count; i++) {
        proto_writer_reset(&request);
        proto_write_map(&request, 1);
        proto_write_text(&request, "deadline_ms");
        proto_write_uint(&request, 5);
        uint8_t status =
            rpc_fixture_call(&fixture, (uint8_t)ops[i].op, proto_writer_span(&request), &reply);
        late += status == PROTO_DEADLINE;
        assert_true(status == PROTO_DEADLINE || status == PROTO_MISSING_FIELD);
    }
    assert_true(late > 0);
    for (int first = 0; first < 2; first++) {
        proto_writer_reset(&request);
        proto_write_map(&request, 2);
        for (int key = 0; key < 2; key++) {
            if (key == first) {
                proto_write_text(&request, "id");
                proto_write_text(&request, "a3");
            } else {
                proto_write_text(&request, "deadline_ms");
                proto_write_uint(&request, 5);
            }
        }
        assert_int_equal(
            rpc_fixture_call(&fixture, PROTO_OP_SCORE, proto_writer_span(&request), &reply),
            PROTO_DEADLINE);
    }
    proto_writer_fini(&request);
}

static void a_patch_is_seen_by_the_next_score(void **state)
{
    (void)state;
    struct proto_writer request;
    struct proto_arg args[PROTO_ARGS_MAX];
    int64_t raw[2];
    static const char *const industries[] = {"Steel", "Software"};
    proto_writer_init(&request);
    for (unsigned i = 0; i < 2; i++) {
        proto_writer_reset(&request);
        proto_write_map(&request, 1);
        proto_write_text(&request, "accounts");
        proto_write_array(&request, 1);
        proto_write_map(&request, 2);
        proto_write_text(&request, "id");
        proto_write_text(&request, "a3");
        proto_write_text(&request, "values");
        proto_write_map(&request, 1);
        proto_write_text(&request, "industry");
        proto_write_text(&request, industries[i]);
        rpc_fixture_ask(&fixture, PROTO_OP_ACCOUNT_PATCH, proto_writer_span(&request), args);
        rpc_fixture_ask(&fixture, PROTO_OP_SCORE, request_id(&request, "a3", 0), args);
        raw[i] = args[PROTO_A_SCORE_RAW].integer;
    }
    assert_true(raw[0] < raw[1]);
    proto_writer_fini(&request);
}

static void roles_are_asked_of_every_operation(void **state)
{
    (void)state;
    struct rpc_fixture closed;
    size_t count;
    const struct proto_op_info *ops = proto_ops(&count);
    rpc_fixture_open(&closed, true);
    for (size_t i = 0; i < count; i++) {
        for (int role = PROTO_ROLE_NONE; role <= PROTO_ROLE_ADMIN; role++) {
            struct proto_span reply;
            closed.session.role = (enum proto_role)role;
            uint8_t status =
                rpc_fixture_call(&closed, (uint8_t)ops[i].op, (struct proto_span){0}, &reply);
            assert_int_equal(status == PROTO_DENIED, (enum proto_role)role < ops[i].role);
        }
    }
    rpc_fixture_close(&closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_answered_in_one_piece_each_under_its_id),
        cmocka_unit_test(a_checksum_is_answered_with_a_checksum),
        cmocka_unit_test(a_score_from_the_stored_row_equals_the_explained_one),
        cmocka_unit_test(replies_that_fill_the_room_end_the_turn),
        cmocka_unit_test(a_passed_deadline_is_refused_before_any_work),
        cmocka_unit_test(no_operation_is_begun_after_its_deadline),
        cmocka_unit_test(a_patch_is_seen_by_the_next_score),
        cmocka_unit_test(roles_are_asked_of_every_operation),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
