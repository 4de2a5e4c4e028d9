/* SPDX-License-Identifier: Apache-2.0 */
/* Finds a key that stands twice in one map. For the folder's own use: proto_read_any calls it.
 * Ownership: borrows; needs 40 KiB of stack and no heap. Threads: pure.
 * Cost: about 10 ns a key. Bounded on hostile input: the hash set gives up after 16 probes a key,
 * and a heap sort (n log n comparisons) takes its place. */
#ifndef PROTO_KEYS_H
#define PROTO_KEYS_H

#include "proto/span.h"

/* `body` begins at the first key of a map of `pairs` ≤ PROTO_MAP_KEYS_MAX pairs whose keys are
 * strings and whose form has been checked already. True if all keys differ; else *twice is one that
 * does not. */
bool proto_keys_differ(struct proto_span body, size_t pairs, struct proto_span *twice);

/* The same of keys that were gathered on the way; may put them in another order. */
bool proto_keys_all_differ(struct proto_span *keys, size_t count, struct proto_span *twice);

/* The two ways of it, for the tests: both give the same verdict. */
bool proto_keys_differ_sorted(struct proto_span *keys, size_t count, struct proto_span *twice);
enum proto_keys_verdict { PROTO_KEYS_DIFFER, PROTO_KEYS_TWICE, PROTO_KEYS_UNDECIDED };
enum proto_keys_verdict proto_keys_differ_hashed(const struct proto_span *keys, size_t count,
                                                 size_t probes_max, struct proto_span *twice);

#endif
