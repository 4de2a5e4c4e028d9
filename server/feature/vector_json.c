/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as JSON:
 *   { "digest": "16 hex digits", "dims": 128, "hashed": 96, "rows": 5408,
 *     "fields": [ { "field": "team_size", "type": "number", "transform": "log", "share": 0.25,
 *                   "rows": 5000, "place": 0, "center": 2.5, "scale": 1.5 },
 *                 { "field": "industry", "type": "category", "share": 0.25, "rows": 5400,
 *                   "words": [["Fintech", 300, 17], ["Travel", 2, -1]] },
 *                 { "field": "text", "type": "vector", "share": 0.5, "rows": 9, "place": 0,
 *                   "dims": 64 } ],
 *     "left": [["name", "more than half of its values differ: it names accounts"]] }
 * With "metric": "dot" or "l2", left out for the cosine, vector fields have a "scale". */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "server/feature/json_text.h"
#include "server/feature/vector_word.h"

static json_t *words_to_json(const struct feature_vector_field *field)
{
    json_t *array = json_array();
    int failed = array == NULL;
    for (size_t i = 0; !failed && i < field->word_count; i++) {
        failed = json_array_append_new(array, json_pack("[s, i, i]", field->words[i].text,
                                                        (int)field->words[i].rows,
                                                        (int)field->words[i].place)) != 0;
    }
    if (!failed) {
        return array;
    }
    json_decref(array);
    return NULL;
}

static json_t *field_to_json(const struct feature_vector_field *field)
{
    json_t *object =
        json_pack("{s:s, s:s, s:f, s:i}", "field", field->name, "type",
                  feature_type_name(field->type), "share", field->share, "rows", (int)field->rows);
    int failed = object == NULL;
    if (!failed && (field->type == FEATURE_NUMBER || field->type == FEATURE_VECTOR)) {
        failed |= json_object_set_new(object, "place", json_integer(field->place));
    }
    if (!failed && field->type == FEATURE_NUMBER) {
        failed |= json_object_set_new(object, "transform",
                                      json_string(feature_transform_name(field->transform)));
        failed |= json_object_set_new(object, "center", json_real(field->center));
        failed |= json_object_set_new(object, "scale", json_real(field->scale));
    } else if (!failed && field->type == FEATURE_VECTOR) {
        failed |= json_object_set_new(object, "dims", json_integer(field->dims));
        if (field->scale > 0) {
            failed |= json_object_set_new(object, "scale", json_real(field->scale));
        }
    } else if (!failed) {
        failed |= json_object_set_new(object, "words", words_to_json(field));
    }
    if (!failed) {
        return object;
    }
    json_decref(object);
    return NULL;
}

/* All but the digest. */
static json_t *plan_to_json(const struct feature_vectorizer *plan)
{
    json_t *fields = json_array();
    json_t *left = json_array();
    int failed = fields == NULL || left == NULL;
    for (size_t i = 0; !failed && i < plan->field_count; i++) {
        failed |= json_array_append_new(fields, field_to_json(&plan->fields[i]));
    }
    for (size_t i = 0; !failed && i < plan->left_count; i++) {
        failed |= json_array_append_new(
            left, json_pack("[s, s]", plan->left[i].name, plan->left[i].reason));
    }
    if (failed) {
        json_decref(fields);
        json_decref(left);
        return NULL;
    }
    json_t *json =
        json_pack("{s:i, s:i, s:i, s:o, s:o}", "dims", (int)plan->dims, "hashed",
                  (int)plan->hashed_place, "rows", (int)plan->rows, "fields", fields, "left", left);
    if (json != NULL && plan->metric != FEATURE_VECTOR_COSINE &&
        json_object_set_new(json, "metric",
                            json_string(feature_vector_metric_name(plan->metric))) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

bool feature_vectorizer_finish(struct feature_vectorizer *plan, struct proto_fault *fault)
{
    for (size_t i = 0; i < plan->field_count; i++) {
        struct feature_vector_field *field = &plan->fields[i];
        field->seed = feature_vector_seed(field->name);
        for (size_t k = 0; k < field->word_count; k++) {
            field->words[k].rarity = feature_vector_rarity(field->rows, field->words[k].rows);
        }
    }
    json_t *json = plan_to_json(plan);
    char *text = json == NULL
                     ? NULL
                     : json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    json_decref(json);
    if (text == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a plan of vectors");
    }
    plan->digest = XXH3_64bits(text, strlen(text));
    free(text);
    return true;
}

char *feature_vectorizer_print(const struct feature_vectorizer *plan)
{
    char digest[17];
    snprintf(digest, sizeof digest, "%016" PRIx64, plan->digest);
    json_t *json = plan_to_json(plan);
    char *text = NULL;
    if (json != NULL && json_object_set_new(json, "digest", json_string(digest)) == 0) {
        text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17));
    }
    json_decref(json);
    return text;
}

