/* SPDX-License-Identifier: Apache-2.0 */
/* A scorecard of trees from its JSON: what scorecard_json.c hands over. Shape: "trees" as in
 * trees.h and no "terms"; columns are those of the codebook.
 *
 * Ownership: borrows; returned, and the caller seals and destroys it. Errors: NULL with *fault,
 * PROTO_BAD_DOCUMENT with the path below "trees", or at "terms" where there are some;
 * PROTO_NO_MEMORY. Threads: pure. Cost: that of sealing the trees. */
#ifndef MODEL_SCORECARD_TREES_H
#define MODEL_SCORECARD_TREES_H

#include "server/model/scorecard.h"

struct model_scorecard *model_scorecard_trees(const json_t *json,
                                              const struct feature_codebook *codebook,
                                              struct proto_fault *fault);

#endif
