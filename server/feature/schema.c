/* SPDX-License-Identifier: Apache-2.0 */
#include "server/feature/schema.h"

#include <stdlib.h>

#include "server/feature/schema_index.h"
#include "server/feature/span_text.h"

void feature_field_fini(struct feature_field *field)
{
    for (size_t i = 0; i < field->missing_count; i++) {
        free(field->missing[i]);
    }
    free(field->missing);
    free(field->name);
}

static void schema_destroy(struct feature_schema *schema)
{
    feature_schema_index_destroy(schema);
    for (size_t i = 0; i < schema->field_count; i++) {
        feature_field_fini(&schema->fields[i]);
    }
    for (size_t i = 0; i < schema->retired_count; i++) {
        feature_field_fini(&schema->retired[i]);
    }
    for (size_t i = 0; i < schema->key_count; i++) {
        free(schema->keys[i].name_space);
        free(schema->keys[i].column);
    }
    for (size_t i = 0; i < schema->missing_count; i++) {
        free(schema->missing[i]);
    }
    free(schema->fields);
    free(schema->retired);
    free(schema->keys);
    free(schema->missing);
    free(schema->id_column);
    free(schema);
}

struct feature_schema *feature_schema_retain(struct feature_schema *schema)
{
    __atomic_fetch_add(&schema->references, 1, __ATOMIC_RELAXED);
    return schema;
}

void feature_schema_release(struct feature_schema *schema)
{
    /* Acquire and release together: the last holder must see all uses by the others as done. */
    if (schema != NULL && __atomic_sub_fetch(&schema->references, 1, __ATOMIC_ACQ_REL) == 0) {
        schema_destroy(schema);
    }
}

const struct feature_field *feature_schema_find(const struct feature_schema *schema,
                                                struct proto_span name)
{
    uint32_t index = feature_lookup_find(&schema->index->name, name);
    return index == FEATURE_LOOKUP_NONE ? NULL : &schema->fields[index];
}

const struct feature_field *feature_schema_by_id(const struct feature_schema *schema, uint16_t id)
{
    if (id >= schema->id_count || schema->index->by_id[id] == FEATURE_LOOKUP_NONE) {
        return NULL;
    }
    return &schema->fields[schema->index->by_id[id]];
}

/* Copies the text in lower case; false if it is longer than the room. */
static bool text_fold(struct proto_span text, uint8_t *out, size_t out_bytes)
{
    if (text.bytes > out_bytes) {
        return false;
    }
    for (size_t i = 0; i < text.bytes; i++) {
        out[i] = feature_text_lower(text.data[i]);
    }
    return true;
}

const struct feature_field *feature_schema_find_any_case(const struct feature_schema *schema,
                                                         struct proto_span name)
{
    uint8_t folded[PROTO_FIELD_NAME_BYTES_MAX];
    if (!text_fold(name, folded, sizeof folded)) {
        return NULL;
    }
    uint32_t index =
        feature_lookup_find(&schema->index->any_case, (struct proto_span){folded, name.bytes});
    return index == FEATURE_LOOKUP_NONE ? NULL : &schema->fields[index];
}

const struct feature_field *feature_schema_find_ever(const struct feature_schema *schema,
                                                     struct proto_span name, enum feature_type type)
{
    const struct feature_field *field = feature_schema_find(schema, name);
    if (field != NULL && field->type == type) {
        return field;
    }
    /* The latest of that name and type: a vector may have had several lengths. */
    for (size_t i = schema->retired_count; i-- > 0;) {
        const struct feature_field *retired = &schema->retired[i];
        if (retired->type == type && proto_span_is(name, retired->name)) {
            return retired;
        }
    }
    return NULL;
}

const struct feature_field *feature_schema_nearest(const struct feature_schema *schema,
                                                   struct proto_span name)
{
    const struct feature_field *nearest = NULL;
    size_t distance = (name.bytes < 6 ? 2 : name.bytes / 3) + 1;
    for (size_t i = 0; i < schema->field_count && distance > 0; i++) {
        size_t far =
            feature_text_distance(name, proto_span_text(schema->fields[i].name), distance - 1);
        if (far < distance) {
            distance = far;
            nearest = &schema->fields[i];
        }
    }
    return nearest;
}

bool feature_is_missing_word(const struct feature_schema *schema, const struct feature_field *field,
                             struct proto_span text)
{
    uint8_t folded[FEATURE_MISSING_WORD_BYTES_MAX];
    const struct feature_schema_index *index = schema->index;
    text = feature_text_trim(text);
    if (text.bytes == 0) {
        return true;
    }
    if (!feature_missing_word_possible(index, text) || !text_fold(text, folded, sizeof folded)) {
        return false;
    }
    struct proto_span key = {folded, text.bytes};
    if (feature_lookup_find(&index->missing, key) != FEATURE_LOOKUP_NONE) {
        return true;
    }
    /* A retired field is no element of fields and has no words of its own. */
    if (field == NULL || field < schema->fields || field >= schema->fields + schema->field_count) {
        return false;
    }
    return feature_lookup_find(&index->of_field[field - schema->fields], key) !=
           FEATURE_LOOKUP_NONE;
}

const char *const *feature_default_missing_words(size_t *count)
{
    /* As people, spreadsheets, SQL, R, Python and web forms write it; case does not matter. */
    static const char *const words[] = {
        "",        "-",       "--",      "?",       "N/A",           "NA",      "#N/A",
        "n.a.",    "NULL",    "(null)",  "\\N",     "None",          "nil",     "NaN",
        "unknown", "missing", "Select",  "TBD",     "not available", "not set", "undefined",
        "blank",   "(blank)", "#REF!",   "#VALUE!", "#DIV/0!",       "#NAME?",  "#NUM!",
        "#NULL!",  "#CALC!",  "#SPILL!", "#ERROR!", "#NV",           "#WERT!",  "#BEZUG!",
    };
    *count = sizeof words / sizeof words[0];
    return words;
}
