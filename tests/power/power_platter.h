/* SPDX-License-Identifier: Apache-2.0 */
/* What a disk may hold when the power goes: the files as far as they were synced, and of everything
 * since then any part.
 *
 * Content. A file is blocks of 512 or 4096 bytes. After a cut each block holds what it held at its
 * last sync or after any write since, whatever became of its neighbours: writes are dropped, kept,
 * torn at a block, and overtake each other. Its length likewise. A sync of the file makes all of it
 * certain. Names: each change is there or not, whatever became of others, until its folder is
 * synced; with `orderly`, a change is there only with all that came before it, as on a journalling
 * file system. A block itself is never torn, nor harmed by a write to another: that is what disks
 * promise, and what LMDB and the log rest on.
 *
 * Ownership: the platter owns its content and borrows the trace. Errors: no memory, and folders
 * that cannot be written, end the process. Threads: one. Cost of an image: the files written to it.
 */
#ifndef TESTS_POWER_PLATTER_H
#define TESTS_POWER_PLATTER_H

#include "tests/power/power_trace.h"

/* What becomes of what was not synced. */
enum power_fate {
    POWER_DROPPED,  /* all of it is lost */
    POWER_KEPT,     /* all of it is there */
    POWER_ORDERED,  /* it is there up to some moment; what was under way is torn */
    POWER_MIXED,    /* each block for itself, of any moment */
    POWER_ONE_LOST, /* all but the blocks of one write */
    POWER_ONE_KEPT, /* nothing but the blocks of one write */
    POWER_FATES
};

struct power_cut {
    uint64_t seed;
    enum power_fate fate;
    unsigned block_bytes; /* 512 or 4096 */
    bool orderly;         /* names */
};

/* For controls: which syncs count for nothing. NULL: all count. */
typedef bool power_ignored(const char *name);

struct power_platter;
struct power_platter *power_platter_create(const struct power_trace *trace, power_ignored *ignored);
void power_platter_destroy(struct power_platter *platter);
/* Everything before operation `upto` has happened; never backwards. */
void power_platter_advance(struct power_platter *platter, size_t upto);
/* Writes what the disk holds if the power goes during operation `at` into `path`, which is a folder
 * without entries; advances to it. */
void power_platter_image(struct power_platter *platter, size_t at, const struct power_cut *cut,
                         const char *path);
/* Whether `path` holds just what the whole trace makes of it, but for files that `ignored` names.
 * On false, says why on stderr. */
bool power_platter_matches(struct power_platter *platter, const char *path, power_ignored *ignored);

#endif
