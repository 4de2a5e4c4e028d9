/* SPDX-License-Identifier: Apache-2.0 */
/* The log is read once: of each batch that is the import's, or of one that was taken back before,
 * every record gives a stamp for each source and time that its values have. The two lists are
 * sorted and then asked by halving. A batch that the log does not hold any more is nobody's. */
#include "server/engine/undo_known.h"

#include <stdlib.h>

#include "server/engine/engine_create.h"
#include "server/store/command.h"
#include "server/store/dump.h"

enum { VALUE_HEADER_BYTES = 16, VALUE_LENGTH_AT = 12 }; /* server/feature/record.h */

struct reading {
    struct engine_undo_known *known;
    bool (*goes_on)(void *context, struct proto_fault *fault);
    void *context;
    struct proto_fault *fault;
    uint64_t batches;
    bool failed;
};

static bool is_in(const uint64_t *list, size_t count, uint64_t wanted)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        low = list[middle] < wanted ? middle + 1 : low;
        high = list[middle] < wanted ? high : middle;
    }
    return low < count && list[low] == wanted;
}

static bool stamp_add(struct engine_undo_stamps *stamps, uint64_t stamp, struct proto_fault *fault)
{
    if (stamps->count == ENGINE_UNDO_STAMPS_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "",
                               "the import, or those that were taken back before, told more than "
                               "%llu accounts",
                               (unsigned long long)ENGINE_UNDO_STAMPS_MAX);
    }
    return engine_import_seq_add(&stamps->list, &stamps->count, &stamps->room, stamp, fault);
}

/* Values of a telling mostly have one source and time: those that repeat the one before are passed
 * over. */
static bool record_take(struct engine_undo_stamps *stamps, struct proto_span text,
                        struct proto_fault *fault)
{
    struct feature_record record;
    uint64_t before = 0;
    if (!feature_record_open(text, false, &record, fault)) {
        return false;
    }
    struct proto_span run = record.value_bytes;
    for (size_t at = 0; run.bytes - at >= VALUE_HEADER_BYTES;) {
        size_t bytes = disk_get_u32(run.data + at + VALUE_LENGTH_AT);
        if (bytes > run.bytes - at - VALUE_HEADER_BYTES) {
            break;
        }
        struct proto_span source = {NULL, 0};
        if (record.source_count > 0) {
            source = feature_record_source(&record, run.data[at + 3]);
        }
        uint64_t stamp =
            store_undo_stamp(record.id, source, (int64_t)disk_get_u64(run.data + at + 4));
        if (stamp != before && !stamp_add(stamps, stamp, fault)) {
            return false;
        }
        before = stamp;
        at += VALUE_HEADER_BYTES + bytes;
    }
    return true;
}

static bool batch_take(void *context, const struct store_logged *logged)
{
    struct reading *reading = context;
    const struct engine_import_batches *batches = reading->known->batches;
    bool own = is_in(batches->own, batches->own_count, logged->seq);
    struct engine_undo_stamps *stamps = own ? &reading->known->own : &reading->known->gone;
    struct store_command command;
    struct proto_fault why = {.code = PROTO_OK};
    if (++reading->batches % 256 == 0 && !reading->goes_on(reading->context, reading->fault)) {
        reading->failed = true;
        return false;
    }
    if (!own && !is_in(batches->gone, batches->gone_count, logged->seq)) {
        return true;
    }
    for (size_t at = 0; store_command_next(logged->text, &at, &command, &why);) {
        if ((command.kind == STORE_COMMAND_PUT || command.kind == STORE_COMMAND_PATCH) &&
            !record_take(stamps, command.text, &why)) {
            break;
        }
    }
    if (why.code != PROTO_OK) {
        *reading->fault = why;
        reading->failed = true;
    }
    return !reading->failed;
}

static int stamp_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void stamps_sort(struct engine_undo_stamps *stamps)
{
    if (stamps->count > 0) {
        qsort(stamps->list, stamps->count, sizeof *stamps->list, stamp_order);
    }
}

bool engine_undo_known_read(struct engine *engine, const struct engine_imports *imports,
                            bool (*goes_on)(void *context, struct proto_fault *fault),
                            void *context, struct engine_undo_known *known,
                            struct proto_fault *fault)
{
    struct store *store = engine_store(engine);
    struct reading reading = {
        .known = known, .goes_on = goes_on, .context = context, .fault = fault};
    *known = (struct engine_undo_known){.batches = &imports->batches};
    uint64_t floor = store_log_floor(store, fault);
    if (!store_log_read(store, floor > 0 ? floor - 1 : 0, UINT64_MAX, batch_take, &reading,
                        fault) ||
        reading.failed) {
        return false;
    }
    stamps_sort(&known->own);
    stamps_sort(&known->gone);
    return true;
}

void engine_undo_known_fini(struct engine_undo_known *known)
{
    free(known->own.list);
    free(known->gone.list);
    free(known->said);
    *known = (struct engine_undo_known){.batches = NULL};
}

enum store_whose engine_undo_whose(const struct engine_undo_known *known, uint64_t seq)
{
    const struct engine_import_batches *batches = known->batches;
    return is_in(batches->own, batches->own_count, seq)     ? STORE_WHOSE_IMPORT
           : is_in(batches->undo, batches->undo_count, seq) ? STORE_WHOSE_UNDO
           : is_in(batches->gone, batches->gone_count, seq) ? STORE_WHOSE_GONE
                                                            : STORE_WHOSE_OTHER;
}

static void say(struct engine_undo_known *known, uint64_t what)
{
    for (size_t i = 0; i < known->said_count; i++) {
        if (known->said[i] == what) {
            return;
        }
    }
    (void)engine_import_seq_add(&known->said, &known->said_count, &known->said_room, what,
                                &known->fault);
}

enum store_whose engine_undo_teller(struct engine_undo_known *known, uint64_t stamp)
{
    if (is_in(known->own.list, known->own.count, stamp)) {
        return STORE_WHOSE_IMPORT;
    }
    bool gone = is_in(known->gone.list, known->gone.count, stamp);
    say(known, stamp | STORE_UNDO_STAMP | (gone ? STORE_UNDO_BACK : 0));
    return gone ? STORE_WHOSE_GONE : STORE_WHOSE_OTHER;
}

void engine_undo_known_turn(struct engine_undo_known *known)
{
    known->said_count = 0;
    known->fault = (struct proto_fault){.code = PROTO_OK};
}

bool engine_undo_known_history(struct engine_undo_known *known, const struct store_history *history,
                               uint64_t begun, struct proto_fault *fault)
{
    for (size_t i = 0; i <= history->count; i++) {
        uint64_t seq = i < history->count ? history->list[i].seq : begun;
        enum store_whose whose = seq == 0 ? STORE_WHOSE_OTHER : engine_undo_whose(known, seq);
        if (whose != STORE_WHOSE_OTHER) {
            say(known, whose == STORE_WHOSE_IMPORT ? seq : seq | STORE_UNDO_BACK);
        }
    }
    if (known->fault.code != PROTO_OK) {
        *fault = known->fault;
        return false;
    }
    return true;
}
