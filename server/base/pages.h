/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for large tables that are read at random: zeroed, given back whole, and on huge pages
 * where the machine has them, so that a probe costs no page walk (under a hypervisor a walk is
 * two-dimensional and costs as much as the memory itself).
 *
 * Shapes: bytes are rounded up to whole huge pages (2 MiB). Ownership: the caller's, to be given
 * back with the same bytes. Errors: NULL if there is none. Threads: safe. Cost: a system call;
 * pages are touched by whoever writes first. */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include <stddef.h>

#define BASE_HUGE_BYTES ((size_t)1 << 21)

void *base_pages_take(size_t bytes);
void base_pages_give(void *pages, size_t bytes); /* NULL is fine */

#endif
