/* SPDX-License-Identifier: Apache-2.0 */
/* A write becomes a ticket and waits; three threads do the rest. What ends a node ends the threads
 * first, in the order of what waits for what, and then answers everybody who still waits. */
#include "server/cluster/cluster.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "server/base/thread.h"
#include "server/cluster/cluster_content.h"
#include "server/cluster/cluster_parts.h"

bool cluster_node_check(const char *name, struct proto_fault *fault)
{
    size_t bytes = strlen(name);
    size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    return (bytes > 0 && bytes <= CLUSTER_NODE_BYTES_MAX && good == bytes) ||
           proto_fault_set(fault, PROTO_BAD_CONFIG, "node",
                           "a node of a cluster needs a name of its own: 1 to %d letters, digits, "
                           "'-', '_' and '.'",
                           CLUSTER_NODE_BYTES_MAX);
}

static bool conditions_init(struct cluster *cluster)
{
    pthread_condattr_t clock;
    return pthread_condattr_init(&clock) == 0 &&
           pthread_condattr_setclock(&clock, CLOCK_MONOTONIC) == 0 &&
           pthread_mutex_init(&cluster->lock, NULL) == 0 &&
           pthread_cond_init(&cluster->arrived, &clock) == 0 &&
           pthread_cond_init(&cluster->landed, &clock) == 0 &&
           pthread_cond_init(&cluster->checker.turn, &clock) == 0 &&
           pthread_condattr_destroy(&clock) == 0;
}

static bool logs_make(struct cluster *cluster, struct proto_fault *fault)
{
    const struct cluster_options *options = &cluster->options;
    struct cluster_log_options log = {.where = options->where,
                                      .node = options->node,
                                      .goes_on = cluster_goes_on,
                                      .context = cluster,
                                      .seen = &cluster->seen};
    if (!options->make(&log, &cluster->append_log, fault)) {
        return false;
    }
    log.listens = true;
    return options->make(&log, &cluster->apply_log, fault);
}

static bool threads_start(struct cluster *cluster, struct proto_fault *fault)
{
    struct cluster_checker *checker = &cluster->checker;
    cluster->append_runs =
        base_thread_start(&cluster->append_thread, cluster_append_run, cluster) == 0;
    cluster->apply_runs =
        cluster->append_runs &&
        base_thread_start(&cluster->apply_thread, cluster_apply_run, cluster) == 0;
    checker->running =
        cluster->apply_runs && base_thread_start(&checker->thread, cluster_check_run, cluster) == 0;
    return checker->running ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no thread for the shared log");
}

struct cluster *cluster_create(const struct cluster_options *options, struct proto_fault *fault)
{
    struct cluster *cluster = calloc(1, sizeof *cluster);
    struct cluster_group *group = calloc(1, sizeof *group);
    if (cluster == NULL || group == NULL || !conditions_init(cluster)) {
        free(group);
        free(cluster);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the shared log");
        return NULL;
    }
    cluster->options = *options;
    cluster->group = group;
    atomic_init(&cluster->as_of_ns, INT64_MIN);
    if (getrandom(&cluster->tickets.incarnation, sizeof cluster->tickets.incarnation, 0) !=
        (ssize_t)sizeof cluster->tickets.incarnation) {
        proto_fault_set(fault, PROTO_IO, "", "the system gives no random numbers");
    } else if (cluster_node_check(options->node, fault) && logs_make(cluster, fault) &&
               threads_start(cluster, fault)) {
        return cluster;
    }
    cluster_stop(cluster);
    cluster_destroy(cluster);
    return NULL;
}

void cluster_stop(struct cluster *cluster)
{
    struct proto_fault fault;
    if (cluster == NULL) {
        return;
    }
    pthread_mutex_lock(&cluster->lock);
    atomic_store(&cluster->stopping, true);
    pthread_cond_broadcast(&cluster->arrived);
    pthread_cond_broadcast(&cluster->checker.turn);
    pthread_mutex_unlock(&cluster->lock);
    if (cluster->apply_log.poke != NULL) {
        cluster->apply_log.poke(cluster->apply_log.context);
    }
    if (cluster->append_runs) {
        pthread_join(cluster->append_thread, NULL);
    }
    if (cluster->apply_runs) {
        pthread_join(cluster->apply_thread, NULL);
    }
    if (cluster->checker.running) {
        pthread_join(cluster->checker.thread, NULL);
    }
    cluster->append_runs = cluster->apply_runs = cluster->checker.running = false;
    if (cluster->checker.view != NULL) { /* that the checker did not come to */
        store_view_close(cluster->checker.view);
        cluster->checker.view = NULL;
    }
    proto_fault_set(&fault, PROTO_SHUTTING_DOWN, "", "the node stops");
    cluster_tickets_give_up(cluster, &fault);
}

