/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions as a stream of changes, in any order, some of them late, repeated or taken back,
 * folded into the subscriptions that measures read.
 *
 * A change has the id that its source gave it: the same id twice counts once (the one known first).
 * A change that retracts names the id of another, which then was never there, whichever of the two
 * came first; a retraction cannot be taken back. `known_ms` lets an earlier figure be had again:
 * what was known later is left out. Within a subscription changes stand in the order of true time,
 * then of id. Set: from then on so much for a term, a start too. End: it stops. Cancel: the end was
 * said. Pause and resume: as named. A change that makes no sense where it stands (an end of what
 * does not run) changes nothing.
 *
 * Shapes: `subscription` is any number that the caller gave. Ownership: the result is the caller's,
 * free(). Errors: NO_MEMORY. Threads: pure. Cost: n log n. Source: docs/methods/mrr.md. */
#ifndef MEASURE_CHANGE_H
#define MEASURE_CHANGE_H

#include "server/measure/spell.h"

enum measure_change_kind {
    MEASURE_CHANGE_SET,
    MEASURE_CHANGE_END,
    MEASURE_CHANGE_CANCEL,
    MEASURE_CHANGE_PAUSE,
    MEASURE_CHANGE_RESUME,
    MEASURE_CHANGE_RETRACT
};

struct measure_change {
    uint64_t id;
    uint64_t retracts; /* of a RETRACT: the id that it takes back */
    uint32_t account;
    uint32_t subscription;
    enum measure_change_kind kind;
    uint32_t term_months; /* of a SET */
    int64_t amount;       /* of a SET, for a term */
    int64_t true_ms;
    int64_t known_ms;
};

/* What is known up to known_ms (MEASURE_NEVER: all) as *count subscriptions, one for each stretch
 * of one amount. NULL with *fault. */
struct measure_subscription *measure_changes_fold(const struct measure_change *changes,
                                                  size_t change_count, int64_t known_ms,
                                                  size_t *count, struct proto_fault *fault);

#endif
