/* SPDX-License-Identifier: Apache-2.0 */
/* The witness of the head: a small file beside the segments that is written after each group is on
 * disk, and never synced. After a power cut it may be older than the log and then says less; it is
 * never ahead of it. So a log that ends before it has lost entries that were acknowledged: without
 * it, sectors lost at the end look like the end that a crash left.
 *
 *   head.check   0 u64 check, of what follows   8 u64 last sequence   16 u64 check of that entry
 *
 * Whatever fails here is passed over: an old witness harms nothing. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "server/log/log_parts.h"

#define WITNESS_NAME "head.check"

enum { WITNESS_BYTES = 24 };

void log_witness_open(struct log *log)
{
    uint64_t words[WITNESS_BYTES / 8];
    log->witness = openat(log->folder, WITNESS_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (log->witness < 0 || pread(log->witness, words, sizeof words, 0) != (ssize_t)sizeof words) {
        errno = 0;
        return;
    }
    if (words[0] == XXH3_64bits_withSeed(words + 1, WITNESS_BYTES - 8, log->options.identity)) {
        log->witnessed = words[1];
        log->witnessed_check = words[2];
    }
}

bool log_witness_agrees(const struct log *log, uint64_t last, uint64_t chain,
                        struct proto_fault *fault)
{
    if (last > log->witnessed || (last == log->witnessed && chain == log->witnessed_check) ||
        log->witnessed == 0) {
        return true;
    }
    return proto_fault_set(fault, PROTO_CORRUPT, "log",
                           "the log ends with entry %" PRIu64 ", but entry %" PRIu64
                           " was acknowledged",
                           last, log->witnessed);
}

void log_witness_note(const struct log *log)
{
    uint64_t words[WITNESS_BYTES / 8] = {0, log_head(log), log->chain};
    words[0] = XXH3_64bits_withSeed(words + 1, WITNESS_BYTES - 8, log->options.identity);
    if (log->witness >= 0 &&
        pwrite(log->witness, words, sizeof words, 0) != (ssize_t)sizeof words) {
        errno = 0;
    }
}

void log_witness_close(struct log *log)
{
    if (log->witness >= 0) {
        close(log->witness);
    }
    log->witness = -1;
}
