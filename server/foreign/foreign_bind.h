/* SPDX-License-Identifier: Apache-2.0 */
/* A model from elsewhere against a schema: which field each feature is, the codebook that cuts
 * fields exactly where the model's splits do, and the trees over its codes (server/model/trees.h).
 * So what is scored is the model itself, not an approximation: two values that no split tells apart
 * have one code, and any two that one does have two.
 *
 * A feature is
 *   the number, flag or category field that the map names, or else the field of its own name;
 *   equals: 1 if a category field has this text, else 0, also where it has none ("one-hot");
 *   has: 1 if a tags field has this tag, else 0; missing where the field is;
 *   categories: a category field whose texts stand for 0, 1, 2 … in this order; any other text is a
 *               category that the model has not met.
 * A flag is 0 or 1. A category feature of the model on a number field takes the number.
 *
 * Bounds: a number field has at most 253 places where it is split, a category field 253 texts.
 * Ownership: results are the caller's. Errors: PROTO_BAD_DOCUMENT naming the feature and what would
 * do; PROTO_NO_MEMORY. Threads: pure. */
#ifndef FOREIGN_BIND_H
#define FOREIGN_BIND_H

#include "server/foreign/foreign_model.h"
#include "server/model/scorecard.h"

enum foreign_how { FOREIGN_VALUE, FOREIGN_EQUALS, FOREIGN_HAS, FOREIGN_CATEGORIES };

/* What one feature of the model is. */
struct foreign_use {
    const struct feature_field *field; /* NULL: no split asks the feature */
    enum foreign_how how;
    char *text;        /* of equals and has */
    char **categories; /* of categories; texts of the map's JSON, which must outlive it */
    size_t category_count;
};

/* uses[model->feature_count], zeroed. map: an object, feature → "field" or { "field": …, and one of
 * "equals", "has", "categories" }; NULL: names as they are. Texts are borrowed from the map. */
bool foreign_map_read(const json_t *map, const struct foreign_model *model,
                      const struct feature_schema *schema, struct foreign_use *uses,
                      struct proto_fault *fault);
void foreign_map_fini(struct foreign_use *uses, size_t count);

struct foreign_bound {
    struct feature_codebook *codebook;
    struct model_trees *trees; /* sealed */
};

bool foreign_bind(const struct foreign_model *model, const struct foreign_use *uses,
                  const struct feature_schema *schema, struct foreign_bound *bound,
                  struct proto_fault *fault);
void foreign_bound_fini(struct foreign_bound *bound);

/* What an ICP document says of where it comes from. */
struct foreign_draft {
    const char *name;  /* for people */
    const char *file;  /* base name of the model's */
    const json_t *map; /* NULL: none was given */
};

/* The text of an ICP document without evidence, whose reference population is empty: what
 * icp-import completes from accounts. Caller frees. */
char *foreign_draft_print(const struct foreign_model *model, struct foreign_bound *bound,
                          const struct feature_schema *schema, const struct foreign_draft *draft,
                          struct proto_fault *fault);

#endif