static bool bad(struct proto_fault *fault, const char *field, const char *what)
{
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, field, "%s", what);
}

static bool whole(const json_t *object, const char *member, uint32_t most, uint32_t *number,
                  struct proto_fault *fault)
{
    const json_t *json = json_object_get(object, member);
    json_int_t value = json_integer_value(json);
    if (!json_is_integer(json) || value < 0 || value > (json_int_t)most) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, member,
                               "a whole number from 0 to %" PRIu32 " is wanted", most);
    }
    *number = (uint32_t)value;
    return true;
}

static bool real(const json_t *object, const char *member, double *number,
                 struct proto_fault *fault)
{
    const json_t *json = json_object_get(object, member);
    *number = json_number_value(json);
    return (json_is_number(json) && isfinite(*number)) || bad(fault, member, "a number is wanted");
}

static bool word_read(const json_t *json, const struct feature_vectorizer *plan,
                      struct feature_vector_word *word, struct proto_fault *fault)
{
    const json_t *text = json_array_get(json, 0);
    json_int_t rows = json_integer_value(json_array_get(json, 1));
    json_int_t place = json_integer_value(json_array_get(json, 2));
    if (json_array_size(json) != 3 || !json_is_string(text) || rows < 1 || rows > UINT32_MAX ||
        place < -1 || place >= (json_int_t)plan->hashed_place) {
        return bad(fault, "words", "each is [text, accounts, place or -1]");
    }
    word->rows = (uint32_t)rows;
    word->place = (int32_t)place;
    word->text = strdup(json_string_value(text));
    return word->text != NULL ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a plan of vectors");
}

static bool words_read(const json_t *json, const struct feature_vectorizer *plan,
                       struct feature_vector_field *field, struct proto_fault *fault)
{
    size_t count = json_array_size(json);
    if (!json_is_array(json) || count > FEATURE_VECTOR_WORDS_MAX) {
        return bad(fault, "words", "a list of words is wanted");
    }
    field->words = calloc(count + 1, sizeof *field->words);
    if (field->words == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a plan of vectors");
    }
    for (size_t i = 0; i < count; i++) {
        if (!word_read(json_array_get(json, i), plan, &field->words[i], fault)) {
            return false;
        }
        field->word_count++;
        assert(field->words[i].text != NULL);
        if (i > 0 && strcmp(field->words[i - 1].text, field->words[i].text) >= 0) {
            return bad(fault, "words", "words are sorted bytewise, each once");
        }
    }
    return true;
}

static bool type_read(const json_t *json, enum feature_type *type, struct proto_fault *fault)
{
    const char *name = json_string_value(json_object_get(json, "type"));
    for (int i = FEATURE_NUMBER; name != NULL && i <= FEATURE_VECTOR; i++) {
        if (strcmp(name, feature_type_name((enum feature_type)i)) == 0) {
            *type = (enum feature_type)i;
            return true;
        }
    }
    return bad(fault, "type", "the type of a field is wanted");
}

static bool number_read(const json_t *json, struct feature_vector_field *field,
                        struct proto_fault *fault)
{
    const char *transform = json_string_value(json_object_get(json, "transform"));
    if (transform == NULL) {
        return bad(fault, "transform", "none or log is wanted");
    }
    field->transform =
        strcmp(transform, "log") == 0 ? FEATURE_TRANSFORM_LOG : FEATURE_TRANSFORM_NONE;
    return real(json, "center", &field->center, fault) &&
           real(json, "scale", &field->scale, fault) &&
           (field->scale > 0 || bad(fault, "scale", "a number above 0 is wanted"));
}

static bool field_read(const json_t *json, const struct feature_schema *schema,
                       const struct feature_vectorizer *plan, struct feature_vector_field *field,
                       struct proto_fault *fault)
{
    const json_t *name = json_object_get(json, "field");
    uint32_t dims = 2;
    if (!json_is_string(name) || !type_read(json, &field->type, fault)) {
        return json_is_string(name) ? false : bad(fault, "field", "the name of a field is wanted");
    }
    const struct feature_field *known =
        feature_schema_find_ever(schema, feature_json_span(name), field->type);
    if (known == NULL) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "field",
                               "the schema never had a %s field '%s'",
                               feature_type_name(field->type), json_string_value(name));
    }
    field->field_id = known->id;
    field->name = strdup(known->name);
    if (field->name == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a plan of vectors");
    }
    if (!real(json, "share", &field->share, fault) ||
        !whole(json, "rows", UINT32_MAX, &field->rows, fault)) {
        return false;
    }
    if (!(field->share > 0 && field->share <= 1.0000001)) {
        return bad(fault, "share", "a share above 0 and up to 1 is wanted");
    }
    if (field->type != FEATURE_NUMBER && field->type != FEATURE_VECTOR) {
        return words_read(json_object_get(json, "words"), plan, field, fault);
    }
    if (field->type == FEATURE_VECTOR &&
        !whole(json, "dims", PROTO_VECTOR_DIMS_MAX, &dims, fault)) {
        return false;
    }
    field->dims = field->type == FEATURE_VECTOR ? (uint16_t)dims : 0;
    if (field->type == FEATURE_NUMBER && !number_read(json, field, fault)) {
        return false;
    }
    if (field->type == FEATURE_VECTOR && plan->metric != FEATURE_VECTOR_COSINE &&
        (!real(json, "scale", &field->scale, fault) ||
         (!(field->scale > 0) && !bad(fault, "scale", "a number above 0 is wanted")))) {
        return false;
    }
    return whole(json, "place", plan->hashed_place, &field->place, fault) &&
           (field->place + dims <= plan->hashed_place ||
            bad(fault, "place", "the field does not fit before the hashed part"));
}

