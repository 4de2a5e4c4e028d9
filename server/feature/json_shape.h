/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that are kept in the form that they have on the wire: whether JSON has the members of a
 * shape of shape.def, each of its type, those of lists theirs; members beyond are of no matter.
 * Types known: TEXT, UINT, INT, NUMBER, FLAG, LIST of maps, MAP. Ownership: borrows. Errors: none.
 * Threads: pure. Cost: a look-up a member. */
#ifndef FEATURE_JSON_SHAPE_H
#define FEATURE_JSON_SHAPE_H

#include <jansson.h>

#include "proto/shape.h"

bool feature_json_is_of_shape(const json_t *map, enum proto_shape shape);

#endif
