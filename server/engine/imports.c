/* SPDX-License-Identifier: Apache-2.0 */
/* Each batch of the log is looked through for the command that says of which import it is; most
 * have none. A batch that is no run of commands ends the reading as damage. */
#include "server/engine/imports.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/engine/engine_create.h"
#include "server/store/command.h"
#include "server/store/dump.h"

struct reading {
    struct engine_imports *imports;
    struct proto_span id; /* empty: all */
    bool (*goes_on)(void *context, struct proto_fault *fault);
    void *context;
    struct proto_fault *fault;
    uint64_t batches;
    bool failed;
};

/* What a batch says of itself. */
struct batch {
    struct proto_span import, more, author;
    enum store_import_word word;
    uint64_t accounts, events;
};

bool engine_import_seq_add(uint64_t **list, size_t *count, size_t *room, uint64_t seq,
                           struct proto_fault *fault)
{
    if (*count == *room) {
        size_t wanted = *room == 0 ? 64 : *room * 2;
        uint64_t *grown = realloc(*list, wanted * sizeof *grown);
        if (grown == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu batches", wanted);
        }
        *list = grown;
        *room = wanted;
    }
    (*list)[(*count)++] = seq;
    return true;
}

static bool batch_read(struct proto_span text, struct batch *batch, struct proto_fault *fault)
{
    struct store_command command;
    struct proto_fault why = {.code = PROTO_OK};
    *batch = (struct batch){.accounts = 0};
    for (size_t at = 0; store_command_next(text, &at, &command, &why);) {
        if (command.kind == STORE_COMMAND_IMPORT && command.version < STORE_IMPORT_WORDS) {
            batch->import = command.text;
            batch->more = command.extra;
            batch->word = (enum store_import_word)command.version;
        } else if (command.kind == STORE_COMMAND_AUTHOR) {
            batch->author = command.text;
        }
        batch->accounts += command.kind == STORE_COMMAND_PUT || command.kind == STORE_COMMAND_PATCH;
        batch->events += command.kind == STORE_COMMAND_EVENT;
    }
    if (why.code != PROTO_OK) {
        *fault = why;
    }
    return why.code == PROTO_OK;
}

static void text_keep(char *to, size_t room, struct proto_span from)
{
    (void)snprintf(to, room, "%.*s", (int)from.bytes,
                   from.bytes > 0 ? (const char *)from.data : "");
}

/* The one of that id, the newest first, for batches of one follow each other; made if it is new. */
static struct engine_import *import_find(struct engine_imports *imports, struct proto_span id,
                                         struct proto_fault *fault)
{
    for (size_t i = imports->count; i > 0; i--) {
        if (proto_span_is(id, imports->list[i - 1].id)) {
            return &imports->list[i - 1];
        }
    }
    if (imports->count == PROTO_IMPORTS_MAX) {
        proto_fault_set(fault, PROTO_LIMIT, "", "the log has more than %d imports",
                        PROTO_IMPORTS_MAX);
        return NULL;
    }
    if (imports->count == imports->room) {
        size_t room = imports->room == 0 ? 32 : imports->room * 2;
        struct engine_import *list = realloc(imports->list, room * sizeof *list);
        if (list == NULL) {
            proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu imports", room);
            return NULL;
        }
        imports->list = list;
        imports->room = room;
    }
    struct engine_import *import = &imports->list[imports->count++];
    *import = (struct engine_import){.first_seq = 0};
    text_keep(import->id, sizeof import->id, id);
    return import;
}

static bool part_take(struct reading *reading, struct engine_import *import,
                      const struct batch *batch, uint64_t seq)
{
    struct engine_import_batches *batches = &reading->imports->batches;
    if (batch->word == STORE_IMPORT_PART) {
        import->batches++;
        import->accounts += batch->accounts;
        import->events += batch->events;
        return reading->id.bytes == 0 ||
               engine_import_seq_add(&batches->own, &batches->own_count, &batches->own_room, seq,
                                     reading->fault);
    }
    if (batch->word != STORE_IMPORT_UNDO || batch->more.bytes != sizeof seq) {
        return true;
    }
    import->undone_batches++;
    return reading->id.bytes == 0 ||
           (engine_import_seq_add(&batches->undo, &batches->undo_count, &batches->undo_room, seq,
                                  reading->fault) &&
            engine_import_seq_add(&batches->back, &batches->back_count, &batches->back_room,
                                  disk_get_u64(batch->more.data), reading->fault));
}

