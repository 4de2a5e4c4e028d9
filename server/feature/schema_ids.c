/* SPDX-License-Identifier: Apache-2.0 */
#include "server/feature/schema_ids.h"

#include <stdlib.h>

#include "server/feature/json_text.h"
#include "server/feature/schema_index.h"
#include "server/feature/span_text.h"

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a schema");
}

static bool field_matches(const struct feature_field *a, const struct feature_field *b)
{
    return a->type == b->type && a->dims == b->dims && strcmp(a->name, b->name) == 0;
}

/* A field that ever existed under that name and type, in the previous schema. */
static const struct feature_field *field_before(const struct feature_schema *previous,
                                                const struct feature_field *field)
{
    const struct feature_field *live = feature_schema_find(previous, proto_span_text(field->name));
    if (live != NULL && field_matches(live, field)) {
        return live;
    }
    for (size_t i = 0; i < previous->retired_count; i++) {
        if (field_matches(&previous->retired[i], field)) {
            return &previous->retired[i];
        }
    }
    return NULL;
}

static bool retired_add(struct feature_schema *schema, const struct feature_field *field)
{
    struct feature_field *retired = &schema->retired[schema->retired_count];
    *retired = (struct feature_field){.id = field->id, .type = field->type, .dims = field->dims};
    retired->name = feature_text_copy(proto_span_text(field->name));
    schema->retired_count += retired->name != NULL;
    return retired->name != NULL;
}

static int id_order(const void *a, const void *b)
{
    const struct feature_field *x = a;
    const struct feature_field *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Everything of the previous schema that the new one has no field for. */
static bool retired_keep(const struct feature_schema *previous, struct feature_schema *schema,
                         struct proto_fault *fault)
{
    size_t most = previous->field_count + previous->retired_count;
    bool *lives = calloc(previous->id_count + 1, sizeof *lives);
    bool ok = lives != NULL;
    schema->retired = calloc(most + 1, sizeof *schema->retired);
    ok = ok && schema->retired != NULL;
    for (size_t i = 0; ok && i < schema->field_count; i++) {
        if (schema->fields[i].id < previous->id_count) {
            lives[schema->fields[i].id] = true;
        }
    }
    for (size_t i = 0; ok && i < most; i++) {
        const struct feature_field *field = i < previous->field_count
                                                ? &previous->fields[i]
                                                : &previous->retired[i - previous->field_count];
        if (!lives[field->id]) {
            ok = retired_add(schema, field);
        }
    }
    free(lives);
    if (!ok) {
        return no_memory(fault);
    }
    qsort(schema->retired, schema->retired_count, sizeof *schema->retired, id_order);
    return true;
}

static bool ids_from_previous(const struct feature_schema *previous, struct feature_schema *schema,
                              struct proto_fault *fault)
{
    schema->id_count = previous->id_count;
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct feature_field *before = field_before(previous, &schema->fields[i]);
        if (before != NULL) {
            schema->fields[i].id = before->id;
        } else if (schema->id_count == FEATURE_IDS_MAX) {
            return proto_fault_set(fault, PROTO_LIMIT, "fields",
                                   "the store has had %d different fields and takes no new one",
                                   FEATURE_IDS_MAX);
        } else {
            schema->fields[i].id = (uint16_t)schema->id_count++;
        }
    }
    return retired_keep(previous, schema, fault);
}

static bool id_parse(const json_t *json, uint16_t *id, struct proto_fault *fault)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0 ||
        json_integer_value(json) >= FEATURE_IDS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "id",
                               "a field id is a whole number from 0 to %d, not %s",
                               FEATURE_IDS_MAX - 1, feature_json_kind(json));
    }
    *id = (uint16_t)json_integer_value(json);
    return true;
}

