/* SPDX-License-Identifier: Apache-2.0 */
/* The `values` map of an account or a lead: field names to typed values by the schema. */
#ifndef RPC_VALUES_H
#define RPC_VALUES_H

#include "proto/reader.h"
#include "server/base/arena.h"
#include "server/feature/schema.h"

/* Names that the schema does not know, the first of them; spans into the request. */
struct rpc_unknown {
    struct proto_span names[PROTO_UNKNOWN_MAX];
    size_t count;
};

struct rpc_values {
    const struct feature_schema *schema;
    struct base_arena *arena;     /* packed tags and vectors live here */
    struct feature_value *values; /* schema->id_count entries, all absent at first */
    uint16_t *removed;            /* NULL: nil means missing. Else room for field_count ids */
    size_t removed_count;
    size_t present_count;
    bool skip_unknown; /* a lead may carry more than the schema knows; an account may not */
    struct rpc_unknown *unknown; /* gets the names skipped; may be NULL */
    uint8_t source;
    int64_t time_ms;
};

/* Reads one value that is not nil, for a field; leaves value->present false for a missing word.
 * Faults as rpc_values_read, the field's own name as place, or those of the reader. */
bool rpc_value_read(struct rpc_values *values, const struct feature_field *field,
                    struct proto_reader *reader, struct feature_value *value,
                    struct proto_fault *fault);

/* Reads one encoded map. A text is accepted for every type, as feature_value_from_text reads it;
 * missing words give a missing value. Faults: PROTO_BAD_FIELD with field "values.<name>",
 * PROTO_DUPLICATE_KEY does not occur (the map was checked whole before). */
bool rpc_values_read(struct rpc_values *values, struct proto_span map, struct proto_fault *fault);

#endif
