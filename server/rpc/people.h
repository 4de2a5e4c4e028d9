/* SPDX-License-Identifier: Apache-2.0 */
/* Who is connected and what they do, for client-list, slow-log and monitor: names, operations,
 * times and sizes, never what stands in a request.
 *
 * Names are given by the worker of the connection, and so its worker may read them without the
 * lock. Three parts: a list of the connections that asked for something; a ring of the latest slow
 * requests, always kept; a ring of the latest requests of all, kept only while somebody reads it
 * (PEOPLE_MONITOR_S after the last reading), so that it costs nothing otherwise.
 * Shapes and units: times of records are milliseconds since 1970, durations microseconds, numbers
 * of connections count from 1 since the start. Ownership: people_* owns what it keeps; the session
 * owns its entry in the list. Bounds: PEOPLE_SLOW and PEOPLE_MONITOR records; older ones are lost,
 * and a reader sees by the positions how many. PEOPLE_LEFT names of who is gone, so that a record
 * says whose it was. Errors: without memory a connection is not listed.
 * Threads: any; a worker's own updates of its connections are relaxed stores, the rest takes a
 * lock that no request takes while nobody watches. Cost: 2 ns a batch of a connection. */
#ifndef RPC_PEOPLE_H
#define RPC_PEOPLE_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/rpc/rpc.h"

#define PEOPLE_SLOW 256u
#define PEOPLE_MONITOR 8192u
#define PEOPLE_MONITOR_S 10u
#define PEOPLE_ADDRESS_BYTES 64
/* Clients whose names are known after they have left. */
#define PEOPLE_LEFT 1024u

struct rpc_names {
    char client[RPC_CLIENT_BYTES_MAX + 1]; /* as it calls itself, or "" */
    char token[AUTH_NAME_BYTES_MAX + 1];   /* of the token that it showed, or "" */
};

struct rpc_person {
    struct rpc_people *people;
    struct rpc_person *next, *previous;
    uint64_t number;
    int64_t since_ms;
    char address[PEOPLE_ADDRESS_BYTES];
    struct rpc_names names; /* guarded by the lock */
    _Atomic uint8_t role;
    _Atomic uint8_t last_op; /* opcode; 0: none yet */
    _Atomic uint64_t requests;
    _Atomic uint64_t last_ns; /* monotonic; 0: none yet */
};

/* One answered request, or `count` scores answered together. */
struct rpc_record {
    uint64_t position; /* in its ring, from 1 */
    int64_t time_ms;   /* when it was answered */
    uint64_t connection;
    uint64_t took_us;
    uint64_t bytes; /* of the request's payload */
    uint32_t count;
    uint8_t opcode;
    uint8_t status;
};

struct rpc_ring {
    struct rpc_record *records;
    uint32_t room;
    uint64_t written; /* records so far: the last has this position */
};

/* A client that left. */
struct rpc_left {
    uint64_t number;
    struct rpc_names names;
};

struct rpc_people {
    pthread_mutex_t lock; /* the list, names and rings */
    struct rpc_person *first;
    uint64_t count, numbers;
    struct rpc_ring slow, seen;
    struct rpc_left *left;             /* a ring of PEOPLE_LEFT */
    uint64_t left_count;               /* so far */
    _Atomic uint64_t watched_until_ns; /* monotonic: requests are recorded before */
};

bool rpc_people_init(struct rpc_people *people);
void rpc_people_fini(struct rpc_people *people);

/* NULL: no memory. */
struct rpc_person *rpc_person_create(struct rpc_people *people, const char *address,
                                     int64_t now_ms);
void rpc_person_destroy(struct rpc_person *person); /* NULL is fine */
void rpc_person_name(struct rpc_person *person, const char *client, const char *token,
                     enum proto_role role);
/* Who it is, for the audit: "router/1.2 (127.0.0.1:50312)", or "router/1.2
 * (127.0.0.1:50312, token eu)"; "" for NULL. By its own worker. */
void rpc_person_author(const struct rpc_person *person, char *out, size_t out_bytes);
/* By the connection's worker, once for the frames that were served together; NULL is fine. */
static inline void rpc_person_asked(struct rpc_person *person, uint8_t opcode, size_t count,
                                    uint64_t now_ns)
{
    if (person == NULL) {
        return;
    }
    uint64_t before = atomic_load_explicit(&person->requests, memory_order_relaxed);
    atomic_store_explicit(&person->requests, before + count, memory_order_relaxed);
    atomic_store_explicit(&person->last_op, opcode, memory_order_relaxed);
    atomic_store_explicit(&person->last_ns, now_ns, memory_order_relaxed);
}

static inline bool rpc_people_watched(const struct rpc_people *people, uint64_t now_ns)
{
    return now_ns < atomic_load_explicit(&people->watched_until_ns, memory_order_relaxed);
}

/* Fills in the position. slow: into the ring of slow requests too. */
void rpc_people_record(struct rpc_people *people, const struct rpc_record *record, bool slow);
/* Copies the records behind `after`, at most `room` and the oldest first; *last is the position of
 * the newest there is. */
size_t rpc_people_read(struct rpc_people *people, struct rpc_ring *ring, uint64_t after,
                       struct rpc_record *out, size_t room, uint64_t *last);
/* The name that the client of a connection gave itself, and that of its token; "" if there is none,
 * or it left before the latest PEOPLE_LEFT that had one. */
void rpc_people_names(struct rpc_people *people, uint64_t connection, struct rpc_names *out);

#endif
