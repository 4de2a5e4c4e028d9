/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that ask icpd through the proxy, half of them with blocking calls, half with a loop of
 * the asynchronous client and several requests in flight, and what they find:
 * - late: a call that ended later than its deadline + 50 ms. Time in which the thread stood ready
 * and the machine ran something else (field 2 of /proc/thread-self/schedstat) does not count.
 * - foreign: a reply that belongs to another request; twice: a request that was told twice; never:
 * one that was not told at all.
 * - an ICP version that was answered and is not there once (chaos_version.h).
 * - slow to recover: no success within a second after the server was back, the time in which this
 *   thread or the proxy's stood ready not counted.
 * Threads: start and join from one; the atomics of struct chaos_load from any. */
#ifndef CHAOS_LOAD_H
#define CHAOS_LOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/system/client/chaos_version.h"

#define CHAOS_THREADS CHAOS_WORKERS_MAX
#define CHAOS_ACCOUNTS 100
#define CHAOS_GRACE_MS 50
#define CHAOS_RECOVERY_MS 1000

struct chaos_load;
struct chaos_proxy;

struct chaos_worker {
    struct chaos_load *load;
    unsigned index;
    pthread_t thread;
    uint64_t random;
    int schedstat; /* of this thread */
    size_t asked;
    size_t answered; /* by the server, with whatever */
    size_t failed;
    size_t late;
    size_t foreign;
    size_t twice;
    int64_t late_ms_max; /* beyond the deadline */
    int64_t recovery_ms_max;
    size_t faults[256]; /* by code */
    atomic_uint epoch;  /* of its last success */
    unsigned epoch_noticed;
    int64_t epoch_stood_ms;
    struct chaos_puts puts;
};

/* What is wrong with the client on purpose: a control. */
enum chaos_plant {
    CHAOS_SOUND,
    CHAOS_LATE,  /* deadlines are ignored on reconnecting */
    CHAOS_TWICE, /* a write that was lost is asked again, under another operation id */
};

struct chaos_load {
    char uri[64];
    struct chaos_proxy *proxy;
    enum chaos_plant plant;
    char *document; /* what versions are made from */
    atomic_bool is_over;
    atomic_size_t asked;
    atomic_uint epoch;        /* counts how often the server came back */
    _Atomic int64_t since_ms; /* when it did */
    atomic_size_t blocks;     /* of memory that clients hold */
    struct chaos_worker workers[CHAOS_THREADS];
};

/* Stores the accounts that are asked for. False: the server does not take them. */
bool chaos_load_prepare(struct chaos_load *load);
void chaos_load_start(struct chaos_load *load);
void chaos_load_join(struct chaos_load *load);

#endif
