/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_fixture.h"

#define READS (4 * NET_STAGES_EVERY)

/* A server that takes 100 ns of its clock (which is slower than the processor's) for each frame,
 * and what it was told of its stages. */
struct staged {
    _Atomic uint64_t now_ns;
    struct net_server *server;
    uint64_t frame_ns;
    struct net_stages sum;
    unsigned told;
};

/* Every look at the clock costs one tick, so that no stage is 0. */
static uint64_t clock_read(void *context)
{
    struct staged *staged = context;
    return atomic_fetch_add(&staged->now_ns, 1);
}

static size_t on_frames(void *context, void *worker, struct net_conn *conn,
                        const struct proto_frame *frames, size_t count, struct proto_writer *out)
{
    struct staged *staged = context;
    (void)worker;
    (void)conn;
    for (size_t i = 0; i < count; i++) {
        proto_writer_frame_begin(out);
        proto_write_raw(out, frames[i].payload);
        proto_writer_frame_end(out, PROTO_OK, PROTO_FLAG_REPLY, frames[i].header.request_id);
        atomic_fetch_add(&staged->now_ns, staged->frame_ns);
    }
    return 0;
}

static void on_stages(void *context, void *worker, const struct net_stages *stages)
{
    struct staged *staged = context;
    (void)worker;
    staged->told++;
    staged->sum.read_ns += stages->read_ns;
    staged->sum.split_ns += stages->split_ns;
    staged->sum.serve_ns += stages->serve_ns;
    staged->sum.write_ns += stages->write_ns;
    staged->sum.frames += stages->frames;
}

static struct staged *serve(bool told, unsigned reads, uint64_t frame_ns)
{
    struct staged *staged = net_test_alloc(sizeof *staged);
    struct proto_fault fault = {0};
    staged->frame_ns = frame_ns;
    struct net_options options = net_test_options(1);
    char path[] = "/tmp/icp_stage_XXXXXX";
    char socket_path[64];
    assert_non_null(mkdtemp(path));
    snprintf(socket_path, sizeof socket_path, "%s/s", path);
    options.host = NULL;
    options.socket_path = socket_path; /* there one send is one read */
    options.now_ns = clock_read;
    options.now_context = staged;
    options.first_byte_ms = options.frame_ms = options.idle_ms = options.write_ms = 0;
    atomic_store(&staged->now_ns, 1);
    const struct net_handler handler = {
        .context = staged, .on_frames = on_frames, .on_stages = told ? on_stages : NULL};
    staged->server = net_server_create(&options, &handler, &fault);
    assert_non_null(staged->server);
    assert_true(net_server_start(staged->server, &fault));
    int fd = net_peer_local(socket_path);
    assert_true(fd >= 0);
    uint8_t bytes[3 * (PROTO_HEADER_BYTES + 4)];
    for (unsigned i = 0; i < reads; i++) {
        size_t count = 0;
        for (uint32_t id = 0; id < 3; id++) {
            count += net_peer_frame(bytes + count, 2, id, proto_span_text("once"));
        }
        assert_true(net_peer_send(fd, bytes, count));
        for (uint32_t id = 0; id < 3; id++) {
            net_test_expect(fd, PROTO_OK, id);
        }
    }
    close(fd);
    net_server_destroy(staged->server);
    assert_int_equal(rmdir(path), 0);
    return staged;
}

static void one_turn_in_so_many_is_timed_stage_by_stage(void **state)
{
    (void)state;
    struct staged *staged = serve(true, READS, 100);
    /* A read is a turn, and there are turns without one; nothing is told of those. */
    assert_in_range(staged->told, 1, 8);
    assert_int_equal(staged->sum.frames, 3 * staged->told);
    assert_true(staged->sum.read_ns >= staged->told);
    assert_true(staged->sum.split_ns >= staged->told);
    assert_true(staged->sum.serve_ns >= 300 * (uint64_t)staged->told);
    assert_true(staged->sum.write_ns >= staged->told);
    /* What the handler took is in no other stage. */
    assert_true(staged->sum.read_ns + staged->sum.split_ns + staged->sum.write_ns < 300);
    free(staged);
}

/* By the clock a second goes by in each frame, of which the processor knows nothing. */
static void a_turn_that_was_interrupted_is_passed_over(void **state)
{
    (void)state;
    struct staged *staged = serve(true, READS, 1000000000);
    assert_int_equal(staged->told, 0);
    free(staged);
}

static void few_turns_and_nobody_to_tell_are_not_timed(void **state)
{
    (void)state;
    struct staged *few = serve(true, NET_STAGES_EVERY / 4, 100);
    struct staged *nobody = serve(false, READS, 100);
    assert_int_equal(few->told, 0);
    assert_int_equal(nobody->told, 0);
    free(few);
    free(nobody);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_turn_in_so_many_is_timed_stage_by_stage),
        cmocka_unit_test(a_turn_that_was_interrupted_is_passed_over),
        cmocka_unit_test(few_turns_and_nobody_to_tell_are_not_timed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
