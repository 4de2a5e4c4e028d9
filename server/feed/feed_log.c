/* SPDX-License-Identifier: Apache-2.0 */
/* Batches taken apart into accounts that they touch, lists that they build, switches, segments. The
 * log can be damaged, and who asked can give up. */
#include "server/feed/feed_log.h"

#include <string.h>

#include "server/engine/engine_create.h"
#include "server/engine/segments.h"
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

static bool switches(const struct store_command *command)
{
    return command->kind == STORE_COMMAND_ACTIVATE || command->kind == STORE_COMMAND_REVERT ||
           (command->kind == STORE_COMMAND_ICP && command->activate);
}

static bool puts_segment(const struct store_command *command)
{
    return command->kind == STORE_COMMAND_SEGMENT;
}

/* What a batch has for all accounts. */
static struct feed_stretch batch_sweeps(const struct store_logged *logged)
{
    struct feed_stretch found = {.any = true};
    struct store_command command;
    struct proto_fault ignored = {.code = PROTO_OK};
    size_t at = 0;
    while (store_command_next(logged->text, &at, &command, &ignored)) {
        found.switches |= switches(&command);
        found.segments += puts_segment(&command);
        found.sweeps |= command.kind == STORE_COMMAND_SCHEMA;
    }
    found.sweeps |= found.switches || found.segments > 0;
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
    const struct feed_stretch all = batch_sweeps(logged);
    if (all.sweeps && stretch->any) {
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
    stretch->switches = all.switches;
    stretch->segments = all.segments;
    stretch->sweeps = all.sweeps;
    if (logged->seq % 1024 == 0 && !engine_scan_goes_on(reading->job, reading->fault)) {
        return fail(reading);
    }
    return !all.sweeps && stretch->id_count < reading->limit;
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
struct switched {
    uint32_t before; /* version: the last one that was earlier */
    uint32_t same;   /* how many were made at that very time */
    uint32_t ties[8];
    int64_t time_ms;
};

static void switch_take(void *context, const struct engine_switch *change)
{
    struct switched *switched = context;
    if (change->time_ms < switched->time_ms) {
        switched->before = change->version;
    } else if (change->time_ms == switched->time_ms) {
        if (switched->same < sizeof switched->ties / sizeof *switched->ties) {
            switched->ties[switched->same] = change->version;
        }
        switched->same++;
    }
}

/* How many commands of a kind the batches from one on have that were written at the same time. */
struct ties {
    bool (*counts)(const struct store_command *command);
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
        ties->count += ties->counts(&command);
    }
    return true;
}

/* Of `same` that were made at the time of the stretch's first batch: *done are before it. */
static bool done_before(struct engine_worker *worker, const struct feed_stretch *stretch,
                        bool (*counts)(const struct store_command *command), uint32_t same,
                        uint32_t *done, struct proto_fault *fault)
{
    struct ties ties = {.counts = counts, .time_ms = stretch->first_ms};
    *done = 0;
    if (same > 0 && !store_log_read(engine_store(worker->engine), stretch->first - 1,
                                    engine_worker_seq(worker), tie_take, &ties, fault)) {
        return false;
    }
    *done = same > ties.count ? same - ties.count : 0;
    return true;
}

bool feed_active(struct engine_worker *worker, const struct feed_stretch *stretch, uint32_t *before,
                 uint32_t *now, struct proto_fault *fault)
{
    struct switched found = {.time_ms = stretch->first_ms};
    uint32_t most = sizeof found.ties / sizeof *found.ties;
    uint32_t done = 0;
    if (!engine_switches(worker, switch_take, &found, fault) ||
        !done_before(worker, stretch, switches, found.same, &done, fault)) {
        return false;
    }
    done = done < most ? done : most;
    *before = done > 0 ? found.ties[done - 1] : found.before;
    *now = stretch->switches && done < found.same && done < most ? found.ties[done] : *before;
    return true;
}

bool feed_segments(struct engine_worker *worker, const struct feed_stretch *stretch, size_t *before,
                   size_t *now, struct proto_fault *fault)
{
    const struct engine_segments *set = worker->state->segments;
    uint32_t earlier = 0; /* the number of the last one that was; any between are as old */
    uint32_t same = 0;
    uint32_t done = 0;
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        const struct engine_segment *segment = set->items[i];
        if (segment != NULL && segment->time_ms < stretch->first_ms) {
            earlier = (uint32_t)i + 1;
        }
        same += segment != NULL && segment->time_ms == stretch->first_ms;
    }
    bool good = done_before(worker, stretch, puts_segment, same, &done, fault);
    *before = (size_t)earlier + done;
    *now = *before + stretch->segments;
    return good;
}