static bool left_read(const json_t *json, struct feature_vectorizer *plan,
                      struct proto_fault *fault)
{
    size_t count = json_array_size(json);
    if (!json_is_array(json) || count > 2 * PROTO_FIELDS_MAX) {
        return bad(fault, "left", "a list of [field, reason] is wanted");
    }
    plan->left = calloc(count + 1, sizeof *plan->left);
    if (plan->left == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a plan of vectors");
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(json_array_get(json, i), 0));
        const char *reason = json_string_value(json_array_get(json_array_get(json, i), 1));
        if (name == NULL || reason == NULL) {
            return bad(fault, "left", "each is [field, reason]");
        }
        plan->left_count++;
        plan->left[i].name = strdup(name);
        plan->left[i].reason = strdup(reason);
        if (plan->left[i].name == NULL || plan->left[i].reason == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a plan of vectors");
        }
    }
    return true;
}

static bool fields_read(const json_t *json, const struct feature_schema *schema,
                        struct feature_vectorizer *plan, struct proto_fault *fault)
{
    size_t count = json_array_size(json);
    if (!json_is_array(json) || count == 0 || count > PROTO_FIELDS_MAX) {
        return bad(fault, "fields", "a list of fields is wanted");
    }
    plan->fields = calloc(count, sizeof *plan->fields);
    if (plan->fields == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a plan of vectors");
    }
    for (size_t i = 0; i < count; i++) {
        plan->field_count++;
        if (!field_read(json_array_get(json, i), schema, plan, &plan->fields[i], fault)) {
            return proto_fault_within(fault, "fields[%zu]", i);
        }
        if (i > 0 && plan->fields[i - 1].field_id >= plan->fields[i].field_id) {
            return bad(fault, "fields", "fields stand in the order of their ids, each once");
        }
    }
    return true;
}

static bool plan_read(const json_t *json, const struct feature_schema *schema,
                      struct feature_vectorizer *plan, struct proto_fault *fault)
{
    const char *digest = json_string_value(json_object_get(json, "digest"));
    const json_t *metric = json_object_get(json, "metric");
    if (metric != NULL &&
        (!json_is_string(metric) ||
         !feature_vector_metric_parse(feature_json_span(metric), &plan->metric))) {
        return bad(fault, "metric", "cosine, dot or l2 is wanted");
    }
    char real_digest[17];
    if (!whole(json, "dims", FEATURE_VECTOR_DIMS_MAX, &plan->dims, fault) ||
        !whole(json, "hashed", plan->dims, &plan->hashed_place, fault) ||
        !whole(json, "rows", UINT32_MAX, &plan->rows, fault) ||
        !fields_read(json_object_get(json, "fields"), schema, plan, fault) ||
        !left_read(json_object_get(json, "left"), plan, fault) ||
        !feature_vectorizer_finish(plan, fault)) {
        return false;
    }
    snprintf(real_digest, sizeof real_digest, "%016" PRIx64, plan->digest);
    return (digest != NULL && strcmp(digest, real_digest) == 0) ||
           bad(fault, "digest", "the plan is not the one that its digest names");
}

struct feature_vectorizer *feature_vectorizer_parse(struct proto_span text,
                                                    const struct feature_schema *schema,
                                                    struct proto_fault *fault)
{
    json_t *json = feature_json_load(text, PROTO_BAD_DOCUMENT, fault);
    struct feature_vectorizer *plan = json == NULL ? NULL : feature_vectorizer_create();
    if (json != NULL && plan == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a plan of vectors");
    }
    if (plan != NULL && !plan_read(json, schema, plan, fault)) {
        feature_vectorizer_release(plan);
        plan = NULL;
    }
    json_decref(json);
    return plan;
}
