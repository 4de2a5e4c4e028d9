/* SPDX-License-Identifier: Apache-2.0 */
/* Other servers that a team would use instead, each with its fairest set-up that we found: started
 * in a folder of its own on a free port, filled with the same ids, asked for what comes nearest to
 * a score, and ended by process id. peer.def and peer_ask.def list them.
 * Ownership: bench_peer_stop ends the process; the folder is the caller's. Errors: a fault; a
 * program that is not installed is no fault but `missing`. Threads: one. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "bench/bench_load.h"
#include "bench/bench_process.h"

enum bench_peer_id {
#define P(ID, name, program, wire, configuration) BENCH_PEER_##ID,
#include "bench/peer.def"
#undef P
    BENCH_PEER_COUNT
};

/* What a peer can be asked. */
enum bench_peer_ask {
#define A(ID, PEER, name, does) BENCH_ASK_##ID,
#include "bench/peer_ask.def"
#undef A
    BENCH_ASK_COUNT
};

struct bench_peer_info {
    const char *name;
    const char *program;
    const struct bench_wire *wire;
    const char *configuration; /* for reports */
};

struct bench_peer_ask_info {
    enum bench_peer_id peer;
    const char *name;
    const char *does;
};

const struct bench_peer_info *bench_peer_info(enum bench_peer_id id);
const struct bench_peer_ask_info *bench_peer_ask_info(enum bench_peer_ask ask);

struct bench_peer {
    enum bench_peer_id id;
    struct bench_process process;
    uint16_t port;
    char folder[400];
    char script_sha[41]; /* Redis: of the scoring script */
    uint64_t accounts;
};

/* Not installed. */
bool bench_peer_missing(enum bench_peer_id id);
/* Starts it in a new folder below `folder` on processor `cpu` and fills it. */
bool bench_peer_start(struct bench_peer *peer, enum bench_peer_id id, const char *folder, int cpu,
                      uint64_t accounts, struct proto_fault *fault);
void bench_peer_stop(struct bench_peer *peer);
/* Requests with uniformly random ids. */
bool bench_peer_traffic(const struct bench_peer *peer, enum bench_peer_ask ask, uint64_t seed,
                        struct bench_traffic *traffic, struct proto_fault *fault);

/* Sends `count` encoded requests, a thousand at a time, and checks that each is answered without an
 * error; the last reply's bytes are left in reply[reply_bytes] if that is not NULL. */
bool bench_peer_send(const struct bench_wire *wire, uint16_t port, bench_encode *encode,
                     void *context, uint32_t count, uint8_t *reply, size_t reply_bytes,
                     struct proto_fault *fault);

#endif
