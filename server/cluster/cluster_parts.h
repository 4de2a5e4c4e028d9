/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the cluster share. The contract is cluster.h.
 *
 *   cluster.c         made, ended, written to
 *   cluster_state.c   looked at
 *   cluster_queue.c   tickets: waiting to be appended, and pending until they are applied
 *   cluster_append.c  the appender's thread
 *   cluster_join.c    whether the store fits the log
 *   cluster_apply.c   the applier's thread
 *   cluster_check.c   the checker's thread
 *
 * Threads: members say whose they are; `lock` guards what is shared, and no callback runs under it.
 */
#ifndef CLUSTER_CLUSTER_PARTS_H
#define CLUSTER_CLUSTER_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/cluster/cluster.h"
#include "server/store/position.h"

enum {
    CLUSTER_BUCKETS = 4096,
    CLUSTER_GROUP_BYTES = 8 << 20, /* of one append, beyond its first entry */
    CLUSTER_AWAY_MS = 5000,        /* a write waits for the log at least so long */
    CLUSTER_FLIGHT_MOST = 8192,    /* entries between the applier and the writer */
    CLUSTER_TURN_MS = 100,
};

/* A write of a client. It is in the queue, or pending: then an entry of its id may be in the log.
 */
struct cluster_ticket {
    struct cluster_ticket *next;
    struct store_batch *batch; /* NULL once it is in the log */
    size_t bytes;
    void (*on_done)(void *context, const struct store_result *result);
    void *context;
    uint64_t queued_ns;
    int64_t deadline_ms; /* 0: none */
    uint8_t id[CLUSTER_ID_BYTES];
};

struct cluster_tickets {
    struct cluster_ticket *first, *last; /* the queue */
    struct cluster_ticket *pending[CLUSTER_BUCKETS];
    size_t count, bytes; /* of both */
    uint64_t next;       /* of ids */
    uint64_t incarnation;
};

/* What is appended together; the appender's own. */
struct cluster_group {
    struct cluster_ticket *tickets[CLUSTER_GROUP_MOST];
    struct store_batch *batches[CLUSTER_GROUP_MOST]; /* of them: a ticket may be gone, applied,
                                                        before its append has returned */
    struct cluster_entry entries[CLUSTER_GROUP_MOST];
    size_t count;
};

/* A content that is worked out; checker and applier, by turns. */
struct cluster_checker {
    pthread_t thread;
    bool running; /* the thread */
    pthread_cond_t turn;
    struct store_view *view; /* to be looked at; NULL: nothing */
    bool done;               /* check is whole, and to be voted on */
    struct cluster_check check;
    bool voted; /* on `last`, which is looked at again: others may come later */
    bool first; /* nobody said otherwise then */
    struct cluster_check last;
};

struct cluster {
    struct cluster_options options;
    struct cluster_log append_log, apply_log;
    pthread_t append_thread, apply_thread;
    bool append_runs, apply_runs;
    struct cluster_group *group;
    struct proto_fault failed; /* the last append, for the appender; PROTO_OK: it did not */
    _Atomic bool stopping;
    _Atomic uint64_t
        acknowledged;         /* last entry that an append of this node's was told is durable */
    _Atomic bool refuses;     /* what is read */
    _Atomic int64_t as_of_ns; /* all that was appended up to then, by the steady clock, is applied;
                                 INT64_MIN: not known */
    struct cluster_seen seen;
    _Atomic uint64_t keep; /* oldest snapshot; 0: there is none */

    pthread_mutex_t lock;
    pthread_cond_t arrived; /* a ticket, or another state: for the appender */
    pthread_cond_t landed;  /* an entry was applied: for the applier */
    struct cluster_tickets tickets;
    struct cluster_look look;
    uint64_t join_head;       /* of the log when the node came to it */
    uint64_t apart_ns;        /* since when the node does not follow; 0: it does */
    size_t flying;            /* entries between the applier and the writer */
    struct proto_fault local; /* the first that did not settle an entry */
    uint64_t local_seq;
    struct cluster_checker checker;

    /* The applier's own. */
    uint64_t taken;                      /* last entry that was given to the writer */
    uint8_t chain[CLUSTER_DIGEST_BYTES]; /* at it */
    struct proto_fault read;             /* what ended a reading */
    bool check_due;                      /* the last entry was one at which all compare */
    uint64_t told_ns, looked_ns;
    uint64_t kept, kept_ns; /* base of the log at the last keep, and when it did not move */
};

/* cluster_state.c */
bool cluster_goes_on(void *context);
void cluster_state_set(struct cluster *cluster, enum cluster_state state, const char *reason);
enum cluster_state cluster_state_get(struct cluster *cluster);

/* cluster_queue.c; with the lock held, but for those that answer. */
void cluster_ticket_add(struct cluster_tickets *tickets, struct cluster_ticket *ticket);
/* Takes at most CLUSTER_GROUP_MOST off the queue, in order, and makes them pending. */
size_t cluster_group_take(struct cluster_tickets *tickets, struct cluster_ticket **group);
/* It is not in the log: back to the head of the queue. */
void cluster_group_back(struct cluster_tickets *tickets, struct cluster_ticket **group,
                        size_t count);
/* Takes the pending one of that id; NULL: it is none of this node's. */
struct cluster_ticket *cluster_pending_take(struct cluster_tickets *tickets,
                                            const uint8_t id[CLUSTER_ID_BYTES]);
/* Takes those of the queue that are past their deadline, or came before a moment, as a list. */
struct cluster_ticket *cluster_tickets_expire(struct cluster_tickets *tickets, int64_t now_ms,
                                              uint64_t queued_before_ns);
/* Answers a list, without the lock. */
void cluster_tickets_fail(struct cluster_ticket *list, const struct proto_fault *fault);
/* Answers everybody, without the lock: the queue with that fault, and those of which an entry may
 * be in the log with PROTO_CANCELLED, which says so. */
void cluster_tickets_give_up(struct cluster *cluster, const struct proto_fault *fault);
void cluster_ticket_free(struct cluster_ticket *ticket);

/* cluster_append.c, cluster_apply.c, cluster_check.c */
void *cluster_append_run(void *cluster);
void *cluster_apply_run(void *cluster);
void *cluster_check_run(void *cluster);
/* Hands the store as it is, all entries up to `taken` applied, to the checker, if that is free. */
void cluster_check_begin(struct cluster *cluster, const struct store_position *position);
/* Votes on what the checker has worked out; with `again` also looks what others say since of the
 * last time. PROTO_CORRUPT where most others hold something else. */
bool cluster_check_vote(struct cluster *cluster, bool again, struct proto_fault *fault);

/* cluster_join.c */
enum cluster_join { CLUSTER_JOIN_GOOD, CLUSTER_JOIN_LATER, CLUSTER_JOIN_AHEAD, CLUSTER_JOIN_NEVER };
/* Holds the store against the log, on the applier's thread: cluster->chain is that of the log where
 * the store is. LATER: that could not be found out, and *fault says why. */
enum cluster_join cluster_join(struct cluster *cluster, const struct store_position *position,
                               struct cluster_head *head, struct proto_fault *fault);

#endif
