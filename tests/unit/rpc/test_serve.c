/* SPDX-License-Identifier: Apache-2.0 */
/* rpc_serve on a real engine: what the system tests cannot see from outside. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/rpc/call.h"
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

/* A map of `pairs` that the caller writes behind it, and one that makes it a large request. */
static void large_begin(struct proto_writer *request, unsigned pairs)
{
    static const uint8_t junk[PROTO_LOOP_BYTES_MAX];
    proto_writer_reset(request);
    proto_write_map(request, 1 + pairs);
    proto_write_text(request, "junk");
    proto_write_bin(request, (struct proto_span){junk, sizeof junk});
}

static size_t finals(void)
{
    pthread_mutex_lock(&fixture.lock);
    size_t count = fixture.late_final;
    pthread_mutex_unlock(&fixture.lock);
    return count;
}

static void a_large_request_holds_what_is_behind_it_until_it_was_read(void **state)
{
    (void)state;
    struct proto_writer request;
    proto_writer_init(&request);
    large_begin(&request, 0);
    struct proto_frame frames[3] = {
        {.header = {.version = 1, .code = PROTO_OP_PING, .request_id = 1}},
        {.header = {.version = 1, .code = PROTO_OP_PING, .request_id = 2},
         .payload = proto_writer_span(&request)},
        {.header = {.version = 1, .code = PROTO_OP_PING, .request_id = 3}},
    };
    struct rpc_batch batch = {.session = &fixture.session,
                              .frames = frames,
                              .count = 3,
                              .out_room = SIZE_MAX,
                              .out = &fixture.out};
    size_t before = finals();
    size_t later = 0;
    proto_writer_reset(&fixture.out);
    do { /* a turn may be over before, on a slow machine */
        later += rpc_serve(fixture.worker, &batch);
        batch.frames += batch.done;
        batch.count -= batch.done;
    } while (!batch.hold);
    assert_int_equal(later, 1);
    assert_int_equal(batch.count, 1);
    assert_int_equal(fixture.out.bytes, PROTO_HEADER_BYTES + fixture.out.data[0]); /* one reply */
    pthread_mutex_lock(&fixture.lock);
    while (fixture.late_final == before) {
        pthread_cond_wait(&fixture.arrived, &fixture.lock);
    }
    pthread_mutex_unlock(&fixture.lock);
    assert_int_equal(rpc_serve(fixture.worker, &batch), 0);
    assert_false(batch.hold);
    proto_writer_fini(&request);
}

/* On another thread, by way of another lane: the answer is the same. */
/* A list of `count` accounts: the stored ones in turn, and one that is not there. */
static struct proto_span many_ids(struct proto_writer *request, size_t count)
{
    proto_writer_reset(request);
    proto_write_map(request, 1);
    proto_write_text(request, "ids");
    proto_write_array(request, count);
    for (size_t i = 0; i < count; i++) {
        char id[16];
        snprintf(id, sizeof id, "a%zu", i % 7);
        proto_write_text(request, i == 5 ? "nobody" : id);
    }
    return proto_writer_span(request);
}

static struct proto_span column(struct proto_span payload, int field)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    struct proto_fault fault = {0};
    const struct proto_op_info *info = proto_op_find(PROTO_OP_SCORE_MANY);
    assert_true(proto_fields_decode(info->reply, info->reply_count, payload, args, &fault));
    return args[field].text;
}

