/* SPDX-License-Identifier: Apache-2.0 */
/* A shared log in memory, for tests: what PostgreSQL does by cluster.sql, and faults that are
 * planted. Ownership: one memory_log outlives all logs that are made of it. Threads: any. */
#ifndef TESTS_MEMORY_LOG_H
#define TESTS_MEMORY_LOG_H

#include <pthread.h>

#include "server/cluster/cluster_log.h"

enum { MEMORY_ENTRIES = 4096, MEMORY_VOTES = 64 };

struct memory_vote {
    char node[CLUSTER_NODE_BYTES_MAX + 1];
    struct cluster_check check;
};

struct memory_log {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    struct cluster_logged entries[MEMORY_ENTRIES]; /* payloads are copies */
    struct cluster_head head;
    struct memory_vote votes[MEMORY_VOTES];
    size_t vote_count;
    bool away;      /* nothing can be reached */
    unsigned lose;  /* so many appends are done, and their answers lost */
    bool forgetful; /* a repeated append does not find itself */
    char unread[8]; /* the node of this name reads no entries */
    bool alters;    /* what is appended stands there otherwise than it was given */
};

void memory_log_init(struct memory_log *memory);
void memory_log_fini(struct memory_log *memory);
/* As cluster_options.make; options->where is the memory_log, as text of its address. */
bool memory_log_make(const struct cluster_log_options *options, struct cluster_log *log,
                     struct proto_fault *fault);
/* The `where` of it, for options. */
void memory_log_where(const struct memory_log *memory, char where[32]);
void memory_log_away(struct memory_log *memory, bool away);

#endif
