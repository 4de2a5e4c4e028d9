/* SPDX-License-Identifier: Apache-2.0 */
#include "server/capture/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/thread.h"
#include "server/capture/capture_file.h"

/* A block is written when so much waits, or when so long nothing was written. */
#define BLOCK_BYTES ((size_t)1 << 20)
#define FLUSH_MS 250

struct capture {
    struct capture_options options;
    _Atomic bool on;
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t wake;
    pthread_t thread;
    bool thread_there; /* to be joined */
    bool stopping;
    uint8_t key[CAPTURE_KEY_BYTES];
    uint64_t began_ns, limit_ns, bytes_max;
    int64_t began_ms;
    struct proto_writer pending; /* records */
    uint32_t pending_records;
    struct capture_state state;
    /* of the thread alone, while it runs */
    int fd;
    uint64_t block_number;
    char part[520]; /* the file until it is whole */
};

static bool random_from_kernel(void *context, uint8_t *bytes, size_t count)
{
    (void)context;
    return getrandom(bytes, count, 0) == (ssize_t)count;
}

struct capture *capture_create(const struct capture_options *options, struct proto_fault *fault)
{
    struct capture *capture = calloc(1, sizeof *capture);
    pthread_condattr_t monotonic;
    if (capture == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for captures");
        return NULL;
    }
    capture->options = *options;
    if (capture->options.random == NULL) {
        capture->options.random = random_from_kernel;
    }
    capture->fd = -1;
    proto_writer_init(&capture->pending);
    pthread_mutex_init(&capture->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&capture->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return capture;
}

const _Atomic bool *capture_switch(const struct capture *capture)
{
    return &capture->on;
}

static uint64_t now_ns(const struct capture *capture)
{
    return capture->options.now_ns(capture->options.now_context);
}

static bool bytes_write(int fd, struct proto_span bytes)
{
    while (bytes.bytes > 0) {
        ssize_t count = write(fd, bytes.data, bytes.bytes);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return false;
        }
        bytes.data += count;
        bytes.bytes -= (size_t)count;
    }
    return true;
}

/* ---- the thread ---- */

/* Writes the records taken from `pending` as one block, without the lock. */
static bool block_write(struct capture *capture, const struct proto_writer *records, uint32_t count)
{
    struct proto_writer header;
    proto_writer_init(&header);
    capture_write_block(&header, proto_writer_span(records), count, capture->block_number++);
    bool ok = proto_writer_ok(&header) && bytes_write(capture->fd, proto_writer_span(&header)) &&
              bytes_write(capture->fd, proto_writer_span(records));
    proto_writer_fini(&header);
    return ok;
}

static bool last_write(struct capture *capture, const struct capture_totals *totals)
{
    struct proto_writer last;
    proto_writer_init(&last);
    capture_write_last(&last, totals, capture->block_number);
    bool ok = proto_writer_ok(&last) && bytes_write(capture->fd, proto_writer_span(&last)) &&
              fsync(capture->fd) == 0;
    proto_writer_fini(&last);
    return ok;
}

/* Waits until there is a block to write or the capture is over; true if it is over. Holds the lock.
 */
static bool await_work(struct capture *capture)
{
    for (;;) {
        uint64_t took_ns = now_ns(capture) - capture->began_ns;
        if (took_ns >= capture->limit_ns) {
            atomic_store(&capture->on, false);
        }
        if (capture->stopping || !atomic_load(&capture->on)) {
            return true;
        }
        if (capture->pending.bytes >= BLOCK_BYTES) {
            return false;
        }
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += FLUSH_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_cond_timedwait(&capture->wake, &capture->lock, &until) == ETIMEDOUT &&
            capture->pending_records > 0) {
            return capture->stopping;
        }
    }
}

static void failed(struct capture *capture, int code)
{
    snprintf(capture->state.error, sizeof capture->state.error, "the file cannot be written: %s",
             strerror(code));
    atomic_store(&capture->on, false);
}

/* Takes what is pending and writes it; called with the lock, which it gives up meanwhile. */
static void pending_write(struct capture *capture)
{
    struct proto_writer records = capture->pending;
    uint32_t count = capture->pending_records;
    if (count == 0) {
        return;
    }
    proto_writer_init(&capture->pending);
    capture->pending_records = 0;
    pthread_mutex_unlock(&capture->lock);
    bool ok = block_write(capture, &records, count);
    int code = errno;
    proto_writer_fini(&records);
    pthread_mutex_lock(&capture->lock);
    if (!ok) {
        failed(capture, code);
    }
}

