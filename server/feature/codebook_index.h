/* SPDX-License-Identifier: Apache-2.0 */
/* How a codebook finds columns and codes: shared by the files that build, read and use codebooks.
 * Ownership: belongs to the codebook; the lookups' keys point into its columns. Threads: immutable
 * once built. */
#ifndef FEATURE_CODEBOOK_INDEX_H
#define FEATURE_CODEBOOK_INDEX_H

#include "server/feature/codebook.h"
#include "server/feature/lookup.h"

/* One field that is encoded, in the order of its columns. */
struct feature_codebook_plan {
    uint16_t field_id;
    uint16_t first; /* column */
    uint16_t count; /* columns; more than one only for tags */
    enum feature_type type;
    struct feature_lookup lookup; /* category → code; tag → column */
    double *ladder; /* number of at most FEATURE_LADDER_EDGES edges; else NULL. See codebook.c */
};

/* Edges of a number in blocks of eight: the last of each block, then all, ∞ where there is none. */
#define FEATURE_LADDER_BLOCK 8
#define FEATURE_LADDER_EDGES 64
#define FEATURE_LADDER_NUMBERS                                                                     \
    (FEATURE_LADDER_EDGES / FEATURE_LADDER_BLOCK + FEATURE_LADDER_EDGES + FEATURE_LADDER_BLOCK)

struct feature_codebook_index {
    struct feature_codebook_plan *plans;
    size_t plan_count;
};

/* Appends a zeroed column; NULL: no memory. PROTO_COLUMNS_MAX must have been checked. */
struct feature_column *feature_codebook_column_add(struct feature_codebook *codebook);

/* Fills row_bytes, digest and index from the columns, which must be complete: the last step of
 * building. False with PROTO_NO_MEMORY. */
bool feature_codebook_finish(struct feature_codebook *codebook, struct proto_fault *fault);

#endif
