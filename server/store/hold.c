/* SPDX-License-Identifier: Apache-2.0 */
/* The folder looks before each transaction: no other process, or one that reads the newest, and
 * all is well. Else the file is measured; an old snapshot is told to the log after a while, once,
 * what it holds up when it does, and that it is gone. */
#include "server/store/hold.h"

#include "server/disk/trunk.h"
#include "server/store/store_parts.h"

static const uint64_t told_after_ns = UINT64_C(10000000000);

static uint64_t age_s(const struct store_hold *hold)
{
    return (store_clock_ns() - hold->since_ns) / 1000000000;
}

/* What the log is told of one: messages are literals. */
#define HOLD_FIELDS(hold)                                                                          \
    BASE_FIELDS(base_field_uint("process", (uint64_t)(hold)->process),                             \
                base_field_uint("seconds", age_s(hold)),                                           \
                base_field_uint("file_bytes", (hold)->pages *DISK_PAGE_BYTES))

/* Nobody's any more, or another's. */
static void hold_end(struct store *store)
{
    struct store_hold *hold = &store->folder.hold;
    if (hold->told || hold->held) {
        base_log(store->options.log, BASE_LOG_INFO, "store",
                 "the old snapshot of another process is gone", HOLD_FIELDS(hold));
    }
    *hold = (struct store_hold){.process = 0};
}

static void hold_begin(struct store *store, const struct disk_reader *reader, uint64_t pages)
{
    store->folder.hold = (struct store_hold){.process = reader->process,
                                             .snapshot = reader->snapshot,
                                             .since_ns = store_clock_ns(),
                                             .pages_before = pages,
                                             .pages = pages};
}

static void hold_measure(struct store_hold *hold, uint64_t pages)
{
    uint64_t grew = pages > hold->pages ? pages - hold->pages : 0;
    hold->grew_most = grew > hold->grew_most ? grew : hold->grew_most;
    hold->pages = pages;
}

/* Whether one more transaction like the longest so far keeps within the bound. */
static bool has_room(const struct store *store)
{
    const struct store_hold *hold = &store->folder.hold;
    uint64_t least = store->tuning.hold_bytes == 0 ? STORE_HOLD_LEAST : store->tuning.hold_bytes;
    uint64_t most = hold->pages_before;
    most = most < least / DISK_PAGE_BYTES ? least / DISK_PAGE_BYTES : most;
    return disk_trunk_free(&store->env) + hold->grew_most <= most;
}

bool store_hold_admits(struct store *store, struct proto_fault *fault)
{
    struct store_hold *hold = &store->folder.hold;
    struct disk_reader reader;
    if (!disk_env_other_reader(&store->env, &reader) ||
        reader.snapshot >= atomic_load(&store->tables)) {
        hold_end(store);
        return true;
    }
    uint64_t pages = disk_env_pages(&store->env);
    if (reader.process != hold->process || reader.snapshot != hold->snapshot) {
        hold_end(store);
        hold_begin(store, &reader, pages);
    }
    hold_measure(hold, pages);
    bool held = !has_room(store);
    if (held && !hold->held) {
        base_log(store->options.log, BASE_LOG_WARN, "store",
                 "nothing is folded: another process reads an old snapshot", HOLD_FIELDS(hold));
    } else if (!hold->told && store_clock_ns() - hold->since_ns > told_after_ns) {
        hold->told = true;
        base_log(store->options.log, BASE_LOG_WARN, "store",
                 "another process reads an old snapshot: the file grows", HOLD_FIELDS(hold));
    }
    hold->held = held;
    return !held ||
           proto_fault_set(fault, PROTO_BUSY, "",
                           "process %lld has read one snapshot of the store for %llu s and keeps "
                           "its pages from being used again, so that nothing is folded into the "
                           "tables: end it, or let it go on",
                           (long long)hold->process, (unsigned long long)age_s(hold));
}
