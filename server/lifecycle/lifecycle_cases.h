/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of a policy as learning takes them (server/engine/learn_case.h): those that are settled and
 * positive or negative, each with its moment, and what is told of all of them.
 *
 * Ownership: a source takes the policy; engine_learn takes the source's context, which frees it,
 * policy and all. Errors: those of lifecycle_label.h; NO_EVIDENCE where no case is settled on
 * either side, with the counts. Threads: the job's. Cost: that of lifecycle_label. */
#ifndef LIFECYCLE_LIFECYCLE_CASES_H
#define LIFECYCLE_LIFECYCLE_CASES_H

#include "server/engine/learn_case.h"
#include "server/lifecycle/lifecycle_label.h"

/* at_ms: MEASURE_NEVER for that of the newest event. False: no memory, and the policy is freed. */
bool lifecycle_case_source(struct measure_policy *policy, int64_t at_ms,
                           struct engine_case_source *source, struct proto_fault *fault);

#endif
