/* SPDX-License-Identifier: Apache-2.0 */
/* The engagement of one account (server/measure/engagement.h) at a moment, as its timeline tells
 * it: for who asks for it beside a score. Nothing is kept: it is worked out of the events each
 * time.
 *
 * Ownership: plain values. Errors: NOT_FOUND, BAD_FIELD for a definition of something else,
 * CORRUPT. Threads: the worker's. Cost: some 200 ns an event of the account. */
#ifndef LIFECYCLE_LIFECYCLE_ENGAGE_H
#define LIFECYCLE_LIFECYCLE_ENGAGE_H

#include "server/lifecycle/lifecycle.h"

struct lifecycle_engaged {
    struct measure_engaged sum;
    enum measure_band band;
    int64_t at_ms;
    char name[MEASURE_NAME_BYTES]; /* of the definition */
    uint32_t version;
};

/* The definition that a reference names; "usual" is the usual one. Faults without a field. */
bool lifecycle_engagement_find(const struct engine_state *state, struct proto_span reference,
                               struct measure_definition *definition, struct proto_fault *fault);
/* Above `most` events of the account it is refused (LIMIT); 0: never. */
bool lifecycle_engage(struct engine_worker *worker, uint32_t slot, int64_t at_ms,
                      const struct measure_definition *definition,
                      const struct lifecycle_as_of *as_of, uint32_t most,
                      struct lifecycle_engaged *engaged, struct proto_fault *fault);

#endif
