/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "bench/load/load.h"
#include "bench/peer/peer_echo.h"

#define REQUEST_BYTES 20
#define REPLY_BYTES 30

/* Servers run as children and end with the test. */
static pid_t child;

/* Fork, for a child that a test which fails does not leave behind: whoever waits for the end of the
 * output would wait for it too. */
static pid_t fork_to_die(void)
{
    pid_t made = fork();
    if (made == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    return made;
}

static void on_ready(void *context, uint16_t port)
{
    const int *fd = context;
    if (write(*fd, &port, sizeof port) != sizeof port) {
        _exit(1);
    }
}

static uint16_t echo_start(void)
{
    int ends[2];
    uint16_t port = 0;
    assert_int_equal(pipe(ends), 0);
    child = fork_to_die();
    if (child == 0) {
        struct proto_fault fault;
        const struct peer_echo_options options = {.request_bytes = REQUEST_BYTES,
                                                  .reply_bytes = REPLY_BYTES,
                                                  .on_ready = on_ready,
                                                  .context = &ends[1]};
        _exit(peer_echo_serve(&options, &fault) ? 0 : 1);
    }
    assert_int_equal(read(ends[0], &port, sizeof port), sizeof port);
    close(ends[0]);
    close(ends[1]);
    return port;
}

static void stop(void)
{
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
}

/* Takes one connection, answers requests one by one, and after `good` of them sleeps once for
 * pause_ms, or for ever. */
static void stall_serve(int listener, unsigned good, unsigned pause_ms)
{
    int fd = accept(listener, NULL, NULL);
    char buffer[REPLY_BYTES];
    for (unsigned i = 0;; i++) {
        if (i == good && pause_ms == 0) {
            pause();
        }
        if (i == good) {
            poll(NULL, 0, (int)pause_ms);
        }
        if (recv(fd, buffer, REQUEST_BYTES, MSG_WAITALL) != REQUEST_BYTES ||
            send(fd, buffer, REPLY_BYTES, MSG_NOSIGNAL) != REPLY_BYTES) {
            _exit(0);
        }
    }
}

static int listen_anywhere(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t bytes = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &bytes), 0);
    *port = ntohs(address.sin_port);
    return listener;
}

static uint16_t stall_start(unsigned good, unsigned pause_ms)
{
    uint16_t port;
    int listener = listen_anywhere(&port);
    child = fork_to_die();
    if (child == 0) {
        stall_serve(listener, good, pause_ms);
    }
    close(listener);
    return port;
}

/* Two connections, the first of them served only at each tenth turn; counts each request by its
 * first byte. */
static void uneven_serve(int listener, unsigned *counts)
{
    struct pollfd ends[2];
    char buffer[REPLY_BYTES];
    for (int i = 0; i < 2; i++) {
        ends[i] = (struct pollfd){.fd = accept(listener, NULL, NULL), .events = POLLIN};
    }
    for (unsigned turn = 0;; turn++) {
        struct pollfd *end = &ends[turn % 10 == 0 ? 0 : 1];
        if (poll(end, 1, 5) <= 0) {
            continue;
        }
        if (recv(end->fd, buffer, REQUEST_BYTES, MSG_WAITALL) != REQUEST_BYTES) {
            _exit(0);
        }
        counts[buffer[0] & 0x7f]++;
        if (send(end->fd, buffer, REPLY_BYTES, MSG_NOSIGNAL) != REPLY_BYTES) {
            _exit(0);
        }
    }
}

static uint16_t uneven_start(unsigned *counts)
{
    uint16_t port;
    int listener = listen_anywhere(&port);
    child = fork_to_die();
    if (child == 0) {
        uneven_serve(listener, counts);
    }
    close(listener);
    return port;
}

static void encode(void *context, uint32_t index, struct proto_writer *out)
{
    uint8_t bytes[REQUEST_BYTES];
    (void)context;
    memset(bytes, (int)(index & 0x7f), sizeof bytes);
    proto_write_raw(out, (struct proto_span){bytes, sizeof bytes});
}

static bool load_by(struct base_clock clock, struct load_stream stream, double seconds,
                    struct load_result *result, struct proto_fault *fault)
{
    struct load_traffic traffic;
    assert_true(load_traffic_make(&traffic, encode, NULL, fault));
    stream.wire = &load_wire_echo;
    stream.traffic = &traffic;
    stream.reply_bytes = REPLY_BYTES;
    const struct load_options options = {.streams = {stream},
                                         .stream_count = 1,
                                         .warmup_s = 0.05,
                                         .measure_s = seconds,
                                         .cpu = -1,
                                         .server_pid = child,
                                         .clock = clock};
    bool ok = load_run(&options, result, fault);
    load_traffic_fini(&traffic);
    return ok;
}

