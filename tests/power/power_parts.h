/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of a story: what playing it (power_story.c) and judging what a cut left of it
 * (power_check.c) share: what was done, and what is written for a sequence number and an account.
 *
 * Ownership: a story owns its arrays. Errors: story_broken ends the process, for a story that
 * cannot be told proves nothing. Threads: one, beside the store's own. */
#ifndef TESTS_POWER_PARTS_H
#define TESTS_POWER_PARTS_H

#include <semaphore.h>

#include "server/store/store_parts.h"
#include "tests/power/power_plan.h"
#include "tests/power/power_story.h"

#define STORY_MAP_BYTES ((size_t)1 << 30)

enum { FIELDS = 5, ACCOUNTS = 400, BLOCK_BYTES = 5000, BLOCKS = 4 };

enum change { CHANGE_PUT, CHANGE_PATCH, CHANGE_DELETE, CHANGE_TELL };

struct step {
    uint64_t sequence;
    uint32_t account;
    enum change change;
    uint32_t events; /* of CHANGE_TELL */
};

enum document {
    DOCUMENT_NONE,
    DOCUMENT_SCHEMA,
    DOCUMENT_ICP,
    DOCUMENT_TAL,
    DOCUMENT_REVERT,
    DOCUMENT_TERM
};
struct story_document {
    const char *name;
    enum store_document_kind kind;
};
extern const struct story_document story_documents[]; /* by enum document; a revert is none */

struct story {
    enum story_kind kind;
    uint64_t random;
    struct step *steps;
    size_t step_count, step_room;
    uint8_t *documents; /* of each sequence, from 1 */
    uint64_t sequences, sequence_room;
    bool living[ACCOUNTS];   /* at the end of what was submitted */
    struct power_plan *plan; /* of a story that signs */
    struct store *store;
    sem_t done;
};

_Noreturn void story_broken(const char *what, const struct proto_fault *fault);
void *story_must(void *memory); /* itself, if it is there */

/* What is stored: of a field of an account, of a whole account or a patch of it, of a document, of
 * a block of vectors. The text needs room for 1,024 bytes, a block for BLOCK_BYTES. */
size_t story_text_make(uint64_t sequence, uint32_t account, unsigned field, char *text);
size_t story_record_make(uint64_t sequence, uint32_t account, bool whole, uint8_t *out,
                         size_t room);
/* An event by the batch that tells it and its place in there; its id lies in `id`. */
struct event;
struct event story_event_make(uint64_t sequence, uint32_t account, uint32_t place, char id[24]);
struct proto_span story_document_text(const struct story *story, enum document document,
                                      uint32_t number, char text[64]);
void story_block_fill(uint8_t *bytes, uint32_t generation, uint32_t number);

/* A story's backups: beside the store, within its folder, so that the same cut hits both. */
void story_backup_make(struct story *story, const char *path, bool full);
/* Continues what a cut left of them, for a store that is open. */
bool story_backup_continue(struct store *store, const char *path, uint64_t *reached,
                           struct proto_fault *fault);
/* Restores from what a cut left of them, to `restored`, a folder that is not there. */
bool story_backup_restore(const char *path, const char *restored, struct proto_fault *fault);

/* NULL with *fault. */
struct store *story_open(const char *path, size_t map_bytes, struct proto_fault *fault);
void story_encoder_set(struct store *store, uint64_t digest);

#endif
