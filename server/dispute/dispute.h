/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile would change: who changes grade if another version were active (what_if.h). It
 * goes over all accounts by columns in memory, a number for each account (dispute_column.h), which
 * are worked out when they are first asked for and then kept up with commits: so that the second
 * question is a matter of milliseconds.
 *
 * Ownership: destroyed before its engine. Errors: PROTO_NO_MEMORY. Threads: create and destroy any;
 * questions on the thread of the lane SCAN alone. Cost: DISPUTE_COLUMNS columns of 4 bytes an
 * account at most. */
#ifndef DISPUTE_DISPUTE_H
#define DISPUTE_DISPUTE_H

#include "server/engine/worker.h"

struct dispute;

struct dispute *dispute_create(struct engine *engine, struct proto_fault *fault);
void dispute_destroy(struct dispute *dispute); /* NULL is fine */

#endif
