/* SPDX-License-Identifier: Apache-2.0 */
/* What waits is appended as one group, and whoever waits hears from the applier. A group that is
 * known not to be in the log goes back to the head of the queue. One of which that is not known is
 * appended again until it is: nothing overtakes it. Meanwhile, and while there is no log, what has
 * waited too long is refused. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "server/cluster/cluster_parts.h"

enum { AGAIN_MS = 200 };

/* Waits for a ticket or another state, with the lock held. */
static void wait_a_turn(struct cluster *cluster, long ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_cond_timedwait(&cluster->arrived, &cluster->lock, &until);
}

static void away_fault(const struct cluster *cluster, struct proto_fault *fault)
{
    const struct cluster_look *look = &cluster->look;
    const char *why = look->state != CLUSTER_FOLLOWING   ? look->reason
                      : cluster->failed.code != PROTO_OK ? cluster->failed.message
                                                         : "others are before it";
    proto_fault_set(fault, PROTO_BUSY, "",
                    "the write was not appended to the shared log: this node is %s%s%s",
                    cluster_state_name(look->state), why[0] != '\0' ? ": " : "", why);
}

/* Refuses what is past its deadline, and what has waited too long for a log; in quarantine all. */
static void expire(struct cluster *cluster)
{
    const struct base_clock *clock = &cluster->options.clock;
    uint64_t now_ns = base_clock_now_ns(clock);
    uint64_t most_ns = (uint64_t)CLUSTER_AWAY_MS * 1000000;
    struct proto_fault late;
    struct proto_fault away;
    proto_fault_set(&late, PROTO_DEADLINE, "deadline_ms",
                    "the write waited for its turn until its time was over");
    pthread_mutex_lock(&cluster->lock);
    bool over = cluster->look.state == CLUSTER_QUARANTINE;
    away_fault(cluster, &away);
    struct cluster_ticket *deadline =
        cluster_tickets_expire(&cluster->tickets, base_clock_now_ms(clock), 0);
    struct cluster_ticket *old = cluster_tickets_expire(&cluster->tickets, INT64_MIN,
                                                        now_ns > most_ns ? now_ns - most_ns : 0);
    pthread_mutex_unlock(&cluster->lock);
    cluster_tickets_fail(deadline, &late);
    cluster_tickets_fail(old, &away);
    if (over) {
        cluster_tickets_give_up(cluster, &away);
    }
}

static bool group_begin(struct cluster *cluster, struct cluster_group *group)
{
    pthread_mutex_lock(&cluster->lock);
    if (cluster->look.state != CLUSTER_FOLLOWING || cluster->tickets.first == NULL) {
        wait_a_turn(cluster, CLUSTER_TURN_MS);
    }
    group->count = cluster->look.state == CLUSTER_FOLLOWING
                       ? cluster_group_take(&cluster->tickets, group->tickets)
                       : 0;
    pthread_mutex_unlock(&cluster->lock);
    for (size_t i = 0; i < group->count; i++) {
        struct cluster_entry *entry = &group->entries[i];
        entry->payload = store_batch_payload(group->tickets[i]->batch);
        memcpy(entry->id, group->tickets[i]->id, sizeof entry->id);
        cluster_digest(entry->payload, entry->digest);
    }
    return group->count > 0;
}

/* In the log: batches are not needed any more. Tickets may be gone already, applied. The batches
 * are taken out before the append, therefore. */
static void batches_free(struct cluster_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        store_batch_destroy(group->batches[i]);
    }
}

static void count_append(struct cluster *cluster, size_t entries, uint64_t spent_ns)
{
    pthread_mutex_lock(&cluster->lock);
    struct cluster_look *look = &cluster->look;
    look->appends++;
    look->appended += entries;
    look->append_ns_sum += spent_ns;
    look->append_ns_max = spent_ns > look->append_ns_max ? spent_ns : look->append_ns_max;
    pthread_mutex_unlock(&cluster->lock);
}

/* It is known that nothing is in the log: for another try, or refused for good. */
static void group_return(struct cluster *cluster, struct cluster_group *group,
                         const struct proto_fault *fault)
{
    bool wait = fault->code == PROTO_IO || fault->code == PROTO_NO_MEMORY;
    struct cluster_ticket *refused = NULL;
    pthread_mutex_lock(&cluster->lock);
    for (size_t i = 0; i < group->count; i++) {
        group->tickets[i]->batch = group->batches[i];
    }
    if (wait) {
        cluster_group_back(&cluster->tickets, group->tickets, group->count);
        wait_a_turn(cluster, AGAIN_MS);
    } else {
        for (size_t i = group->count; i > 0; i--) {
            struct cluster_ticket *ticket =
                cluster_pending_take(&cluster->tickets, group->tickets[i - 1]->id);
            ticket->next = refused;
            refused = ticket;
        }
    }
    pthread_mutex_unlock(&cluster->lock);
    cluster_tickets_fail(refused, fault);
}

static void append_log(struct cluster *cluster, const char *what, const struct proto_fault *fault)
{
    base_log(cluster->options.log, BASE_LOG_WARN, "cluster", "an append failed",
             BASE_FIELDS(base_field_text("outcome", what), base_field_error(fault->code),
                         base_field_text("reason", fault->message)));
}

/* Until it is known what came of it. */
static void group_append(struct cluster *cluster, struct cluster_group *group)
{
    struct cluster_log *log = &cluster->append_log;
    uint64_t begun_ns = base_clock_now_ns(&cluster->options.clock);
    bool again = false;
    for (size_t i = 0; i < group->count; i++) {
        group->batches[i] = group->tickets[i]->batch;
        group->tickets[i]->batch = NULL;
    }
    for (;;) {
        struct proto_fault fault = {.code = PROTO_OK};
        uint64_t last = 0;
        enum cluster_append outcome =
            log->append(log->context, group->entries, group->count, again, &last, &fault);
        if (outcome == CLUSTER_APPEND_DONE) {
            atomic_store(&cluster->acknowledged, last);
            cluster->failed.code = PROTO_OK;
            batches_free(group);
            count_append(cluster, group->count,
                         base_clock_now_ns(&cluster->options.clock) - begun_ns);
            cluster->apply_log.poke(cluster->apply_log.context);
            return;
        }
        cluster->failed = fault;
        append_log(cluster, outcome == CLUSTER_APPEND_UNKNOWN ? "unknown" : "not done", &fault);
        if (outcome == CLUSTER_APPEND_NOT_DONE) {
            group_return(cluster, group, &fault);
            return;
        }
        if (!cluster_goes_on(cluster)) {
            batches_free(group);
            return;
        }
        again = true;
        expire(cluster);
        pthread_mutex_lock(&cluster->lock);
        cluster->look.appends_again++;
        wait_a_turn(cluster, AGAIN_MS);
        pthread_mutex_unlock(&cluster->lock);
    }
}

void *cluster_append_run(void *context)
{
    struct cluster *cluster = context;
    (void)pthread_setname_np(pthread_self(), "appender");
    while (cluster_goes_on(cluster)) {
        expire(cluster);
        if (group_begin(cluster, cluster->group)) {
            group_append(cluster, cluster->group);
        }
    }
    return NULL;
}
