/* SPDX-License-Identifier: Apache-2.0 */
/* What the outcome of a version is, and expressions that are given with a question.
 * Ownership: filters are the caller's, freed by dispute_label_fini; texts borrow from the document
 * or the question. Errors: PROTO_BAD_FILTER with `what` as field and the column, PROTO_BAD_FIELD.
 * Threads: one. Cost: that of parsing. */
#ifndef DISPUTE_DISPUTE_LABEL_H
#define DISPUTE_DISPUTE_LABEL_H

#include "server/dispute/dispute_column.h"

struct dispute_label {
    struct filter *outcome, *where;
    struct proto_span outcome_text, where_text;
};

/* An expression; an empty one is none (*filter stays NULL). */
bool dispute_text_read(const struct engine_worker *worker, struct proto_span text, const char *what,
                       struct filter **filter, struct proto_fault *fault);
/* A text that is kept as JSON: without zero bytes, which no reader of it takes. `what` as above. */
bool dispute_text_kept(struct proto_span text, const char *what, struct proto_fault *fault);
/* own: an outcome that the question gives, or empty. A version that a policy labelled has none of
 * its own. */
bool dispute_label_read(const struct engine_worker *worker, const struct learn_document *document,
                        struct proto_span own, struct dispute_label *label,
                        struct proto_fault *fault);
void dispute_label_fini(struct dispute_label *label);
struct dispute_wish dispute_label_wish(const struct dispute_label *label);
/* The second cell that counts as a negative: where no account says that the outcome is not there,
 * those that say nothing do (learn/sample.h). */
uint32_t dispute_label_negative(const struct dispute_cells *outcomes);

#endif
