/* SPDX-License-Identifier: Apache-2.0 */
/* XGBoost's model: what stands around its trees (foreign_xgboost_tree.c), by the members of the
 * file; those that say nothing of the score are passed over. When the file has ended, what was read
 * is held together: the objective says what the margin means, base_score where it begins, and every
 * split asks a feature that there is. What cannot be served is refused by its name. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/feature/span_text.h"
#include "server/foreign/foreign_line.h"
#include "server/foreign/foreign_tree.h"

/* What is known while the file is read. */
struct reading {
    struct foreign_model *model;
    char booster[32];
    char base_score[64];
    size_t base_score_at;
    size_t objective_at;
    double features; /* by learner_model_param; names may be left out */
    bool has_model;
};

/* The next value, a short text, kept with a zero end. */
static bool text_keep(struct foreign_reader *reader, const char *what, char *out, size_t bytes)
{
    if (!foreign_want(reader, FOREIGN_TEXT, what)) {
        return false;
    }
    if (reader->text_cut || reader->text_bytes >= bytes) {
        return foreign_fail(reader, reader->start, "%s: a text of at most %zu bytes is wanted",
                            what, bytes - 1);
    }
    memcpy(out, reader->text, reader->text_bytes + 1);
    return true;
}

/* The next value, a number as a text, as this format has them. */
static bool text_number(struct foreign_reader *reader, const char *what, double *number)
{
    char text[64];
    return text_keep(reader, what, text, sizeof text) &&
           (feature_number_read(proto_span_text(text), number) ||
            foreign_fail(reader, reader->start, "%s: a number is wanted, in quotes", what));
}

static bool version_read(struct foreign_reader *reader, struct reading *reading)
{
    struct foreign_numbers numbers = {0};
    bool ok = foreign_numbers_read(reader, "version", 8, &numbers);
    size_t used = 0;
    for (size_t i = 0; ok && i < numbers.count; i++) {
        int64_t part;
        ok = foreign_numbers_whole(reader, &numbers, "version", i, 0, 99999, &part);
        if (ok) {
            used += (size_t)snprintf(reading->model->version + used,
                                     sizeof reading->model->version - used, "%s%d",
                                     i == 0 ? "" : ".", (int)part);
            used = used < 24 ? used : 24;
        }
    }
    foreign_numbers_fini(&numbers);
    return ok;
}

static bool names_read(struct foreign_reader *reader, struct reading *reading)
{
    if (!foreign_want(reader, FOREIGN_ARRAY, "feature_names, an array,")) {
        return false;
    }
    for (;;) {
        enum foreign_token token = foreign_next(reader);
        if (token == FOREIGN_ARRAY_END) {
            return true;
        }
        if (token != FOREIGN_TEXT || reader->text_cut || reader->text_bytes == 0 ||
            reader->text_bytes > FOREIGN_NAME_BYTES_MAX ||
            strlen(reader->text) != reader->text_bytes) {
            return foreign_fail(reader, reader->start, "a name of 1 to %d bytes is wanted here",
                                FOREIGN_NAME_BYTES_MAX);
        }
        if (reading->model->feature_count == FOREIGN_FEATURES_MAX) {
            return foreign_fail(reader, reader->start, "more than %d features",
                                FOREIGN_FEATURES_MAX);
        }
        if (!foreign_feature_add(reading->model, reader->text, reader->text_bytes)) {
            return false;
        }
    }
}

static bool model_member(void *context, struct foreign_reader *reader)
{
    struct reading *reading = context;
    if (foreign_text_is(reader, "trees")) {
        reading->has_model = true;
        return foreign_xgboost_trees(reading->model, reader);
    }
    return foreign_pass(reader);
}

static bool booster_member(void *context, struct foreign_reader *reader)
{
    struct reading *reading = context;
    if (foreign_text_is(reader, "model")) {
        return foreign_object(reader, "model", model_member, context);
    }
    if (foreign_text_is(reader, "name")) {
        char shown[FEATURE_SHOWN_BYTES];
        size_t at = reader->start;
        return text_keep(reader, "name", reading->booster, sizeof reading->booster) &&
               (strcmp(reading->booster, "gbtree") == 0 ||
                foreign_fail(
                    reader, at, "the booster %s is not served: gbtree is",
                    feature_text_show(proto_span_text(reading->booster), shown, sizeof shown)));
    }
    return foreign_pass(reader);
}

static bool param_member(void *context, struct foreign_reader *reader)
{
    struct reading *reading = context;
    size_t at = reader->start;
    double number = 0;
    if (foreign_text_is(reader, "base_score")) {
        return text_keep(reader, "base_score", reading->base_score, sizeof reading->base_score) &&
               ((reading->base_score_at = reader->start), true);
    }
    if (foreign_text_is(reader, "num_class")) {
        return text_number(reader, "num_class", &number) &&
               (number <= 1 ||
                foreign_fail(reader, at, "%.0f classes: a model of one outcome is served", number));
    }
    if (foreign_text_is(reader, "num_target")) {
        return text_number(reader, "num_target", &number) &&
               (number <= 1 ||
                foreign_fail(reader, at, "%.0f targets: a model of one outcome is served", number));
    }
    if (foreign_text_is(reader, "num_feature")) {
        return text_number(reader, "num_feature", &reading->features) &&
               ((reading->features >= 0 && reading->features <= FOREIGN_FEATURES_MAX) ||
                foreign_fail(reader, at, "at most %d features are served", FOREIGN_FEATURES_MAX));
    }
    return foreign_pass(reader);
}

