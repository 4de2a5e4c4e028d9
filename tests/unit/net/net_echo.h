/* SPDX-License-Identifier: Apache-2.0 */
/* A server that answers every frame with its own payload: the handler of the network tests, and the
 * floor that benches compare with. Some opcodes answer in another way, see enum net_echo_op.
 * Threads: start and stop from one thread; figures may be read from any. */
#ifndef TESTS_UNIT_NET_NET_ECHO_H
#define TESTS_UNIT_NET_NET_ECHO_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/net/net.h"

enum net_echo_op {
    NET_ECHO_LATER = 200,  /* the same reply, posted by another thread */
    NET_ECHO_HOLD,         /* posted once net_echo_release was called */
    NET_ECHO_LARGE,        /* payload u32 n: n bytes of reply; stops when *out is large */
    NET_ECHO_LARGE_LATER,  /* payload u32 n: n bytes of reply, posted */
    NET_ECHO_PROGRESS,     /* three frames with MORE, then the reply; posted */
    NET_ECHO_STOP,         /* answers, then takes a break (net_conn_stop) */
    NET_ECHO_KNOWN,        /* the connection is no stranger any more */
    NET_ECHO_WRONG,        /* it showed a wrong token */
    NET_ECHO_BARRIER,      /* as HOLD; nothing behind it is served before (net_conn_hold) */
    NET_ECHO_SILENT_LATER, /* ends the request with a post of zero bytes */
    NET_ECHO_TAKE,         /* answers, and takes the memory of its input if it can */
};

struct net_echo_job {
    struct net_echo_job *next;
    struct net_ticket ticket;
    struct proto_header header;
    size_t bytes;
    uint8_t payload[];
};

struct net_echo {
    struct net_server *server;
    pthread_t poster;
    pthread_mutex_t lock;
    pthread_cond_t ready;
    struct net_echo_job *jobs; /* under the lock, as are the next four */
    struct net_echo_job **jobs_end;
    struct net_echo_job *held;
    bool released;
    bool ending;
    atomic_uint turns;
    atomic_uint rests;
    atomic_uint peeked; /* calls of on_peek */
    atomic_uint batches;
    atomic_uint frames;
    atomic_uint batch_largest;
    atomic_uint workers_started;
    atomic_uint workers_stopped;
    atomic_uint conns_seen; /* by a first frame */
    atomic_uint conns_closed;
    atomic_uint conns_closed_unseen;
    atomic_uint taken;
};

/* False with *fault if the server could not be made. */
bool net_echo_start(struct net_echo *echo, const struct net_options *options,
                    struct proto_fault *fault);
/* Posts what NET_ECHO_HOLD kept, and keeps nothing from now on. */
void net_echo_release(struct net_echo *echo);
/* Drains, joins, destroys. */
void net_echo_stop(struct net_echo *echo, unsigned grace_ms);

#endif