static bool retired_field_parse(const json_t *json, struct feature_field *field,
                                struct proto_fault *fault)
{
    static const char *const members[] = {"name", "type", "dims", "id"};
    const json_t *name = json_object_get(json, "name");
    const json_t *type = json_object_get(json, "type");
    const json_t *dims = json_object_get(json, "dims");
    if (!json_is_object(json)) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "", "an object is wanted here, not %s",
                               feature_json_kind(json));
    }
    if (!feature_json_members_known(json, members, sizeof members / sizeof members[0],
                                    PROTO_BAD_SCHEMA, fault) ||
        !id_parse(json_object_get(json, "id"), &field->id, fault)) {
        return false;
    }
    if (!json_is_string(name) || json_string_length(name) == 0 ||
        json_string_length(name) > PROTO_FIELD_NAME_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "name", "a field name of 1 to %d bytes",
                               PROTO_FIELD_NAME_BYTES_MAX);
    }
    unsigned at = 0;
    while (at <= FEATURE_DATE &&
           !(json_is_string(type) &&
             proto_span_is(feature_json_span(type), feature_type_name((enum feature_type)at)))) {
        at++;
    }
    if (at > FEATURE_DATE) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "type", "the type of a field is wanted");
    }
    field->type = (enum feature_type)at;
    bool is_vector = field->type == FEATURE_VECTOR;
    if (is_vector != (dims != NULL) ||
        (is_vector && (!json_is_integer(dims) || json_integer_value(dims) < 1 ||
                       json_integer_value(dims) > PROTO_VECTOR_DIMS_MAX))) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "dims",
                               "a vector, and nothing else, has 1 to %d dims",
                               PROTO_VECTOR_DIMS_MAX);
    }
    field->dims = is_vector ? (uint16_t)json_integer_value(dims) : 0;
    field->name = feature_text_copy(feature_json_span(name));
    return field->name != NULL || no_memory(fault);
}

static bool retired_parse(const json_t *json, struct feature_schema *schema,
                          struct proto_fault *fault)
{
    size_t size = json_array_size(json);
    if (json != NULL && !json_is_array(json)) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "retired", "an array is wanted, not %s",
                               feature_json_kind(json));
    }
    if (size > FEATURE_IDS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "retired",
                               "%zu fields, at most %d are allowed", size, FEATURE_IDS_MAX);
    }
    schema->retired = calloc(size + 1, sizeof *schema->retired);
    if (schema->retired == NULL) {
        return no_memory(fault);
    }
    for (size_t i = 0; i < size; i++) {
        schema->retired_count = i + 1;
        if (!retired_field_parse(json_array_get(json, i), &schema->retired[i], fault)) {
            return proto_fault_within(fault, "retired[%zu]", i);
        }
    }
    qsort(schema->retired, size, sizeof *schema->retired, id_order);
    return true;
}

/* Every id from 0 up is used once: what dense arrays of values rely on. */
static bool ids_dense(struct feature_schema *schema, struct proto_fault *fault)
{
    const char *path = "fields";
    size_t at = 0;
    size_t total = schema->field_count + schema->retired_count;
    bool *used = calloc(total + 1, sizeof *used);
    if (used == NULL) {
        return no_memory(fault);
    }
    for (size_t i = 0; i < total; i++) {
        bool live = i < schema->field_count;
        at = live ? i : i - schema->field_count;
        path = live ? "fields" : "retired";
        const struct feature_field *field = live ? &schema->fields[at] : &schema->retired[at];
        if (field->id >= total || used[field->id]) {
            bool again = field->id < total;
            proto_fault_set(fault, PROTO_BAD_SCHEMA, "id",
                            "id %u is %s; ids are 0 to %zu, each once", (unsigned)field->id,
                            again ? "used twice" : "too large", total - 1);
            free(used);
            return proto_fault_within(fault, "%s[%zu]", path, at);
        }
        used[field->id] = true;
    }
    free(used);
    schema->id_count = total;
    return total <= FEATURE_IDS_MAX ||
           proto_fault_set(fault, PROTO_LIMIT, "fields", "%zu field ids, at most %d are allowed",
                           total, FEATURE_IDS_MAX);
}

bool feature_schema_ids_assign(const json_t *document, const struct feature_schema *previous,
                               struct feature_schema *schema, struct proto_fault *fault)
{
    const json_t *fields = json_object_get(document, "fields");
    const json_t *retired = json_object_get(document, "retired");
    size_t with_id = 0;
    if (previous != NULL) {
        return ids_from_previous(previous, schema, fault);
    }
    if (!retired_parse(retired, schema, fault)) {
        return false;
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        const json_t *id = json_object_get(json_array_get(fields, i), "id");
        with_id += id != NULL;
        schema->fields[i].id = (uint16_t)i;
        if (id != NULL && !id_parse(id, &schema->fields[i].id, fault)) {
            return proto_fault_within(fault, "fields[%zu]", i);
        }
    }
    if (with_id != 0 && with_id != schema->field_count) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "fields",
                               "%zu of %zu fields carry an id; all must, or none", with_id,
                               schema->field_count);
    }
    if (with_id == 0 && schema->retired_count > 0) {
        return proto_fault_set(fault, PROTO_BAD_SCHEMA, "retired",
                               "retired fields stand beside fields without ids");
    }
    return ids_dense(schema, fault);
}
