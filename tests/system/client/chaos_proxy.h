/* SPDX-License-Identifier: Apache-2.0 */
/* A proxy on 127.0.0.1 that does to its connections what networks and dying servers do. One thread
 * moves the bytes; the mode is changed from outside and holds for what happens from then on.
 * What a mode has begun stays: a connection that was swallowed never speaks again.
 * Ownership: create/destroy. Errors: asserted, it is a test. Threads: chaos_set, chaos_backend and
 * chaos_stood_ms from any. Bound: CHAOS_PAIRS_MAX connections; more are closed. */
#ifndef CHAOS_PROXY_H
#define CHAOS_PROXY_H

#include <stdint.h>

#define CHAOS_PAIRS_MAX 256

#define CHAOS_MODES(X)                                                                             \
    X(CLEAN, "clean", "passes everything on")                                                      \
    X(CUT, "cut", "closes connections in the middle of a reply, some with a reset")                \
    X(DELAY, "delay", "holds replies for up to 60 ms")                                             \
    X(DRIBBLE, "dribble", "passes on one byte at a time")                                          \
    X(GARBAGE, "garbage", "puts random bytes before replies")                                      \
    X(HALF_CLOSE, "half-close", "ends its sending side after a part, and reads on")                \
    X(SILENT, "silent", "accepts everything and says nothing, for ever")                           \
    X(BUSY, "busy", "answers new connections with busy under id 0")                                \
    X(DOWN, "down", "refuses connections and closes those there are")

enum chaos_mode {
#define X(NAME, name, what) CHAOS_##NAME,
    CHAOS_MODES(X)
#undef X
        CHAOS_MODE_COUNT
};

struct chaos_proxy;

struct chaos_proxy *chaos_create(uint64_t seed);
void chaos_destroy(struct chaos_proxy *proxy);
unsigned chaos_port(const struct chaos_proxy *proxy);
void chaos_set(struct chaos_proxy *proxy, enum chaos_mode mode);
/* Where new connections go. */
void chaos_backend(struct chaos_proxy *proxy, unsigned port);
const char *chaos_name(enum chaos_mode mode);
int64_t chaos_now_ms(void);
/* Milliseconds for which a thread stood ready to run while the machine ran something else, from the
 * descriptor of its /proc/thread-self/schedstat; and those of the proxy's thread. */
int64_t chaos_thread_stood_ms(int schedstat);
int64_t chaos_stood_ms(struct chaos_proxy *proxy);

#endif
