/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind accounts: their source records, and the identity entries that made them one
 * (docs/identity.md). Reading; entries are said through ingest.h.
 *
 * Shapes: entries are numbered from 1. Ownership: texts lie in what the worker's view holds, until
 * that is refreshed. Errors: PROTO_NOT_FOUND, PROTO_CORRUPT where something is damaged. Threads:
 * the worker's. Cost: a look-up for each record and each entry. */
#ifndef ENGINE_SOURCES_H
#define ENGINE_SOURCES_H

#include "server/engine/engine.h"
#include "server/identity/identity_entry.h"

/* How an entry counts now. */
enum engine_entry_state {
    ENGINE_ENTRY_STANDS,
    ENGINE_ENTRY_IDLE, /* a link or merge that stands and does not join: a split or never forbids */
    ENGINE_ENTRY_TAKEN, /* by an undo */
    ENGINE_ENTRY_GONE,  /* a record that it names was deleted, or it was damaged and given up */
};

struct engine_entry {
    struct identity_entry said;
    uint32_t number;
    int64_t time_ms;
    enum engine_entry_state state;
};

bool engine_entry(struct engine_worker *worker, uint32_t number, struct engine_entry *entry,
                  struct proto_fault *fault);
uint32_t engine_entries(const struct engine_worker *worker); /* so far */
/* Records that are part of an account of two or more; and all records. */
uint64_t engine_records_linked(const struct engine_worker *worker);
uint64_t engine_records(const struct engine_worker *worker);

/* Slots of the source records of an account, the one that gives its id first; *count 0: it is one
 * record alone. */
bool engine_sources(struct engine_worker *worker, uint32_t slot,
                    uint32_t slots[PROTO_IDENTITY_SOURCES_MAX], uint32_t *count,
                    struct proto_fault *fault);
/* The source record that a name means: of the account of the slot the one with that id or key, of
 * an address the first. The slot itself where it is one record alone; ENGINE_NO_SLOT with *fault.
 */
uint32_t engine_source_find(struct engine_worker *worker, uint32_t slot,
                            const struct engine_name *name, struct proto_fault *fault);
/* Any record, source records of others included, and the newest entry that names it. */
bool engine_source_record(struct engine_worker *worker, uint32_t slot,
                          struct feature_record *record, uint32_t *newest,
                          struct proto_fault *fault);
/* Entries that name the records of the account of the slot, each once, the newest first; at most
 * `most`, *count says how many. */
bool engine_entries_of(struct engine_worker *worker, uint32_t slot, uint32_t *numbers, size_t most,
                       size_t *count, struct proto_fault *fault);

#endif