static void finish(struct capture *capture)
{
    struct capture_state *state = &capture->state;
    state->duration_ns = now_ns(capture) - capture->began_ns;
    const struct capture_totals totals = {state->records, state->left_out, state->lost,
                                          state->duration_ns};
    explicit_bzero(capture->key, sizeof capture->key);
    pthread_mutex_unlock(&capture->lock);
    /* Only a file that is whole gets its name. */
    bool ok = state->error[0] == '\0' && last_write(capture, &totals) &&
              link(capture->part, state->file) == 0;
    int code = errno;
    close(capture->fd);
    unlink(capture->part);
    pthread_mutex_lock(&capture->lock);
    capture->fd = -1;
    if (!ok && state->error[0] == '\0') {
        failed(capture, code);
    }
    state->running = false;
}

static void *capture_run(void *argument)
{
    struct capture *capture = argument;
    pthread_mutex_lock(&capture->lock);
    bool over = false;
    while (!over) {
        over = await_work(capture);
        if (over) {
            atomic_store(&capture->on, false);
        }
        if (capture->state.error[0] == '\0') {
            pending_write(capture);
        }
    }
    finish(capture);
    pthread_mutex_unlock(&capture->lock);
    return NULL;
}

/* ---- starting and stopping ---- */

static bool name_check(const char *name, struct proto_fault *fault)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t bytes = strlen(name);
    if (bytes == 0 || bytes > PROTO_CAPTURE_NAME_BYTES_MAX || strspn(name, allowed) != bytes) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "name",
                               "a name has 1 to %d letters, digits, - or _",
                               PROTO_CAPTURE_NAME_BYTES_MAX);
    }
    return true;
}

static bool file_open(struct capture *capture, const char *name, struct proto_fault *fault)
{
    char folder[400];
    struct capture_state *state = &capture->state;
    int bytes = snprintf(folder, sizeof folder, "%s/captures", capture->options.data);
    if (bytes < 0 || (size_t)bytes >= sizeof folder) {
        return proto_fault_set(fault, PROTO_IO, "", "the path of the data directory is too long");
    }
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        return proto_fault_set(fault, PROTO_IO, "", "%s: %s", folder, strerror(errno));
    }
    snprintf(state->file, sizeof state->file, "%s/%s.icpcap", folder, name);
    snprintf(capture->part, sizeof capture->part, "%s.part", state->file);
    if (access(state->file, F_OK) == 0) {
        return proto_fault_set(fault, PROTO_CONFLICT, "name", "a capture '%s' is there already",
                               name);
    }
    capture->fd = open(capture->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return capture->fd >= 0 ||
           proto_fault_set(fault, PROTO_IO, "", "%s: %s", capture->part, strerror(errno));
}

static bool header_write(struct capture *capture, struct proto_fault *fault)
{
    struct proto_writer header;
    proto_writer_init(&header);
    capture_write_header(&header, capture->began_ms);
    bool ok = proto_writer_ok(&header) && bytes_write(capture->fd, proto_writer_span(&header));
    proto_writer_fini(&header);
    return ok || proto_fault_set(fault, PROTO_IO, "", "%s cannot be written: %s", capture->part,
                                 strerror(errno));
}

/* Waits for the thread of a capture that is over. Holds the lock, but not while it waits. */
static void thread_join(struct capture *capture)
{
    if (!capture->thread_there) {
        return;
    }
    capture->thread_there = false;
    pthread_t thread = capture->thread;
    pthread_mutex_unlock(&capture->lock);
    pthread_join(thread, NULL);
    pthread_mutex_lock(&capture->lock);
}

static bool begin(struct capture *capture, const char *name, struct proto_fault *fault)
{
    const struct capture_options *options = &capture->options;
    capture->state = (struct capture_state){0};
    capture->stopping = false;
    capture->block_number = 0;
    capture->began_ms = options->now_ms(options->now_context);
    capture->began_ns = now_ns(capture);
    proto_writer_reset(&capture->pending);
    capture->pending_records = 0;
    if (!options->random(options->random_context, capture->key, sizeof capture->key)) {
        return proto_fault_set(fault, PROTO_IO, "", "no random key could be had");
    }
    if (!file_open(capture, name, fault)) {
        return false;
    }
    if (!header_write(capture, fault) ||
        base_thread_start(&capture->thread, capture_run, capture) != 0) {
        close(capture->fd);
        unlink(capture->part);
        return fault->code != PROTO_OK ||
               proto_fault_set(fault, PROTO_NO_MEMORY, "", "no thread for a capture");
    }
    capture->thread_there = true;
    capture->state.running = true;
    atomic_store(&capture->on, true);
    return true;
}

