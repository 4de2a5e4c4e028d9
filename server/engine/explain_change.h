/* SPDX-License-Identifier: Apache-2.0 */
/* The nearest single changes that move a grade, as explanation.h says what is near.
 * Ownership: the lists lie in the arena. Errors: PROTO_NO_MEMORY. Threads: pure. Cost: each bin of
 * each column once, and once more for each pair that the column is in. */
#ifndef ENGINE_EXPLAIN_CHANGE_H
#define ENGINE_EXPLAIN_CHANGE_H

#include "server/engine/explanation.h"

/* Fills up and down of an explanation that has its codes and its answer; at most `most` of each. */
bool engine_changes_find(struct engine_explanation *explanation, size_t most,
                         struct base_arena *arena, struct proto_fault *fault);

#endif
