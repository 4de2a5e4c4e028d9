/* SPDX-License-Identifier: Apache-2.0 */
/* One number for all that a store holds at a sequence, the same on every node that is sound: over
 * records and the source records behind them, and timelines, slot by slot, and over
 * documents and switches. What each node makes for itself (rows, vectors, the index) is not in it.
 *
 * Ownership: the view is the caller's. Errors: those of the store; PROTO_CANCELLED where goes_on()
 * says false. Threads: that of the view. Cost: all is read once, about 1 µs an account and 40 ns an
 * event. Source: XXH3-128 (xxHash), as a stream. */
#ifndef CLUSTER_CLUSTER_CONTENT_H
#define CLUSTER_CLUSTER_CONTENT_H

#include "server/cluster/cluster_log.h"
#include "server/store/store.h"

bool cluster_content(struct store_view *view, bool (*goes_on)(void *context), void *context,
                     uint8_t content[CLUSTER_DIGEST_BYTES], struct proto_fault *fault);

#endif
