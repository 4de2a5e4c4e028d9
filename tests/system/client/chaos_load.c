/* SPDX-License-Identifier: Apache-2.0 */
/* A worker asks, measures, compares, sleeps a little and asks again, until it is told to stop. */
#include "tests/system/client/chaos_load.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/icp_async.h"
#include "tests/system/client/chaos_proxy.h"

#define IN_FLIGHT 6
#define PUT_EVERY 16

static uint64_t draw(struct chaos_worker *worker, uint64_t below)
{
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 7;
    worker->random ^= worker->random << 17;
    return worker->random % below;
}

static void sleep_ms(uint64_t ms)
{
    struct timespec time = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static int64_t stood_ms(const struct chaos_worker *worker)
{
    return chaos_thread_stood_ms(worker->schedstat);
}

/* Memory is counted, so that none is left at the end. */
static void *counted_resize(void *context, void *memory, size_t bytes)
{
    struct chaos_load *load = context;
    if (bytes == 0) {
        atomic_fetch_sub(&load->blocks, 1);
        free(memory);
        return NULL;
    }
    if (memory == NULL) {
        atomic_fetch_add(&load->blocks, 1);
    }
    return realloc(memory, bytes);
}

/* One request: what is asked, until when, and what came. */
struct question {
    struct chaos_worker *worker;
    enum icp_op op;
    char id[16];
    uint32_t timeout_ms;
    int64_t began_ms;
    int64_t stood_ms;
    uint32_t put; /* of ICP_OP_ICP_PUT: which of the worker's */
    unsigned told;
    bool is_used;
};

static void question_begin(struct chaos_worker *worker, struct question *question,
                           struct icp_payload *payload)
{
    static const enum icp_op ops[] = {ICP_OP_ACCOUNT_GET, ICP_OP_ACCOUNT_GET, ICP_OP_PING,
                                      ICP_OP_ACCOUNT_PATCH};
    *question = (struct question){.worker = worker, .op = ops[draw(worker, 4)], .is_used = true};
    if (draw(worker, PUT_EVERY) == 0 && worker->puts.count < CHAOS_PUTS_MAX) {
        question->op = ICP_OP_ICP_PUT;
        question->put = worker->puts.count++;
    }
    snprintf(question->id, sizeof question->id, "a%u", (unsigned)draw(worker, CHAOS_ACCOUNTS));
    icp_payload_reset(payload);
    if (question->op == ICP_OP_ACCOUNT_GET) {
        icp_payload_text(payload, "id", question->id);
    } else if (question->op == ICP_OP_ACCOUNT_PATCH) {
        icp_payload_list_begin(payload, "accounts");
        icp_payload_map_begin(payload, NULL);
        icp_payload_text(payload, "id", question->id);
        icp_payload_map_end(payload);
        icp_payload_list_end(payload);
    } else if (question->op == ICP_OP_ICP_PUT) {
        bool written =
            chaos_version_write(worker->load->document, worker->index, question->put, payload);
        assert(written);
    }
    question->timeout_ms = 5 + (uint32_t)draw(worker, 200);
    question->began_ms = chaos_now_ms();
    question->stood_ms = stood_ms(worker);
    worker->asked++;
    atomic_fetch_add(&worker->load->asked, 1);
}

static void recovery_note(struct chaos_worker *worker, bool succeeded)
{
    unsigned epoch = atomic_load(&worker->load->epoch);
    if (epoch != worker->epoch_noticed) {
        worker->epoch_noticed = epoch;
        worker->epoch_stood_ms = stood_ms(worker) + chaos_stood_ms(worker->load->proxy);
    }
    if (!succeeded || atomic_load(&worker->epoch) == epoch) {
        return;
    }
    int64_t took_ms =
        chaos_now_ms() - atomic_load(&worker->load->since_ms) -
        (stood_ms(worker) + chaos_stood_ms(worker->load->proxy) - worker->epoch_stood_ms);
    if (took_ms > worker->recovery_ms_max) {
        worker->recovery_ms_max = took_ms;
    }
    atomic_store(&worker->epoch, epoch);
}

static void question_end(struct question *question, const struct icp_reply *reply)
{
    struct chaos_worker *worker = question->worker;
    int64_t late_ms = chaos_now_ms() - question->began_ms - question->timeout_ms -
                      (stood_ms(worker) - question->stood_ms);
    enum icp_error code = reply->fault.code;
    worker->twice += question->told > 0;
    question->told++;
    worker->late += late_ms > CHAOS_GRACE_MS;
    if (late_ms > worker->late_ms_max) {
        worker->late_ms_max = late_ms;
    }
    worker->answered += code < ICP_CONNECT;
    worker->failed += code >= ICP_CONNECT;
    worker->faults[code]++;
    if (code == ICP_OK && question->op == ICP_OP_ACCOUNT_GET) {
        struct icp_text id = icp_reply_text(reply, "id");
        worker->foreign +=
            id.bytes != strlen(question->id) || memcmp(id.data, question->id, id.bytes) != 0;
    }
    if (code == ICP_OK && question->op == ICP_OP_ICP_PUT) {
        worker->puts.numbers[question->put] = (uint32_t)icp_reply_int(reply, "icp", 0);
    }
    recovery_note(worker, code == ICP_OK);
}

static struct icp_options options_of(struct chaos_load *load)
{
    const struct icp_options options = {ICP_OPTIONS, .connect_later = true,
                                        .no_retry = load->plant != CHAOS_SOUND,
                                        .allocator = {counted_resize, load}};
    return options;
}

static void block_and_ask(struct chaos_worker *worker)
{
    struct icp_options options = options_of(worker->load);
    struct icp_fault fault;
    struct icp_reply reply = {0};
    struct icp_client *client = icp_connect(worker->load->uri, &options, &fault);
    struct icp_payload *payload = icp_payload_create();
    assert(client != NULL && payload != NULL);
    while (!atomic_load(&worker->load->is_over)) {
        struct question question;
        question_begin(worker, &question, payload);
        bool succeeded = icp_call_within(client, question.op, payload, question.timeout_ms, &reply);
        /* The planted faults: what a client does that forgets its deadline when it reconnects, or
         * that asks for a write again as if it had never been asked. */
        bool asks_again = worker->load->plant == CHAOS_LATE ||
                          (worker->load->plant == CHAOS_TWICE && question.op == ICP_OP_ICP_PUT);
        if (!succeeded && asks_again && icp_reconnect(client, &fault)) {
            (void)icp_call_within(client, question.op, payload, question.timeout_ms, &reply);
        }
        question_end(&question, &reply);
        sleep_ms(draw(worker, 10));
    }
    icp_payload_destroy(payload);
    icp_reply_fini(&reply);
    icp_close(client);
}

static void on_reply(void *context, const struct icp_reply *reply)
{
    struct question *question = context;
    question_end(question, reply);
    question->is_used = false;
}

static void loop_and_ask(struct chaos_worker *worker)
{
    struct icp_options options = options_of(worker->load);
    struct icp_fault fault;
    struct question questions[IN_FLIGHT] = {0};
    struct icp_async *async = icp_async_create(worker->load->uri, &options, &fault);
    struct icp_payload *payload = icp_payload_create();
    assert(async != NULL && payload != NULL);
    int64_t next_ms = 0;
    while (!atomic_load(&worker->load->is_over) || icp_async_in_flight(async) > 0) {
        bool is_over = atomic_load(&worker->load->is_over);
        int64_t now_ms = chaos_now_ms();
        for (size_t i = 0; i < IN_FLIGHT && !is_over && now_ms >= next_ms; i++) {
            struct question *question = &questions[i];
            if (question->is_used) {
                continue;
            }
            question_begin(worker, question, payload);
            if (icp_async_call(async, question->op, payload, question->timeout_ms, on_reply,
                               question, &fault) == NULL) {
                abort(); /* nothing here is wrong with the call itself */
            }
            next_ms = now_ms + 1 + (int64_t)draw(worker, 8);
        }
        int wait_ms = icp_async_timeout_ms(async);
        struct pollfd watched = {.fd = icp_async_fd(async), .events = POLLIN};
        (void)poll(&watched, 1, wait_ms < 0 || wait_ms > 2 ? 2 : wait_ms);
        icp_async_turn(async);
    }
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        assert(!questions[i].is_used); /* every one was told */
    }
    icp_payload_destroy(payload);
    icp_async_destroy(async);
}

