/* SPDX-License-Identifier: Apache-2.0 */
/* What reading a store as entries and making one of them share. Threads: pure. */
#ifndef STORE_DUMP_PARTS_H
#define STORE_DUMP_PARTS_H

#include "server/store/dump.h"

/* The value matches its check, which is over table and key too. */
bool store_entry_good(const struct store_entry *entry);
/* Count and digest of a table are those of the state. */
bool store_sum_good(const struct disk_state *state, enum disk_table table,
                    const struct disk_sum *sum, struct proto_fault *fault);

#endif
