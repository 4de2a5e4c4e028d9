/* SPDX-License-Identifier: Apache-2.0 */
/* A proxy on 127.0.0.1 that hands on replies a fixed time after they came: a network that is
 * further away. Requests pass at once, so that a round trip becomes longer by that time, once.
 * Ownership: start/stop. Errors: start says false. Threads: one of its own. Bound:
 * CLIENT_DELAY_PAIRS_MAX connections, CLIENT_DELAY_BYTES of replies on their way on each. */
#ifndef BENCH_CLIENT_DELAY_H
#define BENCH_CLIENT_DELAY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CLIENT_DELAY_PAIRS_MAX 64
#define CLIENT_DELAY_BYTES 65536

struct client_delay_pair;

struct client_delay {
    pthread_t thread;
    atomic_bool is_over;
    int listener;
    uint16_t port;
    uint16_t backend;
    int64_t delay_us;
    struct client_delay_pair *pairs;
};

bool client_delay_start(struct client_delay *delay, uint16_t backend, int64_t delay_us);
void client_delay_stop(struct client_delay *delay);

#endif