static void *worker_run(void *context)
{
    struct chaos_worker *worker = context;
    worker->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    if (worker->index % 2 == 0 || worker->load->plant != CHAOS_SOUND) {
        block_and_ask(worker);
    } else {
        loop_and_ask(worker);
    }
    if (worker->schedstat >= 0) {
        close(worker->schedstat);
    }
    return NULL;
}

bool chaos_load_prepare(struct chaos_load *load)
{
    struct icp_fault fault;
    struct icp_client *client = icp_connect(load->uri, NULL, &fault);
    if (client == NULL) {
        return false;
    }
    load->document = chaos_version_prepare(client);
    icp_close(client);
    return load->document != NULL;
}

void chaos_load_start(struct chaos_load *load)
{
    for (unsigned i = 0; i < CHAOS_THREADS; i++) {
        struct chaos_worker *worker = &load->workers[i];
        worker->load = load;
        worker->index = i;
        worker->random = UINT64_C(0x9E3779B97F4A7C15) * (i + 1) | 1;
        int started = pthread_create(&worker->thread, NULL, worker_run, worker);
        assert(started == 0);
    }
}

void chaos_load_join(struct chaos_load *load)
{
    atomic_store(&load->is_over, true);
    for (unsigned i = 0; i < CHAOS_THREADS; i++) {
        pthread_join(load->workers[i].thread, NULL);
    }
}