static bool load(struct load_stream stream, double seconds, struct load_result *result,
                 struct proto_fault *fault)
{
    return load_by(base_clock_system(), stream, seconds, result, fault);
}

static void a_closed_loop_counts_every_reply(void **state)
{
    (void)state;
    struct load_result *result = calloc(1, sizeof *result);
    struct proto_fault fault = {0};
    struct load_stream stream = {.target = {.port = echo_start()}, .connections = 5, .depth = 16};
    assert_non_null(result);
    assert_true(load(stream, 0.3, result, &fault));
    assert_true(result->completed > 0 && result->completed <= result->sent + 5 * 16);
    assert_int_equal(base_histogram_total(&result->latency), result->completed);
    assert_int_equal(result->status[0], result->completed);
    assert_int_equal(load_result_errors(result) + result->misplaced, 0);
    assert_true(result->server.known && result->server.cpu_ns > 0 && result->self.cpu_ns > 0);
    stop();
    load_result_fini(result);
    free(result);
}

static void an_open_loop_offers_what_it_was_told(void **state)
{
    (void)state;
    struct load_result *result = calloc(1, sizeof *result);
    struct proto_fault fault = {0};
    struct load_stream stream = {
        .target = {.port = echo_start()}, .connections = 3, .arrival = {.rate = 500, .even = true}};
    assert_non_null(result);
    assert_true(load(stream, 1, result, &fault));
    /* Also where this process had to wait for the processor when the window ended. */
    assert_in_range((uint64_t)result->offered, 499, 501);
    assert_int_equal(base_histogram_total(&result->latency), (uint64_t)result->offered);
    assert_int_equal(result->unanswered, 0);
    stop();
    load_result_fini(result);
    free(result);
}

/* Leaps by 300 ms, .2 s after it is first read: a process that was kept from its processor. */
static uint64_t leaping_ns(void *context)
{
    uint64_t *began_ns = context;
    struct base_clock clock = base_clock_system();
    uint64_t now_ns = base_clock_now_ns(&clock);
    *began_ns = *began_ns == 0 ? now_ns : *began_ns;
    return now_ns - *began_ns < 200000000 ? now_ns : now_ns + 300000000;
}

static void what_a_generator_comes_late_to_is_offered_late(void **state)
{
    (void)state;
    struct load_result *result = calloc(1, sizeof *result);
    struct proto_fault fault = {0};
    uint64_t began_ns = 0;
    struct base_clock clock = base_clock_system();
    clock.now_ns = leaping_ns;
    clock.context = &began_ns;
    struct load_stream stream = {
        .target = {.port = echo_start()}, .connections = 3, .arrival = {.rate = 500, .even = true}};
    assert_non_null(result);
    /* The window ends within the leap: its last arrivals are due when nobody looked. */
    assert_true(load_by(clock, stream, 0.4, result, &fault));
    assert_in_range((uint64_t)(result->offered * 0.4 + 0.5), 199, 201);
    assert_int_equal(base_histogram_total(&result->late), result->sent);
    assert_int_equal(result->unanswered, 0);
    stop();
    load_result_fini(result);
    free(result);
}

/* Requests of a schedule go out at its times, and no others do. One connection: the echo's replies
 * have no ids; several are seen by system/capture. */
static void a_schedule_is_kept_to(void **state)
{
    (void)state;
    struct load_result *result = calloc(1, sizeof *result);
    struct proto_fault fault = {0};
    uint64_t at_ns[300];
    uint32_t connection[300];
    for (uint32_t i = 0; i < 300; i++) {
        at_ns[i] = 60000000 + i / 3 * UINT64_C(2000000);
        connection[i] = 0;
    }
    const struct load_schedule schedule = {at_ns, connection, 300, 1};
    struct load_stream stream = {
        .target = {.port = echo_start()}, .connections = 1, .schedule = &schedule};
    assert_non_null(result);
    assert_true(load(stream, 0.4, result, &fault));
    assert_int_equal(base_histogram_total(&result->latency), 300);
    assert_int_equal(result->sent, 300);
    assert_int_equal(result->unanswered + result->misplaced, 0);
    stop();
    load_result_fini(result);
    free(result);
}

/* What fills a server leaves nothing out and writes nothing twice, though one connection is ten
 * times faster than the other. */
