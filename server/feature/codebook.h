/* SPDX-License-Identifier: Apache-2.0 */
/* How values become bin codes: one byte per column. Part of an ICP version (immutable), because
 * tables refer to bins. Fitted on a training sample; deterministic, whatever the order of rows.
 *
 *   number    one column: 0 missing, 1 … n by edges: code = 1 + count of edges < x (edges ascend;
 *             x ≤ edges[0] gives 1). At most 254 bins.
 *   category  one column: 0 missing, 1 rare or unseen, 2 … one per category with enough support
 *   tags      one column per tag with enough support: 0 missing list, 1 absent, 2 present
 *   flag      one column: 0 missing, 1 false, 2 true
 *   vector    no column
 *
 * Where the edges of a number are: if the sample has at most B = number_bins_max different values,
 * at each of them but the largest. Else bins fill from low to high over the sorted values. With R
 * rows and K bins left, those of the open bin included, the open bin closes after a value once it
 * holds R/K rows or more. A value that has R/K rows alone is heavy and begins a bin of its own:
 * what the open bin holds before it becomes a bin if it is half full, or if the bin before is a
 * heavy value's or there is none, and joins the bin before otherwise. An edge is the last value of
 * its bin. So ties waste no bins, and a heavy value has one to itself while bins are left.
 *
 * A row is row_bytes = columns rounded up to a multiple of 64, the padding zero (DESIGN.md, Store).
 * Threads: immutable after build; encoding allocates nothing.
 * Cost of encoding: 5 ns a flag, 15 ns a number of 64 bins, 15 to 40 ns a category, whose text is
 * hashed and fetched. */
#ifndef FEATURE_CODEBOOK_H
#define FEATURE_CODEBOOK_H

#include <jansson.h>

#include "server/feature/schema.h"

/* Code of the first category; those below are of no category alone. */
#define FEATURE_CATEGORY_FIRST 2

struct feature_column {
    uint16_t field_id;
    char *field_name;
    enum feature_type type;
    char *tag;          /* tags only */
    unsigned bin_count; /* codes are 0 … bin_count-1 */
    double *edges;      /* number: bin_count-2 of them */
    char **categories;  /* category: bin_count-2 of them, bytewise; code = FEATURE_CATEGORY_FIRST +
                           index */
};

struct feature_codebook {
    struct feature_column *columns;
    size_t column_count;
    size_t row_bytes;
    uint64_t digest; /* XXH3-64 over what the codes mean: names, types, tags, edges, categories */
    /* by field id: first column and number of columns, for encoding */
    struct feature_codebook_index *index;
};

struct feature_codebook_options {
    unsigned number_bins_max;   /* default 64 */
    unsigned category_bins_max; /* default 64, most frequent first, ties bytewise */
    unsigned support_min; /* rows that a category or tag needs; default max(5, rows/1000) when 0 */
    const uint16_t *field_ids; /* the fields to use, in order; NULL: all of the schema */
    size_t field_count;
};

/* A sample, read one field at a time over all rows; the same call must give the same value again.
 * False counts as missing, as does a value of another type than the field's. */
struct feature_sample {
    void *context;
    size_t rows;
    bool (*value)(void *context, size_t row, uint16_t field_id, struct feature_value *value);
};

/* options may be NULL: all defaults. Faults: PROTO_BAD_FIELD (an unknown or repeated field),
 * PROTO_LIMIT (more than PROTO_COLUMNS_MAX columns), PROTO_NO_MEMORY. Cost: sorting, some 100 ns a
 * value. */
struct feature_codebook *feature_codebook_build(const struct feature_schema *schema,
                                                const struct feature_sample *sample,
                                                const struct feature_codebook_options *options,
                                                struct proto_fault *fault);
void feature_codebook_destroy(struct feature_codebook *codebook);

/* values is indexed by field id and has `slots` entries; writes row_bytes bytes. */
void feature_codebook_encode(const struct feature_codebook *codebook,
                             const struct feature_value *values, size_t slots, uint8_t *row);

/* The same value by value, for a reader that has no array of them: the row is zeroed first, then
 * each value that is present is written where the columns of its field are. */
struct feature_codebook_plan;
/* The columns of a field and what finds codes; NULL if the codebook does not have the field with
 * this type. Borrowed. */
const struct feature_codebook_plan *feature_codebook_plan(const struct feature_codebook *codebook,
                                                          uint16_t field_id,
                                                          enum feature_type type);
void feature_codebook_encode_value(const struct feature_codebook *codebook,
                                   const struct feature_codebook_plan *plan,
                                   const struct feature_value *value, uint8_t *row);
void feature_codebook_encode_number(const struct feature_codebook *codebook,
                                    const struct feature_codebook_plan *plan, double number,
                                    uint8_t *row);
void feature_codebook_encode_flag(const struct feature_codebook_plan *plan, bool flag,
                                  uint8_t *row);
/* False if the codebook does not know the category; it is encoded as rare then. */
bool feature_codebook_encode_category(const struct feature_codebook_plan *plan,
                                      struct proto_span text, uint8_t *row);
/* A list of tags: none at first, then each; false for a tag that has no column. */
void feature_codebook_encode_no_tags(const struct feature_codebook_plan *plan, uint8_t *row);
bool feature_codebook_encode_tag(const struct feature_codebook_plan *plan, struct proto_span tag,
                                 uint8_t *row);

/* A bin in words: "100 < x ≤ 250", "Software", "missing", "rare or unseen", "has Salesforce",
 * "lacks Salesforce". Writes at most text_bytes with a zero end. */
void feature_bin_text(const struct feature_column *column, uint8_t code, char *text,
                      size_t text_bytes);

/* JSON, exact in both directions (numbers with 17 digits). field ids are written as names and
 * resolved against the schema: a name or type unknown to it is PROTO_BAD_DOCUMENT naming it. */
json_t *feature_codebook_to_json(const struct feature_codebook *codebook);
struct feature_codebook *feature_codebook_from_json(const json_t *json,
                                                    const struct feature_schema *schema,
                                                    struct proto_fault *fault);

#endif