bool capture_start(struct capture *capture, const char *name, uint64_t seconds, uint64_t bytes,
                   struct proto_fault *fault)
{
    if (!name_check(name, fault)) {
        return false;
    }
    if (seconds == 0 || seconds > PROTO_CAPTURE_SECONDS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "seconds", "1 to %d seconds",
                               PROTO_CAPTURE_SECONDS_MAX);
    }
    if (bytes == 0 || bytes > PROTO_CAPTURE_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "bytes", "1 to %d bytes",
                               PROTO_CAPTURE_BYTES_MAX);
    }
    pthread_mutex_lock(&capture->lock);
    bool ok =
        !capture->state.running ||
        proto_fault_set(fault, PROTO_CONFLICT, "", "a capture is running: %s", capture->state.file);
    if (ok) {
        thread_join(capture);
        capture->limit_ns = seconds * 1000000000;
        capture->bytes_max = bytes;
        ok = begin(capture, name, fault);
    }
    pthread_mutex_unlock(&capture->lock);
    return ok;
}

bool capture_stop(struct capture *capture, struct capture_state *state, struct proto_fault *fault)
{
    pthread_mutex_lock(&capture->lock);
    bool ok = capture->thread_there ||
              proto_fault_set(fault, PROTO_NOT_FOUND, "", "no capture is running");
    if (ok) {
        capture->stopping = true;
        pthread_cond_broadcast(&capture->wake);
        thread_join(capture);
        *state = capture->state;
        if (state->error[0] != '\0') {
            ok = proto_fault_set(fault, PROTO_IO, "", "%s", state->error);
        }
    }
    pthread_mutex_unlock(&capture->lock);
    return ok;
}

void capture_state(struct capture *capture, struct capture_state *state)
{
    pthread_mutex_lock(&capture->lock);
    *state = capture->state;
    if (state->running) {
        state->duration_ns = now_ns(capture) - capture->began_ns;
    }
    pthread_mutex_unlock(&capture->lock);
}

void capture_destroy(struct capture *capture)
{
    struct capture_state state;
    struct proto_fault fault = {0};
    if (capture == NULL) {
        return;
    }
    (void)capture_stop(capture, &state, &fault);
    proto_writer_fini(&capture->pending);
    pthread_cond_destroy(&capture->wake);
    pthread_mutex_destroy(&capture->lock);
    explicit_bzero(capture->key, sizeof capture->key);
    free(capture);
}

/* ---- taking ---- */

/* Appends one record; its payload is copied first and masked where it lies. */
static void frame_take(struct capture *capture, const struct capture_batch *batch,
                       uint32_t connection, const struct proto_frame *frame)
{
    struct proto_writer *out = &capture->pending;
    struct capture_state *state = &capture->state;
    size_t before = out->bytes;
    uint64_t at_ns = batch->read_ns > capture->began_ns ? batch->read_ns - capture->began_ns : 0;
    size_t most = CAPTURE_RECORD_HEADER_BYTES + frame->payload.bytes;
    if (before + most > CAPTURE_PENDING_BYTES_MAX) {
        state->lost++;
        return;
    }
    struct capture_record record = {
        .at_ns = at_ns,
        .connection = connection,
        .payload_bytes = (uint32_t)frame->payload.bytes,
        .opcode = frame->header.code,
        .flags = frame->header.flags,
        .payload = frame->payload.data,
    };
    capture_write_record(out, &record);
    uint8_t *copy = out->data + before + CAPTURE_RECORD_HEADER_BYTES;
    if (proto_writer_ok(out) &&
        !capture_mask(capture->key, &batch->lookup, proto_op_find(record.opcode), copy,
                      frame->payload.bytes, capture->began_ms)) {
        out->bytes = before;
        record.left_out = true;
        capture_write_record(out, &record);
    }
    if (!proto_writer_ok(out)) {
        /* No memory: what was there before stands. */
        state->lost++;
        out->failed = false;
        out->bytes = before;
        return;
    }
    capture->pending_records++;
    state->records++;
    state->left_out += record.left_out;
    state->bytes += out->bytes - before;
}

void capture_take(struct capture *capture, const struct capture_batch *batch)
{
    pthread_mutex_lock(&capture->lock);
    if (atomic_load_explicit(&capture->on, memory_order_relaxed)) {
        struct proto_span words = {(const uint8_t *)batch->connection, sizeof batch->connection};
        uint32_t connection = (uint32_t)capture_siphash(capture->key, words);
        for (size_t i = 0; i < batch->count; i++) {
            frame_take(capture, batch, connection, &batch->frames[i]);
        }
        bool over = capture->state.bytes >= capture->bytes_max ||
                    batch->read_ns >= capture->began_ns + capture->limit_ns;
        if (over) {
            atomic_store(&capture->on, false);
        }
        if (over || capture->pending.bytes >= BLOCK_BYTES) {
            pthread_cond_signal(&capture->wake);
        }
    }
    pthread_mutex_unlock(&capture->lock);
}
