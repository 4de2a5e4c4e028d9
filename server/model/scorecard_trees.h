/* SPDX-License-Identifier: Apache-2.0 */
/* A scorecard of trees from its JSON: what scorecard_json.c hands over. The caller seals it; NULL
 * with *fault. */
#ifndef MODEL_SCORECARD_TREES_H
#define MODEL_SCORECARD_TREES_H

#include "server/model/scorecard.h"

struct model_scorecard *model_scorecard_trees(const json_t *json,
                                              const struct feature_codebook *codebook,
                                              struct proto_fault *fault);

#endif
