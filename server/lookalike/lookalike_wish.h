/* SPDX-License-Identifier: Apache-2.0 */
/* What builds of vectors were asked for: metric, share of vector fields, places, weights. Kept with
 * the set, so that a build that comes by itself follows it too. JSON:
 *   { "metric": "l2", "vector_share": 0.7, "dims": 256, "icp_weights": true,
 *     "weights": { "text": 2, "city": 0 } }
 * with what was given; nothing given is {}.
 *
 * Ownership: as said. Errors: PROTO_BAD_FIELD, PROTO_NO_MEMORY. Threads: pure. */
#ifndef LOOKALIKE_WISH_H
#define LOOKALIKE_WISH_H

#include <jansson.h>

#include "server/lookalike/lookalike.h"

/* The wishes of `before` (NULL: none) with those of the request laid over. A new reference, whose
 * content nobody else has; NULL with *fault. */
json_t *lookalike_wish_merge(const json_t *before, const struct lookalike_rebuild *request,
                             const struct feature_schema *schema, struct proto_fault *fault);

/* As options of a fit. weights: of the active ICP, or NULL for those by family; own: room for a
 * weight of every field id, which is filled. Fields that are no longer in the schema are passed
 * over. */
struct feature_vectorizer_options lookalike_wish_options(const json_t *wish,
                                                         const struct feature_schema *schema,
                                                         const double *weights, double *own);
bool lookalike_wish_icp_weights(const json_t *wish);

#endif
