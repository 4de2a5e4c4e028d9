/* SPDX-License-Identifier: Apache-2.0 */
/* A version of the profile as one HTML page without scripts: does it predict, how well its chances
 * hold, what each field adds and how many accounts say so, segments, what was disputed and what
 * came of it, whether it still holds, how a profile written by hand does beside it, what was
 * refused. Each section begins with its answer, each
 * picture stands beside the table of its figures.
 *
 * A page is made of what is passed in and of nothing else, no clock, so the same figures give the
 * same bytes; they are those of the commands' JSON, digit for digit before rounding. Ownership:
 * borrows; writes to a stream whose errors the caller checks. Errors: none of its own; a part that
 * is not there says why in its section. Threads: one. */
#ifndef REPORT_REPORT_ICP_H
#define REPORT_REPORT_ICP_H

#include <stdio.h>

#include "server/model/scorecard.h"

struct report_icp {
    const json_t *document; /* server/learn/document.h */
    const struct feature_codebook *codebook;
    const struct model_scorecard *scorecard;
    uint64_t version;
    bool active;
    const json_t *challenges; /* those of challenge-list; NULL: why not */
    const char *no_challenges;
    const json_t *drift; /* the reply of icp-drift; NULL: why not */
    const char *no_drift;
    const json_t *segments; /* the reply of segment-find; NULL: why not */
    const char *no_segments;
    const json_t *hand; /* a profile written by hand beside it, tools/cli/backtest_hand.h; NULL */
};

void report_icp(FILE *out, const struct report_icp *report);

#endif
