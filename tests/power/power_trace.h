/* SPDX-License-Identifier: Apache-2.0 */
/* What a program did to a folder, call by call: every write, change of length, name and sync, in
 * the order in which the system took them, with what the program itself notes in between (what was
 * submitted, what was acknowledged).
 *
 * power_intercept.c stands between the program, LMDB included, and the C library: a program that is
 * linked with it has its calls recorded while a trace is on. Syncs are recorded and not done. What
 * it could miss (a call that is not intercepted, a writable map) is found by comparing the folder
 * with what the trace makes of it (power_platter.h).
 *
 * Ownership: the trace owns copies of all bytes. Errors: a call that the harness does not know ends
 * the process with its name. Threads: recording from any thread, one call at a time; the rest, one
 * thread. */
#ifndef TESTS_POWER_TRACE_H
#define TESTS_POWER_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POWER_NAME_BYTES 96

enum power_kind {
    POWER_WRITE,       /* bytes of a file */
    POWER_SIZE,        /* its length becomes `at` */
    POWER_SYNC,        /* of a file */
    POWER_CREATE,      /* name → file */
    POWER_RENAME,      /* name → to */
    POWER_UNLINK,      /* name */
    POWER_FOLDER,      /* name becomes a folder */
    POWER_SYNC_FOLDER, /* the names in a folder */
    POWER_NOTE,        /* the program's own: note, number */
};

struct power_op {
    enum power_kind kind;
    uint32_t file; /* POWER_NOTE: which note */
    uint64_t at;   /* POWER_NOTE: its number */
    size_t bytes;
    uint8_t *data;
    char name[POWER_NAME_BYTES]; /* below the recorded folder, which is "" */
    char to[POWER_NAME_BYTES];
};

struct power_trace {
    struct power_op *ops;
    size_t count, room;
    uint32_t files;
};

/* Records what happens below `root` from now on; root is an empty folder or does not exist. */
void power_record_begin(struct power_trace *trace, const char *root);
void power_record_end(void);
void power_note(uint32_t note, uint64_t number);
void power_trace_fini(struct power_trace *trace);
/* Syncs are left out although nothing is recorded: for programs that look at images. */
void power_syncs_leave_out(bool on);

#endif