static void word_take(struct engine_import *import, const struct batch *batch,
                      const struct store_logged *logged)
{
    bool back = batch->word == STORE_IMPORT_UNDO || batch->word == STORE_IMPORT_UNDONE;
    if (!back) {
        import->last_seq = logged->seq;
        import->last_ms = logged->time_ms;
    }
    import->undone = batch->word == STORE_IMPORT_UNDONE || (import->undone && back);
    if (batch->word == STORE_IMPORT_BEGUN) {
        import->begun = true;
        import->done = false;
        text_keep(import->name, sizeof import->name, batch->more);
    } else if (batch->word == STORE_IMPORT_DONE) {
        import->done = true;
        text_keep(import->note, sizeof import->note, batch->more);
    }
}

static bool import_take(struct reading *reading, const struct batch *batch,
                        const struct store_logged *logged)
{
    struct engine_import *import = import_find(reading->imports, batch->import, reading->fault);
    if (import == NULL) {
        return false;
    }
    if (batch->word == STORE_IMPORT_BEGUN && import->undone) { /* anew */
        *import = (struct engine_import){.first_seq = 0};
        text_keep(import->id, sizeof import->id, batch->import);
    }
    if (import->first_seq == 0) {
        import->first_seq = logged->seq;
        import->first_ms = logged->time_ms;
        text_keep(import->author, sizeof import->author, batch->author);
    }
    word_take(import, batch, logged);
    return part_take(reading, import, batch, logged->seq);
}

/* A batch of another import than the one that is asked for. */
static bool other_take(struct reading *reading, const struct batch *batch, uint64_t seq)
{
    struct engine_import_batches *batches = &reading->imports->batches;
    return batch->word != STORE_IMPORT_UNDO || batch->more.bytes != sizeof seq ||
           (engine_import_seq_add(&batches->gone, &batches->gone_count, &batches->gone_room, seq,
                                  reading->fault) &&
            engine_import_seq_add(&batches->gone, &batches->gone_count, &batches->gone_room,
                                  disk_get_u64(batch->more.data), reading->fault));
}

static int seq_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool batch_take(void *context, const struct store_logged *logged)
{
    struct reading *reading = context;
    struct batch batch;
    bool good = batch_read(logged->text, &batch, reading->fault);
    if (good && batch.import.bytes > 0 && batch.import.bytes <= PROTO_IMPORT_BYTES_MAX) {
        good = reading->id.bytes == 0 || proto_span_equal(reading->id, batch.import)
                   ? import_take(reading, &batch, logged)
                   : other_take(reading, &batch, logged->seq);
    }
    if (good && ++reading->batches % 256 == 0 && reading->goes_on != NULL) {
        good = reading->goes_on(reading->context, reading->fault);
    }
    reading->failed = !good;
    return good;
}

bool engine_imports_read(struct engine *engine, struct proto_span id,
                         bool (*goes_on)(void *context, struct proto_fault *fault), void *context,
                         struct engine_imports *imports, struct proto_fault *fault)
{
    struct store *store = engine_store(engine);
    struct reading reading = {
        .imports = imports, .id = id, .goes_on = goes_on, .context = context, .fault = fault};
    *imports = (struct engine_imports){.oldest = store_log_floor(store, fault)};
    uint64_t after = imports->oldest > 0 ? imports->oldest - 1 : 0;
    bool good =
        store_log_read(store, after, UINT64_MAX, batch_take, &reading, fault) && !reading.failed;
    struct engine_import_batches *batches = &imports->batches;
    if (batches->gone_count > 0) {
        qsort(batches->gone, batches->gone_count, sizeof *batches->gone, seq_order);
    }
    return good;
}

void engine_imports_fini(struct engine_imports *imports)
{
    free(imports->list);
    free(imports->batches.own);
    free(imports->batches.back);
    free(imports->batches.undo);
    free(imports->batches.gone);
    *imports = (struct engine_imports){.count = 0};
}
