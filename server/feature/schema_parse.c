/* SPDX-License-Identifier: Apache-2.0 */
/* A schema document to a schema: shape and words first (this file), then field ids from the
 * document or from the previous version (schema_ids.c), then the index. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "proto/reader.h"
#include "server/feature/json_text.h"
#include "server/feature/schema_ids.h"
#include "server/feature/schema_index.h"
#include "server/feature/span_text.h"

#define MS_PER_DAY 86400000.0
/* A thousand years; keeps the product within int64 and catches milliseconds given as days. */
#define STALE_DAYS_MAX 365250.0

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a schema");
}

static bool wrong_kind(struct proto_fault *fault, const char *member, const char *wanted,
                       const json_t *json)
{
    return proto_fault_set(fault, PROTO_BAD_SCHEMA, member, "%s is wanted here, not %s", wanted,
                           feature_json_kind(json));
}

/* A text that names something: 1 … bytes_max bytes, no outer blanks, no control characters. */
static bool name_copy(const json_t *json, const char *member, size_t bytes_max, char **out,
                      struct proto_fault *fault)
{
    if (!json_is_string(json)) {
        return wrong_kind(fault, member, "a text", json);
    }
    struct proto_span text = feature_json_span(json);
    if (text.bytes == 0) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, member, "the text is empty");
    }
    if (text.bytes > bytes_max) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, member,
                               "the text has %zu bytes, at most %zu are allowed", text.bytes,
                               bytes_max);
    }
    if (feature_text_trim(text).bytes != text.bytes) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, member,
                               "the text begins or ends with a blank");
    }
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.data[i] < 0x20 || text.data[i] == 0x7F) {
            return proto_fault_set(fault, PROTO_BAD_SCHEMA, member,
                                   "the text holds a control character");
        }
    }
    *out = feature_text_copy(text);
    return *out != NULL || no_memory(fault);
}

static bool words_parse(const json_t *json, char ***words, size_t *count, struct proto_fault *fault)
{
    if (json == NULL) {
        return true;
    }
    size_t size = json_array_size(json);
    if (!json_is_array(json)) {
        return wrong_kind(fault, "missing", "an array of texts", json);
    }
    if (size > FEATURE_MISSING_WORDS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "missing",
                               "%zu words, at most %d are allowed", size,
                               FEATURE_MISSING_WORDS_MAX);
    }
    *words = calloc(size + 1, sizeof **words);
    if (*words == NULL) {
        return no_memory(fault);
    }
    for (size_t i = 0; i < size; i++) {
        const json_t *word = json_array_get(json, i);
        char member[32];
        (void)snprintf(member, sizeof member, "missing[%zu]", i);
        if (!json_is_string(word)) {
            return wrong_kind(fault, member, "a text", word);
        }
        struct proto_span text = feature_json_span(word);
        if (text.bytes > FEATURE_MISSING_WORD_BYTES_MAX) {
            return proto_fault_set(fault, PROTO_BAD_SCHEMA, member,
                                   "a word of %zu bytes, at most %d are allowed", text.bytes,
                                   FEATURE_MISSING_WORD_BYTES_MAX);
        }
        (*words)[i] = feature_text_copy(text);
        if ((*words)[i] == NULL) {
            return no_memory(fault);
        }
        *count = i + 1;
    }
    return true;
}

/* Reads one of a set of names; the set is what name_of gives for 0 … last. */
static bool choice_parse(const json_t *json, const char *member, const char *(*name_of)(unsigned),
                         unsigned last, unsigned *choice, struct proto_fault *fault)
{
    char wanted[128];
    size_t used = 0;
    for (unsigned i = 0; i <= last; i++) {
        if (json_is_string(json) && proto_span_is(feature_json_span(json), name_of(i))) {
            *choice = i;
            return true;
        }
        int wrote = snprintf(wanted + used, sizeof wanted - used, "%s%s", name_of(i),
                             i + 1 < last ? ", " : (i < last ? " or " : ""));
        used += (size_t)wrote;
    }
    if (!json_is_string(json)) {
        return wrong_kind(fault, member, wanted, json);
    }
    char shown[FEATURE_SHOWN_BYTES];
    return proto_fault_set(fault, PROTO_BAD_SCHEMA, member, "%s is wanted here, not \"%s\"", wanted,
                           feature_text_show(feature_json_span(json), shown, sizeof shown));
}

static const char *type_name(unsigned i)
{
    return feature_type_name((enum feature_type)i);
}

static const char *family_name(unsigned i)
{
    return feature_family_name((enum feature_family)i);
}

static const char *transform_name(unsigned i)
{
    return feature_transform_name((enum feature_transform)i);
}

const char *feature_transform_name(enum feature_transform transform)
{
    return transform == FEATURE_TRANSFORM_LOG ? "log" : "none";
}

