/* SPDX-License-Identifier: Apache-2.0 */
/* Values of replies as JSON. Ownership: json_t references are returned or taken, as said. Errors:
 * NULL and false are "no memory" or a stream that failed. Threads: one. */
#ifndef OUT_OUT_JSON_H
#define OUT_OUT_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "client/icp.h"

/* Texts under the keys "document" and "evidence" are JSON themselves and become what they say. */
json_t *out_json_of(const struct icp_value *value);
/* Writes and drops a reference. */
bool out_json_write(FILE *out, json_t *json);

#endif
