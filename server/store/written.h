/* SPDX-License-Identifier: Apache-2.0 */
/* When accounts were written last, for whoever keeps what he worked out of their records.
 * Ownership: borrows. Errors: none. Threads: any. Cost: a load. */
#ifndef STORE_WRITTEN_H
#define STORE_WRITTEN_H

#include "server/store/store.h"

/* The sequence of the newest commit since the store was opened that put, patched or deleted the
 * account of the slot or one near it, also of one that the view does not see yet; 0: none. What was
 * worked out of the record at a sequence not below it is as it was. */
uint64_t store_view_written(const struct store_view *view, uint32_t slot);

#endif
