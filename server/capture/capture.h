/* SPDX-License-Identifier: Apache-2.0 */
/* Records requests as they arrive, masked (mask.h), into a file below the data directory
 * (capture_file.h), so that real traffic can be played back by icp-bench. One capture at a time,
 * bounded by bytes and time; it ends by itself at either bound. The key of the masking is drawn
 * anew for each capture, lives in memory alone, and is wiped at the end.
 *
 * Ownership: capture_create to capture_destroy, which ends a capture that runs. Errors: faults; if
 * the file cannot be written on, the capture ends and its state says why. Requests that come faster
 * than the disk takes them are left out and counted as lost; nothing waits for the disk but
 * capture_stop. Threads: all functions from any thread; a thread of its own writes the file.
 * Cost: while off, capture_is_on: one load and a branch that is always taken the same way. While
 * on: a lock, a copy and the masking of each request, some microseconds. */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include <stdatomic.h>

#include "proto/frame.h"
#include "server/capture/mask.h"

/* Requests that wait for the disk, bytes together; more are lost. */
#define CAPTURE_PENDING_BYTES_MAX ((size_t)32 << 20)

struct capture;

struct capture_options {
    const char *data; /* borrowed; files go to DATA/captures/NAME.icpcap */
    uint64_t (*now_ns)(void *context);
    int64_t (*now_ms)(void *context);
    void *now_context;
    /* Fills bytes for a key; NULL: the kernel's random numbers. */
    bool (*random)(void *context, uint8_t *bytes, size_t count);
    void *random_context;
};

/* What a capture is doing, or what became of the last one. */
struct capture_state {
    bool running;
    char file[512]; /* empty: there was none */
    char error[256];
    uint64_t bytes; /* written or waiting */
    uint64_t records, left_out, lost;
    uint64_t duration_ns;
};

/* Frames of one connection that were served together. */
struct capture_batch {
    uint64_t connection[2]; /* whatever tells connections apart */
    uint64_t read_ns;
    const struct proto_frame *frames;
    size_t count;
    struct capture_lookup lookup;
};

struct capture *capture_create(const struct capture_options *options, struct proto_fault *fault);
void capture_destroy(struct capture *capture); /* NULL is allowed */

/* name: 1 to PROTO_CAPTURE_NAME_BYTES_MAX of letters, digits, - and _. CONFLICT if a capture runs
 * or a file of that name is there. */
bool capture_start(struct capture *capture, const char *name, uint64_t seconds, uint64_t bytes,
                   struct proto_fault *fault);
/* Waits until the file is whole and on disk; NOT_FOUND if there is nothing to stop. A capture that
 * ended by itself is told of once more. */
bool capture_stop(struct capture *capture, struct capture_state *state, struct proto_fault *fault);
void capture_state(struct capture *capture, struct capture_state *state);

/* True while a capture runs. Keep the pointer for the hot path; it lives as long as the capture. */
const _Atomic bool *capture_switch(const struct capture *capture);
static inline bool capture_is_on(const _Atomic bool *capture_switch)
{
    return __builtin_expect(atomic_load_explicit(capture_switch, memory_order_relaxed), 0);
}
void capture_take(struct capture *capture, const struct capture_batch *batch);

#endif
