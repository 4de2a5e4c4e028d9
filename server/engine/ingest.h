/* SPDX-License-Identifier: Apache-2.0 */
/* Writes: accounts, schemas, ICP versions and what is active, checked and handed to the store. This
 * is the one way by which a request changes anything.
 *
 *   begin ─▶ put, patch, delete … ─▶ commit ─▶ on_done, once it is on disk
 *
 * What is committed together is stored whole or not at all. A document is one call. Rules of ids
 * and keys are those of identity/grammar.h; a schema or ICP document is parsed here, so that the
 * writer is not held up by one that is none.
 *
 * Ownership: an ingest is the caller's until it is committed or dropped; texts and values are
 * copied. Errors: PROTO_BAD_FIELD with the member as place (id, keys, source), PROTO_TOO_LARGE,
 * PROTO_NO_SCHEMA, PROTO_BAD_SCHEMA, PROTO_BAD_DOCUMENT, PROTO_NOT_FOUND, PROTO_BUSY,
 * PROTO_SHUTTING_DOWN, PROTO_NO_MEMORY; later, through on_done, those of the store. Threads: one
 * thread an ingest; on_done runs on the writer thread and must not block. Cost: about a µs an
 * account of twenty values. */
#ifndef ENGINE_INGEST_H
#define ENGINE_INGEST_H

#include "server/engine/engine.h"

struct engine_ingest;

/* An account as a caller gives it. */
struct engine_account {
    struct proto_span id;
    const struct proto_span *keys;
    size_t key_count;
    struct proto_span source;           /* of every value */
    const struct feature_value *values; /* by field id */
    size_t value_slots;
    const uint16_t *removed; /* of a patch: field ids to take away */
    size_t removed_count;
    bool create;     /* of a patch: an account that is not there is made */
    bool dated;      /* of a patch: the caller told when the values were true; what is stored of a
                        later time stays */
    int64_t time_ms; /* that time, of a dated patch */
};

/* What a write did. */
struct engine_written {
    struct proto_fault fault; /* code PROTO_OK on success */
    uint64_t seq;             /* log sequence that holds it */
    uint32_t count;           /* accounts put, patched or deleted */
    uint32_t created;         /* of them new */
    uint32_t version;         /* schema or ICP version that was stored or made active */
    uint32_t previous;        /* ICP version that was active before */
    bool repeated;            /* it was done before: what came of it then */
};

/* What holds for the whole of a write, and who is told, once, unless the call that was given it
 * returns false. */
struct engine_write {
    struct engine_operation operation;
    int64_t deadline_ms; /* wall clock by which its turn must have come; 0: none */
    void (*on_done)(void *context, const struct engine_written *written);
    void *context;
};

struct engine_ingest *engine_ingest_begin(struct proto_fault *fault);
void engine_ingest_drop(struct engine_ingest *ingest); /* NULL is fine */
/* After a fault the ingest can only be dropped. */
bool engine_ingest_put(struct engine_ingest *ingest, const struct engine_account *account,
                       struct proto_fault *fault);
bool engine_ingest_patch(struct engine_ingest *ingest, const struct engine_account *account,
                         struct proto_fault *fault);
bool engine_ingest_delete(struct engine_ingest *ingest, struct proto_span id,
                          struct proto_fault *fault);
/* An identity entry, as identity_entry.h; its ids may be keys of accounts. Author and reason are
 * kept with it. PROTO_BAD_FIELD with the member as place. */
struct identity_entry;
bool engine_ingest_identity(struct engine_ingest *ingest, const struct identity_entry *entry,
                            struct proto_fault *fault);
/* The same of an import of everything: as it was said then; gone: it counts for nobody. */
bool engine_ingest_identity_known(struct engine_ingest *ingest, int64_t time_ms,
                                  const struct identity_entry *entry, bool gone,
                                  struct proto_fault *fault);
/* An event, whose account is named by id or, if that is empty, by key; checked here (event_check)
 * by the clock, PROTO_BAD_FIELD with the member as place. */
struct event;
bool engine_ingest_event(struct engine_ingest *ingest, struct engine *engine, struct proto_span id,
                         struct proto_span key, const struct event *event,
                         struct proto_fault *fault);
/* The same of an import of everything: the event as it became known then. */
bool engine_ingest_event_known(struct engine_ingest *ingest, struct proto_span id,
                               const struct event *event, struct proto_fault *fault);
/* Of an import of everything: a new account as an encoded record that keeps its times, with groups
 * of its history (server/store/past.h) or NULL where that is not known; a document of the number
 * that it must get, or the ICP version that becomes the active one, as of a time in the past.
 * Checked by the caller as far as the store does not. */
bool engine_ingest_place(struct engine_ingest *ingest, struct proto_span record,
                         const struct proto_span *groups, struct proto_fault *fault);
struct store_document;
bool engine_ingest_document(struct engine_ingest *ingest, int64_t time_ms,
                            const struct store_document *document, struct proto_fault *fault);
bool engine_ingest_activate(struct engine_ingest *ingest, int64_t time_ms, uint32_t version,
                            struct proto_span reason, struct proto_fault *fault);
/* Of which import all of it is (server/engine/imports.h), behind what it does; or that one begins,
 * by a name, or all of it is stored, with what is to be said. */
enum engine_import_word { ENGINE_IMPORT_PART, ENGINE_IMPORT_BEGUN, ENGINE_IMPORT_DONE };
bool engine_ingest_import(struct engine_ingest *ingest, struct proto_span id,
                          enum engine_import_word word, struct proto_span more,
                          struct proto_fault *fault);
/* Takes the ingest, also when it fails. */
bool engine_ingest_commit(struct engine_ingest *ingest, struct engine *engine,
                          const struct engine_write *write, struct proto_fault *fault);

/* Whether the operation was applied, and what came of it: *written, repeated or not. Waits for the
 * writer's turn: not for a thread with an event loop. False with *fault: PROTO_CONFLICT, or the
 * store's. */
bool engine_operation_find(struct engine *engine, const struct engine_operation *operation,
                           struct engine_written *written, struct proto_fault *fault);
/* Gives author and operation, if there are any, to a batch that is complete otherwise. */
struct store_batch;
bool engine_operation_add(struct store_batch *batch, const struct engine_operation *operation,
                          struct proto_fault *fault);
/* A copy that outlives the request: the id goes into `id`, which has room for
 * PROTO_OPERATION_BYTES_MAX; one that is longer is left out. */
void engine_operation_keep(const struct engine_operation *operation, struct engine_operation *kept,
                           uint8_t *id);
/* Stores a document alone, with author and operation, and waits until it is on disk: not for a
 * thread with an event loop. *result is the store's; false with *fault. */
struct store_result;
bool engine_document_store(struct engine *engine, const struct store_document *document,
                           const struct engine_operation *operation, struct store_result *result,
                           struct proto_fault *fault);

/* Documents, checked against the state that the worker sees; which version they become is decided
 * by the writer, for others may be on their way. */
bool engine_schema_put(struct engine_worker *worker, struct proto_span text,
                       const struct engine_write *write, struct proto_fault *fault);
bool engine_icp_put(struct engine_worker *worker, struct proto_span text,
                    const struct engine_write *write, struct proto_fault *fault);
bool engine_icp_activate(struct engine_worker *worker, uint64_t version, struct proto_span reason,
                         const struct engine_write *write, struct proto_fault *fault);
/* Goes back to the version that was active before; a second one comes back. */
bool engine_icp_revert(struct engine_worker *worker, struct proto_span reason,
                       const struct engine_write *write, struct proto_fault *fault);

#endif
