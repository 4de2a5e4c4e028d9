/* SPDX-License-Identifier: Apache-2.0 */
/* The two members of a definition of engagement, from a document and into one. Rows that can never
 * match, because an earlier one takes all of their events, are refused: nobody would notice. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/feature/json_text.h"
#include "server/measure/engagement.h"

static bool number_read(const json_t *object, const char *name, double low, double high,
                        int64_t *millionths, struct proto_fault *fault)
{
    const json_t *member = json_object_get(object, name);
    if (!json_is_number(member) || !(json_number_value(member) >= low) ||
        !(json_number_value(member) <= high)) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, name,
                               "a number from %g to %g is wanted; here is %s", low, high,
                               json_is_number(member) ? "another"
                               : member != NULL       ? feature_json_kind(member)
                                                      : "none");
    }
    *millionths = llround(json_number_value(member) * (double)MEASURE_WEIGHT_ONE);
    return true;
}

static bool type_read(const json_t *object, struct measure_weight *row, struct proto_fault *fault)
{
    const json_t *type = json_object_get(object, "type");
    if (!json_is_string(type)) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "type",
                               "a row has a text 'type', such as touch or usage; here is %s",
                               type != NULL ? feature_json_kind(type) : "none");
    }
    if (!event_type_read(feature_json_span(type), "type", &row->type, fault)) {
        fault->code = PROTO_BAD_DOCUMENT;
        return false;
    }
    return row->type != EVENT_RETRACTION ||
           proto_fault_set(fault, PROTO_BAD_DOCUMENT, "type", "a retraction engages nobody");
}

static bool kind_read(const json_t *object, struct measure_weight *row, struct proto_fault *fault)
{
    const json_t *kind = json_object_get(object, "kind");
    if (kind == NULL) {
        return true;
    }
    if (!json_is_string(kind) || json_string_length(kind) == 0 ||
        json_string_length(kind) >= sizeof row->kind) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "kind",
                               "a kind is a text of 1 to %zu bytes; leave it out for any",
                               sizeof row->kind - 1);
    }
    (void)snprintf(row->kind, sizeof row->kind, "%s", json_string_value(kind));
    return true;
}

static bool by_read(const json_t *object, struct measure_weight *row, struct proto_fault *fault)
{
    const json_t *by = json_object_get(object, "by");
    const char *text = by == NULL ? "event" : json_is_string(by) ? json_string_value(by) : "";
    row->by_quantity = strcmp(text, "quantity") == 0;
    return row->by_quantity || strcmp(text, "event") == 0 ||
           proto_fault_set(fault, PROTO_BAD_DOCUMENT, "by",
                           "a row counts by event (each the same) or by quantity");
}

static bool row_read(const json_t *object, struct measure_weight *row, struct proto_fault *fault)
{
    static const char *const members[] = {"type", "kind", "weight", "half_life_days", "by"};
    double most = (double)MEASURE_WEIGHT_MAX / (double)MEASURE_WEIGHT_ONE;
    *row = (struct measure_weight){.weight = 0};
    if (!json_is_object(object)) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "",
                               "a row is an object with type, weight and half_life_days; here is "
                               "%s",
                               feature_json_kind(object));
    }
    return feature_json_members_known(object, members, 5, PROTO_BAD_DOCUMENT, fault) &&
           type_read(object, row, fault) && kind_read(object, row, fault) &&
           number_read(object, "weight", -most, most, &row->weight, fault) &&
           number_read(object, "half_life_days", 0.01, MEASURE_HALF_LIFE_DAYS_MAX, &row->half_life,
                       fault) &&
           by_read(object, row, fault);
}

static bool row_reached(const struct measure_engagement *engagement,
                        const struct measure_weight *row, struct proto_fault *fault)
{
    for (uint32_t i = 0; i < engagement->count; i++) {
        const struct measure_weight *other = &engagement->weights[i];
        if (other->type == row->type &&
            (other->kind[0] == '\0' || strcmp(other->kind, row->kind) == 0)) {
            return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "kind",
                                   "row %u takes all of these events already: put rows with a "
                                   "kind before the one without",
                                   (unsigned)i);
        }
    }
    return true;
}

static bool weights_read(const json_t *root, struct measure_engagement *engagement,
                         struct proto_fault *fault)
{
    const json_t *weights = json_object_get(root, "weights");
    size_t count = json_array_size(weights);
    if (!json_is_array(weights) || count == 0 || count > MEASURE_WEIGHTS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "weights",
                               "a definition of engagement has a list 'weights' of 1 to %u rows",
                               MEASURE_WEIGHTS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        struct measure_weight *row = &engagement->weights[engagement->count];
        if (!row_read(json_array_get(weights, i), row, fault) ||
            !row_reached(engagement, row, fault)) {
            return proto_fault_within(fault, "weights[%zu]", i);
        }
        engagement->count++;
    }
    return true;
}

static bool bands_read(const json_t *root, struct measure_engagement *engagement,
                       struct proto_fault *fault)
{
    const json_t *bands = json_object_get(root, "bands");
    const char *names[MEASURE_BANDS - 1];
    if (!json_is_object(bands)) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "bands",
                               "a definition of engagement has an object 'bands' with low, medium "
                               "and high, where each begins");
    }
    for (int band = MEASURE_BAND_LOW; band < MEASURE_BANDS; band++) {
        names[band - 1] = measure_band_name((enum measure_band)band);
        if (!number_read(bands, names[band - 1], 0.000001, 1e9, &engagement->least[band], fault)) {
            return proto_fault_within(fault, "bands");
        }
        if (band > MEASURE_BAND_LOW && engagement->least[band] <= engagement->least[band - 1]) {
            (void)proto_fault_set(fault, PROTO_BAD_DOCUMENT, names[band - 1],
                                  "it begins above the one before it");
            return proto_fault_within(fault, "bands");
        }
    }
    return feature_json_members_known(bands, names, MEASURE_BANDS - 1, PROTO_BAD_DOCUMENT, fault) ||
           proto_fault_within(fault, "bands");
}

bool measure_engagement_read(const json_t *root, struct measure_engagement *engagement,
                             struct proto_fault *fault)
{
    *engagement = (struct measure_engagement){.count = 0};
    return weights_read(root, engagement, fault) && bands_read(root, engagement, fault);
}

/* As whole numbers where it is one. */
static json_t *number_print(int64_t millionths)
{
    return millionths % MEASURE_WEIGHT_ONE == 0
               ? json_integer(millionths / MEASURE_WEIGHT_ONE)
               : json_real((double)millionths / (double)MEASURE_WEIGHT_ONE);
}