static bool dims_parse(const json_t *json, enum feature_type type, uint16_t *dims,
                       struct proto_fault *fault)
{
    if (type != FEATURE_VECTOR) {
        return json == NULL || proto_fault_set(fault, PROTO_BAD_SCHEMA, "dims",
                                               "only a vector field has dims; this one is a %s",
                                               feature_type_name(type));
    }
    if (!json_is_integer(json)) {
        return wrong_kind(fault, "dims", "the vector's number of dimensions", json);
    }
    json_int_t value = json_integer_value(json);
    if (value < 1 || value > PROTO_VECTOR_DIMS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "dims",
                               "%lld dimensions; 1 to %d are allowed", (long long)value,
                               PROTO_VECTOR_DIMS_MAX);
    }
    *dims = (uint16_t)value;
    return true;
}

static bool stale_parse(const json_t *json, int64_t *stale_after_ms, struct proto_fault *fault)
{
    if (json == NULL) {
        return true;
    }
    if (!json_is_number(json)) {
        return wrong_kind(fault, "stale_after_days", "a number of days", json);
    }
    double days = json_number_value(json);
    if (!(days > 0) || days > STALE_DAYS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "stale_after_days",
                               "%g days; more than 0 and at most %g are allowed", days,
                               STALE_DAYS_MAX);
    }
    *stale_after_ms = (int64_t)fmax(1.0, round(days * MS_PER_DAY));
    return true;
}

static bool field_parse(const json_t *json, struct feature_field *field, struct proto_fault *fault)
{
    static const char *const members[] = {"name", "type",    "family",           "transform",
                                          "dims", "missing", "stale_after_days", "id"};
    unsigned type = 0;
    unsigned family = 0;
    unsigned transform = 0;
    if (!json_is_object(json)) {
        return wrong_kind(fault, "", "an object that describes a field", json);
    }
    const json_t *family_json = json_object_get(json, "family");
    const json_t *transform_json = json_object_get(json, "transform");
    if (!feature_json_members_known(json, members, sizeof members / sizeof members[0],
                                    PROTO_BAD_SCHEMA, fault) ||
        !name_copy(json_object_get(json, "name"), "name", PROTO_FIELD_NAME_BYTES_MAX, &field->name,
                   fault) ||
        !choice_parse(json_object_get(json, "type"), "type", type_name, FEATURE_DATE, &type,
                      fault) ||
        (family_json != NULL &&
         !choice_parse(family_json, "family", family_name, FEATURE_LIFECYCLE, &family, fault)) ||
        (transform_json != NULL && !choice_parse(transform_json, "transform", transform_name,
                                                 FEATURE_TRANSFORM_LOG, &transform, fault))) {
        return false;
    }
    field->type = (enum feature_type)type;
    field->family = (enum feature_family)family;
    field->transform = (enum feature_transform)transform;
    if (transform != FEATURE_TRANSFORM_NONE && type != FEATURE_NUMBER && type != FEATURE_VECTOR) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "transform",
                               "only numbers and vectors are transformed; this field is a %s",
                               type_name(type));
    }
    return dims_parse(json_object_get(json, "dims"), field->type, &field->dims, fault) &&
           stale_parse(json_object_get(json, "stale_after_days"), &field->stale_after_ms, fault) &&
           words_parse(json_object_get(json, "missing"), &field->missing, &field->missing_count,
                       fault);
}

static bool fields_parse(const json_t *json, struct feature_schema *schema,
                         struct proto_fault *fault)
{
    size_t size = json_array_size(json);
    if (!json_is_array(json)) {
        return wrong_kind(fault, "fields", "an array of fields", json);
    }
    if (size == 0) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "fields", "a schema needs a field");
    }
    if (size > PROTO_FIELDS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "fields",
                               "%zu fields, at most %d are allowed", size, PROTO_FIELDS_MAX);
    }
    schema->fields = calloc(size, sizeof *schema->fields);
    if (schema->fields == NULL) {
        return no_memory(fault);
    }
    for (size_t i = 0; i < size; i++) {
        schema->field_count = i + 1;
        if (!field_parse(json_array_get(json, i), &schema->fields[i], fault)) {
            return proto_fault_within(fault, "fields[%zu]", i);
        }
    }
    return true;
}

bool feature_namespace_valid(struct proto_span text)
{
    if (text.bytes == 0 || text.bytes > FEATURE_NAMESPACE_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.bytes; i++) {
        uint8_t byte = text.data[i];
        bool letter = byte >= 'a' && byte <= 'z';
        bool other = (byte >= '0' && byte <= '9') || byte == '_' || byte == '-' || byte == '.';
        if (!letter && (i == 0 || !other)) {
            return false;
        }
    }
    return true;
}

