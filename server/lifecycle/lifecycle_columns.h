/* SPDX-License-Identifier: Apache-2.0 */
/* Events kept as columns in memory, beside the timelines that they come from: pages of neighbouring
 * accounts (lifecycle_page.h), each made when somebody first asks a question that needs it, and
 * made anew of what was told since. They are a copy: nothing of them is stored, backed up or
 * repaired, and without them every answer is the same, only later.
 *
 * A page is used only for a view that sees its accounts as it has them: the store says of each slot
 * which commit told of it last (store_view_told). Pages are never older than the commit that the
 * view is of, or the timelines are read.
 *
 * Shapes: at most bytes_max in all; beyond, pages that are there stay and no other is made.
 * Ownership: create/destroy; a page that is given out is released by who got it. Errors:
 * NO_MEMORY of create; no page is no fault. Threads: any. Cost: a lock a page. Why in memory:
 * docs/decisions/event-columns.md. */
#ifndef LIFECYCLE_LIFECYCLE_COLUMNS_H
#define LIFECYCLE_LIFECYCLE_COLUMNS_H

#include "server/lifecycle/lifecycle_page.h"

struct lifecycle_columns;

struct lifecycle_columns *lifecycle_columns_create(size_t bytes_max, struct proto_fault *fault);
void lifecycle_columns_destroy(struct lifecycle_columns *columns); /* NULL is fine */

/* The page of that number as the worker's view sees it; NULL: read timelines, or *fault if whoever
 * asked gave up. An account that lifecycle_page_holds denies even so is to be read too. */
struct lifecycle_page *lifecycle_columns_page(struct lifecycle_columns *columns,
                                              struct engine_worker *worker,
                                              const struct engine_job *job, uint32_t number,
                                              struct proto_fault *fault);
/* What other files keep beside pages, each made when it is first asked for, and destroyed before
 * them. NULL: no memory. */
enum lifecycle_guest { LIFECYCLE_GUEST_KEPT, LIFECYCLE_GUEST_ROLLS, LIFECYCLE_GUESTS };
void *lifecycle_columns_guest(struct lifecycle_columns *columns, enum lifecycle_guest which,
                              void *(*create)(void), void (*destroy)(void *guest));
struct lifecycle_shapes *lifecycle_columns_shapes(struct lifecycle_columns *columns);
size_t lifecycle_columns_bytes(struct lifecycle_columns *columns);

#endif
