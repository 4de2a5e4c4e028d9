/* SPDX-License-Identifier: Apache-2.0 */
/* The line that says what builds of look-alike vectors are asked for: metric, share of vector
 * fields, dims, weights. Vectors are made anew; whoever imports asks for a build with it.
 * Ownership: borrowed. Errors: of a line, with line and column. Threads: pure. */
#ifndef TRANSFER_SIMILAR_H
#define TRANSFER_SIMILAR_H

#include "server/feature/schema.h"
#include "server/transfer/transfer_line.h"
#include "server/transfer/transfer_text.h"

/* head: text of the stored head of the vectors; fields that the schema (NULL: none) has not are
 * left out, and so is the line if nothing was asked for. False: the head is no JSON. */
bool transfer_similar_write(struct transfer_text *text, struct proto_span head,
                            const struct feature_schema *schema);
/* Whether the line is one; bounds are the matter of similar-build. */
bool transfer_similar_check(const struct transfer_line *line, struct proto_fault *fault);

#endif
