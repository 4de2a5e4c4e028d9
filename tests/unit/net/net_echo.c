/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_echo.h"

#include <assert.h>
#include <stdlib.h>

/* Replies of NET_ECHO_LARGE above this are refused: the test that asks for more is wrong. */
#define LARGE_MAX (16U << 20)

static void reply_write(struct proto_writer *out, const struct proto_header *header,
                        struct proto_span payload, uint16_t flags)
{
    uint8_t *at = proto_writer_reserve(out, PROTO_HEADER_BYTES + payload.bytes);
    if (at == NULL) {
        return;
    }
    struct proto_header reply = {
        .payload_bytes = (uint32_t)payload.bytes,
        .version = PROTO_VERSION,
        .flags = (uint16_t)(PROTO_FLAG_REPLY | flags),
        .request_id = header->request_id,
    };
    proto_header_encode(&reply, at);
    if (payload.bytes > 0) {
        memcpy(at + PROTO_HEADER_BYTES, payload.data, payload.bytes);
    }
    out->bytes += PROTO_HEADER_BYTES + payload.bytes;
}

static void large_write(struct proto_writer *out, const struct proto_header *header,
                        struct proto_span payload)
{
    uint32_t bytes = 0;
    if (payload.bytes == sizeof bytes) {
        memcpy(&bytes, payload.data, sizeof bytes);
    }
    assert(bytes <= LARGE_MAX);
    uint8_t *fill = calloc(bytes + 1, 1);
    reply_write(out, header, (struct proto_span){fill, fill != NULL ? bytes : 0}, 0);
    free(fill);
}

/* False without memory. */
static bool job_add(struct net_echo *echo, const struct net_conn *conn,
                    const struct proto_frame *frame)
{
    struct net_echo_job *job = malloc(sizeof *job + frame->payload.bytes);
    if (job == NULL) {
        return false;
    }
    job->next = NULL;
    job->ticket = net_conn_ticket(conn);
    job->header = frame->header;
    job->bytes = frame->payload.bytes;
    if (job->bytes > 0) {
        memcpy(job->payload, frame->payload.data, job->bytes);
    }
    pthread_mutex_lock(&echo->lock);
    bool holds = job->header.code == NET_ECHO_HOLD || job->header.code == NET_ECHO_BARRIER;
    if (holds && !echo->released) {
        job->next = echo->held;
        echo->held = job;
    } else {
        *echo->jobs_end = job;
        echo->jobs_end = &job->next;
        pthread_cond_signal(&echo->ready);
    }
    pthread_mutex_unlock(&echo->lock);
    return true;
}

static void post(struct net_echo *echo, const struct net_echo_job *job, uint16_t flags)
{
    struct proto_writer writer;
    proto_writer_init(&writer);
    struct proto_span payload = {job->payload, job->bytes};
    if (job->header.code == NET_ECHO_LARGE_LATER) {
        large_write(&writer, &job->header, payload);
    } else if (job->header.code != NET_ECHO_SILENT_LATER) {
        reply_write(&writer, &job->header, payload, flags);
    }
    if (job->header.code == NET_ECHO_BARRIER) {
        net_post(echo->server, job->ticket, (struct proto_span){0}, false);
    }
    /* Without memory the writer is empty, and the request ends without a reply. */
    net_post(echo->server, job->ticket, proto_writer_span(&writer), flags == 0);
}

static void *poster_run(void *argument)
{
    struct net_echo *echo = argument;
    pthread_mutex_lock(&echo->lock);
    for (;;) {
        struct net_echo_job *job = echo->jobs;
        if (job == NULL && echo->ending) {
            break;
        }
        if (job == NULL) {
            pthread_cond_wait(&echo->ready, &echo->lock);
            continue;
        }
        echo->jobs = job->next;
        if (echo->jobs == NULL) {
            echo->jobs_end = &echo->jobs;
        }
        pthread_mutex_unlock(&echo->lock);
        for (int i = 0; job->header.code == NET_ECHO_PROGRESS && i < 3; i++) {
            post(echo, job, PROTO_FLAG_MORE);
        }
        post(echo, job, 0);
        free(job);
        pthread_mutex_lock(&echo->lock);
    }
    pthread_mutex_unlock(&echo->lock);
    return NULL;
}

