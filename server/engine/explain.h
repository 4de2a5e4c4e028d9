/* SPDX-License-Identifier: Apache-2.0 */
/* Why a score is what it is: contributions by strength, what is missing or stale, and the interval
 * that missing fields leave open. Results live in the worker's scratch.
 *
 * What costs is not repeated: of an ICP version the plan of explain_plan.h is made once, and values
 * are read from the record only where one of them can be stale. Cost: 80 columns, three reasons of
 * each sign: some 150 ns without texts. */
#ifndef ENGINE_EXPLAIN_H
#define ENGINE_EXPLAIN_H

#include "server/engine/worker.h"

/* The whole answer but for found, slot and id: the score of the codes too. has_values: the worker's
 * values are those that gave the codes; else the codes are the stored row of answer->slot or, if
 * nothing was found, those of a lead. */
bool engine_explain(struct engine_worker *worker, const struct engine_query *query,
                    const uint8_t *codes, bool has_values, struct engine_answer *answer,
                    struct proto_fault *fault);

/* answer.c: whom a query means, into the answer's slot and found. Nobody is a fault only where no
 * values are given to score, or explain (`doing`), instead. */
bool engine_query_find(struct engine_worker *worker, const struct engine_query *query,
                       const char *doing, struct engine_answer *answer, struct proto_fault *fault);

/* answer.c: fills worker->values with the stored values of the account (all missing if there is
 * none), then lays the query's over them; *id is the account's, untouched if there is none. */
bool engine_values_gather(struct engine_worker *worker, const struct engine_query *query,
                          uint32_t slot, struct proto_span *id, struct proto_fault *fault);

#endif
