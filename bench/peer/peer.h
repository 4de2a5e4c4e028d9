/* SPDX-License-Identifier: Apache-2.0 */
/* Other servers that a team would use instead, each with its fairest set-up that we found: started
 * in a folder of its own on a free port, filled with the same ids, asked for what comes nearest to
 * a score, and ended by process id. peer.def and peer_ask.def list them.
 * Ownership: peer_stop ends the process; the folder is the caller's. Errors: a fault; a
 * program that is not installed is no fault but `missing`. Threads: one. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "bench/load/load.h"
#include "bench/peer/peer_process.h"

enum peer_id {
#define P(ID, name, program, wire, configuration) PEER_##ID,
#include "bench/peer/peer.def"
#undef P
    PEER_COUNT
};

/* What a peer can be asked. */
enum peer_ask {
#define A(ID, PEER, name, does) PEER_ASK_##ID,
#include "bench/peer/peer_ask.def"
#undef A
    PEER_ASK_COUNT
};

struct peer_info {
    const char *name;
    const char *program;
    const struct load_wire *wire;
    const char *configuration; /* for reports */
};

struct peer_ask_info {
    enum peer_id peer;
    const char *name;
    const char *does;
};

const struct peer_info *peer_info(enum peer_id id);
const struct peer_ask_info *peer_ask_info(enum peer_ask ask);

struct peer {
    enum peer_id id;
    struct peer_process process;
    uint16_t port;
    char folder[400];
    char script_sha[41]; /* Redis: of the scoring script */
    uint64_t accounts;
};

/* Not installed. */
bool peer_missing(enum peer_id id);
/* Starts it in a new folder below `folder` on processor `cpu` and fills it. */
bool peer_start(struct peer *peer, enum peer_id id, const char *folder, int cpu, uint64_t accounts,
                struct proto_fault *fault);
void peer_stop(struct peer *peer);
/* Requests with uniformly random ids. */
bool peer_traffic(const struct peer *peer, enum peer_ask ask, uint64_t seed,
                  struct load_traffic *traffic, struct proto_fault *fault);

/* Sends `count` encoded requests, a thousand at a time, and checks that each is answered without an
 * error; the last reply's bytes are left in reply[reply_bytes] if that is not NULL. */
bool peer_send(const struct load_wire *wire, uint16_t port, load_encode *encode, void *context,
               uint32_t count, uint8_t *reply, size_t reply_bytes, struct proto_fault *fault);

#endif
