/* SPDX-License-Identifier: Apache-2.0 */
/* From boosted tables in logits to the integer tables of a scorecard: centred, rounded to
 * millionths of a logit, terms that say nothing left out. Not sealed: calibration and reference are
 * still to come. NULL: no memory or more terms and entries than a scorecard holds. Threads: pure.
 */
#ifndef ICP_ASSEMBLE_H
#define ICP_ASSEMBLE_H

#include "server/icp/boost.h"
#include "server/icp/pairs.h"
#include "server/model/scorecard.h"

struct model_scorecard *icp_assemble(const struct icp_grid *grid, const struct icp_boost *mains,
                                     const struct icp_pairs *pairs, /* NULL: none */
                                     const struct icp_boost *pair_boost);

#endif
