/* SPDX-License-Identifier: Apache-2.0 */
/* Every value is looked at with the name of the member that it stands under. Depth is bounded
 * first, so that the walk is. */
#include "server/term/term_value.h"

#include <math.h>
#include <string.h>

/* 2^53: every whole number up to it is a double of its own. */
#define NUMBER_MAX ((json_int_t)1 << 53)

static bool number_sound(const json_t *json)
{
    return json_is_integer(json)
               ? json_integer_value(json) >= -NUMBER_MAX && json_integer_value(json) <= NUMBER_MAX
               : fabs(json_real_value(json)) <= (double)NUMBER_MAX;
}

static bool value_check(const json_t *json, const char *member, unsigned depth,
                        struct proto_fault *fault);

static bool object_check(const json_t *object, unsigned depth, struct proto_fault *fault)
{
    /* jansson's iterator takes no const object, though it changes nothing. */
    json_t *walked = (json_t *)(uintptr_t)object;
    for (void *at = json_object_iter(walked); at != NULL; at = json_object_iter_next(walked, at)) {
        if (!value_check(json_object_iter_value(at), json_object_iter_key(at), depth + 1, fault)) {
            return false;
        }
    }
    return true;
}

static bool array_check(const json_t *array, const char *member, unsigned depth,
                        struct proto_fault *fault)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (!value_check(json_array_get(array, i), member, depth + 1, fault)) {
            return false;
        }
    }
    return true;
}

static bool value_check(const json_t *json, const char *member, unsigned depth,
                        struct proto_fault *fault)
{
    if (depth > TERM_VALUE_DEPTH_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, member,
                               "lists and objects of an entry lie at most %d deep",
                               TERM_VALUE_DEPTH_MAX);
    }
    if (json_is_object(json)) {
        return object_check(json, depth, fault);
    }
    if (json_is_array(json)) {
        return array_check(json, member, depth, fault);
    }
    if (json_is_number(json) && !number_sound(json)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, member,
                               "a number of an entry must lie within 2^53 on either side of 0: "
                               "write a larger one as a text");
    }
    if (json_is_string(json) && strlen(json_string_value(json)) != json_string_length(json)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, member,
                               "a text of an entry must have no zero byte");
    }
    return true;
}

bool term_value_check(const json_t *body, struct proto_fault *fault)
{
    return value_check(body, "body", 0, fault);
}
