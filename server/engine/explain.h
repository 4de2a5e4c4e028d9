/* SPDX-License-Identifier: Apache-2.0 */
/* Why a score is what it is: contributions by strength, what is missing or stale, and the interval
 * that missing fields leave open. Runs after the worker's values and codes are set; results live in
 * the worker's scratch. */
#ifndef ENGINE_EXPLAIN_H
#define ENGINE_EXPLAIN_H

#include "server/engine/worker.h"

bool engine_explain(struct engine_worker *worker, const struct engine_query *query,
                    const uint8_t *codes, struct engine_answer *answer, struct proto_fault *fault);

#endif
