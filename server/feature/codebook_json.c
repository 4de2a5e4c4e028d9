/* SPDX-License-Identifier: Apache-2.0 */
/* A codebook as part of an ICP document:
 *   { "digest": "16 hex digits", "columns": [
 *       { "field": "employees", "type": "number", "edges": [10, 50] },
 *       { "field": "industry", "type": "category", "categories": ["Retail", "Software"] },
 *       { "field": "stack", "type": "tags", "tag": "Salesforce" },
 *       { "field": "is_public", "type": "flag" } ] } */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/feature/codebook_index.h"
#include "server/feature/json_text.h"
#include "server/feature/span_text.h"

#define DIGEST_TEXT_BYTES 17

static void digest_print(uint64_t digest, char text[DIGEST_TEXT_BYTES])
{
    (void)snprintf(text, DIGEST_TEXT_BYTES, "%016" PRIx64, digest);
}

static json_t *edges_to_json(const struct feature_column *column)
{
    json_t *array = json_array();
    for (unsigned i = 0; i + 2 < column->bin_count; i++) {
        if (json_array_append_new(array, json_real(column->edges[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *categories_to_json(const struct feature_column *column)
{
    json_t *array = json_array();
    for (unsigned i = 0; i + 2 < column->bin_count; i++) {
        if (json_array_append_new(array, json_string(column->categories[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *column_to_json(const struct feature_column *column)
{
    json_t *object = json_object();
    int failed = 0;
    failed |= json_object_set_new(object, "field", json_string(column->field_name));
    failed |= json_object_set_new(object, "type", json_string(feature_type_name(column->type)));
    if (column->type == FEATURE_NUMBER) {
        failed |= json_object_set_new(object, "edges", edges_to_json(column));
    } else if (column->type == FEATURE_CATEGORY) {
        failed |= json_object_set_new(object, "categories", categories_to_json(column));
    } else if (column->type == FEATURE_TAGS) {
        failed |= json_object_set_new(object, "tag", json_string(column->tag));
    }
    if (failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *feature_codebook_to_json(const struct feature_codebook *codebook)
{
    char digest[DIGEST_TEXT_BYTES];
    json_t *object = json_object();
    json_t *columns = json_array();
    int failed = 0;
    digest_print(codebook->digest, digest);
    failed |= json_object_set_new(object, "digest", json_string(digest));
    for (size_t i = 0; i < codebook->column_count; i++) {
        failed |= json_array_append_new(columns, column_to_json(&codebook->columns[i]));
    }
    failed |= json_object_set_new(object, "columns", columns);
    if (failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static bool bad(struct proto_fault *fault, const char *field, const char *message)
{
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, field, "%s", message);
}

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a codebook");
}

/* A text member that may be a name, a tag or a category. */
static bool text_member(const json_t *json, const char *member, size_t bytes_max,
                        struct proto_span *text, struct proto_fault *fault)
{
    if (!json_is_string(json)) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, member, "a text is wanted here, not %s",
                               feature_json_kind(json));
    }
    *text = feature_json_span(json);
    return (text->bytes > 0 && text->bytes <= bytes_max) ||
           proto_fault_set(fault, PROTO_BAD_DOCUMENT, member,
                           "a text of %zu bytes; 1 to %zu are allowed", text->bytes, bytes_max);
}

static bool edges_from_json(const json_t *json, struct feature_column *column,
                            struct proto_fault *fault)
{
    size_t size = json_array_size(json);
    if (!json_is_array(json) || size > PROTO_BINS_MAX - 2) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "edges",
                               "an array of at most %d numbers is wanted", PROTO_BINS_MAX - 2);
    }
    column->edges = calloc(size + 1, sizeof *column->edges);
    if (column->edges == NULL) {
        return no_memory(fault);
    }
    for (size_t i = 0; i < size; i++) {
        const json_t *edge = json_array_get(json, i);
        column->edges[i] = json_number_value(edge);
        if (!json_is_number(edge) || (i > 0 && !(column->edges[i - 1] < column->edges[i]))) {
            return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "edges",
                                   "edge %zu is not a number above the one before", i + 1);
        }
    }
    column->bin_count = (unsigned)size + 2;
    return true;
}

static bool categories_from_json(const json_t *json, struct feature_column *column,
                                 struct proto_fault *fault)
{
    size_t size = json_array_size(json);
    struct proto_span before = {0};
    if (!json_is_array(json) || size > PROTO_BINS_MAX - 2) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "categories",
                               "an array of at most %d texts is wanted", PROTO_BINS_MAX - 2);
    }
    column->categories = calloc(size + 1, sizeof *column->categories);
    if (column->categories == NULL) {
        return no_memory(fault);
    }
    column->bin_count = 2;
    for (size_t i = 0; i < size; i++) {
        struct proto_span text = {0};
        if (!text_member(json_array_get(json, i), "categories", PROTO_CATEGORY_BYTES_MAX, &text,
                         fault)) {
            return false;
        }
        if (proto_span_compare(before, text) >= 0) {
            return bad(fault, "categories", "categories are sorted bytewise, each once");
        }
        column->categories[i] = feature_text_copy(text);
        if (column->categories[i] == NULL) {
            return no_memory(fault);
        }
        column->bin_count++;
        before = text;
    }
    return true;
}

static bool tag_from_json(const json_t *json, struct feature_column *column,
                          struct proto_fault *fault)
{
    struct proto_span text = {0};
    if (!text_member(json, "tag", PROTO_CATEGORY_BYTES_MAX, &text, fault)) {
        return false;
    }
    column->tag = feature_text_copy(text);
    column->bin_count = 3;
    return column->tag != NULL || no_memory(fault);
}

/* The field that the column names, of the type that it names, now or in an earlier schema version.
 */
static const struct feature_field *
field_resolve(const json_t *json, const struct feature_schema *schema, struct proto_fault *fault)
{
    struct proto_span name = {0};
    struct proto_span type = {0};
    char shown[FEATURE_SHOWN_BYTES];
    if (!text_member(json_object_get(json, "field"), "field", PROTO_FIELD_NAME_BYTES_MAX, &name,
                     fault) ||
        !text_member(json_object_get(json, "type"), "type", PROTO_FIELD_NAME_BYTES_MAX, &type,
                     fault)) {
        return NULL;
    }
    unsigned at = 0;
    while (at < FEATURE_VECTOR && !proto_span_is(type, feature_type_name((enum feature_type)at))) {
        at++;
    }
    if (at == FEATURE_VECTOR) {
        bad(fault, "type", "number, category, tags or flag is wanted here");
        return NULL;
    }
    const struct feature_field *field =
        feature_schema_find_ever(schema, name, (enum feature_type)at);
    if (field == NULL) {
        const struct feature_field *other = feature_schema_find(schema, name);
        proto_fault_set(fault, PROTO_BAD_DOCUMENT, "field", "the schema has no %s field \"%s\"%s%s",
                        feature_type_name((enum feature_type)at),
                        feature_text_show(name, shown, sizeof shown),
                        other != NULL ? "; there it is of type " : "",
                        other != NULL ? feature_type_name(other->type) : "");
    }
    return field;
}

static bool column_from_json(const json_t *json, const struct feature_schema *schema,
                             struct feature_codebook *codebook, struct proto_fault *fault)
{
    static const char *const members[] = {"field", "type", "edges", "categories", "tag"};
    if (!json_is_object(json)) {
        return bad(fault, "", "an object that describes a column is wanted");
    }
    if (!feature_json_members_known(json, members, sizeof members / sizeof members[0],
                                    PROTO_BAD_DOCUMENT, fault)) {
        return false;
    }
    const struct feature_field *field = field_resolve(json, schema, fault);
    if (field == NULL) {
        return false;
    }
    struct feature_column *column = feature_codebook_column_add(codebook);
    if (column == NULL) {
        return no_memory(fault);
    }
    column->field_id = field->id;
    column->type = field->type;
    column->field_name = feature_text_copy(proto_span_text(field->name));
    if (column->field_name == NULL) {
        return no_memory(fault);
    }
    if (field->type == FEATURE_NUMBER) {
        return edges_from_json(json_object_get(json, "edges"), column, fault);
    }
    if (field->type == FEATURE_CATEGORY) {
        return categories_from_json(json_object_get(json, "categories"), column, fault);
    }
    if (field->type == FEATURE_TAGS) {
        return tag_from_json(json_object_get(json, "tag"), column, fault);
    }
    column->bin_count = 3;
    return true;
}

/* Columns of one field stand together, and only tags have several, sorted. Returns false if the
 * last column breaks that. */
static bool order_check(const struct feature_codebook *codebook, bool *seen,
                        struct proto_fault *fault)
{
    assert(codebook->columns != NULL && codebook->column_count > 0);
    const struct feature_column *column = &codebook->columns[codebook->column_count - 1];
    const struct feature_column *before = codebook->column_count > 1 ? column - 1 : NULL;
    if (before != NULL && before->field_id == column->field_id) {
        return (column->type == FEATURE_TAGS && strcmp(before->tag, column->tag) < 0) ||
               bad(fault, "field", "a field has one column, or one per tag in bytewise order");
    }
    if (seen[column->field_id]) {
        return bad(fault, "field", "the columns of a field stand together");
    }
    seen[column->field_id] = true;
    return true;
}

static bool columns_from_json(const json_t *json, const struct feature_schema *schema,
                              struct feature_codebook *codebook, struct proto_fault *fault)
{
    size_t size = json_array_size(json);
    if (!json_is_array(json) || size > PROTO_COLUMNS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "columns",
                               "an array of at most %d columns is wanted", PROTO_COLUMNS_MAX);
    }
    bool *seen = calloc(schema->id_count + 1, sizeof *seen);
    bool ok = true;
    if (seen == NULL) {
        return no_memory(fault);
    }
    for (size_t i = 0; ok && i < size; i++) {
        ok = column_from_json(json_array_get(json, i), schema, codebook, fault) &&
             order_check(codebook, seen, fault);
        if (!ok) {
            proto_fault_within(fault, "columns[%zu]", i);
        }
    }
    free(seen);
    return ok;
}

static bool digest_check(const json_t *json, const struct feature_codebook *codebook,
                         struct proto_fault *fault)
{
    char digest[DIGEST_TEXT_BYTES];
    digest_print(codebook->digest, digest);
    return json == NULL ||
           (json_is_string(json) && proto_span_is(feature_json_span(json), digest)) ||
           proto_fault_set(fault, PROTO_BAD_DOCUMENT, "digest",
                           "the columns have digest %s; they were changed after it was written "
                           "(leave \"digest\" out if that is meant)",
                           digest);
}

struct feature_codebook *feature_codebook_from_json(const json_t *json,
                                                    const struct feature_schema *schema,
                                                    struct proto_fault *fault)
{
    static const char *const members[] = {"columns", "digest"};
    struct feature_codebook *codebook = calloc(1, sizeof *codebook);
    if (codebook == NULL) {
        no_memory(fault);
        return NULL;
    }
    bool ok = json_is_object(json) || bad(fault, "", "a codebook is an object with \"columns\"");
    ok = ok &&
         feature_json_members_known(json, members, sizeof members / sizeof members[0],
                                    PROTO_BAD_DOCUMENT, fault) &&
         columns_from_json(json_object_get(json, "columns"), schema, codebook, fault) &&
         feature_codebook_finish(codebook, fault) &&
         digest_check(json_object_get(json, "digest"), codebook, fault);
    if (ok) {
        return codebook;
    }
    feature_codebook_destroy(codebook);
    return NULL;
}
