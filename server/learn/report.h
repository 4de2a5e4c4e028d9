/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the text of an ICP document (members in the order of document.h).
 * Ownership: borrows everything; the text is returned, caller frees. Errors: PROTO_NO_MEMORY, and
 * PROTO_TOO_LARGE for a text above PROTO_DOCUMENT_BYTES_MAX. Threads: pure. */
#ifndef LEARN_REPORT_H
#define LEARN_REPORT_H

#include "server/learn/evidence.h"
#include "server/learn/fit.h"
#include "server/learn/leakage.h"
#include "server/learn/learn.h"
#include "server/learn/support.h"
#include "server/learn/weights.h"

#define LEARN_DOCUMENT_FORMAT 1
#define LEARN_WARNINGS_MAX 64

struct learn_report {
    const struct learn_options *options;
    const char *split; /* "random" or "time" */
    double held_out_share;
    bool grouped;
    size_t rows, positives;
    const struct learn_evidence *evidence;
    const struct learn_support *support;     /* NULL: not counted */
    json_t *value;                           /* value_card.h; NULL: none */
    const struct learn_field_weight *fields; /* most important first */
    size_t field_count;
    const struct learn_field_report *checked; /* the leakage guard's, all candidates */
    size_t checked_count;
    char *warnings[LEARN_WARNINGS_MAX];
    size_t warning_count;
    bool warnings_lost; /* memory ran out for one: no document is printed */
};

char *learn_report_print(const struct learn_report *report, const struct feature_codebook *codebook,
                         const struct learn_fit *fit, struct proto_fault *fault);

/* The holdout member of the evidence; without an out-of-fold AUC if it is of no rows. NULL: no
 * memory. */
json_t *learn_holdout_json(const struct learn_evidence *evidence, const char *split);

/* Adds a warning (printf style); what does not fit is dropped. */
void learn_report_warn(struct learn_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void learn_report_fini(struct learn_report *report);

#endif