/* The event loop leaves it to a lane, holds nothing for it, and the answers are the same. */
static void a_long_list_of_ids_is_scored_on_a_lane(void **state)
{
    (void)state;
    struct proto_writer request;
    proto_writer_init(&request);
    struct proto_span at_most = many_ids(&request, PROTO_LOOP_IDS_MAX);
    struct proto_frame frame = {
        .header = {.version = 1, .code = PROTO_OP_SCORE_MANY, .request_id = 1}, .payload = at_most};
    struct rpc_batch batch = {.session = &fixture.session,
                              .frames = &frame,
                              .count = 1,
                              .out_room = SIZE_MAX,
                              .out = &fixture.out};
    proto_writer_reset(&fixture.out);
    assert_int_equal(rpc_serve(fixture.worker, &batch), 0);
    struct proto_span reply;
    assert_int_equal(rpc_fixture_call(&fixture, PROTO_OP_SCORE_MANY, at_most, &reply), PROTO_OK);
    struct proto_span raws = column(reply, PROTO_A_SCORE_MANY_RAW);
    assert_int_equal(raws.bytes, 8 * PROTO_LOOP_IDS_MAX);
    uint8_t *kept = malloc(raws.bytes);
    memcpy(kept, raws.data, raws.bytes);

    size_t before = finals();
    frame.payload = many_ids(&request, PROTO_LOOP_IDS_MAX + 1);
    batch = (struct rpc_batch){.session = &fixture.session,
                               .frames = &frame,
                               .count = 1,
                               .out_room = SIZE_MAX,
                               .out = &fixture.out};
    assert_int_equal(rpc_serve(fixture.worker, &batch), 1);
    assert_false(batch.hold);
    pthread_mutex_lock(&fixture.lock);
    while (fixture.late_final == before) {
        pthread_cond_wait(&fixture.arrived, &fixture.lock);
    }
    pthread_mutex_unlock(&fixture.lock);
    assert_int_equal(
        rpc_fixture_call(&fixture, PROTO_OP_SCORE_MANY, proto_writer_span(&request), &reply),
        PROTO_OK);
    raws = column(reply, PROTO_A_SCORE_MANY_RAW);
    assert_int_equal(raws.bytes, 8 * (PROTO_LOOP_IDS_MAX + 1));
    assert_memory_equal(raws.data, kept, 8 * PROTO_LOOP_IDS_MAX);
    free(kept);
    proto_writer_fini(&request);
}

static void a_large_request_is_answered_as_a_small_one(void **state)
{
    (void)state;
    size_t count;
    const struct proto_op_info *ops = proto_ops(&count);
    struct proto_writer request;
    struct proto_span reply;
    size_t compared = 0;
    proto_writer_init(&request);
    for (size_t i = 0; i < count; i++) {
        if (ops[i].retry != PROTO_RETRY_SAFE || ops[i].lane == PROTO_LANE_JOB) {
            continue;
        }
        uint8_t small =
            rpc_fixture_call(&fixture, (uint8_t)ops[i].op, (struct proto_span){0}, &reply);
        large_begin(&request, 0);
        uint8_t large =
            rpc_fixture_call(&fixture, (uint8_t)ops[i].op, proto_writer_span(&request), &reply);
        assert_int_equal(large, ops[i].op == PROTO_OP_HELLO ? PROTO_TOO_LARGE : small);
        compared += large == PROTO_OK;
    }
    assert_true(compared > 5);
    proto_writer_fini(&request);
}

static void a_large_write_is_stored_if_its_deadline_has_not_passed(void **state)
{
    (void)state;
    struct proto_writer request;
    struct proto_span reply;
    proto_writer_init(&request);
    for (unsigned late = 0; late < 2; late++) {
        large_begin(&request, 1 + late);
        if (late) { /* the fixture says that it was read long ago */
            proto_write_text(&request, "deadline_ms");
            proto_write_uint(&request, 5);
        }
        proto_write_text(&request, "accounts");
        proto_write_array(&request, 1);
        proto_write_map(&request, 1);
        proto_write_text(&request, "id");
        proto_write_text(&request, late ? "large-late" : "large");
        assert_int_equal(
            rpc_fixture_call(&fixture, PROTO_OP_ACCOUNT_PUT, proto_writer_span(&request), &reply),
            late ? PROTO_DEADLINE : PROTO_OK);
    }
    assert_int_equal(
        rpc_fixture_call(&fixture, PROTO_OP_ACCOUNT_GET, request_id(&request, "large", 0), &reply),
        PROTO_OK);
    assert_int_equal(rpc_fixture_call(&fixture, PROTO_OP_ACCOUNT_GET,
                                      request_id(&request, "large-late", 0), &reply),
                     PROTO_NOT_FOUND);
    proto_writer_fini(&request);
}

