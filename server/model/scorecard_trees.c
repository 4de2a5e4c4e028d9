/* SPDX-License-Identifier: Apache-2.0 */
/* Trees as a scorecard: a term with a table of zeros for each column that they ask, so that whoever
 * names the columns and bins of a score finds them where those of tables stand. */
#include "server/model/scorecard_trees.h"

struct model_scorecard *model_create_trees(struct model_trees *trees,
                                           const struct feature_codebook *codebook)
{
    size_t entries = 0;
    for (size_t c = 0; c < trees->column_count; c++) {
        entries += codebook->columns[trees->columns[c]].bin_count;
    }
    struct model_scorecard *scorecard = model_create(trees->column_count, entries);
    if (scorecard == NULL) {
        model_trees_destroy(trees);
        return NULL;
    }
    size_t offset = 0;
    for (size_t c = 0; c < trees->column_count; c++) {
        unsigned bins = codebook->columns[trees->columns[c]].bin_count;
        scorecard->terms[c] = (struct model_term){trees->columns[c], MODEL_NO_COLUMN,
                                                  (uint16_t)bins, 1, (uint32_t)offset};
        offset += bins;
    }
    scorecard->trees = trees;
    scorecard->intercept = trees->expectation;
    return scorecard;
}

struct model_scorecard *model_scorecard_trees(const json_t *json,
                                              const struct feature_codebook *codebook,
                                              struct proto_fault *fault)
{
    if (json_array_size(json_object_get(json, "terms")) > 0) {
        proto_fault_set(fault, PROTO_BAD_DOCUMENT, "terms",
                        "where there are trees there are no terms");
        return NULL;
    }
    struct model_trees *trees =
        model_trees_from_json(json_object_get(json, "trees"), codebook, fault);
    if (trees == NULL) {
        proto_fault_within(fault, "trees");
        return NULL;
    }
    struct model_scorecard *scorecard = model_create_trees(trees, codebook);
    if (scorecard == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the tables");
    }
    return scorecard;
}
