/* SPDX-License-Identifier: Apache-2.0 */
/* The shared log as nodes see it: entries in one order, without gaps, appended by any node and read
 * by all. What keeps it (cluster_log_pg.h: PostgreSQL with its standby) does order, durability and
 * failover; here is only what has to be asked of it, as a table of functions, so that tests can
 * stand in for it.
 *
 *   append ─▶ DONE      the entries have sequences, one behind the other, and are durable
 *          ─▶ NOT_DONE  nothing of them is there, and *fault says why
 *          ─▶ UNKNOWN   the answer was lost: the same entries are appended `again`, until it is
 *                       known; those that are there already are found by their ids
 *
 * Chain: the chain of an entry is the first half of SHA-256 over the chain before, and sequence,
 * time, id and digest of the entry (big-endian). Two logs that have the same chain at a sequence
 * are the same up to there.
 *
 * Ownership: entries are borrowed for the call. Errors: PROTO_IO where the log cannot be reached,
 * PROTO_BAD_CONFIG where it is no log of icpd, PROTO_NOT_FOUND for entries that were trimmed away,
 * PROTO_CORRUPT, PROTO_NO_MEMORY. Threads: one log object, one connection, one thread. Cost: an
 * append one round trip and the sync of primary and standby, a read one round trip. */
#ifndef CLUSTER_CLUSTER_LOG_H
#define CLUSTER_CLUSTER_LOG_H

#include "proto/fault.h"
#include "proto/span.h"

#define CLUSTER_ID_BYTES 16
#define CLUSTER_DIGEST_BYTES 16
#define CLUSTER_NODE_BYTES_MAX 63 /* of the name of a node */
#define CLUSTER_GROUP_MOST 1000u  /* entries of one append or read */

/* To be appended. */
struct cluster_entry {
    uint8_t id[CLUSTER_ID_BYTES];
    uint8_t digest[CLUSTER_DIGEST_BYTES]; /* XXH3-128 of the payload */
    struct proto_span payload;
};

/* As it stands in the log. */
struct cluster_logged {
    uint64_t seq;
    int64_t time_ms; /* never less than that of the entry before */
    uint8_t id[CLUSTER_ID_BYTES];
    uint8_t digest[CLUSTER_DIGEST_BYTES];
    uint8_t chain[CLUSTER_DIGEST_BYTES];
    struct proto_span payload;
};

/* What the log says of itself. Entries base + 1 … head are kept. */
struct cluster_head {
    uint64_t log; /* a number of this log's own, 1 … 2^60 */
    uint64_t head, base;
    int64_t head_ms;                            /* time of its last entry; 0: there is none */
    uint8_t chain[CLUSTER_DIGEST_BYTES];        /* at the head */
    uint8_t base_chain[CLUSTER_DIGEST_BYTES];   /* at the base */
    bool has_content;                           /* the log began at the base: */
    uint8_t base_content[CLUSTER_DIGEST_BYTES]; /* what a store holds there (cluster_content.h) */
};

/* What a node says of itself to the others. */
struct cluster_node {
    const char *name;
    uint64_t seq; /* applied */
    const char *state;
    const char *reason; /* of the state; "" */
};

/* What a node worked out at a sequence at which all do. */
struct cluster_check {
    uint64_t seq;
    uint8_t outcome[CLUSTER_DIGEST_BYTES];
    uint8_t content[CLUSTER_DIGEST_BYTES];
};
/* How many nodes say so of that sequence, and how many something else. */
struct cluster_votes {
    unsigned same, other;
    char others[192]; /* their names, as many as fit */
};

enum cluster_append { CLUSTER_APPEND_DONE, CLUSTER_APPEND_NOT_DONE, CLUSTER_APPEND_UNKNOWN };

struct cluster_log {
    void *context;
    void (*close)(void *context);
    /* Connects, if there is no connection; false with *fault. */
    bool (*open)(void *context, struct proto_fault *fault);
    bool (*look)(void *context, struct cluster_head *head, struct proto_fault *fault);
    /* The chain at a sequence that is kept. */
    bool (*chain)(void *context, uint64_t seq, uint8_t chain[CLUSTER_DIGEST_BYTES],
                  struct proto_fault *fault);
    /* 1 … CLUSTER_GROUP_MOST entries, all or none. *last: sequence of the last one. */
    enum cluster_append (*append)(void *context, const struct cluster_entry *entries, size_t count,
                                  bool again, uint64_t *last, struct proto_fault *fault);
    /* At most `most` entries after that sequence; each() returns false to end the reading, which is
     * no fault. *count: how many were shown. Those after `acknowledged` are shown once it is known
     * that they are durable: an entry can be seen before the standby has it, where the primary is
     * about to end, and is then in no other log. */
    bool (*read)(void *context, uint64_t after, uint64_t acknowledged, size_t most,
                 bool (*each)(void *each_context, const struct cluster_logged *logged),
                 void *each_context, size_t *count, struct proto_fault *fault);
    /* Waits until something was appended, by anybody, or poke() was called, or time is over. */
    void (*wait)(void *context, int timeout_ms);
    /* Ends a wait, from any thread. */
    void (*poke)(void *context);
    bool (*tell)(void *context, const struct cluster_node *node, struct proto_fault *fault);
    bool (*vote)(void *context, const char *node, const struct cluster_check *check,
                 struct cluster_votes *votes, struct proto_fault *fault);
    /* Nothing up to `oldest` is needed: trims some of it, if every node has applied that, and the
     * log never more than it. *base: up to where nothing is kept now. */
    bool (*keep)(void *context, uint64_t oldest, uint64_t *base, struct proto_fault *fault);
    /* Makes the log, empty, beginning behind `base`; PROTO_CONFLICT where there is one. */
    bool (*found)(void *context, uint64_t base, const uint8_t content[CLUSTER_DIGEST_BYTES],
                  struct proto_fault *fault);
};

/* What the logs of a node have found, so that one knows it of another: the host of the address that
 * answered last, and the newest timeline, below which a primary was replaced. */
struct cluster_seen {
    _Atomic unsigned host;
    _Atomic uint32_t timeline;
};

/* How a log is opened; what a log does for a long time asks goes_on() twenty times a second. */
struct cluster_log_options {
    const char *where; /* cluster_log of the configuration */
    const char *node;
    bool listens; /* wait() hears of appends */
    bool (*goes_on)(void *context);
    void *context;
    struct cluster_seen *seen; /* shared by the logs of a node; NULL: there is this one */
};

void cluster_chain_next(uint8_t chain[CLUSTER_DIGEST_BYTES], const struct cluster_logged *logged);
void cluster_digest(struct proto_span payload, uint8_t digest[CLUSTER_DIGEST_BYTES]);

#endif