/* A look-alike of one account; with what takes 14 MB of memory while it is read, or little. */
static void write_similar(struct proto_writer *request, bool greedy)
{
    static char domain[1400];
    memset(domain, 'x', sizeof domain);
    proto_writer_reset(request);
    proto_write_map(request, greedy ? 2 : 1);
    proto_write_text(request, "positives");
    proto_write_array(request, 1);
    proto_write_map(request, 1);
    proto_write_text(request, "id");
    proto_write_text(request, "a1");
    if (greedy) {
        proto_write_text(request, "exclude_domains");
        proto_write_array(request, PROTO_BATCH_ACCOUNTS_MAX);
        for (unsigned i = 0; i < PROTO_BATCH_ACCOUNTS_MAX; i++) {
            proto_write_str(request, (struct proto_span){(const uint8_t *)domain, sizeof domain});
        }
    }
}

/* Six that wait together, of which five would take all the memory there is for them. */
static void look_alikes_that_wait_together_starve_nobody(void **state)
{
    (void)state;
    enum { ASKED = 6 };
    struct proto_writer texts[2];
    struct proto_writer outs[ASKED];
    struct proto_span reply;
    struct rpc_call calls[ASKED];
    struct proto_fault faults[ASKED] = {0};
    bool oks[ASKED];
    struct proto_request *requests = calloc(ASKED, sizeof *requests);
    assert_non_null(requests);
    for (unsigned i = 0; i < 2; i++) {
        proto_writer_init(&texts[i]);
        write_similar(&texts[i], i == 1);
    }
    uint8_t alone =
        rpc_fixture_call(&fixture, PROTO_OP_SIMILAR, proto_writer_span(&texts[0]), &reply);
    rpc_fixture_call(&fixture, PROTO_OP_PING, (struct proto_span){0}, &reply); /* a fresh view */
    for (unsigned i = 0; i < ASKED; i++) {
        proto_writer_init(&outs[i]);
        oks[i] = proto_request_decode(proto_op_find(PROTO_OP_SIMILAR),
                                      proto_writer_span(&texts[i < ASKED - 1]), &requests[i],
                                      &faults[i]);
        assert_true(oks[i]);
        calls[i] = (struct rpc_call){.worker = fixture.worker,
                                     .session = &fixture.session,
                                     .op = proto_op_find(PROTO_OP_SIMILAR),
                                     .args = requests[i].args,
                                     .out = &outs[i]};
    }
    rpc_similar_many(calls, ASKED, oks, faults);
    for (unsigned i = 0; i < ASKED; i++) {
        assert_int_equal(faults[i].code, alone);
        assert_int_equal(oks[i], alone == PROTO_OK);
        proto_writer_fini(&outs[i]);
    }
    proto_writer_fini(&texts[0]);
    proto_writer_fini(&texts[1]);
    free(requests);
}

static void roles_are_asked_of_every_operation(void **state)
{
    (void)state;
    /* By role of the connection, then of the operation: none, metrics, score, read, write, admin.
     */
    static const bool allowed[6][6] = {
        {true},
        {true, true},
        {true, false, true},
        {true, true, true, true},
        {true, true, true, true, true},
        {true, true, true, true, true, true},
    };
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
            assert_int_equal(status != PROTO_DENIED, allowed[role][ops[i].role]);
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
        cmocka_unit_test(a_large_request_holds_what_is_behind_it_until_it_was_read),
        cmocka_unit_test(a_long_list_of_ids_is_scored_on_a_lane),
        cmocka_unit_test(a_large_request_is_answered_as_a_small_one),
        cmocka_unit_test(a_large_write_is_stored_if_its_deadline_has_not_passed),
        cmocka_unit_test(look_alikes_that_wait_together_starve_nobody),
        cmocka_unit_test(roles_are_asked_of_every_operation),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
