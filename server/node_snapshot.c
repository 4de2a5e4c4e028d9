/* SPDX-License-Identifier: Apache-2.0 */
/* Seeding: the newest snapshot; where that is damaged, the one before. Writing: once a second the
 * thread looks whether the node follows and is far enough beyond the newest snapshot that it knows;
 * the directory then says whether another node was before it. */
#include "server/node_snapshot.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/backup/backup_restore.h"
#include "server/backup/backup_snapshot.h"
#include "server/base/thread.h"

enum { LOOK_MS = 1000, LATER_S = 60, SOON_S = 5, NICE = 10 };

struct node_snapshots {
    const struct base_config *config;
    struct store *store;
    struct cluster *cluster;
    struct base_log *log;
    struct base_clock clock;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t turn;
    _Atomic bool stopping;
    uint64_t newest;   /* of the snapshots, as it was known last; the thread's own */
    uint64_t after_ns; /* when to look again */
};

static bool store_is_there(const struct base_config *config)
{
    static const char *const names[] = {"data.mdb", "store.check"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char file[4200];
        snprintf(file, sizeof file, "%s/%s", config->data, names[i]);
        if (access(file, F_OK) == 0) {
            return true; /* whole or not: nothing is put over it */
        }
    }
    return false;
}

/* The newest snapshot before a sequence, by the names alone, and what is wrong with its ends, if
 * something is; PROTO_NOT_FOUND: there is none. */
static bool newest_before(const char *path, uint64_t before, uint64_t *seq, struct proto_fault *bad,
                          struct proto_fault *fault)
{
    struct backup_set set;
    bool found = false;
    if (!backup_set_open(&set, path, false, fault)) {
        return false;
    }
    for (size_t i = 0; i < set.count; i++) {
        if (strncmp(set.items[i].name, "base-", 5) == 0 && set.items[i].seq < before) {
            *seq = set.items[i].seq;
            *bad = set.items[i].fault;
            found = true;
        }
    }
    backup_set_close(&set);
    return found || proto_fault_set(fault, PROTO_NOT_FOUND, "cluster_snapshots",
                                    "there is no snapshot in %.200s", path);
}

bool node_snapshot_seed(const struct base_config *config, struct base_log *log,
                        struct proto_fault *fault)
{
    uint64_t seq = UINT64_MAX;
    struct proto_fault why = {.code = PROTO_OK};
    struct proto_fault bad = {.code = PROTO_OK};
    if (config->cluster_log[0] == '\0' || config->cluster_snapshots[0] == '\0' ||
        config->require_data || store_is_there(config)) {
        return true;
    }
    while (newest_before(config->cluster_snapshots, seq, &seq, &bad, &why)) {
        struct backup_restored restored;
        const struct backup_restore_options options = {.backups = config->cluster_snapshots,
                                                       .path = config->data,
                                                       .map_bytes = config->map_bytes,
                                                       .until = {seq, INT64_MAX}};
        if (bad.code == PROTO_OK && backup_restore(&options, &restored, &bad)) {
            base_log(log, BASE_LOG_INFO, "cluster", "the store is made of a snapshot",
                     BASE_FIELDS(base_field_uint("seq", restored.seq),
                                 base_field_uint("values", restored.entries)));
            return true;
        }
        base_log(log, BASE_LOG_ERROR, "cluster", "a snapshot cannot be used",
                 BASE_FIELDS(base_field_uint("seq", seq), base_field_error(bad.code),
                             base_field_text("reason", bad.message)));
        if (bad.code != PROTO_CORRUPT && bad.code != PROTO_NOT_FOUND) {
            break;
        }
    }
    if (bad.code != PROTO_OK ||
        why.code != PROTO_NOT_FOUND) { /* there are some, and none is good */
        const struct proto_fault *last = bad.code != PROTO_OK ? &bad : &why;
        return proto_fault_set(fault, last->code, "cluster_snapshots",
                               "no store can be made of the snapshots in %.200s: %s",
                               config->cluster_snapshots, last->message);
    }
    base_log(log, BASE_LOG_WARN, "cluster", "the node begins empty",
             BASE_FIELDS(base_field_text("reason", why.message)));
    return true;
}