static bool key_parse(const char *name, const json_t *json, struct feature_schema *schema,
                      struct proto_fault *fault)
{
    struct feature_key_column *key = &schema->keys[schema->key_count++];
    char shown[FEATURE_SHOWN_BYTES];
    feature_text_show(proto_span_text(name), shown, sizeof shown);
    if (!feature_namespace_valid(proto_span_text(name))) {
        proto_fault_set(fault, PROTO_BAD_SCHEMA, shown,
                        "a key namespace is 1 to %d of a-z, 0-9, '_', '-', '.', a letter first",
                        FEATURE_NAMESPACE_BYTES_MAX);
        return proto_fault_within(fault, "keys");
    }
    key->name_space = feature_text_copy(proto_span_text(name));
    if (key->name_space == NULL) {
        return no_memory(fault);
    }
    return name_copy(json, shown, PROTO_FIELD_NAME_BYTES_MAX, &key->column, fault) ||
           proto_fault_within(fault, "keys");
}

static bool keys_parse(json_t *json, struct feature_schema *schema, struct proto_fault *fault)
{
    size_t size = json_object_size(json);
    if (json == NULL) {
        return true;
    }
    if (!json_is_object(json)) {
        return wrong_kind(fault, "keys", "an object of namespaces and columns", json);
    }
    if (size > PROTO_KEYS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "keys",
                               "%zu namespaces, at most %d are allowed", size, PROTO_KEYS_MAX);
    }
    schema->keys = calloc(size + 1, sizeof *schema->keys);
    if (schema->keys == NULL) {
        return no_memory(fault);
    }
    for (void *at = json_object_iter(json); at != NULL; at = json_object_iter_next(json, at)) {
        if (!key_parse(json_object_iter_key(at), json_object_iter_value(at), schema, fault)) {
            return false;
        }
    }
    return true;
}

static bool version_parse(const json_t *json, uint32_t version, struct feature_schema *schema,
                          struct proto_fault *fault)
{
    schema->version = version;
    if (json == NULL) {
        return true;
    }
    if (!json_is_integer(json)) {
        return wrong_kind(fault, "version", "a whole number", json);
    }
    if (json_integer_value(json) < 0 || json_integer_value(json) > UINT32_MAX) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "version",
                               "a version is between 0 and 4294967295");
    }
    if (version == 0) {
        schema->version = (uint32_t)json_integer_value(json);
    }
    return true;
}

/* The field that names an account: only a category is one text. Fields have their places. */
static bool display_name_parse(const json_t *json, struct feature_schema *schema,
                               struct proto_fault *fault)
{
    if (json == NULL) {
        return true;
    }
    if (!json_is_string(json)) {
        return wrong_kind(fault, "name", "the name of a field", json);
    }
    struct proto_span text = feature_json_span(json);
    char shown[FEATURE_SHOWN_BYTES];
    (void)feature_text_show(text, shown, sizeof shown);
    schema->name = feature_schema_find(schema, text);
    if (schema->name == NULL) {
        const struct feature_field *nearest = feature_schema_nearest(schema, text);
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "name",
                               "the schema has no field '%s'%s%s%s", shown,
                               nearest != NULL ? "; did you mean '" : "",
                               nearest != NULL ? nearest->name : "", nearest != NULL ? "'?" : "");
    }
    return schema->name->type == FEATURE_CATEGORY ||
           proto_fault_set(fault, PROTO_BAD_SCHEMA, "name",
                           "'%s' is a %s; what names an account is a category", shown,
                           feature_type_name(schema->name->type));
}

static bool document_parse(json_t *json, uint32_t version, const struct feature_schema *previous,
                           struct feature_schema *schema, struct proto_fault *fault)
{
    static const char *const members[] = {"fields", "missing", "id",     "keys",
                                          "name",   "version", "retired"};
    if (!json_is_object(json)) {
        return wrong_kind(fault, "", "an object with \"fields\"", json);
    }
    json_t *id = json_object_get(json, "id");
    return feature_json_members_known(json, members, sizeof members / sizeof members[0],
                                      PROTO_BAD_SCHEMA, fault) &&
           version_parse(json_object_get(json, "version"), version, schema, fault) &&
           fields_parse(json_object_get(json, "fields"), schema, fault) &&
           words_parse(json_object_get(json, "missing"), &schema->missing, &schema->missing_count,
                       fault) &&
           (id == NULL ||
            name_copy(id, "id", PROTO_FIELD_NAME_BYTES_MAX, &schema->id_column, fault)) &&
           keys_parse(json_object_get(json, "keys"), schema, fault) &&
           feature_schema_ids_assign(json, previous, schema, fault) &&
           feature_schema_index_build(schema, fault) &&
           display_name_parse(json_object_get(json, "name"), schema, fault);
}

struct feature_schema *feature_schema_parse(struct proto_span json, uint32_t version,
                                            const struct feature_schema *previous,
                                            struct proto_fault *fault)
{
    json_t *document = feature_json_load(json, PROTO_BAD_SCHEMA, fault);
    if (document == NULL) {
        return NULL;
    }
    struct feature_schema *schema = calloc(1, sizeof *schema);
    if (schema == NULL) {
        no_memory(fault);
    } else {
        schema->references = 1;
        if (!document_parse(document, version, previous, schema, fault)) {
            feature_schema_release(schema);
            schema = NULL;
        }
    }
    json_decref(document);
    return schema;
}
