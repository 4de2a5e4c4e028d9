/* SPDX-License-Identifier: Apache-2.0 */
/* A small store with everything in it, its files in memory at two moments, and what it must answer
 * at the second.
 *
 * Accounts of two codebooks, deleted ones, timelines, histories, schemas, ICP versions, switches,
 * lists, operation ids, a generation of vectors and slots that changed since; half of them folded,
 * then changed again and left in the log, in several segments. The process ends without folding.
 * The first moment is that of an earlier, closed store: what a lost write leaves.
 *
 * Ownership: a world owns its directory and its images. Errors: a step that must not fail ends the
 * program. Threads: one beside the store's own. */
#ifndef DAMAGE_WORLD_H
#define DAMAGE_WORLD_H

#include "tests/unit/store/store_fixture.h"

enum { WORLD_FIRST = 300, WORLD_FOLDED = 340, WORLD_ACCOUNTS = 350, WORLD_FILES = 32 };
enum { WORLD_DOCUMENTS = 3, WORLD_LISTS = 2, WORLD_BLOCKS = 6, WORLD_BLOCK_BYTES = 3000 };

struct world_file {
    char name[64];  /* below the directory */
    uint8_t *bytes; /* as far as they mean something */
    size_t count;
    uint8_t *earlier; /* the same place at the first moment; zeros where there was nothing */
};

/* What an account's number was, in order. */
enum { WORLD_PASTS = 16 };
struct world_past {
    double numbers[WORLD_PASTS];
    int count;
};

struct world {
    struct fixture fixture;
    struct world_file files[WORLD_FILES];
    size_t file_count;
    double numbers[WORLD_ACCOUNTS];
    bool made[WORLD_ACCOUNTS];
    bool deleted[WORLD_ACCOUNTS];
    int events[WORLD_ACCOUNTS]; /* told of each, by numbers from 0 */
    struct world_past pasts[WORLD_ACCOUNTS];
    uint32_t generation; /* of the vectors */
    uint64_t vectors_seq;
    uint64_t operation_seq; /* of the batch with operation id "op-1" */
    uint8_t salts[2];
};

void world_make(struct world *world);
void world_free(struct world *world);
/* Writes every file as it was at the second moment. */
void world_restore(const struct world *world);
struct world_file *world_find(struct world *world, const char *name);

void world_text(char text[32], const char *prefix, int i);
/* One account with its key, as a command. */
void world_put(struct store_batch *batch, int i, double number);
/* The events of one account with the numbers from `from` on, as commands. */
void world_tell(struct store_batch *batch, int i, int from, int count);
/* A number became another, or the same. */
void world_past(struct world_past *past, double was, double now);
bool world_operation(struct store_batch *batch, int number);
void world_block(char bytes[WORLD_BLOCK_BYTES], uint32_t number);
/* The codebook that the store ends with. */
struct store_encoder world_encoder(struct world *world);

/* What the store says, from opening to opening again, in a child. */
enum damage_outcome {
    DAMAGE_NONE,      /* everything is right */
    DAMAGE_PART,      /* something is refused, all else right, and writing goes on */
    DAMAGE_WHOLE,     /* the opening is refused */
    DAMAGE_WRONG,     /* an answer that is not true */
    DAMAGE_POISONED,  /* what was answered is refused once damage was met, or a write is */
    DAMAGE_UNNOTICED, /* something is refused and the scrub found nothing */
    DAMAGE_CRASHED,
    DAMAGE_OUTCOMES
};
enum damage_outcome damage_look(struct world *world);
/* The timeline of account i, which must have so many events: right, refused or wrong. */
enum damage_outcome damage_timeline(struct store_view *view, int i, int count);
/* What it was before, likewise. */
enum damage_outcome damage_history(struct store_view *view, int i, const struct world_past *past);

/* What comes of a repair, in a child. */
enum repair_outcome {
    REPAIR_WHOLE, /* nothing was given up */
    REPAIR_PART,  /* something was, and was told */
    REPAIR_NONE,  /* nothing is left to go by: refused */
    REPAIR_BAD,   /* the repaired store is not as it must be, or the repair failed */
    REPAIR_OUTCOMES
};
enum repair_outcome damage_repair(struct world *world);

#endif
