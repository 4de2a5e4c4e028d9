/* SPDX-License-Identifier: Apache-2.0 */
#include "server/lookalike/lookalike_wish.h"

#include "server/feature/json_text.h"

static bool refuse(struct proto_fault *fault, const char *field, const char *what)
{
    return proto_fault_set(fault, PROTO_BAD_FIELD, field, "%s", what);
}

static bool weights_set(json_t *wish, const struct lookalike_rebuild *request,
                        const struct feature_schema *schema, struct proto_fault *fault)
{
    json_t *weights = json_object();
    if (json_object_set_new(wish, "weights", weights) != 0) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the weights");
    }
    for (size_t i = 0; i < request->weight_count; i++) {
        const struct lookalike_weight *one = &request->weights[i];
        const struct feature_field *field = feature_schema_find(schema, one->field);
        if (!field) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "weights",
                                   "the schema has no field '%.*s'",
                                   (int)(one->field.bytes < 64 ? one->field.bytes : 64),
                                   (const char *)one->field.data);
        }
        if (!(one->weight >= 0 && one->weight <= FEATURE_VECTOR_WEIGHT_MAX)) {
            return refuse(fault, "weights", "a weight is a number from 0 to 1000");
        }
        if (json_object_set_new(weights, field->name, json_real(one->weight)) != 0) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the weights");
        }
    }
    return true;
}

static bool request_check(const struct lookalike_rebuild *request, struct proto_fault *fault)
{
    enum feature_vector_metric metric;
    if (request->metric.bytes > 0 && !feature_vector_metric_parse(request->metric, &metric)) {
        return refuse(fault, "metric", "cosine, dot or l2 is wanted");
    }
    if (!(request->vector_share >= 0 && request->vector_share < 1)) {
        return refuse(fault, "vector_share", "a share above 0 and below 1 is wanted");
    }
    return (request->dims == 0 ||
            (request->dims >= 16 && request->dims <= PROTO_SIMILAR_DIMS_MAX)) ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "dims", "a number from 16 to %d is wanted",
                           PROTO_SIMILAR_DIMS_MAX);
}

json_t *lookalike_wish_merge(const json_t *before, const struct lookalike_rebuild *request,
                             const struct feature_schema *schema, struct proto_fault *fault)
{
    if (!request_check(request, fault)) {
        return NULL;
    }
    json_t *wish = before && !request->defaults ? json_deep_copy(before) : json_object();
    int failed = wish == NULL;
    if (!failed && request->metric.bytes > 0) {
        failed |= json_object_set_new(
            wish, "metric",
            json_stringn((const char *)request->metric.data, request->metric.bytes));
    }
    if (!failed && request->vector_share > 0) {
        failed |= json_object_set_new(wish, "vector_share", json_real(request->vector_share));
    }
    if (!failed && request->dims > 0) {
        failed |= json_object_set_new(wish, "dims", json_integer(request->dims));
    }
    if (!failed && request->icp_weights != LOOKALIKE_KEEP) {
        failed |= json_object_set_new(wish, "icp_weights",
                                      json_boolean(request->icp_weights == LOOKALIKE_YES));
    }
    if (failed) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to build vectors");
    } else if (!request->weights || weights_set(wish, request, schema, fault)) {
        return wish;
    }
    json_decref(wish);
    return NULL;
}

struct feature_vectorizer_options lookalike_wish_options(const json_t *wish,
                                                         const struct feature_schema *schema,
                                                         const double *weights, double *own)
{
    struct feature_vectorizer_options options = {.weights = weights,
                                                 .weight_slots = schema->id_count,
                                                 .own_weights = own,
                                                 .own_weight_slots = schema->id_count};
    const json_t *metric = json_object_get(wish, "metric");
    const json_t *given = json_object_get(wish, "weights");
    if (json_is_string(metric)) {
        (void)feature_vector_metric_parse(feature_json_span(metric), &options.metric);
    }
    options.vector_share = json_number_value(json_object_get(wish, "vector_share"));
    options.structured_dims = (uint32_t)json_integer_value(json_object_get(wish, "dims"));
    for (size_t i = 0; i < schema->id_count; i++) {
        own[i] = -1;
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        const json_t *weight = json_object_get(given, schema->fields[i].name);
        if (json_is_number(weight)) {
            own[schema->fields[i].id] = json_number_value(weight);
        }
    }
    return options;
}

bool lookalike_wish_icp_weights(const json_t *wish)
{
    return json_is_true(json_object_get(wish, "icp_weights"));
}