static bool goes_on(void *context, double done, const char *stage)
{
    struct node_snapshots *snapshots = context;
    (void)done;
    (void)stage;
    return !atomic_load_explicit(&snapshots->stopping, memory_order_relaxed);
}

static void later(struct node_snapshots *snapshots, unsigned seconds)
{
    snapshots->after_ns =
        base_clock_now_ns(&snapshots->clock) + (uint64_t)seconds * UINT64_C(1000000000);
}

static void write_one(struct node_snapshots *snapshots)
{
    const struct base_config *config = snapshots->config;
    const struct backup_making making = {.store = snapshots->store,
                                         .path = config->cluster_snapshots,
                                         .now_ms = base_clock_now_ms(&snapshots->clock),
                                         .log = snapshots->log,
                                         .goes_on = goes_on,
                                         .context = snapshots};
    const struct backup_snapshot_rule rule = {config->cluster_snapshot_entries,
                                              (size_t)config->cluster_snapshots_kept};
    struct proto_fault fault = {.code = PROTO_OK};
    struct backup_snapshots found;
    if (backup_snapshot(&making, &rule, &found, &fault)) {
        snapshots->newest = found.newest;
        /* Before there are as many as wanted the log keeps what each would need. */
        cluster_keep(snapshots->cluster, found.count < rule.kept ? 0 : found.oldest, found.newest);
        return;
    }
    later(snapshots, fault.code == PROTO_LOCKED ? SOON_S : LATER_S);
    if (fault.code != PROTO_LOCKED && fault.code != PROTO_CANCELLED) {
        base_log(
            snapshots->log, BASE_LOG_ERROR, "cluster", "no snapshot was written",
            BASE_FIELDS(base_field_error(fault.code), base_field_text("reason", fault.message)));
    }
}

static bool is_due(struct node_snapshots *snapshots)
{
    struct cluster_look look;
    cluster_look(snapshots->cluster, &look);
    uint64_t every = snapshots->config->cluster_snapshot_entries;
    return look.state == CLUSTER_FOLLOWING && look.level && look.applied >= every &&
           look.applied - every >= snapshots->newest &&
           base_clock_now_ns(&snapshots->clock) >= snapshots->after_ns;
}

static void *snapshots_run(void *context)
{
    struct node_snapshots *snapshots = context;
    (void)pthread_setname_np(pthread_self(), "snapshots");
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* of a thread, on Linux */
    while (goes_on(snapshots, 0, "")) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += LOOK_MS / 1000;
        pthread_mutex_lock(&snapshots->lock);
        if (goes_on(snapshots, 0, "")) {
            (void)pthread_cond_timedwait(&snapshots->turn, &snapshots->lock, &until);
        }
        pthread_mutex_unlock(&snapshots->lock);
        if (goes_on(snapshots, 0, "") && is_due(snapshots)) {
            write_one(snapshots);
        }
    }
    return NULL;
}

bool node_snapshots_start(const struct base_config *config, struct store *store,
                          struct cluster *cluster, struct base_log *log,
                          struct node_snapshots **snapshots, struct proto_fault *fault)
{
    *snapshots = NULL;
    if (cluster == NULL || config->cluster_snapshots[0] == '\0' ||
        config->cluster_snapshot_entries == 0) {
        return true;
    }
    struct node_snapshots *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for snapshots");
    }
    made->config = config;
    made->store = store;
    made->cluster = cluster;
    made->log = log;
    made->clock = base_clock_system();
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->turn, &clock);
    pthread_condattr_destroy(&clock);
    if (base_thread_start(&made->thread, snapshots_run, made) != 0) {
        pthread_cond_destroy(&made->turn);
        pthread_mutex_destroy(&made->lock);
        free(made);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no thread for snapshots");
    }
    *snapshots = made;
    return true;
}

void node_snapshots_stop(struct node_snapshots *snapshots)
{
    if (snapshots == NULL) {
        return;
    }
    pthread_mutex_lock(&snapshots->lock);
    atomic_store(&snapshots->stopping, true);
    pthread_cond_signal(&snapshots->turn);
    pthread_mutex_unlock(&snapshots->lock);
    pthread_join(snapshots->thread, NULL);
    pthread_cond_destroy(&snapshots->turn);
    pthread_mutex_destroy(&snapshots->lock);
    free(snapshots);
}
