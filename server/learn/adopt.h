/* SPDX-License-Identifier: Apache-2.0 */
/* A document whose model was trained elsewhere, completed by accounts: the reference population
 * that fit and grades are measured against, what each field adds on average, and, where an outcome
 * is named, the evidence of the model on all rows that are given, the accounts behind each bin,
 * and, for a model whose margin is not a logit, Platt's curve from it to a chance.
 *
 * Nothing is held out, since nothing is learned but that curve; whether the model has seen these
 * accounts is not known, and the document's warnings say so. Members of the document that are made
 * here are label, evidence, created, and of the scorecard reference and, without a link,
 * calibration; all others stay. Ownership: borrows; the text is returned, the caller frees it.
 * Errors: PROTO_NO_EVIDENCE for no row, or an outcome that every row has or none;
 * PROTO_BAD_DOCUMENT for a curve that falls; PROTO_NO_MEMORY; PROTO_TOO_LARGE. Threads: pure. Cost:
 * a sort of the scores, and contributions of LEARN_ADOPT_WEIGHED rows. */
#ifndef LEARN_ADOPT_H
#define LEARN_ADOPT_H

#include "server/learn/document.h"

#define LEARN_ADOPT_WEIGHED 4096 /* rows that importance is the mean of, evenly spread */

struct learn_adopt {
    const uint8_t *codes;  /* row after row, of the draft's codebook */
    const uint8_t *labels; /* by row, 1 for the outcome; NULL: none was named */
    size_t rows;
    const char *label_text, *where_text; /* "" if none */
    const char *created;                 /* RFC 3339 */
};

char *learn_adopt_print(const struct learn_document *draft, const struct learn_adopt *adopt,
                        struct proto_fault *fault);

#endif
