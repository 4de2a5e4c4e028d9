/* SPDX-License-Identifier: Apache-2.0 */
/* The two meta pages of an LMDB file, examined before the file is trusted. They say where
 * everything is and carry no checksum: one flipped bit in a transaction number or a root, and LMDB
 * starts from an older state, or writes over pages in use, without a word.
 *
 * Checked by themselves: magic, page size, that the numbers of the two are neighbours and each in
 * its place, that the file is as long as they say. Checked against the witness, a small file that
 * is written after each commit and never synced (after a power cut it may be old or torn, and then
 * says nothing): every bit of the page in use. The other one is written next, and a write that
 * failed may have left it in any state: it is judged by itself alone.
 *
 *   store.check:  0 u64 check, over the rest    8 u64 newer transaction
 *                16 u64 hash of its meta page  24 u64 hash of the other one, for people
 *
 * Ownership: nothing. Errors: PROTO_CORRUPT, PROTO_IO. Threads: the opener, then the writer. Cost:
 * two reads and a write of a cached file, 3 µs a commit. Source: struct MDB_meta of LMDB 0.9. */
#ifndef DISK_META_H
#define DISK_META_H

#include "server/disk/layout.h"

/* fresh: there is no file yet, or nothing was ever committed to it. witness: descriptor of
 * store.check. */
bool disk_meta_check(const char *path, int witness, bool *fresh, struct proto_fault *fault);
/* The transaction that a witness tells of; 0: none, or it is torn. */
uint64_t disk_meta_witnessed(int witness);
/* Writes the witness of the file as it is now; best effort. */
void disk_meta_witness(int data, int witness);

#endif
