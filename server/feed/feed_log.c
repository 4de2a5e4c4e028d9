/* SPDX-License-Identifier: Apache-2.0 */
/* Batches taken apart into accounts that they touch, lists that they build and switches. The log
 * can be damaged, and who asked can give up. */
#include "server/feed/feed_log.h"

#include <string.h>

#include "server/engine/engine_create.h"
#include "server/engine/worker.h"
#include "server/identity/identity_entry.h"
#include "server/store/command.h"
#include "server/store/dump.h"

struct reading {
    struct engine_worker *worker;
    const struct engine_job *job;
    struct base_arena *arena;
    struct feed_stretch *stretch;
    size_t limit;
    struct proto_fault *fault;
    bool failed;
};

static bool grow(struct base_arena *arena, void **array, size_t bytes, size_t count, size_t *room)
{
    if (count < *room) {
        return true;
    }
    size_t more = *room * 2 + 256;
    void *grown = base_arena_array(arena, more, bytes);
    if (grown == NULL) {
        return false;
    }
    if (count > 0) {
        memcpy(grown, *array, count * bytes);
    }
    *array = grown;
    *room = more;
    return true;
}

static bool id_add(struct reading *reading, struct proto_span id)
{
    struct feed_stretch *stretch = reading->stretch;
    void *array = stretch->ids;
    if (id.bytes == 0) {
        return true;
    }
    uint8_t *copy = base_arena_take(reading->arena, id.bytes);
    bool good = copy != NULL && grow(reading->arena, &array, sizeof *stretch->ids,
                                     stretch->id_count, &stretch->id_room);
    stretch->ids = array;
    if (good) {
        memcpy(copy, id.data, id.bytes);
        stretch->ids[stretch->id_count++] = (struct proto_span){copy, id.bytes};
    }
    return good;
}

static bool list_add(struct reading *reading, uint32_t number)
{
    struct feed_stretch *stretch = reading->stretch;
    void *array = stretch->lists;
    bool good = grow(reading->arena, &array, sizeof *stretch->lists, stretch->list_count,
                     &stretch->list_room);
    stretch->lists = array;
    if (good) {
        stretch->lists[stretch->list_count++] = number;
    }
    return good;
}

static bool record_add(struct reading *reading, struct proto_span text)
{
    struct feature_record record;
    struct proto_fault ignored = {.code = PROTO_OK};
    return !feature_record_open(text, false, &record, &ignored) || id_add(reading, record.id);
}

/* What a command says of accounts; what changes nobody's values or keys is passed over. */
static bool command_take(struct reading *reading, const struct store_command *command)
{
    struct identity_entry said;
    switch (command->kind) {
    case STORE_COMMAND_PUT:
    case STORE_COMMAND_PATCH:
    case STORE_COMMAND_PLACE:
    case STORE_COMMAND_UNDO:
        return record_add(reading, command->text);
    case STORE_COMMAND_DELETE:
        return id_add(reading, command->text);
    case STORE_COMMAND_TAL:
    case STORE_COMMAND_LIST:
        return list_add(reading, command->version);
    case STORE_COMMAND_IDENTITY:
        return !identity_entry_decode(command->text, &said) ||
               (id_add(reading, said.ids[0]) && id_add(reading, said.ids[1]));
    default:
        return true;
    }
}

static bool sweeps(const struct store_command *command)
{
    return command->kind == STORE_COMMAND_ACTIVATE || command->kind == STORE_COMMAND_REVERT ||
           command->kind == STORE_COMMAND_SCHEMA ||
           (command->kind == STORE_COMMAND_ICP && command->activate);
}

static bool batch_sweeps(const struct store_logged *logged)
{
    struct store_command command;
    struct proto_fault ignored = {.code = PROTO_OK};
    size_t at = 0;
    bool found = false;
    while (!found && store_command_next(logged->text, &at, &command, &ignored)) {
        found = sweeps(&command);
    }
    return found;
}

