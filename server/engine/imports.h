/* SPDX-License-Identifier: Apache-2.0 */
/* Imports as the log tells of them: a client gives the batches of one import an id, says that it
 * begins and that all of it is stored, and so it can be listed and taken back (undo_job.h). What
 * the log does not hold any more is not known.
 *
 * Ownership: a list is the caller's, engine_imports_fini, also after a fault. Errors: PROTO_CORRUPT
 * for a log that is damaged, PROTO_NO_MEMORY, PROTO_LIMIT beyond PROTO_IMPORTS_MAX, what `goes_on`
 * says. Threads: any that may walk the base. Cost: 1 GB/s of log. */
#ifndef ENGINE_IMPORTS_H
#define ENGINE_IMPORTS_H

#include "server/engine/engine.h"

enum { ENGINE_IMPORT_NAME_BYTES = 256 };

struct engine_import {
    char id[PROTO_IMPORT_BYTES_MAX + 1];
    char name[ENGINE_IMPORT_NAME_BYTES]; /* what it is called, perhaps cut; empty: not told */
    char note[ENGINE_IMPORT_NAME_BYTES]; /* what was told at its end */
    char author[ENGINE_IMPORT_NAME_BYTES];
    int64_t first_ms, last_ms;
    uint64_t first_seq, last_seq;
    uint64_t batches, undone_batches;
    uint64_t accounts, events; /* tellings of them */
    bool begun;                /* the log has its beginning */
    bool done;                 /* all of it was stored */
    bool undone;               /* all of it that could be was taken back */
};

/* The batches of one import. */
struct engine_import_batches {
    uint64_t *own; /* sequences that told something, ascending */
    size_t own_count, own_room;
    uint64_t *back; /* of them, those that were taken back */
    size_t back_count, back_room;
    uint64_t *undo; /* sequences that took them back, ascending */
    size_t undo_count, undo_room;
    uint64_t
        *gone; /* batches of other imports that were taken back, and those that did, ascending */
    size_t gone_count, gone_room;
};

struct engine_imports {
    struct engine_import *list; /* in the order in which they began */
    size_t count, room;
    uint64_t oldest; /* sequence of the log that is kept */
    struct engine_import_batches batches;
};

/* All of them, or with an id that one with its batches. goes_on may be NULL. */
bool engine_imports_read(struct engine *engine, struct proto_span id,
                         bool (*goes_on)(void *context, struct proto_fault *fault), void *context,
                         struct engine_imports *imports, struct proto_fault *fault);
void engine_imports_fini(struct engine_imports *imports);
bool engine_import_seq_add(uint64_t **list, size_t *count, size_t *room, uint64_t seq,
                           struct proto_fault *fault);

#endif
