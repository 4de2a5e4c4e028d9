/* SPDX-License-Identifier: Apache-2.0 */
/* The versioned list of fields. A schema is immutable once parsed; versions share field ids: a
 * field keeps its id for as long as a field of that name and type has ever existed, so that old
 * records stay readable. Written as a JSON document (docs/schema.md):
 *
 *   { "fields": [ { "name": "employees", "type": "number", "family": "firmographic",
 *                   "transform": "log", "missing": ["N/A"], "stale_after_days": 365 }, … ],
 *     "missing": ["", "NULL", …],         words that mean missing in every field
 *     "id": "Prospect ID",                optional: the CSV column that holds the primary id
 *     "name": "company",                  optional: the category field that names an account
 *     "keys": { "domain": "website" } }   optional: key namespace → CSV column
 *
 * Types are those of value.h. Vector fields also give "dims"; a vector of another length is another
 * field. transform is none (default) or log (sign · ln(1+|x|)); it matters to vectors and scaling,
 * not to bins, which are the same for every monotone transform. Unknown members are refused by
 * name: a mistyped option must not pass in silence. Names are UTF-8 without outer blanks or control
 * characters; two that differ only in the case of ASCII letters are refused, because people type
 * them into filters. The field that names an account is shown beside its id wherever a person reads
 * ids; it says who, not what like, so nothing is learned from it and no look-alike goes by it.
 *
 * A printed document also carries "version", an "id" in each field, and "retired": [{ "name",
 * "type", "id", "dims" }], the fields of earlier versions. With a previous schema these are read
 * but not believed: get, edit, put works, and ids come from the store's own history.
 *
 * Ownership: the schema owns all its texts. Threads: immutable, share freely; reference counted
 * with atomics. Cost: find by name is one hash probe. */
#ifndef FEATURE_SCHEMA_H
#define FEATURE_SCHEMA_H

#include "server/feature/value.h"

/* Field ids that may ever exist; arrays of values have that many entries at most. Four generations
 * of the widest schema. */
#define FEATURE_IDS_MAX 4096
/* Words of one list of missing words, and bytes of one; Excel, SQL and R know some twenty. */
#define FEATURE_MISSING_WORDS_MAX 256
#define FEATURE_MISSING_WORD_BYTES_MAX 127
/* Bytes of a key namespace: with its colon it leaves most of PROTO_ID_BYTES_MAX to the value. */
#define FEATURE_NAMESPACE_BYTES_MAX 31
/* a-z first, then also 0-9 _ - . */
bool feature_namespace_valid(struct proto_span text);

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
    size_t id_count; /* field ids that ever existed: values arrays have this many entries */
    struct feature_field *retired; /* fields of earlier versions, by id: name, type, dims */
    size_t retired_count;
    char *id_column;                  /* NULL if not named */
    const struct feature_field *name; /* one of fields, a category; NULL if none names accounts */
    struct feature_key_column *keys;
    size_t key_count;
    char **missing;
    size_t missing_count;
    struct feature_schema_index *index; /* name → field, id → field */
    int references;                     /* atomic */
};

/* Parses and checks a document. previous (or NULL) gives the ids of known names; a field whose type
 * changed gets a new id. Faults: PROTO_BAD_SCHEMA with line and column of JSON text that does not
 * parse, or the path of the member at fault ("fields[3].type"); PROTO_TOO_LARGE, PROTO_LIMIT (ids
 * are used up). version 0 takes the document's own. Returned with one reference. */
struct feature_schema *feature_schema_parse(struct proto_span json, uint32_t version,
                                            const struct feature_schema *previous,
                                            struct proto_fault *fault);
/* JSON text with ids and version, for the store (feature_schema_parse of it with previous == NULL
 * gives the same schema back, ids and retired names included). Returned, caller frees; NULL: no
 * memory. */
char *feature_schema_print(const struct feature_schema *schema);
struct feature_schema *feature_schema_retain(struct feature_schema *schema);
void feature_schema_release(struct feature_schema *schema); /* NULL is fine */

/* NULL if there is none. */
const struct feature_field *feature_schema_find(const struct feature_schema *schema,
                                                struct proto_span name);
const struct feature_field *feature_schema_by_id(const struct feature_schema *schema, uint16_t id);
/* As find, but without regard to ASCII case. */
const struct feature_field *feature_schema_find_any_case(const struct feature_schema *schema,
                                                         struct proto_span name);
/* The field that has or had this name and type, retired ones included: for documents that outlive a
 * field, such as codebooks. NULL if there never was one. */
const struct feature_field *feature_schema_find_ever(const struct feature_schema *schema,
                                                     struct proto_span name,
                                                     enum feature_type type);
/* The name nearest to a mistyped one, or NULL if none is near. */
const struct feature_field *feature_schema_nearest(const struct feature_schema *schema,
                                                   struct proto_span name);

const char *feature_transform_name(enum feature_transform transform);

/* True if the text means missing for this field: a missing word of the schema or of the field,
 * compared without regard to ASCII case and outer white space; the empty text always does. */
bool feature_is_missing_word(const struct feature_schema *schema, const struct feature_field *field,
                             struct proto_span text);

/* The words that usually mean missing in people's files ("", "N/A", "NULL", "Select", …), for a
 * schema that is inferred. Static. */
const char *const *feature_default_missing_words(size_t *count);

/* A cell of text (CSV, or a text sent for a field of another type) to a value. Numbers as in
 * number_text.h; flags take yes/no, true/false, 1/0, y/n; tags split at ';' or '|'; vectors are
 * numbers between blanks, commas or semicolons; dates as in date_text.h. scratch holds packed tags
 * (FEATURE_SCRATCH_BYTES(text.bytes) is enough) or 4·dims bytes of vector; other types need none.
 * Outer blanks are dropped. Missing words, and tags without any tag, give a value with present ==
 * false. source and time_ms become 0. Faults: PROTO_BAD_FIELD or PROTO_TOO_LARGE naming the field,
 * what was there and what would be right. */
#define FEATURE_SCRATCH_BYTES(text_bytes) (2 * (text_bytes) + 2)
bool feature_value_from_text(const struct feature_schema *schema, const struct feature_field *field,
                             struct proto_span text, uint8_t *scratch, size_t scratch_bytes,
                             struct feature_value *value, struct proto_fault *fault);

#endif