static bool fail(struct reading *reading)
{
    reading->failed = true;
    return false;
}

static bool batch_take(void *context, const struct store_logged *logged)
{
    struct reading *reading = context;
    struct feed_stretch *stretch = reading->stretch;
    struct store_command command;
    struct proto_fault why = {.code = PROTO_OK};
    size_t at = 0;
    bool all = batch_sweeps(logged);
    if (all && stretch->any) {
        return false; /* it is the next page by itself */
    }
    if (!stretch->any) {
        stretch->first = logged->seq;
        stretch->first_ms = logged->time_ms;
    }
    while (store_command_next(logged->text, &at, &command, &why)) {
        if (!command_take(reading, &command)) {
            (void)proto_fault_set(reading->fault, PROTO_NO_MEMORY, "", "no memory for a page");
            return fail(reading);
        }
    }
    if (why.code != PROTO_OK) {
        *reading->fault = why;
        return fail(reading);
    }
    stretch->any = true;
    stretch->last = logged->seq;
    stretch->sweeps = all;
    if (logged->seq % 1024 == 0 && !engine_scan_goes_on(reading->job, reading->fault)) {
        return fail(reading);
    }
    return !all && stretch->id_count < reading->limit;
}

bool feed_stretch_read(struct engine_worker *worker, const struct engine_job *job, uint64_t since,
                       uint64_t last, size_t limit, struct base_arena *arena,
                       struct feed_stretch *stretch, struct proto_fault *fault)
{
    struct reading reading = {worker, job, arena, stretch, limit, fault, false};
    *stretch = (struct feed_stretch){.last = since};
    return since >= last || (store_log_read(engine_store(worker->engine), since, last, batch_take,
                                            &reading, fault) &&
                             !reading.failed);
}

/* Switches in the order in which they were made. */
struct switches {
    uint32_t before, now; /* versions: the last one that was earlier, and the first that was not */
    uint32_t earlier, same; /* how many were earlier, and at that very time */
    uint32_t ties[8];       /* of that time */
    int64_t time_ms;
};

static void switch_take(void *context, const struct engine_switch *change)
{
    struct switches *switches = context;
    if (change->time_ms < switches->time_ms) {
        switches->before = change->version;
        switches->earlier++;
    } else if (change->time_ms == switches->time_ms) {
        if (switches->same < sizeof switches->ties / sizeof *switches->ties) {
            switches->ties[switches->same] = change->version;
        }
        switches->same++;
    }
}

/* How many batches from `seq` on switch at that very time. */
struct ties {
    int64_t time_ms;
    uint32_t count;
};

static bool tie_take(void *context, const struct store_logged *logged)
{
    struct ties *ties = context;
    if (logged->time_ms != ties->time_ms) {
        return false;
    }
    struct store_command command;
    struct proto_fault ignored = {.code = PROTO_OK};
    size_t at = 0;
    while (store_command_next(logged->text, &at, &command, &ignored)) {
        ties->count += sweeps(&command) && command.kind != STORE_COMMAND_SCHEMA;
    }
    return true;
}

bool feed_active(struct engine_worker *worker, uint64_t seq, int64_t time_ms, bool switches,
                 uint32_t *before, uint32_t *now, struct proto_fault *fault)
{
    struct switches found = {.time_ms = time_ms};
    struct ties ties = {.time_ms = time_ms};
    if (!engine_switches(worker, switch_take, &found, fault) ||
        (found.same > 0 && !store_log_read(engine_store(worker->engine), seq - 1,
                                           engine_worker_seq(worker), tie_take, &ties, fault))) {
        return false;
    }
    uint32_t most = sizeof found.ties / sizeof *found.ties;
    uint32_t done = found.same > ties.count ? found.same - ties.count : 0;
    done = done < most ? done : most;
    *before = done > 0 ? found.ties[done - 1] : found.before;
    *now = switches && done < found.same && done < most ? found.ties[done] : *before;
    return true;
}