static bool objective_member(void *context, struct foreign_reader *reader)
{
    struct reading *reading = context;
    if (!foreign_text_is(reader, "name")) {
        return foreign_pass(reader);
    }
    reading->objective_at = reader->start;
    return text_keep(reader, "objective", reading->model->objective,
                     sizeof reading->model->objective);
}

static bool learner_member(void *context, struct foreign_reader *reader)
{
    struct reading *reading = context;
    if (foreign_text_is(reader, "feature_names")) {
        return names_read(reader, reading);
    }
    if (foreign_text_is(reader, "gradient_booster")) {
        return foreign_object(reader, "gradient_booster", booster_member, context);
    }
    if (foreign_text_is(reader, "learner_model_param")) {
        return foreign_object(reader, "learner_model_param", param_member, context);
    }
    if (foreign_text_is(reader, "objective")) {
        return foreign_object(reader, "objective", objective_member, context);
    }
    return foreign_pass(reader);
}

static bool top_member(void *context, struct foreign_reader *reader)
{
    if (foreign_text_is(reader, "learner")) {
        return foreign_object(reader, "learner", learner_member, context);
    }
    if (foreign_text_is(reader, "version")) {
        return version_read(reader, context);
    }
    return foreign_pass(reader);
}

/* The margin of a row before any tree: what the objective makes of base_score, which newer versions
 * write as a list of one. */
static bool base_take(struct foreign_reader *reader, struct reading *reading)
{
    struct proto_span text = proto_span_text(reading->base_score);
    double base = 0;
    if (text.bytes > 2 && text.data[0] == '[' && text.data[text.bytes - 1] == ']') {
        text = (struct proto_span){text.data + 1, text.bytes - 2};
    }
    if (!feature_number_read(text, &base)) {
        return foreign_fail(reader, reading->base_score_at,
                            reading->base_score[0] == '\0' ? "learner_model_param has no base_score"
                                                           : "base_score: a number is wanted");
    }
    base = (double)(float)base;
    /* binary:logitraw takes it for a margin as it is. */
    bool chance =
        reading->model->logistic && strcmp(reading->model->objective, "binary:logitraw") != 0;
    if (chance && !(base > 0 && base < 1)) {
        return foreign_fail(reader, reading->base_score_at,
                            "base_score: a number between 0 and 1 is wanted for %s",
                            reading->model->objective);
    }
    reading->model->base = chance ? log(base / (1 - base)) : base;
    return true;
}

/* Names where the file has none, as XGBoost shows them; and that no split asks for more. */
static bool features_end(struct foreign_reader *reader, struct reading *reading)
{
    struct foreign_model *model = reading->model;
    for (size_t i = model->feature_count; model->feature_count < (size_t)reading->features; i++) {
        char name[32];
        int bytes = snprintf(name, sizeof name, "f%zu", i);
        if (!foreign_feature_add(model, name, (size_t)bytes)) {
            return false;
        }
    }
    for (size_t i = 0; i < model->node_count; i++) {
        if (!model->nodes[i].leaf && model->nodes[i].feature >= model->feature_count) {
            return foreign_fail(reader, 0, "a tree is split by feature %u, the model has %zu",
                                model->nodes[i].feature, model->feature_count);
        }
    }
    return foreign_features_differ(model, reader, 0);
}

static bool end_check(struct foreign_reader *reader, struct reading *reading)
{
    bool known;
    char shown[FEATURE_SHOWN_BYTES];
    struct foreign_model *model = reading->model;
    if (foreign_next(reader) != FOREIGN_END) {
        return foreign_fail(reader, reader->start, "something stands behind the model");
    }
    if (!reading->has_model || reading->booster[0] == '\0') {
        return foreign_fail(reader, 0,
                            "no learner.gradient_booster with a name and model.trees: "
                            "this is not a model that XGBoost saved");
    }
    model->logistic = foreign_objective_logistic(model->objective, &known);
    if (!known) {
        return foreign_fail(
            reader, reading->objective_at,
            "the objective '%s' is not served: " FOREIGN_OBJECTIVES " are",
            feature_text_show(proto_span_text(model->objective), shown, sizeof shown));
    }
    return base_take(reader, reading) && features_end(reader, reading);
}

bool foreign_xgboost_read(struct foreign_model *model, struct foreign_reader *reader)
{
    struct reading reading = {.model = model};
    return foreign_object(reader, "the model", top_member, &reading) && end_check(reader, &reading);
}