static void a_number_of_requests_is_sent_each_once(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct load_traffic traffic;
    struct load_result *result = calloc(1, sizeof *result);
    unsigned *counts =
        mmap(NULL, 128 * sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_non_null(result);
    assert_true(counts != MAP_FAILED);
    assert_true(load_traffic_make(&traffic, encode, NULL, &fault));
    const struct load_options options = {.streams = {{.target = {.port = uneven_start(counts)},
                                                      .wire = &load_wire_echo,
                                                      .traffic = &traffic,
                                                      .reply_bytes = REPLY_BYTES,
                                                      .connections = 2,
                                                      .depth = 3}},
                                         .stream_count = 1,
                                         .measure_s = 60,
                                         .requests_max = 100,
                                         .cpu = -1,
                                         .server_pid = child,
                                         .clock = base_clock_system()};
    assert_true(load_run(&options, result, &fault));
    for (unsigned i = 0; i < 128; i++) {
        assert_int_equal(counts[i], i < 100 ? 1 : 0);
    }
    stop();
    munmap(counts, 128 * sizeof *counts);
    load_traffic_fini(&traffic);
    load_result_fini(result);
    free(result);
}

/* The point of an open loop: a server that stops for 300 ms holds up all that should have been sent
 * meanwhile, and the percentiles say so; a closed loop would have counted one slow request. A slow
 * machine makes the latencies longer still. */
static void a_stall_is_not_omitted(void **state)
{
    (void)state;
    struct load_result *result = calloc(1, sizeof *result);
    struct proto_fault fault = {0};
    struct load_stream stream = {.target = {.port = stall_start(100, 300)},
                                 .connections = 1,
                                 .arrival = {.rate = 500, .even = true}};
    assert_non_null(result);
    assert_true(load(stream, 1, result, &fault));
    /* 300 of 1,000 ms at an even rate: a tenth waited longer than 200 ms. */
    assert_true(base_histogram_percentile(&result->latency, 0.92) > 150000000);
    stop();
    load_result_fini(result);
    free(result);
}

static void what_is_never_answered_is_counted_and_said(void **state)
{
    (void)state;
    char remark[512];
    struct load_result *result = calloc(1, sizeof *result);
    struct proto_fault fault = {0};
    struct load_stream stream = {.target = {.port = stall_start(50, 0)},
                                 .connections = 1,
                                 .arrival = {.rate = 500, .even = true}};
    assert_non_null(result);
    assert_true(load(stream, 0.5, result, &fault));
    assert_true(result->unanswered > 100);
    load_result_remark(result, remark, sizeof remark);
    assert_non_null(strstr(remark, "NOT reached"));
    assert_non_null(strstr(remark, "never answered"));
    stop();
    load_result_fini(result);
    free(result);
}

static void nobody_there_is_a_fault(void **state)
{
    (void)state;
    struct load_result *result = calloc(1, sizeof *result);
    struct proto_fault fault = {0};
    struct load_stream stream = {
        .target = {.path = "/tmp/icpd-nobody-listens-here"}, .connections = 1, .depth = 1};
    assert_non_null(result);
    assert_false(load(stream, 0.1, result, &fault));
    assert_int_equal(fault.code, PROTO_IO);
    load_result_fini(result);
    free(result);
}

static void a_server_that_goes_away_is_a_fault(void **state)
{
    (void)state;
    struct load_result *result = calloc(1, sizeof *result);
    struct proto_fault fault = {0};
    struct load_stream stream = {.target = {.port = echo_start()}, .connections = 1, .depth = 1};
    assert_non_null(result);
    pid_t killer = fork();
    if (killer == 0) {
        poll(NULL, 0, 150);
        kill(child, SIGKILL);
        _exit(0);
    }
    assert_false(load(stream, 5, result, &fault));
    assert_int_equal(fault.code, PROTO_IO);
    waitpid(killer, NULL, 0);
    stop();
    load_result_fini(result);
    free(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_loop_counts_every_reply),
        cmocka_unit_test(an_open_loop_offers_what_it_was_told),
        cmocka_unit_test(what_a_generator_comes_late_to_is_offered_late),
        cmocka_unit_test(a_schedule_is_kept_to),
        cmocka_unit_test(a_number_of_requests_is_sent_each_once),
        cmocka_unit_test(a_stall_is_not_omitted),
        cmocka_unit_test(what_is_never_answered_is_counted_and_said),
        cmocka_unit_test(nobody_there_is_a_fault),
        cmocka_unit_test(a_server_that_goes_away_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
