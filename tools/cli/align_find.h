/* SPDX-License-Identifier: Apache-2.0 */
/* What answers come to: figures of agreement, and each ranking against figures of segments.
 *
 * Ownership: align_found_fini, before the answers go. Errors: false with *fault. Threads: pure. */
#ifndef CLI_ALIGN_FIND_H
#define CLI_ALIGN_FIND_H

#include "server/report/report_audit.h"
#include "tools/cli/align_answers.h"

struct align_found {
    struct report_audit audit;
    double *ranks, *rho, *rho_p, *rho_against; /* of the audit */
    size_t *rho_n;
};

bool align_find(const struct align_answers *answers, struct align_found *found,
                struct proto_fault *fault);
void align_found_fini(struct align_found *found);

#endif
