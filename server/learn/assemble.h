/* SPDX-License-Identifier: Apache-2.0 */
/* From boosted tables in logits to the integer tables of a scorecard: centred, rounded to
 * millionths of a logit, terms that say nothing left out. Not sealed: calibration and reference are
 * still to come. NULL: no memory or more terms and entries than a scorecard holds. Threads: pure.
 */
#ifndef LEARN_ASSEMBLE_H
#define LEARN_ASSEMBLE_H

#include "server/learn/boost.h"
#include "server/learn/pairs.h"
#include "server/model/scorecard.h"

struct model_scorecard *learn_assemble(const struct learn_grid *grid,
                                       const struct learn_boost *mains,
                                       const struct learn_pairs *pairs, /* NULL: none */
                                       const struct learn_boost *pair_boost);

#endif
