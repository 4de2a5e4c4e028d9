/* SPDX-License-Identifier: Apache-2.0 */
/* Names are looked up one by one; the first that the schema lacks, or that cannot be meant so, ends
 * it with its place in the list. */
#include "server/engine/learn_names.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/feature/span_text.h"

/* "the schema has no field 'x'", say. */
static bool refuse(const char *what, size_t at, const char *before, struct proto_span name,
                   const char *behind, struct proto_fault *fault)
{
    char place[64];
    (void)snprintf(place, sizeof place, "%s[%zu]", what, at);
    return proto_fault_set(fault, PROTO_BAD_FIELD, place, "%s'%.*s'%s", before, (int)name.bytes,
                           (const char *)name.data, behind);
}

bool engine_names_known(const struct feature_schema *schema, const struct proto_span *names,
                        size_t count, const char *what, struct proto_fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        if (!feature_schema_find(schema, names[i])) {
            return refuse(what, i, "the schema has no field ", names[i], "", fault);
        }
    }
    return true;
}

uint16_t *engine_names_ids(const struct feature_schema *schema, const struct proto_span *names,
                           size_t count, const char *what, struct proto_fault *fault)
{
    if (!engine_names_known(schema, names, count, what, fault)) {
        return NULL;
    }
    uint16_t *ids = calloc(count + 1, sizeof *ids);
    if (!ids) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to learn");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        ids[i] = feature_schema_find(schema, names[i])->id;
    }
    return ids;
}

bool engine_names_stage(const struct feature_schema *schema, struct proto_span name,
                        int32_t *field_id, struct proto_fault *fault)
{
    const struct feature_field *field = name.bytes > 0 ? feature_schema_find(schema, name) : NULL;
    *field_id = field ? field->id : -1;
    if (name.bytes > 0 && (!field || field->type != FEATURE_CATEGORY)) {
        char shown[FEATURE_SHOWN_BYTES];
        return proto_fault_set(fault, PROTO_BAD_FIELD, "policy.stage_field",
                               "'%s' is no category of the schema: put one that has it, for the "
                               "stage of each case; no account needs a value of it",
                               feature_text_show(name, shown, sizeof shown));
    }
    return true;
}

static bool directions_set(const struct feature_schema *schema, const struct proto_span *names,
                           size_t count, int8_t direction, int8_t *directions,
                           struct proto_fault *fault)
{
    const char *what = direction > 0 ? "rising" : "falling";
    if (!engine_names_known(schema, names, count, what, fault)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct feature_field *field = feature_schema_find(schema, names[i]);
        if (field->type != FEATURE_NUMBER) {
            return refuse(what, i, "", names[i], " is no number field: only numbers grow", fault);
        }
        if (directions[field->id] == -direction) {
            return refuse(what, i, "", names[i], " is to rise as well as to fall", fault);
        }
        directions[field->id] = direction;
    }
    return true;
}

int8_t *engine_names_directions(const struct feature_schema *schema,
                                const struct engine_learn *request, struct proto_fault *fault)
{
    int8_t *directions = calloc((size_t)schema->id_count + 1, sizeof *directions);
    if (!directions) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to learn");
        return NULL;
    }
    if (!directions_set(schema, request->rising, request->rising_count, 1, directions, fault) ||
        !directions_set(schema, request->falling, request->falling_count, -1, directions, fault)) {
        free(directions);
        return NULL;
    }
    return directions;
}
