/* SPDX-License-Identifier: Apache-2.0 */
/* Win by stage: of accounts that are listed, the stage that an open opportunity is in, and the
 * probability that it is won from there, by a profile that was learned of cases by stage
 * (server/measure/policy.h: "case": "stage").
 *
 * The stage is that of the opportunity's last step of type stage by the moment of the view; the
 * account's values are those of now, with the stage laid over the field of the profile, as when it
 * was learned. Of several open opportunities it is the one that is likeliest to be won; without a
 * profile the one that entered its stage last, and no probability.
 *
 * Beside it what was seen of cases that entered the stage: how many rows the profile learned from
 * have it, and how many of those were won; nothing, where too few had it for a bin of its own.
 * Cases of one account are not independent, so an interval over them is too narrow where accounts
 * have many.
 *
 * Ownership: texts are those of the listing. Errors: NOT_FOUND and BAD_FIELD of `parameters.stages`
 * for a version that is not there or was not learned so, CORRUPT, NO_MEMORY. Threads: the worker's.
 * Cost: the timeline of each listed account that has something open; the newest version learned so
 * is looked for among the newest LIFECYCLE_STAGE_VERSIONS, each parsed once a start of the server,
 * some milliseconds. */
#ifndef LIFECYCLE_LIFECYCLE_STAGE_H
#define LIFECYCLE_LIFECYCLE_STAGE_H

#include "server/lifecycle/lifecycle_listed.h"

#define LIFECYCLE_STAGE_VERSIONS 64u

/* Of accounts whose names stand in the listing. */
bool lifecycle_listed_stages(struct lifecycle_listed *listed, struct lifecycle_standing *standing,
                             struct proto_fault *fault);

#endif
