/* SPDX-License-Identifier: Apache-2.0 */
/* Brings a store of format 1 up to the format of today, before it is used. Ownership: borrows.
 * Errors: PROTO_DISK_FULL, PROTO_IO, PROTO_CORRUPT, PROTO_NO_MEMORY; the store is then as it was.
 * Threads: the opener. Cost: a copy of the log that was kept, at most log_bytes_max. */
#ifndef STORE_UPGRADE_H
#define STORE_UPGRADE_H

#include "server/disk/txn.h"
#include "server/log/commit_log.h"

/* options: of the log that is to be made. */
bool store_upgrade(struct disk_env *env, const struct log_options *options,
                   struct proto_fault *fault);

#endif
