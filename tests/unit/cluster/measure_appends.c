/* SPDX-License-Identifier: Apache-2.0 */
/* Appends to a shared log in PostgreSQL as fast as one node can, for tools/bench-cluster: usage:
 * measure_appends ADDRESS ENTRIES BYTES SECONDS. Prints entries a second, and microseconds an
 * append. The log is made if there is none. Threads: one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/cluster/cluster_log_pg.h"

static struct cluster_entry entries[CLUSTER_GROUP_MOST];

static void entries_make(size_t count, size_t bytes, uint8_t *payload, uint64_t *next)
{
    for (size_t i = 0; i < count; i++) {
        struct cluster_entry *entry = &entries[i];
        ++*next;
        memset(entry->id, 0, sizeof entry->id);
        memcpy(entry->id, next, sizeof *next);
        uint32_t own = (uint32_t)getpid();
        memcpy(entry->id + 8, &own, sizeof own);
        memcpy(payload, next, sizeof *next);
        entry->payload = (struct proto_span){payload, bytes};
        cluster_digest(entry->payload, entry->digest);
    }
}

static int fail(const struct proto_fault *fault)
{
    fprintf(stderr, "measure_appends: %s\n", fault->message);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: measure_appends ADDRESS ENTRIES BYTES SECONDS\n");
        return 64;
    }
    const struct cluster_log_options options = {.where = argv[1], .node = "measure"};
    const uint8_t nothing[CLUSTER_DIGEST_BYTES] = {0};
    size_t count = (size_t)strtoul(argv[2], NULL, 10);
    size_t bytes = (size_t)strtoul(argv[3], NULL, 10);
    uint64_t most_ns = (uint64_t)(strtod(argv[4], NULL) * 1e9);
    struct base_clock clock = base_clock_system();
    struct cluster_log log;
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t *payload = calloc(1, bytes + sizeof(uint64_t));
    if (payload == NULL || count == 0 || count > CLUSTER_GROUP_MOST ||
        !cluster_log_pg_make(&options, &log, &fault)) {
        free(payload);
        return fail(&fault);
    }
    if (!log.found(log.context, 0, nothing, &fault) && fault.code != PROTO_CONFLICT) {
        return fail(&fault);
    }
    uint64_t next = 0;
    uint64_t appends = 0;
    uint64_t begun_ns = base_clock_now_ns(&clock);
    uint64_t spent_ns = 0;
    for (; spent_ns < most_ns; spent_ns = base_clock_now_ns(&clock) - begun_ns, appends++) {
        uint64_t last;
        entries_make(count, bytes, payload, &next);
        if (log.append(log.context, entries, count, false, &last, &fault) != CLUSTER_APPEND_DONE) {
            return fail(&fault);
        }
    }
    printf("%.0f entries/s, %.0f us an append\n",
           (double)(appends * count) / ((double)spent_ns / 1e9),
           (double)spent_ns / 1e3 / (double)appends);
    log.close(log.context);
    free(payload);
    return 0;
}
