/* SPDX-License-Identifier: Apache-2.0 */
/* Checked whole before it is used: a slip must not make a profile that says less than was meant. */
#include "server/trial/trial_profile.h"

#include <math.h>

#include "server/feature/json_text.h"

static bool refuse(struct proto_fault *fault, const char *what)
{
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "profile", "%s", what);
}

static bool condition_read(const json_t *condition, const struct feature_schema *schema,
                           struct trial_profile *profile, struct proto_fault *fault)
{
    static const char *const members[] = {"if", "points"};
    const json_t *text = json_object_get(condition, "if");
    const json_t *points = json_object_get(condition, "points");
    if (!json_is_object(condition) || !json_is_string(text) || !json_is_number(points) ||
        isfinite(json_number_value(points)) == 0) {
        return refuse(fault, "each of \"points\" must be {\"if\": FILTER, \"points\": NUMBER}");
    }
    if (!feature_json_members_known(condition, members, 2, PROTO_BAD_DOCUMENT, fault)) {
        return false;
    }
    struct filter *filter =
        filter_parse_scope(schema, FILTER_OF_ACCOUNTS, feature_json_span(text), fault, NULL);
    if (filter == NULL) {
        return proto_fault_within(fault, "profile.points[%zu].if", profile->count);
    }
    profile->filters[profile->count] = filter;
    profile->points[profile->count++] = json_number_value(points);
    if (filter_reads_score(filter) || filter_reads_lists(filter)) {
        return proto_fault_set(fault, PROTO_BAD_FILTER, "profile",
                               "a condition reads a score or a list: a profile by hand is about "
                               "fields");
    }
    return true;
}

bool trial_profile_read(struct proto_span text, const struct feature_schema *schema,
                        struct trial_profile *profile, struct proto_fault *fault)
{
    static const char *const members[] = {"name", "points"};
    json_error_t error;
    *profile = (struct trial_profile){.count = 0};
    if (text.bytes == 0) {
        return true;
    }
    profile->document =
        json_loadb((const char *)text.data, text.bytes, JSON_REJECT_DUPLICATES, &error);
    if (profile->document == NULL) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "profile", "line %d, column %d: %s",
                               error.line, error.column, error.text);
    }
    const json_t *points = json_object_get(profile->document, "points");
    if (!json_is_object(profile->document) || !json_is_array(points) ||
        json_array_size(points) == 0 || json_array_size(points) > TRIAL_CONDITIONS_MAX) {
        return refuse(fault, "a profile is {\"name\": TEXT, \"points\": [1 to 256 conditions]}");
    }
    bool good =
        feature_json_members_known(profile->document, members, 2, PROTO_BAD_DOCUMENT, fault);
    for (size_t i = 0; good && i < json_array_size(points); i++) {
        good = condition_read(json_array_get(points, i), schema, profile, fault);
    }
    return good;
}

void trial_profile_fini(struct trial_profile *profile)
{
    for (size_t i = 0; i < profile->count; i++) {
        filter_destroy(profile->filters[i]);
    }
    json_decref(profile->document);
    *profile = (struct trial_profile){.count = 0};
}

double trial_profile_points(const struct trial_profile *profile, const struct feature_value *values,
                            size_t slots)
{
    double points = 0;
    for (size_t i = 0; i < profile->count; i++) {
        points += filter_match(profile->filters[i], values, slots) ? profile->points[i] : 0;
    }
    return points;
}
