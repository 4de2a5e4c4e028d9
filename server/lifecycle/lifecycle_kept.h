/* SPDX-License-Identifier: Apache-2.0 */
/* Movements of revenue kept from answer to answer: for the latest few requests the sums of each
 * page of columns (lifecycle_page.h), made anew only for pages that are not the ones they were made
 * of. So a request that was made before costs what was told since, not what was ever told.
 *
 * Kept are requests for all accounts as of now, without segments and without rates; whatever else
 * is asked, or stands in the way (a page that is not there, an account that cannot be read, several
 * currencies, a term that is not known, no subscription at all), is for who gathers everything and
 * says what is wrong. Shapes: LIFECYCLE_KEPT_MAX requests. Ownership: the guest of the columns,
 * with which it ends; pages are retained. Errors: *done false without a fault; CANCELLED, DEADLINE.
 * Threads: any, one at a time. Cost: some 0.3 µs a page of 256 accounts that is as it was, 100 µs
 * one that is not; 6 KiB a page and three years of months. */
#ifndef LIFECYCLE_LIFECYCLE_KEPT_H
#define LIFECYCLE_LIFECYCLE_KEPT_H

#include "server/lifecycle/lifecycle_columns.h"
#include "server/lifecycle/lifecycle_table.h"

#define LIFECYCLE_KEPT_MAX 4

/* Fills the result of run, or leaves it and says so. False with *fault. */
bool lifecycle_kept_mrr(struct lifecycle_run *run, bool *done, struct proto_fault *fault);

#endif
