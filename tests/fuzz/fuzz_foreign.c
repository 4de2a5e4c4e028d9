/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a model file of XGBoost (JSON or UBJSON) or LightGBM. What is read must be bound to a
 * schema that has its features as numbers or be refused with a reason; what is bound must score
 * rows as the model's own margin says, whatever way they are summed, with contributions that add
 * up. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/foreign/foreign_bind.h"
#include "tests/fuzz/fuzz.h"

#define FEATURES 5

static const char schema_text[] =
    "{\"fields\":[{\"name\":\"x0\",\"type\":\"number\"},{\"name\":\"x1\",\"type\":\"number\"},"
    "{\"name\":\"x2\",\"type\":\"number\"},{\"name\":\"x3\",\"type\":\"number\"},"
    "{\"name\":\"x4\",\"type\":\"number\"},{\"name\":\"city\",\"type\":\"number\"}]}";

/* Values near what splits ask, and missing ones. */
static double value_make(uint32_t *seed)
{
    static const double some[] = {0, -0.0, 1, 2, 0.5, -1, 1e-35, -1e-35, 3.25, 31, 1e9, -7.5};
    *seed = *seed * 1664525U + 1013904223U;
    uint32_t drawn = *seed >> 16;
    return drawn % 5 == 0 ? (double)NAN : some[drawn % (sizeof some / sizeof *some)];
}

static void row_check(const struct foreign_model *model, const struct foreign_use *uses,
                      const struct foreign_bound *bound, size_t slots, uint32_t seed)
{
    uint8_t row[PROTO_COLUMNS_MAX + 64] = {0};
    int32_t parts[PROTO_COLUMNS_MAX];
    double *values = calloc(model->feature_count + 1, sizeof *values);
    struct feature_value *of = calloc(slots + 1, sizeof *of);
    FUZZ_HOLDS(values != NULL && of != NULL);
    for (size_t f = 0; f < model->feature_count; f++) {
        values[f] = value_make(&seed);
        if (uses[f].field != NULL) {
            of[uses[f].field->id] = (struct feature_value){
                .present = !isnan(values[f]), .type = FEATURE_NUMBER, .number = values[f]};
        }
    }
    feature_codebook_encode(bound->codebook, of, slots, row);
    int64_t raw = model_trees_raw(bound->trees, row);
    FUZZ_HOLDS(raw == model_trees_walk(bound->trees, row));
    double margin = foreign_model_margin(model, values);
    FUZZ_HOLDS(fabs(1e-6 * (double)raw - margin) < 1e-5);
    model_trees_contributions(bound->trees, row, bound->trees->expectation, parts);
    int64_t sum = bound->trees->expectation;
    for (size_t c = 0; c < bound->trees->column_count; c++) {
        sum += parts[c];
    }
    FUZZ_HOLDS(sum == raw);
    free(of);
    free(values);
}

static void model_check(const struct foreign_model *model, const struct feature_schema *schema)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct foreign_bound bound = {0};
    struct foreign_use *uses = calloc(model->feature_count + 1, sizeof *uses);
    FUZZ_HOLDS(uses != NULL);
    bool ok = foreign_map_read(NULL, model, schema, uses, &fault) &&
              foreign_bind(model, uses, schema, &bound, &fault);
    FUZZ_HOLDS(ok || fault.message[0] != '\0');
    for (uint32_t seed = 0; ok && seed < 8; seed++) {
        row_check(model, uses, &bound, schema->id_count, seed);
    }
    if (ok) {
        const struct foreign_draft draft = {.name = "", .file = "", .map = NULL};
        char *text = foreign_draft_print(model, &bound, schema, &draft, &fault);
        FUZZ_HOLDS(text != NULL || fault.message[0] != '\0');
        free(text);
    }
    foreign_bound_fini(&bound);
    foreign_map_fini(uses, model->feature_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct feature_schema *schema =
        feature_schema_parse(proto_span_text(schema_text), 1, NULL, &fault);
    FUZZ_HOLDS(schema != NULL);
    struct foreign_model *model = foreign_model_read((struct proto_span){data, bytes}, &fault);
    FUZZ_HOLDS(model != NULL || fault.message[0] != '\0');
    if (model != NULL) {
        model_check(model, schema);
    }
    foreign_model_destroy(model);
    feature_schema_release(schema);
    return 0;
}
