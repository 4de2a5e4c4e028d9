/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the log share: a folder of its own, groups whose content follows from their
 * sequences, and calls of which one can be made to fail. Ownership: the fixture owns its folder and
 * its log. Errors: a step that must not fail ends the test. Threads: one, but for readers. */
#ifndef TESTS_LOG_FIXTURE_H
#define TESTS_LOG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/log/log_parts.h"

/* The calls of struct log_io, in order. */
enum log_call {
    CALL_OPEN,
    CALL_RENAME,
    CALL_UNLINK,
    CALL_PREAD,
    CALL_PWRITE,
    CALL_FTRUNCATE,
    CALL_FALLOCATE,
    CALL_FDATASYNC,
    CALL_FSYNC,
    CALL_COUNT
};

struct log_fixture {
    char path[64];
    struct log_options options;
    struct log *log;
    struct log_io io;
    uint64_t calls;            /* so far, all kinds */
    uint64_t made[CALL_COUNT]; /* so far, each kind */
    uint64_t fail_from;        /* number of the first call that fails; 0: none */
    uint64_t fail_count;       /* how many fail from there on */
    int fail_code;             /* errno; 0: a write or read is short, if it can be */
    unsigned fail_kinds;       /* bit of each kind that counts and fails; 0: all */
};

/* In memory where that can be had: thousands of small files, and no word about a disk. */
void log_fixture_init(struct log_fixture *fixture);
void log_fixture_init_in(struct log_fixture *fixture, const char *folder);
void log_fixture_fini(struct log_fixture *fixture);
void log_fixture_open(struct log_fixture *fixture);
void log_fixture_close(struct log_fixture *fixture);
/* As a process that is killed: nothing is written any more. */
void log_fixture_kill(struct log_fixture *fixture);
/* As when the power goes: what was never synced, the witness of the head, is gone too. */
void log_fixture_drop(struct log_fixture *fixture);
/* From the next call on. */
void log_fixture_fail(struct log_fixture *fixture, uint64_t after, uint64_t count, int code,
                      unsigned kinds);

/* Entries whose bytes follow from sequence and salt: `bytes` of payload each. */
bool log_fixture_append(struct log_fixture *fixture, size_t count, size_t bytes, uint8_t salt,
                        struct proto_fault *fault);
/* Reads everything after `after`; each entry must be as appended with that salt. Returns the last
 * sequence that was read. */
uint64_t log_fixture_read(struct log_fixture *fixture, uint64_t after, size_t bytes, uint8_t salt);

/* The file of the segment that begins with `first`. */
int log_fixture_file(const struct log_fixture *fixture, uint64_t first, int flags);
uint64_t log_fixture_length(const struct log_fixture *fixture, uint64_t first);
bool log_fixture_exists(const struct log_fixture *fixture, uint64_t first);
/* Flips one bit. */
void log_fixture_flip(const struct log_fixture *fixture, uint64_t first, uint64_t at, unsigned bit);
void log_fixture_put(const struct log_fixture *fixture, uint64_t first, uint64_t at,
                     const void *bytes, size_t count);

#endif
