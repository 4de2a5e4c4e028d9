/* SPDX-License-Identifier: Apache-2.0 */
/* One file of a backup: a base (every entry of a store at one sequence) or a log (the batches after
 * one sequence up to another).
 *
 *   head, 64 bytes:   0 "ICPDBAK1"   8 u32 kind: 1 base, 2 log   12 u32 reserved (0)
 *                    16 u64 identity of the store   24 u64 after: sequence before the first batch,
 *                       0 for a base                32 u64 link of that batch   40 i64 made, ms
 *                    48 u64 reserved (0)            56 u64 XXH3 of bytes 0 … 55
 *   body: one zstd frame of records without padding
 *     entry   0 u8 1   1 u8 table   2 u16 0   4 u32 bytes   8 u64 key   16 value
 *     batch   0 u8 2   1 u8 0   2 u16 0   4 u32 bytes   8 u64 sequence   16 i64 time, ms
 *             24 u32 commands   28 u32 0   32 commands (docs/disk-format.md)
 *     end     0 u8 3, then 15 bytes of 0
 *   foot, 64 bytes:   0 "ICPDEND1"   8 u64 seq: the last one in it   16 u64 link of that batch
 *                    24 i64 its time, ms   32 u64 entries   40 u64 batches
 *                    48 u64 XXH3 of the body before compression   56 u64 XXH3 of bytes 0 … 55
 *
 * All numbers little-endian. A file is written under another name and gets its own once it is whole
 * and on disk: what has the right name and no foot was cut off later.
 *
 * Ownership: whoever opens ends it. Errors: sticky, told by each call; PROTO_CORRUPT, PROTO_IO,
 * PROTO_DISK_FULL, PROTO_NO_MEMORY. Threads: one at a time. Cost: zstd level 3, some 300 MB/s of
 * values in, 1 GB/s out; 2 MiB and the largest value. Source: zstd 1.5 (streaming). */
#ifndef BACKUP_FILE_H
#define BACKUP_FILE_H

#include "server/store/dump.h"

#define BACKUP_HEAD_BYTES 64
#define BACKUP_FOOT_BYTES 64
/* More than the longest value of a store: a batch in its log, or a block of vectors. */
#define BACKUP_VALUE_BYTES_MAX ((size_t)72 << 20)

enum backup_kind { BACKUP_BASE = 1, BACKUP_LOG = 2 };

struct backup_head {
    enum backup_kind kind;
    uint64_t identity;
    uint64_t after;
    uint64_t after_link;
    int64_t made_ms;
};

struct backup_foot {
    uint64_t seq;
    uint64_t link; /* 0: not known; the store has no batch at all */
    int64_t time_ms;
    uint64_t entries, batches;
    uint64_t digest;
};

struct backup_writer;
/* folder: descriptor of the directory. NULL with *fault. */
struct backup_writer *backup_writer_open(int folder, const struct backup_head *head,
                                         struct proto_fault *fault);
bool backup_write_entry(struct backup_writer *writer, const struct store_entry *entry,
                        struct proto_fault *fault);
bool backup_write_batch(struct backup_writer *writer, const struct store_logged *logged,
                        struct proto_fault *fault);
/* Counts, digest and, for a log, what is said of its last batch are filled in; for a base the
 * caller says seq, link and time. file_bytes: of the whole file. Frees the writer; on a fault
 * nothing is left of the file. */
bool backup_writer_finish(struct backup_writer *writer, struct backup_foot *foot, const char *name,
                          uint64_t *file_bytes, struct proto_fault *fault);
void backup_writer_abort(struct backup_writer *writer); /* NULL is fine */

/* Head and foot alone, checked. */
bool backup_peek(int folder, const char *name, struct backup_head *head, struct backup_foot *foot,
                 struct proto_fault *fault);

enum backup_got { BACKUP_GOT_FAULT, BACKUP_GOT_END, BACKUP_GOT_ENTRY, BACKUP_GOT_BATCH };
struct backup_record {
    struct store_entry entry;   /* borrowed until the next call */
    struct store_logged logged; /* likewise */
};
struct backup_reader;
struct backup_reader *backup_reader_open(int folder, const char *name, struct proto_fault *fault);
/* BACKUP_GOT_END: all was read, and digest, counts and length are as the foot says. */
enum backup_got backup_reader_next(struct backup_reader *reader, struct backup_record *record,
                                   struct proto_fault *fault);
void backup_reader_close(struct backup_reader *reader);

#endif
