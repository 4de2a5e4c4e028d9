/* SPDX-License-Identifier: Apache-2.0 */
/* One ICP version as the engine knows it: its number at once, its document when it is asked for. So
 * a start costs what the active version costs, however many there are.
 *
 * Ownership: reference counted; a document that was opened lives as long as its version. Errors:
 * PROTO_CORRUPT for a document that is damaged, PROTO_BAD_DOCUMENT for one that fits no stored
 * schema: both for good; PROTO_NO_MEMORY and what a view gives, for this time. Threads: any. Cost:
 * a load once it is open; opening reads and parses the document, some milliseconds. */
#ifndef ENGINE_VERSION_H
#define ENGINE_VERSION_H

#include "server/engine/engine.h"

struct engine_version;

/* document (retained) may be NULL: it is opened when it is asked for. NULL: no memory. */
struct engine_version *engine_version_create(struct engine *engine, uint32_t number,
                                             struct learn_document *document);
/* One that can never be opened. */
struct engine_version *engine_version_broken(struct engine *engine, uint32_t number,
                                             const struct proto_fault *fault);
struct engine_version *engine_version_retain(struct engine_version *version); /* NULL is fine */
void engine_version_release(struct engine_version *version);                  /* NULL is fine */

/* Borrowed from the version; names are resolved by the schemas of `state`. */
struct learn_document *engine_version_open(struct engine_version *version,
                                           const struct engine_state *state,
                                           struct proto_fault *fault);
/* What is said of a version in a list of all: members name, created, label and evidence.holdout of
 * its document. Borrowed from the version, only to be read; NULL with *fault. Does not open the
 * document: parses its JSON the first time, some milliseconds. */
const json_t *engine_version_head(struct engine_worker *worker, uint32_t number,
                                  struct proto_fault *fault);
/* Whether a fault of these calls is of this time and not of the version: its answer is the fault.
 */
bool engine_version_passes(enum proto_error code);
/* Text to document by the newest schema that knows all its fields. */
struct learn_document *engine_version_parse(const struct engine_state *state, uint32_t number,
                                            struct proto_span text, struct proto_fault *fault);

#endif
