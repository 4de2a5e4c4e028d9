/* SPDX-License-Identifier: Apache-2.0 */
/* Which id a field has. A field keeps its id for as long as a field of that name, type and, for
 * vectors, length has ever existed; ids are dense from 0, so that arrays of values stay small.
 * Used by the parser alone. Threads: works on a schema that nobody else sees yet. */
#ifndef FEATURE_SCHEMA_IDS_H
#define FEATURE_SCHEMA_IDS_H

#include <jansson.h>

#include "server/feature/schema.h"

/* Fills ids, retired and id_count of a schema whose fields are otherwise complete. With previous,
 * ids come from there and the document's are only checked for form; else they come from the
 * document, where either every field carries one or none does (then they are 0, 1, 2, …). */
bool feature_schema_ids_assign(const json_t *document, const struct feature_schema *previous,
                               struct feature_schema *schema, struct proto_fault *fault);

#endif
