/* SPDX-License-Identifier: Apache-2.0 */
/* What a schema looks up by: shared by the files that build and read schemas, nobody else.
 * Ownership: belongs to the schema; keys of name and retired point into its texts, keys of the rest
 * into folded. Threads: immutable once built. Cost: one probe each. */
#ifndef FEATURE_SCHEMA_INDEX_H
#define FEATURE_SCHEMA_INDEX_H

#include "server/feature/lookup.h"
#include "server/feature/schema.h"
#include "server/feature/span_text.h"

/* Owned lower-case copies that serve as keys. */
struct feature_folded {
    char **texts;
    size_t count;
};

struct feature_schema_index {
    struct feature_lookup name;      /* → index of the field */
    struct feature_lookup any_case;  /* lower-case name → index of the field */
    struct feature_lookup missing;   /* lower-case missing words of the schema */
    struct feature_lookup *of_field; /* by index: lower-case missing words of the field */
    uint32_t *by_id;                 /* id_count entries: index of the field or NONE */
    struct feature_folded folded;
    /* By the first byte of a lower-case missing word, of the schema or of any field: bit n for a
     * word of n bytes, bit 63 for longer ones. What has no bit is no missing word. */
    uint64_t missing_lengths[256];
};

/* Builds schema->index from what the schema holds. False with *fault: no memory, or two names that
 * are the same but for case (PROTO_BAD_SCHEMA, "fields[N].name"). */
bool feature_schema_index_build(struct feature_schema *schema, struct proto_fault *fault);
void feature_schema_index_destroy(struct feature_schema *schema);

/* False if a trimmed text that is not empty is no missing word by its length and first byte alone:
 * most texts, for a look-up less. */
static inline bool feature_missing_word_possible(const struct feature_schema_index *index,
                                                 struct proto_span text)
{
    unsigned bit = text.bytes < 63 ? (unsigned)text.bytes : 63;
    return (index->missing_lengths[feature_text_lower(text.data[0])] >> bit & 1) != 0;
}

/* Frees the texts inside; the struct itself is an array element. */
void feature_field_fini(struct feature_field *field);

#endif
