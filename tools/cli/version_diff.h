/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two ICP documents, as JSON:
 *   { "label": [a, b], "where": [a, b],            if they differ
 *     "figures": [ { figure, a, b } … ],           population, outcomes, held-out accuracy
 *     "fields": [ { field, a, b } … ],             mean points by field, null where it has none;
 *                                                  those that differ most first
 *     "bins": [ { field, difference, bins: [ { bin, a, b, accounts } … ] } … ] }
 * difference is the mean distance of the points of a field's bins; fields without one are left out.
 * Bins of numbers are cut at the edges of both versions, so that each stretch has one number of
 * points in either; accounts are those of b in its bin, where it says them.
 * Ownership: returned, caller drops; NULL: no memory. Threads: pure. */
#ifndef CLI_VERSION_DIFF_H
#define CLI_VERSION_DIFF_H

#include "server/learn/support.h"

struct version_side {
    const json_t *document;
    const struct feature_codebook *codebook;
    const struct model_scorecard *scorecard;
    const struct learn_support *support; /* NULL: not said */
};

json_t *version_diff(const struct version_side *a, const struct version_side *b,
                     size_t fields_most);

#endif
