/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that a request to learn, or its policy, names, as ids of the schema.
 * Ownership: what is returned is the caller's, free(). Errors: PROTO_BAD_FIELD with the place, such
 * as rising[2]; PROTO_NO_MEMORY. Threads: any. Cost: a search by hash for each name. */
#ifndef ENGINE_LEARN_NAMES_H
#define ENGINE_LEARN_NAMES_H

#include "server/engine/engine.h"

/* True if the schema has every field; `what` is the list's name. */
bool engine_names_known(const struct feature_schema *schema, const struct proto_span *names,
                        size_t count, const char *what, struct proto_fault *fault);
/* Ids in the order of names, with room for one more; NULL: not all are known, or no memory. */
uint16_t *engine_names_ids(const struct feature_schema *schema, const struct proto_span *names,
                           size_t count, const char *what, struct proto_fault *fault);
/* Which way each field's points have to go (learn.h), by field id: numbers on one list at most. */
int8_t *engine_names_directions(const struct feature_schema *schema,
                                const struct engine_learn *request, struct proto_fault *fault);
/* *field_id: the category of the schema that stages of cases are laid over; an empty name: -1,
 * nothing is. BAD_FIELD with policy.stage_field. */
bool engine_names_stage(const struct feature_schema *schema, struct proto_span name,
                        int32_t *field_id, struct proto_fault *fault);

#endif
