/* SPDX-License-Identifier: Apache-2.0 */
/* Entries are read in order, each is checked against the chain and given to the writer of the
 * store, many of which share a commit there; what came of each is told to whoever waits for it.
 *
 * Failing. The log goes away: it is opened again, and the store held against it anew (a primary
 * that was promoted must have what this node applied). An entry is not settled, for want of memory
 * or disk: what was given behind it is refused by the store as out of turn, and after a moment the
 * reading begins again where the store is. An entry that does not fit, or is damage: quarantine. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/cluster/cluster_parts.h"

enum { TRY_MS = 200, TELL_NS = 1000000000, WAIT_MS = 250 };

struct landing {
    struct cluster *cluster;
    uint64_t seq;
    int64_t time_ms;
    uint8_t id[CLUSTER_ID_BYTES];
};

/* All that was appended up to that moment of the steady clock is applied. It is known of a later
 * one perhaps, where the log's clock is behind this node's. */
static void current(struct cluster *cluster, int64_t as_of_ns)
{
    int64_t known_ns = atomic_load(&cluster->as_of_ns);
    while (as_of_ns > known_ns &&
           !atomic_compare_exchange_weak(&cluster->as_of_ns, &known_ns, as_of_ns))
        ;
}

/* A moment of the log's clock, as one of the steady clock; none to come, where the log is ahead. */
static int64_t steady_ns(const struct cluster *cluster, int64_t time_ms)
{
    const struct base_clock *clock = &cluster->options.clock;
    int64_t age_ms = base_clock_now_ms(clock) - time_ms;
    return (int64_t)base_clock_now_ns(clock) - (age_ms > 0 ? age_ms : 0) * 1000000;
}

/* On the writer's thread: the entry is on disk, or was not settled. */
static void landed(void *context, const struct store_result *result)
{
    struct landing *landing = context;
    struct cluster *cluster = landing->cluster;
    struct cluster_ticket *ticket = NULL;
    pthread_mutex_lock(&cluster->lock);
    if (result->settled) {
        ticket = cluster_pending_take(&cluster->tickets, landing->id);
        cluster->look.applied = landing->seq;
        cluster->look.entries++;
    } else if (cluster->local.code == PROTO_OK) {
        cluster->local = result->fault;
        cluster->local_seq = landing->seq;
    }
    pthread_mutex_unlock(&cluster->lock);
    if (result->settled) {
        current(cluster, steady_ns(cluster, landing->time_ms));
    }
    if (ticket != NULL) {
        ticket->on_done(ticket->context, result);
        cluster_ticket_free(ticket);
    }
    free(landing);
    pthread_mutex_lock(&cluster->lock);
    cluster->flying--;
    pthread_cond_signal(&cluster->landed);
    pthread_mutex_unlock(&cluster->lock);
}

/* Waits until at most so many entries are with the writer. */
static void flying_wait(struct cluster *cluster, size_t most)
{
    pthread_mutex_lock(&cluster->lock);
    while (cluster->flying > most) {
        (void)pthread_cond_wait(&cluster->landed, &cluster->lock);
    }
    pthread_mutex_unlock(&cluster->lock);
}