static json_t *row_print(const struct measure_weight *row)
{
    json_t *object =
        json_pack("{s:s, s:o, s:o}", "type", event_type_name(row->type), "weight",
                  number_print(row->weight), "half_life_days", number_print(row->half_life));
    bool good =
        object != NULL &&
        (row->kind[0] == '\0' ||
         json_object_set_new(object, "kind", json_string(row->kind)) == 0) &&
        (!row->by_quantity || json_object_set_new(object, "by", json_string("quantity")) == 0);
    if (!good) {
        json_decref(object);
        return NULL;
    }
    return object;
}

bool measure_engagement_print(const struct measure_engagement *engagement, json_t *root)
{
    json_t *weights = json_array();
    json_t *bands = json_object();
    bool good = weights != NULL && bands != NULL;
    for (uint32_t i = 0; i < engagement->count && good; i++) {
        good = json_array_append_new(weights, row_print(&engagement->weights[i])) == 0;
    }
    for (int band = MEASURE_BAND_LOW; band < MEASURE_BANDS && good; band++) {
        good = json_object_set_new(bands, measure_band_name((enum measure_band)band),
                                   number_print(engagement->least[band])) == 0;
    }
    if (!good) {
        json_decref(weights);
        json_decref(bands);
        return false;
    }
    return json_object_set_new(root, "weights", weights) == 0 &&
           json_object_set_new(root, "bands", bands) == 0;
}
