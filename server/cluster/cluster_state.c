/* SPDX-License-Identifier: Apache-2.0 */
/* What a node is to its log, as its threads set it and anybody reads it. */
#include <string.h>

#include "proto/utf8.h"
#include "server/cluster/cluster_parts.h"

const char *cluster_state_name(enum cluster_state state)
{
    static const char *const names[] = {
#define X(NAME, name, meaning) name,
#include "server/cluster/cluster_state.def"
#undef X
    };
    return names[state];
}

bool cluster_goes_on(void *context)
{
    const struct cluster *cluster = context;
    return !atomic_load_explicit(&cluster->stopping, memory_order_relaxed);
}

void cluster_state_set(struct cluster *cluster, enum cluster_state state, const char *reason)
{
    uint64_t now_ns = base_clock_now_ns(&cluster->options.clock);
    pthread_mutex_lock(&cluster->lock);
    cluster->look.state = state;
    cluster->apart_ns = state == CLUSTER_FOLLOWING ? 0
                        : cluster->apart_ns != 0   ? cluster->apart_ns
                                                   : now_ns;
    size_t bytes =
        proto_utf8_cut((const uint8_t *)reason, strlen(reason), sizeof cluster->look.reason - 1);
    memmove(cluster->look.reason, reason, bytes);
    cluster->look.reason[bytes] = '\0';
    atomic_store(&cluster->refuses,
                 state == CLUSTER_QUARANTINE && !cluster->options.quarantine_reads);
    pthread_cond_signal(&cluster->arrived);
    pthread_mutex_unlock(&cluster->lock);
}

bool cluster_refuses(void *context, struct proto_fault *fault)
{
    struct cluster *cluster = context;
    if (!atomic_load_explicit(&cluster->refuses, memory_order_relaxed)) {
        return false;
    }
    pthread_mutex_lock(&cluster->lock);
    proto_fault_set(fault, PROTO_BEHIND, "",
                    "this node is in quarantine, where it answers no reads "
                    "(cluster_quarantine_reads): %s",
                    cluster->look.reason);
    pthread_mutex_unlock(&cluster->lock);
    return true;
}

void cluster_keep(struct cluster *cluster, uint64_t oldest, uint64_t newest)
{
    pthread_mutex_lock(&cluster->lock);
    cluster->look.snapshot = newest;
    pthread_mutex_unlock(&cluster->lock);
    atomic_store(&cluster->keep, oldest);
}

enum cluster_state cluster_state_get(struct cluster *cluster)
{
    pthread_mutex_lock(&cluster->lock);
    enum cluster_state state = cluster->look.state;
    pthread_mutex_unlock(&cluster->lock);
    return state;
}

int64_t cluster_as_of(void *context)
{
    const struct cluster *cluster = context;
    return atomic_load(&cluster->as_of_ns);
}

uint64_t cluster_age_ms(void *context, int64_t as_of_ns)
{
    const struct cluster *cluster = context;
    const struct base_clock *clock = &cluster->options.clock;
    if (as_of_ns == INT64_MIN) {
        int64_t now_ms = base_clock_now_ms(clock);
        return now_ms > 0 ? (uint64_t)now_ms : 0;
    }
    int64_t age_ns = (int64_t)base_clock_now_ns(clock) - as_of_ns;
    return age_ns > 0 ? (uint64_t)age_ns / 1000000 : 0;
}

void cluster_look(struct cluster *cluster, struct cluster_look *look)
{
    pthread_mutex_lock(&cluster->lock);
    *look = cluster->look;
    look->waiting = cluster->tickets.count;
    look->waiting_bytes = cluster->tickets.bytes;
    look->level = look->connects > 0 && look->applied >= cluster->join_head;
    pthread_mutex_unlock(&cluster->lock);
    look->head = look->head > look->applied ? look->head : look->applied;
    look->lag_entries = look->head - look->applied;
    int64_t as_of_ns = cluster_as_of(cluster);
    bool known = as_of_ns != INT64_MIN;
    look->lag_ns = look->lag_entries > 0 && known ? cluster_age_ms(cluster, as_of_ns) * 1000000 : 0;
}
