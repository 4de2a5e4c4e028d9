/* SPDX-License-Identifier: Apache-2.0 */
/* A document that holds the model and says nothing of accounts yet. Chances are the model's own
 * where its margin is a logit; the points of the calibration, which others read its ends from, are
 * then those of the logistic curve. Where it is not, they stand at a half until outcomes say more.
 */
#include <math.h>
#include <stdlib.h>

#include "server/foreign/foreign_bind.h"

#define CURVE_LOGITS 16 /* beyond it p is within 2e-7 of 0 or 1 */

static void curve_fill(struct model_scorecard *scorecard)
{
    size_t last = MODEL_CALIBRATION_POINTS_MAX - 1;
    scorecard->calibration_count = MODEL_CALIBRATION_POINTS_MAX;
    for (size_t i = 0; i <= last; i++) {
        double logits = CURVE_LOGITS * (2.0 * (double)i / (double)last - 1.0);
        scorecard->calibration_raw[i] = (int64_t)round(logits * 1e6);
        scorecard->calibration_p[i] = 1.0 / (1.0 + exp(-logits));
    }
}

static void scorecard_fill(struct model_scorecard *scorecard, bool logistic)
{
    if (logistic) {
        curve_fill(scorecard);
    } else {
        scorecard->calibration_count = 1;
        scorecard->calibration_p[0] = 0.5;
    }
    for (size_t i = 0; i < MODEL_REFERENCE_POINTS; i++) {
        scorecard->reference[i] = scorecard->intercept;
    }
    scorecard->grades = (struct model_grades){90.0, 70.0, 40.0};
}

static json_t *settings_json(const struct foreign_model *model, const struct foreign_draft *draft)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "trainer",
                             model->kind == FOREIGN_XGBOOST ? "xgboost" : "lightgbm", "version",
                             model->version, "objective", model->objective, "file", draft->file,
                             "trees", (json_int_t)model->tree_count, "leaves",
                             (json_int_t)(model->node_count + model->tree_count) / 2);
    if (draft->map != NULL && json_object_set_new(json, "map", json_deep_copy(draft->map)) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *evidence_json(void)
{
    json_t *holdout = json_pack("{s:s, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}",
                                "split", "none", "n", 0, "positives", 0, "auc", 0.5, "auc_low", 0.0,
                                "auc_high", 1.0, "brier", 0.0, "brier_reference", 0.0, "log_loss",
                                0.0, "ece", 0.0, "lift_top_decile", 0.0, "ks", 0.0);
    return json_pack("{s:o, s:[], s:[], s:[]}", "holdout", holdout, "fields", "refused",
                     "warnings");
}

/* bound's trees go over to the scorecard that is written. */
char *foreign_draft_print(const struct foreign_model *model, struct foreign_bound *bound,
                          const struct feature_schema *schema, const struct foreign_draft *draft,
                          struct proto_fault *fault)
{
    struct model_scorecard *scorecard = model_create_trees(bound->trees, bound->codebook);
    bound->trees = NULL;
    if (scorecard == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the document");
        return NULL;
    }
    scorecard_fill(scorecard, model->logistic);
    if (!model_seal(scorecard, bound->codebook, fault)) {
        model_destroy(scorecard);
        return NULL;
    }
    json_t *label = json_pack("{s:s, s:s, s:i, s:i, s:f}", "expression", "", "where", "",
                              "population", 0, "positives", 0, "base_rate", 0.0);
    json_t *json = json_pack("{s:i, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "format", 1, "name",
                             draft->name, "created", "", "schema", (json_int_t)schema->version,
                             "label", label, "settings", settings_json(model, draft), "evidence",
                             evidence_json(), "codebook", feature_codebook_to_json(bound->codebook),
                             "scorecard", model_to_json(scorecard, bound->codebook));
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(json);
    model_destroy(scorecard);
    if (text == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the document");
    } else if (strlen(text) > PROTO_DOCUMENT_BYTES_MAX) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "",
                        "the document has %zu bytes, at most %d are allowed: train fewer trees",
                        strlen(text), PROTO_DOCUMENT_BYTES_MAX);
        free(text);
        return NULL;
    }
    return text;
}
