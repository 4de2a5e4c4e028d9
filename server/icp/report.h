/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the text of an ICP document (members in the order of document.h).
 * Ownership: borrows everything; the text is returned, caller frees. Errors: PROTO_NO_MEMORY, and
 * PROTO_TOO_LARGE for a text above PROTO_DOCUMENT_BYTES_MAX. Threads: pure. */
#ifndef ICP_REPORT_H
#define ICP_REPORT_H

#include "server/icp/evidence.h"
#include "server/icp/fit.h"
#include "server/icp/leakage.h"
#include "server/icp/learn.h"
#include "server/icp/weights.h"

#define ICP_DOCUMENT_FORMAT 1
#define ICP_WARNINGS_MAX 64

struct icp_report {
    const struct icp_learn_options *options;
    const char *split; /* "random" or "time" */
    double held_out_share;
    bool grouped;
    size_t rows, positives;
    const struct icp_evidence *evidence;
    const struct icp_field_weight *fields; /* most important first */
    size_t field_count;
    const struct icp_field_report *checked; /* the leakage guard's, all candidates */
    size_t checked_count;
    char *warnings[ICP_WARNINGS_MAX];
    size_t warning_count;
};

char *icp_report_print(const struct icp_report *report, const struct feature_codebook *codebook,
                       const struct icp_fit *fit, struct proto_fault *fault);

/* Adds a warning (printf style); what does not fit is dropped, a lack of memory too. */
void icp_report_warn(struct icp_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void icp_report_fini(struct icp_report *report);

#endif
