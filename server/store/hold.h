/* SPDX-License-Identifier: Apache-2.0 */
/* Another process that reads a snapshot of the tables and does not move on: stopped, asleep in a
 * debugger, or a copy that takes long (mdb_copy). LMDB uses no page again that such a snapshot may
 * look at, so that each fold makes the file longer, and nobody but that process can let go: LMDB
 * clears the readers of processes that have died, and to take the place of one that lives would
 * have it read pages of something else when it wakes.
 *
 *   file when it was seen    ░░░░░░░░░░░░░░░░░░
 *   file when folds are held ░░ in use ░░│▒▒▒▒ wait to be used again ▒▒▒▒   ▒ ≤ ░ of the line above
 *
 * So what waits is bounded: when with the next transaction more of it could wait than the whole
 * file had when the snapshot was first seen to be old, or than STORE_HOLD_LEAST, nothing is written
 * to the tables. Accounts that come meanwhile do not count. Writes go on into log and overlay, and
 * are answered busy where that is two thirds full, as while any fold fails, by a message that names
 * the process; reads go on; when the process has ended or moved on, folding goes on by itself. What
 * of the server itself reads an old snapshot is bounded by view_ms_max instead.
 *
 * Ownership: a plain value. Threads: the folder's own. Cost: a walk through LMDB's table of
 * readers, a few microseconds, and where there is such a process a walk through LMDB's list of free
 * pages. */
#ifndef STORE_HOLD_H
#define STORE_HOLD_H

#include <stdbool.h>
#include <stdint.h>

/* Less than this is not worth a word to anybody. */
#define STORE_HOLD_LEAST ((uint64_t)256 << 20)

struct store_hold {
    int64_t process; /* that has the oldest snapshot, if that is not the newest; 0: there is none */
    uint64_t snapshot;
    uint64_t since_ns;     /* when it was first seen so */
    uint64_t pages_before; /* of the file then */
    uint64_t pages;        /* of the file at the last look */
    uint64_t grew_most;    /* pages between two looks, since then */
    bool told;             /* the log knows of it */
    bool held;
};

#endif
