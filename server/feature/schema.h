/* SPDX-License-Identifier: Apache-2.0 */
/* The versioned list of fields. A schema is immutable once parsed; versions share field ids: a field
 * keeps its id for as long as a field of that name and type has ever existed, so that old records
 * stay readable. Written as a JSON document (docs/schema.md):
 *
 *   { "fields": [ { "name": "employees", "type": "number", "family": "firmographic",
 *                   "transform": "log", "missing": ["N/A", "Select"], "stale_after_days": 365 }, … ],
 *     "missing": ["", "NULL", …]          words that mean missing in every field
 *     "id": "Prospect ID",                optional: the CSV column that holds the primary id
 *     "keys": { "domain": "website" } }   optional: key namespace → CSV column
 *
 * Vector fields also give "dims". transform is none (default) or log (sign · ln(1+|x|)); it matters
 * to vectors and scaling, not to bins, which are the same for every monotone transform. Unknown
 * members are refused by name: a mistyped option must not pass in silence.
 * Ownership: the schema owns all its texts. Threads: immutable, share freely; reference counted with
 * atomics. Cost: find by name is one hash probe. */
#ifndef FEATURE_SCHEMA_H
#define FEATURE_SCHEMA_H

#include "server/feature/value.h"

enum feature_transform { FEATURE_TRANSFORM_NONE, FEATURE_TRANSFORM_LOG };

struct feature_field {
    uint16_t id; /* stable over versions, dense from 0 over all that ever existed */
    char *name;
    enum feature_type type;
    enum feature_family family;
    enum feature_transform transform;
    uint16_t dims;          /* vector only */
    int64_t stale_after_ms; /* 0: never stale */
    char **missing;         /* words of this field beside the schema's own */
    size_t missing_count;
};

struct feature_key_column {
    char *name_space; /* "domain", "crm", … */
    char *column;
};

struct feature_schema {
    uint32_t version;
    struct feature_field *fields;
    size_t field_count;
    size_t id_count;  /* field ids that ever existed: values arrays have this many entries */
    char *id_column;  /* NULL if not named */
    struct feature_key_column *keys;
    size_t key_count;
    char **missing;
    size_t missing_count;
    struct feature_schema_index *index; /* name → field, id → field */
    int references;                     /* atomic */
};

/* Parses and checks a document. previous (or NULL) gives the ids of known names; a field whose type
 * changed gets a new id. Faults: PROTO_BAD_SCHEMA with line and column of JSON text that does not
 * parse, or the path of the member at fault ("fields[3].type"). Returned with one reference. */
struct feature_schema *feature_schema_parse(struct proto_span json, uint32_t version,
                                            const struct feature_schema *previous,
                                            struct proto_fault *fault);
/* JSON text with ids and version, for the store (feature_schema_parse of it with previous == NULL
 * gives the same schema back, ids and retired names included). Returned, caller frees; NULL: no memory. */
char *feature_schema_print(const struct feature_schema *schema);
struct feature_schema *feature_schema_retain(struct feature_schema *schema);
void feature_schema_release(struct feature_schema *schema); /* NULL is fine */

/* NULL if there is none. */
const struct feature_field *feature_schema_find(const struct feature_schema *schema,
                                                struct proto_span name);
const struct feature_field *feature_schema_by_id(const struct feature_schema *schema, uint16_t id);

/* True if the text means missing for this field: a missing word of the schema or of the field, compared
 * without regard to ASCII case and outer white space; the empty text always does. */
bool feature_is_missing_word(const struct feature_schema *schema, const struct feature_field *field,
                             struct proto_span text);

/* A cell of text (CSV, or a text sent for a field of another type) to a value. Numbers take thousands
 * separators ("1,234"), a leading currency sign and a trailing %; flags take yes/no, true/false, 1/0,
 * y/n; tags split at ';' or '|' (scratch holds the packed list: at least text.bytes + 2·tags bytes).
 * Missing words give a value with present == false. Faults: PROTO_BAD_FIELD naming the field, what was
 * there and what would be right. */
bool feature_value_from_text(const struct feature_schema *schema, const struct feature_field *field,
                             struct proto_span text, uint8_t *scratch, size_t scratch_bytes,
                             struct feature_value *value, struct proto_fault *fault);

#endif
