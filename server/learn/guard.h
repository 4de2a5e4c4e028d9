/* SPDX-License-Identifier: Apache-2.0 */
/* What the guard tells from values rather than from bins: numbers that count rows or are times, and
 * fields that are another one overwritten. Sets the verdicts of reports that leakage.h has made and
 * that are no leak yet.
 * Ownership: borrows all; names in reports are the schema's. Errors: PROTO_NO_MEMORY. Threads: as
 * the sample. Cost: a row fetched for each number field and 20,000 rows, and once for 10,000 rows.
 */
#ifndef LEARN_GUARD_H
#define LEARN_GUARD_H

#include "server/learn/leakage.h"
#include "server/learn/sample.h"

/* accounts: rows of the part to learn from, one of each account. */
bool learn_guard_values(struct learn_sample *sample, const struct learn_subset *accounts,
                        struct learn_field_report *reports, size_t count,
                        struct proto_fault *fault);

#endif
