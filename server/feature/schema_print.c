/* SPDX-License-Identifier: Apache-2.0 */
/* A schema as the document that gives it back, ids and retired fields included. */
#include <jansson.h>
#include <stdlib.h>

#include "server/feature/schema.h"

#define MS_PER_DAY 86400000

static json_t *words_print(char *const *words, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(array, json_string(words[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* Days that read back as the same milliseconds, because parsing rounds to the nearest one and the
 * limit of a thousand years keeps the error of the quotient far below half. Whole days stay whole.
 */
static json_t *stale_print(int64_t stale_after_ms)
{
    if (stale_after_ms % MS_PER_DAY == 0) {
        return json_integer(stale_after_ms / MS_PER_DAY);
    }
    double days = (double)stale_after_ms / MS_PER_DAY;
    return json_real(days);
}

static json_t *field_print(const struct feature_field *field, bool retired)
{
    json_t *object = json_object();
    int failed = 0;
    failed |= json_object_set_new(object, "name", json_string(field->name));
    failed |= json_object_set_new(object, "type", json_string(feature_type_name(field->type)));
    if (field->type == FEATURE_VECTOR) {
        failed |= json_object_set_new(object, "dims", json_integer(field->dims));
    }
    if (!retired) {
        failed |=
            json_object_set_new(object, "family", json_string(feature_family_name(field->family)));
        if (field->transform != FEATURE_TRANSFORM_NONE) {
            failed |= json_object_set_new(object, "transform",
                                          json_string(feature_transform_name(field->transform)));
        }
        if (field->missing_count > 0) {
            failed |= json_object_set_new(object, "missing",
                                          words_print(field->missing, field->missing_count));
        }
        if (field->stale_after_ms > 0) {
            failed |=
                json_object_set_new(object, "stale_after_days", stale_print(field->stale_after_ms));
        }
    }
    failed |= json_object_set_new(object, "id", json_integer(field->id));
    if (failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *fields_print(const struct feature_field *fields, size_t count, bool retired)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(array, field_print(&fields[i], retired)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *keys_print(const struct feature_key_column *keys, size_t count)
{
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++) {
        if (json_object_set_new(object, keys[i].name_space, json_string(keys[i].column)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

char *feature_schema_print(const struct feature_schema *schema)
{
    json_t *object = json_object();
    char *text = NULL;
    int failed = 0;
    failed |= json_object_set_new(object, "version", json_integer(schema->version));
    failed |= json_object_set_new(object, "fields",
                                  fields_print(schema->fields, schema->field_count, false));
    if (schema->missing_count > 0) {
        failed |= json_object_set_new(object, "missing",
                                      words_print(schema->missing, schema->missing_count));
    }
    if (schema->id_column != NULL) {
        failed |= json_object_set_new(object, "id", json_string(schema->id_column));
    }
    if (schema->name != NULL) {
        failed |= json_object_set_new(object, "name", json_string(schema->name->name));
    }
    if (schema->key_count > 0) {
        failed |= json_object_set_new(object, "keys", keys_print(schema->keys, schema->key_count));
    }
    if (schema->retired_count > 0) {
        failed |= json_object_set_new(object, "retired",
                                      fields_print(schema->retired, schema->retired_count, true));
    }
    if (!failed) {
        text = json_dumps(object, JSON_INDENT(2));
    }
    json_decref(object);
    return text;
}
