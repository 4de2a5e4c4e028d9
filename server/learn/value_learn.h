/* SPDX-License-Identifier: Apache-2.0 */
/* Learns the second scorecard (value_card.h) from the rows that had the outcome and have a value
 * above 0: on the part to learn from, looked at once on the part held out, and then on all of them
 * with the same settings. Where the lower end of the 95 % interval of the gain is not above 0 the
 * model is the mean.
 *
 * Ownership: borrows; the JSON is returned, json_decref. Errors: PROTO_BAD_FIELD of `value` with
 * fewer than LEARN_VALUE_ROWS_MIN such rows, and those of sample.h. Threads: one at a time. Cost:
 * that of value_fit.h, twice. */
#ifndef LEARN_VALUE_LEARN_H
#define LEARN_VALUE_LEARN_H

#include "server/learn/groups.h"
#include "server/learn/value_card.h"

#define LEARN_VALUE_ROWS_MIN 40
#define LEARN_VALUE_HELD_OUT_MIN 10 /* of these, held out */
#define LEARN_VALUE_FOLDS 5

struct learn_value_asking {
    struct learn_sample *sample;
    const struct learn_groups *groups;
    const struct learn_subset *all, *learned, *held_out;
    const struct feature_codebook *codebook;
    uint16_t field_id;
    uint64_t seed;
};

/* note: a warning for people, "" if there is none. */
json_t *learn_value_learn(const struct learn_value_asking *asking, char *note, size_t note_bytes,
                          struct proto_fault *fault);

#endif
