/* SPDX-License-Identifier: Apache-2.0 */
/* A write of the engine that a test waits for: begin, give `write` to a call, end. Ownership: on
 * the test's stack. Errors: a write that is told of twice, or though it was not taken, ends the
 * test. Threads: one; the writer tells. */
#ifndef TESTS_UNIT_ENGINE_ENGINE_AWAIT_H
#define TESTS_UNIT_ENGINE_ENGINE_AWAIT_H

#include <pthread.h>

#include "server/engine/ingest.h"
#include "server/engine/worker.h"

struct engine_await {
    pthread_mutex_t lock;
    pthread_cond_t told;
    unsigned times;
    struct engine_written written;
    struct engine_write write;
};

void engine_await_begin(struct engine_await *await);
/* given, fault: what the call that took the write answered. The result of the write, or, if it was
 * not taken, that fault. The worker then sees it. */
struct engine_written engine_await_end(struct engine_await *await, struct engine_worker *worker,
                                       bool given, const struct proto_fault *fault);

#endif