static size_t on_frames(void *context, void *worker, struct net_conn *conn,
                        const struct proto_frame *frames, size_t count, struct proto_writer *out)
{
    struct net_echo *echo = context;
    size_t later = 0;
    size_t done = 0;
    assert(worker == &echo->workers_started && count >= 1);
    atomic_fetch_add(&echo->batches, 1);
    if (atomic_load(&echo->batch_largest) < count) {
        atomic_store(&echo->batch_largest, (unsigned)count);
    }
    if (net_conn_state(conn) == NULL) {
        net_conn_set_state(conn, echo);
        atomic_fetch_add(&echo->conns_seen, 1);
    }
    bool stop = false;
    for (; done < count && !stop; done++) {
        const struct proto_frame *frame = &frames[done];
        uint8_t code = frame->header.code;
        if (code == NET_ECHO_LARGE) {
            large_write(out, &frame->header, frame->payload);
            stop = out->bytes >= net_conn_out_room(conn);
        } else if (code == NET_ECHO_KNOWN || code == NET_ECHO_WRONG) {
            (code == NET_ECHO_KNOWN ? net_conn_known : net_conn_mistrust)(conn);
            reply_write(out, &frame->header, frame->payload, 0);
        } else if (code == NET_ECHO_TAKE) {
            void *memory = net_conn_take_input(conn);
            reply_write(out, &frame->header, frame->payload, 0);
            atomic_fetch_add(&echo->taken, memory != NULL);
            free(memory);
        } else if (code < NET_ECHO_LATER || code == NET_ECHO_STOP) {
            reply_write(out, &frame->header, frame->payload, 0);
            stop = code == NET_ECHO_STOP;
        } else {
            if (job_add(echo, conn, frame)) {
                later++;
                stop = code == NET_ECHO_BARRIER;
            } else {
                reply_write(out, &frame->header, frame->payload, 0);
            }
        }
    }
    atomic_fetch_add(&echo->frames, (unsigned)done);
    if (stop && frames[done - 1].header.code == NET_ECHO_BARRIER) {
        net_conn_hold(conn);
    }
    if (done < count) {
        net_conn_stop(conn, done);
    }
    return later;
}

static void *on_worker_start(void *context, unsigned worker_index, struct proto_fault *fault)
{
    struct net_echo *echo = context;
    (void)worker_index;
    (void)fault;
    atomic_fetch_add(&echo->workers_started, 1);
    return &echo->workers_started;
}

static void on_worker_stop(void *context, void *worker)
{
    struct net_echo *echo = context;
    assert(worker == &echo->workers_started);
    atomic_fetch_add(&echo->workers_stopped, 1);
}

static void on_turn(void *context, void *worker)
{
    (void)worker;
    atomic_fetch_add(&((struct net_echo *)context)->turns, 1);
}

/* Bytes that may be anything: they are read from end to end. */
static void on_peek(void *context, void *worker, struct proto_span bytes, unsigned step)
{
    struct net_echo *echo = context;
    (void)worker;
    assert(step < 2 && bytes.bytes > 0);
    unsigned sum = step;
    for (size_t i = 0; i < bytes.bytes; i++) {
        sum += bytes.data[i];
    }
    atomic_fetch_add(&echo->peeked, sum > 0);
}

static void on_rest(void *context, void *worker)
{
    (void)worker;
    atomic_fetch_add(&((struct net_echo *)context)->rests, 1);
}

static void on_close(void *context, void *worker, struct net_conn *conn)
{
    struct net_echo *echo = context;
    (void)worker;
    atomic_fetch_add(
        net_conn_state(conn) != NULL ? &echo->conns_closed : &echo->conns_closed_unseen, 1);
}

bool net_echo_start(struct net_echo *echo, const struct net_options *options,
                    struct proto_fault *fault)
{
    memset(echo, 0, sizeof *echo);
    echo->jobs_end = &echo->jobs;
    pthread_mutex_init(&echo->lock, NULL);
    pthread_cond_init(&echo->ready, NULL);
    struct net_handler handler = {
        .context = echo,
        .on_worker_start = on_worker_start,
        .on_worker_stop = on_worker_stop,
        .on_turn = on_turn,
        .on_rest = on_rest,
        .on_peek = on_peek,
        .on_frames = on_frames,
        .on_close = on_close,
    };
    echo->server = net_server_create(options, &handler, fault);
    if (echo->server == NULL) {
        goto fail;
    }
    if (pthread_create(&echo->poster, NULL, poster_run, echo) != 0) {
        goto fail_server;
    }
    if (net_server_start(echo->server, fault)) {
        return true;
    }
    echo->ending = true;
    pthread_join(echo->poster, NULL);
fail_server:
    net_server_destroy(echo->server);
fail:
    pthread_cond_destroy(&echo->ready);
    pthread_mutex_destroy(&echo->lock);
    return false;
}

void net_echo_release(struct net_echo *echo)
{
    pthread_mutex_lock(&echo->lock);
    echo->released = true;
    while (echo->held != NULL) {
        struct net_echo_job *job = echo->held;
        echo->held = job->next;
        job->next = NULL;
        *echo->jobs_end = job;
        echo->jobs_end = &job->next;
    }
    pthread_cond_signal(&echo->ready);
    pthread_mutex_unlock(&echo->lock);
}

void net_echo_stop(struct net_echo *echo, unsigned grace_ms)
{
    net_server_drain(echo->server, grace_ms);
    net_server_join(echo->server);
    net_echo_release(echo); /* posts to connections that are gone, which must be harmless */
    pthread_mutex_lock(&echo->lock);
    echo->ending = true;
    pthread_cond_signal(&echo->ready);
    pthread_mutex_unlock(&echo->lock);
    pthread_join(echo->poster, NULL);
    net_server_destroy(echo->server);
    pthread_cond_destroy(&echo->ready);
    pthread_mutex_destroy(&echo->lock);
}
