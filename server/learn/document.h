/* SPDX-License-Identifier: Apache-2.0 */
/* An ICP version as a document: immutable JSON text that says everything about one version, and its
 * parsed form for scoring. Members, in this order:
 *
 *   format      1
 *   name, created (RFC 3339, UTC), schema (version learned on)
 *   label       { expression, where, population, positives, base_rate, policy }; the last if it
 *               was learned from cases: { document, at, accounts, without, cases, open, positives,
 *               negatives } and what else tells of them
 *   settings    every setting of the trainer, seed included; `value` among them is the second
 *               scorecard, of what an account is worth (value_card.h)
 *   evidence    { holdout, fields, refused, warnings, readiness, support }, where
 *     holdout   { split, n, positives, auc, auc_low, auc_high, brier, brier_reference, log_loss,
 *                 log_loss_low, log_loss_high, ece, ece_low, ece_high, lift_top_decile, ks,
 *                 out_of_fold { auc, auc_low, auc_high }        of the rows learned from
 *                 reliability [ { p, n, positives, rate_low, rate_high } … ] } per tenth of p;
 *                 grades [ { grade, n, positives, rate_low, rate_high } … ] of A, B, C, D;
 *                 these three and the ends of log_loss and ece may be absent
 *     fields    [ { field, importance, auc_alone } … ], most important first; the last not of a
 *               model from elsewhere (adopt.h)
 *     refused   [ { field, reason } … ]
 *     warnings  [ text … ]
 *     readiness [ { figure, share, n } … ]          may be absent
 *     support   [ { columns, n, positives } … ]     may be absent: support.h
 *   codebook    bins of every column (feature/codebook.h)
 *   scorecard   intercept, terms, calibration, reference, grades (model/scorecard.h)
 *
 * The document is the unit that is stored, exported, compared and put on another server: two
 * servers with the same document give the same answers. digest = XXH3-64 of the compact JSON text
 * with sorted keys and numbers of 17 digits: layout and order of members do not change it.
 * Unknown members are refused, except within settings.
 * Ownership: the parsed form owns all. Threads: immutable; reference counted with atomics. */
#ifndef LEARN_DOCUMENT_H
#define LEARN_DOCUMENT_H

#include "server/learn/support.h"
#include "server/learn/value_card.h"

struct learn_document {
    uint32_t version; /* assigned by the store; not part of the text */
    char *text;       /* JSON, zero-terminated */
    size_t text_bytes;
    uint64_t digest;
    json_t *json;
    struct feature_codebook *codebook;
    struct model_scorecard *scorecard;
    struct learn_support *support; /* NULL: the document has none */
    struct learn_value *value;     /* likewise */
    int references;
};

/* Parses and checks a whole document against the schema. PROTO_BAD_DOCUMENT with line and column,
 * or the path of the member at fault. Returned with one reference. */
struct learn_document *learn_document_parse(struct proto_span text, uint32_t version,
                                            const struct feature_schema *schema,
                                            struct proto_fault *fault);
struct learn_document *learn_document_retain(struct learn_document *document);
void learn_document_release(struct learn_document *document);

#endif