void cluster_destroy(struct cluster *cluster)
{
    if (cluster == NULL) {
        return;
    }
    if (cluster->append_log.close != NULL) {
        cluster->append_log.close(cluster->append_log.context);
    }
    if (cluster->apply_log.close != NULL) {
        cluster->apply_log.close(cluster->apply_log.context);
    }
    pthread_cond_destroy(&cluster->checker.turn);
    pthread_cond_destroy(&cluster->landed);
    pthread_cond_destroy(&cluster->arrived);
    pthread_mutex_destroy(&cluster->lock);
    free(cluster->group);
    free(cluster);
}

/* Whether one more may wait; with the lock held. */
static bool admits(struct cluster *cluster, size_t bytes, struct proto_fault *fault)
{
    const struct cluster_tickets *tickets = &cluster->tickets;
    size_t most = cluster->options.queue_bytes_max;
    if (!cluster_goes_on(cluster)) {
        return proto_fault_set(fault, PROTO_SHUTTING_DOWN, "", "the node stops");
    }
    if (cluster->look.state == CLUSTER_QUARANTINE) {
        return proto_fault_set(fault, PROTO_BUSY, "", "this node is in quarantine: %s",
                               cluster->look.reason);
    }
    /* Who has to wait for what has been away so long already, need not. */
    uint64_t now_ns = base_clock_now_ns(&cluster->options.clock);
    if (cluster->apart_ns != 0 &&
        now_ns - cluster->apart_ns > (uint64_t)CLUSTER_AWAY_MS * 1000000) {
        return proto_fault_set(fault, PROTO_BUSY, "", "this node is %s%s%s",
                               cluster_state_name(cluster->look.state),
                               cluster->look.reason[0] != '\0' ? ": " : "", cluster->look.reason);
    }
    /* One is taken whatever its size, or a large one could never pass. */
    return tickets->bytes == 0 || tickets->bytes + bytes <= most ||
           proto_fault_set(fault, PROTO_BUSY, "",
                           "%zu bytes of changes wait for the shared log, and %zu are the limit",
                           tickets->bytes, most);
}

bool cluster_submit(void *context, struct store_batch *batch,
                    void (*on_done)(void *done_context, const struct store_result *result),
                    void *done_context, struct proto_fault *fault)
{
    struct cluster *cluster = context;
    struct cluster_ticket *ticket = calloc(1, sizeof *ticket);
    if (ticket == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a submission");
    }
    *ticket = (struct cluster_ticket){.batch = batch,
                                      .bytes = store_batch_payload(batch).bytes,
                                      .on_done = on_done,
                                      .context = done_context,
                                      .queued_ns = base_clock_now_ns(&cluster->options.clock),
                                      .deadline_ms = store_batch_waits_until(batch)};
    pthread_mutex_lock(&cluster->lock);
    bool good = admits(cluster, ticket->bytes, fault);
    if (good) {
        cluster_ticket_add(&cluster->tickets, ticket);
        pthread_cond_signal(&cluster->arrived);
    }
    pthread_mutex_unlock(&cluster->lock);
    if (!good) {
        free(ticket);
    }
    return good;
}

bool cluster_found(const struct cluster_options *options, uint64_t *base, struct proto_fault *fault)
{
    const struct cluster_log_options where = {.where = options->where, .node = options->node};
    uint8_t content[CLUSTER_DIGEST_BYTES];
    struct cluster_log log;
    struct store_view *view = store_view_open(options->store, fault);
    if (view == NULL) {
        return false;
    }
    bool good = options->make(&where, &log, fault);
    *base = store_view_seq(view);
    if (good) {
        good = cluster_content(view, NULL, NULL, content, fault) &&
               log.found(log.context, *base, content, fault);
        log.close(log.context);
    }
    store_view_close(view);
    return good;
}
