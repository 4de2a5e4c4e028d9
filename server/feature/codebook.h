/* SPDX-License-Identifier: Apache-2.0 */
/* How values become bin codes: one byte per column. Part of an ICP version (immutable), because
 * tables refer to bins. Fitted on a training sample, deterministic for the same input in the same
 * order.
 *
 *   number    one column: code 0 missing, 1 … n by edges: code = 1 + count of edges < x (edges
 *             ascending; x ≤ edges[0] gives 1). At most 254 bins; quantile edges, repeated values
 * merged. category  one column: 0 missing, 1 rare or unseen, 2 … one per category with enough
 * support tags      one column per tag with enough support: 0 missing list, 1 absent, 2 present
 *   flag      one column: 0 missing, 1 false, 2 true
 *   vector    no column
 *
 * A row is row_bytes = columns rounded up to a multiple of 64, the padding zero (design: DESIGN.md,
 * Store). Threads: immutable after build. Cost of encoding: about 10 ns a column. */
#ifndef FEATURE_CODEBOOK_H
#define FEATURE_CODEBOOK_H

#include <jansson.h>

#include "server/feature/schema.h"

struct feature_column {
    uint16_t field_id;
    char *field_name;
    enum feature_type type;
    char *tag;          /* tags only */
    unsigned bin_count; /* codes are 0 … bin_count-1 */
    double *edges;      /* number: bin_count-2 of them */
    char **categories;  /* category: bin_count-2 of them, sorted bytewise; code = 2 + index */
};

struct feature_codebook {
    struct feature_column *columns;
    size_t column_count;
    size_t row_bytes;
    uint64_t digest; /* XXH3-64 of the canonical JSON */
    /* by field id: first column and number of columns, for encoding */
    struct feature_codebook_index *index;
};

struct feature_codebook_options {
    unsigned number_bins_max;   /* default 64 */
    unsigned category_bins_max; /* default 64, most frequent first, ties bytewise */
    unsigned support_min; /* rows that a category or tag needs; default max(5, rows/1000) when 0 */
    const uint16_t *field_ids; /* the fields to use, in order */
    size_t field_count;
};

/* A sample by column-major access: get(ctx, row, field id, &value) must be repeatable. */
struct feature_sample {
    void *context;
    size_t rows;
    bool (*value)(void *context, size_t row, uint16_t field_id, struct feature_value *value);
};

struct feature_codebook *feature_codebook_build(const struct feature_schema *schema,
                                                const struct feature_sample *sample,
                                                const struct feature_codebook_options *options,
                                                struct proto_fault *fault);
void feature_codebook_destroy(struct feature_codebook *codebook);

/* values is indexed by field id and has `slots` entries; writes row_bytes bytes. */
void feature_codebook_encode(const struct feature_codebook *codebook,
                             const struct feature_value *values, size_t slots, uint8_t *row);

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
