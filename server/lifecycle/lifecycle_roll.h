/* SPDX-License-Identifier: Apache-2.0 */
/* Who there is, by pages of slots, and which segment each account is in: what a question about all
 * accounts needs of their records, kept from one to the next. A page of the roll is made anew when
 * the store says that an account of it, or one near it, was written since (store_view_written).
 *
 * Shapes: pages of LIFECYCLE_PAGE_SLOTS; LIFECYCLE_ROLLS_MAX fields, the one asked longest ago
 * makes room. Ownership: a guest of the columns; what is given is copied. Errors: false without a
 * fault where it cannot be said (a damaged record, too many values, no memory): then records are
 * read, and whoever reads them says what is wrong; CANCELLED, DEADLINE with *fault. Threads: any,
 * one at a time. Cost: some 1 µs an account to make, 1 ns to give; 640 bytes a page. */
#ifndef LIFECYCLE_LIFECYCLE_ROLL_H
#define LIFECYCLE_LIFECYCLE_ROLL_H

#include "server/lifecycle/lifecycle_columns.h"
#include "server/lifecycle/lifecycle_segment.h"

#define LIFECYCLE_ROLLS_MAX 4

struct lifecycle_roll_page {
    uint64_t seq; /* of the view that it was read in; 0: not read */
    uint64_t living[LIFECYCLE_PAGE_SLOTS / 64];
    uint16_t segments[LIFECYCLE_PAGE_SLOTS]; /* numbers of names */
};

struct lifecycle_roll {
    struct lifecycle_roll_page *pages; /* every slot of the view */
    uint32_t count;
};
static inline bool lifecycle_roll_lives(const struct lifecycle_roll *roll, uint32_t slot)
{
    uint32_t at = slot % LIFECYCLE_PAGE_SLOTS;
    return (roll->pages[slot / LIFECYCLE_PAGE_SLOTS].living[at / 64] >> at % 64 & 1) != 0;
}

/* Of all accounts that the worker's view sees; names of segments are added to *names, which is
 * empty. field NULL: no segments. *done: it was to be had. */
bool lifecycle_roll_get(struct lifecycle_columns *columns, struct engine_worker *worker,
                        const struct engine_job *job, const struct feature_field *field,
                        struct lifecycle_roll *roll, struct lifecycle_names *names, bool *done,
                        struct proto_fault *fault);
void lifecycle_roll_fini(struct lifecycle_roll *roll);
/* Each account of the view in the order of arrival, without its record being read; *done: there is
 * a roll, and each() was called. each() returns false to end it. */
bool lifecycle_roll_walk(struct lifecycle_columns *columns, struct engine_worker *worker,
                         const struct engine_job *job, void *context,
                         bool (*each)(void *context, uint32_t slot, int64_t raw,
                                      struct proto_fault *fault),
                         bool *done, struct proto_fault *fault);

#endif
