/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of foreign_bind share. Ownership: foreign_cuts_fini frees. Threads: pure. */
#ifndef FOREIGN_PARTS_H
#define FOREIGN_PARTS_H

#include "server/foreign/foreign_bind.h"

/* How one field is cut: edges of a number, texts of a category or tags, ascending, each once. */
struct foreign_cut {
    double *edges;
    const char **texts;
    size_t count, room;
    bool used;
    size_t column; /* the first one of the field */
};

/* One for each field of the schema, in its order. */
struct foreign_cuts {
    struct foreign_cut *fields;
    size_t count;
};

bool foreign_cuts_make(const struct foreign_model *model, const struct foreign_use *uses,
                       const struct feature_schema *schema, struct foreign_cuts *cuts,
                       struct proto_fault *fault);
void foreign_cuts_fini(struct foreign_cuts *cuts);
/* The codebook's JSON; sets the columns of cuts. NULL: no memory. */
json_t *foreign_cuts_codebook(struct foreign_cuts *cuts, const struct feature_schema *schema);

/* The largest double that is below a threshold once both are floats. */
double foreign_below(double threshold);

/* Column and codes that go left of a split. */
void foreign_split_codes(const struct foreign_model *model, const struct foreign_node *node,
                         const struct foreign_use *use, const struct foreign_cut *cut,
                         const struct feature_codebook *codebook, uint16_t *column,
                         struct model_code_set *left);

#endif
