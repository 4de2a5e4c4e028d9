/* SPDX-License-Identifier: Apache-2.0 */
/* A node of a cluster: what its clients write is appended to the shared log, what stands there is
 * applied to its store, in order, and answers come from what is applied.
 *
 *   cluster_submit ─▶ queue ─▶ appender ══▶ shared log ══▶ applier ─▶ store ─▶ on_done
 *
 * The appender puts what waits into groups, one append each, under ids of its own: an append whose
 * answer was lost is repeated until it is known what came of it, and finds itself. The applier
 * reads entries, holds their digests and the chain against what it applied before, and gives each
 * to the writer of the store with its position (server/store/position.h). A client's answer is what
 * the local store made of the entry, refusals too: every node makes the same of it.
 *
 * Where the shared log cannot be reached, writes are refused as busy after a moment, naming why,
 * and reads go on. Only what is known not to be in the log is refused so: of what may be in it a
 * node that cannot tell what came of it says PROTO_CANCELLED, for clients repeat what is busy. An
 * entry that does not fit the chain, or cannot be applied, or a store whose content is not that of
 * most others (cluster_content.h, every `check_entries` entries), puts the node into quarantine: it
 * applies and appends nothing, and says so.
 *
 * Ownership: options are borrowed. Errors: PROTO_BUSY, PROTO_SHUTTING_DOWN, PROTO_NO_MEMORY from
 * cluster_submit, later those, PROTO_CANCELLED, PROTO_DEADLINE, PROTO_DISK_FULL and
 * PROTO_BAD_CONFIG of the log, and what the store makes of the entry. Threads: cluster_submit,
 * cluster_look from any thread; on_done runs on the writer's thread of the store, or on one of the
 * cluster's own where the write came to nothing. Cost: an append is a round trip and a sync of
 * primary and standby, shared by all that waited meanwhile. */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/cluster/cluster_log.h"
#include "server/store/store.h"

struct cluster;

enum cluster_state {
#define X(NAME, name, meaning) CLUSTER_##NAME,
#include "server/cluster/cluster_state.def"
#undef X
};
const char *cluster_state_name(enum cluster_state state);

struct cluster_options {
    const char *node;  /* its name, unlike that of any other */
    const char *where; /* the shared log */
    struct store *store;
    struct base_clock clock;
    size_t queue_bytes_max; /* of writes that wait */
    uint64_t check_entries; /* between checks of the content; 0: none is made */
    bool quarantine_reads;  /* what is read of a node in quarantine is answered */
    /* Makes a log, one for each of two threads. */
    bool (*make)(const struct cluster_log_options *options, struct cluster_log *log,
                 struct proto_fault *fault);
    struct base_log *log;
    /* Told by a thread of the cluster: which log it is, once it was reached. NULL: nobody. */
    void (*on_log)(void *context, uint64_t log);
    void *context;
};

/* What a node shows; figures of cluster_figure.def. */
struct cluster_look {
    enum cluster_state state;
    char reason[384]; /* of the state; "" */
    bool level;       /* all that stood in the log when the node came to it is applied */
#define X(name, kind, unit, meaning) uint64_t name;
#include "server/cluster/cluster_figure.def"
#undef X
};

/* A name of 1 to CLUSTER_NODE_BYTES_MAX letters, digits, '-', '_' and '.'. */
bool cluster_node_check(const char *name, struct proto_fault *fault);
/* Starts the threads; that the log can be reached is not waited for. NULL with *fault. */
struct cluster *cluster_create(const struct cluster_options *options, struct proto_fault *fault);
/* Ends the threads; what waits is answered PROTO_SHUTTING_DOWN, or PROTO_CANCELLED where it may be
 * in the log, and nothing is taken any more. */
void cluster_stop(struct cluster *cluster);
void cluster_destroy(struct cluster *cluster); /* NULL is fine; stopped before */

/* As store_submit: takes the batch, unless it returns false. context: the cluster. */
bool cluster_submit(void *context, struct store_batch *batch,
                    void (*on_done)(void *done_context, const struct store_result *result),
                    void *done_context, struct proto_fault *fault);
void cluster_look(struct cluster *cluster, struct cluster_look *look);
/* The moment up to which all that was appended is applied here, in ns of the steady clock, however
 * the wall clock is set meanwhile (but that of an entry, which the log dates, is found by both),
 * and how long ago that is; that of 1970 until the log was reached. context: the cluster. Cost: a
 * load, and a look at the clock. */
int64_t cluster_as_of(void *context);
uint64_t cluster_age_ms(void *context, int64_t as_of_ns);
/* Whether nothing is to be read here: PROTO_BEHIND, naming why. context: the cluster. Cost: a load
 * where that is not so. */
bool cluster_refuses(void *context, struct proto_fault *fault);

/* The newest snapshot is of that sequence, and what stands in the log up to `oldest` is needed by
 * no node that is yet to come: it is trimmed once every other has applied it. 0: all is needed. */
void cluster_keep(struct cluster *cluster, uint64_t oldest, uint64_t newest);

/* Makes the shared log that begins where the store is: its content is what other stores must have
 * that join there. Without threads; for icpd --found-log. */
bool cluster_found(const struct cluster_options *options, uint64_t *base,
                   struct proto_fault *fault);

#endif