static bool local_failed(struct cluster *cluster)
{
    pthread_mutex_lock(&cluster->lock);
    bool failed = cluster->local.code != PROTO_OK;
    pthread_mutex_unlock(&cluster->lock);
    return failed;
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Gives a batch to the writer; while that is full, waits. */
static bool entry_submit(struct cluster *cluster, const struct cluster_logged *logged,
                         struct store_batch *batch, struct proto_fault *fault)
{
    struct landing *landing = malloc(sizeof *landing);
    if (landing == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for an entry");
    }
    *landing = (struct landing){.cluster = cluster, .seq = logged->seq, .time_ms = logged->time_ms};
    memcpy(landing->id, logged->id, sizeof landing->id);
    pthread_mutex_lock(&cluster->lock);
    cluster->flying++;
    pthread_mutex_unlock(&cluster->lock);
    while (!store_submit(cluster->options.store, batch, landed, landing, fault)) {
        if (fault->code != PROTO_BUSY || !cluster_goes_on(cluster)) {
            pthread_mutex_lock(&cluster->lock);
            cluster->flying--;
            pthread_mutex_unlock(&cluster->lock);
            free(landing);
            return false;
        }
        fault->code = PROTO_OK;
        sleep_ms(1);
    }
    return true;
}

/* The entry as it should be: the next, with its payload whole, and the chain that follows from what
 * was applied. */
static bool entry_fits(const struct cluster *cluster, const struct cluster_logged *logged,
                       uint8_t chain[CLUSTER_DIGEST_BYTES], struct proto_fault *fault)
{
    uint8_t digest[CLUSTER_DIGEST_BYTES];
    memcpy(chain, cluster->chain, CLUSTER_DIGEST_BYTES);
    if (logged->seq != cluster->taken + 1) {
        return proto_fault_set(fault, PROTO_CORRUPT, "log",
                               "entry %llu of the shared log follows entry %llu",
                               (unsigned long long)logged->seq, (unsigned long long)cluster->taken);
    }
    cluster_digest(logged->payload, digest);
    cluster_chain_next(chain, logged);
    if (memcmp(digest, logged->digest, sizeof digest) != 0) {
        return proto_fault_set(fault, PROTO_CORRUPT, "log",
                               "entry %llu of the shared log does not match its digest",
                               (unsigned long long)logged->seq);
    }
    return memcmp(chain, logged->chain, CLUSTER_DIGEST_BYTES) == 0 ||
           proto_fault_set(fault, PROTO_CORRUPT, "log",
                           "entry %llu of the shared log does not follow from those that this "
                           "node has applied",
                           (unsigned long long)logged->seq);
}

/* All is applied up to here, and nothing beyond: the moment to look at all of it, once what was
 * found the last time is told. */
static bool check_begin(struct cluster *cluster, struct proto_fault *fault)
{
    struct store_position position;
    flying_wait(cluster, 0);
    cluster->check_due = false;
    if (local_failed(cluster)) {
        return true;
    }
    store_position_get(cluster->options.store, &position);
    if (!cluster_check_vote(cluster, false, fault)) {
        return false;
    }
    cluster_check_begin(cluster, &position);
    return true;
}

static bool entry_take(void *context, const struct cluster_logged *logged)
{
    struct cluster *cluster = context;
    struct store_shared_entry entry = {
        .seq = logged->seq, .time_ms = logged->time_ms, .payload = logged->payload};
    uint8_t chain[CLUSTER_DIGEST_BYTES];
    if (!cluster_goes_on(cluster) || local_failed(cluster) ||
        !entry_fits(cluster, logged, chain, &cluster->read)) {
        return false;
    }
    memcpy(entry.id, logged->id, sizeof entry.id);
    memcpy(entry.chain, chain, sizeof entry.chain);
    struct store_batch *batch = store_batch_shared(&entry, &cluster->read);
    if (batch == NULL) {
        return proto_fault_within(&cluster->read, "entry %llu", (unsigned long long)logged->seq);
    }
    flying_wait(cluster, CLUSTER_FLIGHT_MOST);
    if (!entry_submit(cluster, logged, batch, &cluster->read)) {
        store_batch_destroy(batch);
        return false;
    }
    cluster->taken = logged->seq;
    memcpy(cluster->chain, chain, sizeof cluster->chain);
    uint64_t each = cluster->options.check_entries;
    cluster->check_due = each > 0 && logged->seq % each == 0;
    return !cluster->check_due; /* which is begun when the reading has ended */
}

static void quarantine(struct cluster *cluster, const struct proto_fault *fault)
{
    base_log(cluster->options.log, BASE_LOG_ERROR, "cluster", "this node is in quarantine",
             BASE_FIELDS(base_field_error(fault->code), base_field_text("at", fault->field),
                         base_field_text("reason", fault->message)));
    cluster_state_set(cluster, CLUSTER_QUARANTINE, fault->message);
}

static bool is_verdict(enum proto_error code)
{
    return code == PROTO_CORRUPT || code == PROTO_INTERNAL;
}

/* Something was not settled: all that flies lands, and the next reading begins at the store. */
static void local_recover(struct cluster *cluster)
{
    flying_wait(cluster, 0);
    pthread_mutex_lock(&cluster->lock);
    struct proto_fault fault = cluster->local;
    uint64_t seq = cluster->local_seq;
    cluster->local.code = PROTO_OK;
    pthread_mutex_unlock(&cluster->lock);
    if (is_verdict(fault.code)) {
        struct proto_fault why;
        proto_fault_set(&why, fault.code, fault.field, "entry %llu cannot be applied: %.150s",
                        (unsigned long long)seq, fault.message);
        quarantine(cluster, &why);
        return;
    }
    base_log(cluster->options.log, BASE_LOG_WARN, "cluster", "an entry has to be applied again",
             BASE_FIELDS(base_field_uint("seq", seq), base_field_error(fault.code),
                         base_field_text("reason", fault.message)));
    cluster_state_set(cluster, CLUSTER_JOINING, fault.message);
    sleep_ms(TRY_MS);
}

/* The log went away, or was never there. */
static void away(struct cluster *cluster, const struct proto_fault *fault)
{
    if (cluster_state_get(cluster) != CLUSTER_AWAY) {
        base_log(
            cluster->options.log, BASE_LOG_WARN, "cluster", "the shared log is away",
            BASE_FIELDS(base_field_error(fault->code), base_field_text("reason", fault->message)));
    }
    cluster_state_set(cluster, CLUSTER_AWAY, fault->message);
    cluster->apply_log.wait(cluster->apply_log.context, TRY_MS);
}

static void head_note(struct cluster *cluster, const struct cluster_head *head)
{
    pthread_mutex_lock(&cluster->lock);
    cluster->look.head = head->head;
    cluster->look.base = head->base;
    pthread_mutex_unlock(&cluster->lock);
    cluster->looked_ns = base_clock_now_ns(&cluster->options.clock);
}

static void join(struct cluster *cluster)
{
    struct cluster_log *log = &cluster->apply_log;
    struct cluster_head head;
    struct store_position position;
    struct proto_fault fault = {.code = PROTO_OK};
    flying_wait(cluster, 0);
    store_position_get(cluster->options.store, &position);
    enum cluster_join joined = cluster_join(cluster, &position, &head, &fault);
    if (joined == CLUSTER_JOIN_GOOD) {
        cluster->taken = position.seq;
        head_note(cluster, &head);
        if (cluster->options.on_log != NULL) {
            cluster->options.on_log(cluster->options.context, head.log);
        }
        pthread_mutex_lock(&cluster->lock);
        cluster->look.applied = position.seq;
        cluster->join_head = cluster->look.connects++ == 0 ? head.head : cluster->join_head;
        cluster->local.code = PROTO_OK;
        pthread_mutex_unlock(&cluster->lock);
        cluster_state_set(cluster, CLUSTER_FOLLOWING, "");
        base_log(cluster->options.log, BASE_LOG_INFO, "cluster", "following the shared log",
                 BASE_FIELDS(base_field_text("node", cluster->options.node),
                             base_field_uint("applied", position.seq),
                             base_field_uint("head", head.head)));
    } else if (joined == CLUSTER_JOIN_NEVER) {
        quarantine(cluster, &fault);
    } else if (joined == CLUSTER_JOIN_AHEAD) {
        cluster_state_set(cluster, CLUSTER_AHEAD, fault.message);
        log->wait(log->context, TRY_MS);
    } else {
        away(cluster, &fault);
    }
}

/* Once a second: where the log is, where this node is, and what the others hold. */
static bool tell(struct cluster *cluster, struct proto_fault *fault)
{
    struct cluster_log *log = &cluster->apply_log;
    uint64_t now_ns = base_clock_now_ns(&cluster->options.clock);
    struct cluster_look look;
    struct cluster_head head;
    if (now_ns - cluster->told_ns < TELL_NS) {
        return true;
    }
    cluster->told_ns = now_ns;
    cluster_look(cluster, &look);
    const struct cluster_node node = {.name = cluster->options.node,
                                      .seq = look.applied,
                                      .state = cluster_state_name(look.state),
                                      .reason = look.reason};
    if (!log->tell(log->context, &node, fault) || !log->look(log->context, &head, fault)) {
        return false;
    }
    head_note(cluster, &head);
    return look.state == CLUSTER_QUARANTINE || cluster_check_vote(cluster, true, fault);
}

/* A step of trimming what no snapshot needs; one that comes to nothing, for a node is behind, is
 * tried again after a second. */
static bool keep(struct cluster *cluster, struct proto_fault *fault)
{
    const struct cluster_log *log = &cluster->apply_log;
    uint64_t oldest = atomic_load(&cluster->keep);
    uint64_t now_ns = base_clock_now_ns(&cluster->options.clock);
    uint64_t base = cluster->kept;
    if (oldest <= cluster->kept || now_ns - cluster->kept_ns < TELL_NS) {
        return true;
    }
    if (!log->keep(log->context, oldest, &base, fault)) {
        return false;
    }
    cluster->kept_ns = base > cluster->kept ? 0 : now_ns;
    cluster->kept = base;
    return true;
}

/* One reading, and what there is to do around it. */
static void follow(struct cluster *cluster)
{
    struct cluster_log *log = &cluster->apply_log;
    struct proto_fault fault = {.code = PROTO_OK};
    size_t count = 0;
    int64_t began_ns = (int64_t)base_clock_now_ns(&cluster->options.clock);
    cluster->read.code = PROTO_OK;
    bool good = log->read(log->context, cluster->taken, atomic_load(&cluster->acknowledged),
                          CLUSTER_GROUP_MOST, entry_take, cluster, &count, &fault);
    if (local_failed(cluster)) {
        local_recover(cluster);
        return;
    }
    if (good && cluster->read.code != PROTO_OK) {
        fault = cluster->read;
        good = false;
    }
    good = good && (!cluster->check_due || check_begin(cluster, &fault)) &&
           cluster_check_vote(cluster, false, &fault) && tell(cluster, &fault) &&
           keep(cluster, &fault);
    if (!good && is_verdict(fault.code)) {
        flying_wait(cluster, 0);
        quarantine(cluster, &fault);
    } else if (!good) {
        away(cluster, &fault);
    } else if (count == 0) {
        flying_wait(cluster, 0);
        if (!local_failed(cluster)) {
            current(cluster, began_ns);
        }
        log->wait(log->context, WAIT_MS);
    }
}

/* Nothing is done any more, but that others may read so. */
static void rest(struct cluster *cluster)
{
    struct proto_fault ignored = {.code = PROTO_OK};
    (void)tell(cluster, &ignored);
    cluster->apply_log.wait(cluster->apply_log.context, WAIT_MS);
}

void *cluster_apply_run(void *context)
{
    struct cluster *cluster = context;
    (void)pthread_setname_np(pthread_self(), "applier");
    while (cluster_goes_on(cluster)) {
        switch (cluster_state_get(cluster)) {
        case CLUSTER_FOLLOWING:
            follow(cluster);
            break;
        case CLUSTER_QUARANTINE:
            rest(cluster);
            break;
        case CLUSTER_JOINING:
        case CLUSTER_AWAY:
        case CLUSTER_AHEAD:
            join(cluster);
            break;
        }
    }
    flying_wait(cluster, 0);
    return NULL;
}
