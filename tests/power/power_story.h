/* SPDX-License-Identifier: Apache-2.0 */
/* A run of the store whose every state can be told from a number: batches are submitted in order,
 * so a store that has seen m of them must hold just what the first m leave, whatever happened.
 * Accounts are put, patched and deleted, singly and in groups, with records from 100 bytes to
 * several pages; schemas, ICP versions, switches and lists come in between; codebooks change;
 * look-alike vectors are written and published; the limit of the tables is raised; the store is
 * closed, compacted and opened again; backups are made beside writes; events of all types are told
 * of accounts, whose timelines grow over several blocks; entries of a plan are added and signed.
 *
 * Ownership: a story owns what it remembers. Errors: while it is played, what fails ends the
 * process; of an image, the checks say what is wrong. Threads: one, beside the store's own. */
#ifndef TESTS_POWER_STORY_H
#define TESTS_POWER_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum story_kind {
    STORY_CREATION,
    STORY_SINGLE,
    STORY_MIXED,
    STORY_BULK,
    STORY_COMPACT,
    STORY_BACKUP,
    STORY_EVENTS,
    STORY_SIGNING,
    STORY_KINDS
};
const char *story_name(enum story_kind kind);

/* Notes that a story leaves in a trace. */
enum story_note {
    STORY_ASKED,
    STORY_ACKED,
    STORY_VECTORS_ASKED,
    STORY_VECTORS_ACKED,
    STORY_BACKED, /* a backup that reaches so far has ended */
    STORY_NOTES
};

struct story;
struct story *story_create(enum story_kind kind, uint64_t seed);
void story_destroy(struct story *story);
/* Plays it into an empty folder. */
void story_play(struct story *story, const char *path);

/* The highest number of each note before a cut. */
struct story_seen {
    uint64_t notes[STORY_NOTES];
};

/* Opens what a cut left, has it folded and closes it: what a start after a cut writes; and backs it
 * up again, if the story does. False: it cannot be done. */
bool story_recover(const struct story *story, const char *path);

enum story_verdict { STORY_GOOD, STORY_UNOPENABLE, STORY_LOST, STORY_WRONG, STORY_VERDICTS };
/* Opens what a cut left and compares; `again`: also writes, closes and opens once more. Says on
 * stderr what is wrong, unless `quiet`. */
enum story_verdict story_check(const struct story *story, const char *path,
                               const struct story_seen *seen, bool again, bool quiet);

#endif
