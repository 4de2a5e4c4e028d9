/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the lists of views beside figures: ids and names of accounts, reasons in words,
 * and for each the outstanding customer that the score reads most alike.
 *
 *   alike(a, b) = 1 − Σ |c_i(a) − c_i(b)| / Σ (|c_i(a)| + |c_i(b)|)     over the terms of the
 * version
 *
 * with c_i the contribution of term i: 1 where the score reads both the same in everything, 0 where
 * nothing that speaks for or against the one does so for the other. It depends on the two accounts
 * and the version alone.
 *
 * Ownership: lifecycle_listed_fini frees, also after a failure. Errors: CORRUPT, NO_MEMORY.
 * Threads: the worker's. Cost: a record each; references some 100 ns a term for each pair. */
#ifndef LIFECYCLE_LIFECYCLE_LISTED_H
#define LIFECYCLE_LIFECYCLE_LISTED_H

#include "server/lifecycle/lifecycle_standing.h"

/* Outstanding customers that are looked at: those with most MRR. */
#define LIFECYCLE_REFERENCES_MAX 2000u
/* Reasons of each sign. */
#define LIFECYCLE_REASONS 2u

struct lifecycle_listed {
    struct measure_listed *told;
    char **texts; /* five for each: id, name, reasons, reference, stage */
    uint32_t *accounts;
    size_t count;
};

/* Ids and names of accounts, by their numbers. */
bool lifecycle_listed_names(struct lifecycle_listed *listed, struct lifecycle_standing *standing,
                            const uint32_t *accounts, size_t count, struct proto_fault *fault);
bool lifecycle_listed_reasons(struct lifecycle_listed *listed, struct lifecycle_standing *standing,
                              struct proto_fault *fault);
bool lifecycle_listed_references(struct lifecycle_listed *listed,
                                 struct lifecycle_standing *standing, struct proto_fault *fault);
/* The stage of one, by its place; again: the one before is let go of. */
bool lifecycle_listed_stage_keep(struct lifecycle_listed *listed, size_t place,
                                 struct proto_span stage, struct proto_fault *fault);
void lifecycle_listed_fini(struct lifecycle_listed *listed);

/* Of two lists of contributions. */
double lifecycle_alike(const int32_t *a, const int32_t *b, size_t count);
/* Reasons of an answer as one line: "+ industry Software, - country FR". */
void lifecycle_reasons_print(const struct engine_answer *answer, char *text, size_t bytes);

#endif
