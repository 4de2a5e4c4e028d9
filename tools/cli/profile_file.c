/* SPDX-License-Identifier: Apache-2.0 */
/* Checked whole before it is used; members that are not known are refused, for a slip must not make
 * a profile that says less than was meant. */
#include "tools/cli/profile_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/csv/csv_input.h"

static json_t *refuse(const struct cli *cli, json_t *profile, int *status, const char *path,
                      const char *what)
{
    json_decref(profile);
    *status = cli_fail(cli, EX_DATAERR, "%s: %s", path, what);
    return NULL;
}

/* NULL if it is sound. */
static const char *members_fault(const json_t *object, const char *first, const char *second)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object)) {
        return "an object is wanted";
    }
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (strcmp(name, first) != 0 && strcmp(name, second) != 0) {
            return "a member that is not known";
        }
    }
    return NULL;
}

static const char *condition_fault(const json_t *condition)
{
    const char *fault = members_fault(condition, "if", "points");
    const char *text = json_string_value(json_object_get(condition, "if"));
    const json_t *points = json_object_get(condition, "points");
    if (fault != NULL) {
        return fault;
    }
    if (text == NULL || text[0] == '\0') {
        return "\"if\" must be a filter expression";
    }
    return json_is_number(points) && isfinite(json_number_value(points))
               ? NULL
               : "\"points\" must be a number";
}

/* The file as JSON; NULL with *status, said, by line and column where it is none. */
static json_t *load(const struct cli *cli, const char *path, int *status)
{
    struct proto_fault fault = {.code = PROTO_OK};
    json_error_t error;
    size_t bytes = 0;
    uint8_t *data = csv_file_read(path, PROTO_DOCUMENT_BYTES_MAX, &bytes, &fault);
    if (data == NULL) {
        *status = cli_file_fault(cli, &fault);
        return NULL;
    }
    json_t *profile = json_loadb((const char *)data, bytes, JSON_REJECT_DUPLICATES, &error);
    if (profile == NULL) {
        *status = cli_fail(cli, EX_DATAERR, "%s, line %d, column %d: %s", path, error.line,
                           error.column, error.text);
    }
    free(data);
    return profile;
}

json_t *profile_file_read(const struct cli *cli, const char *path, int *status)
{
    char what[160];
    json_t *profile = load(cli, path, status);
    if (profile == NULL) {
        return NULL;
    }
    const char *fault = members_fault(profile, "name", "points");
    const json_t *list = json_object_get(profile, "points");
    size_t count = json_array_size(list);
    if (fault == NULL && (count == 0 || count > PROFILE_CONDITIONS_MAX)) {
        fault = "\"points\" must be a list of 1 to 200 conditions";
    }
    if (fault != NULL) {
        return refuse(cli, profile, status, path, fault);
    }
    for (size_t i = 0; i < count; i++) {
        fault = condition_fault(json_array_get(list, i));
        if (fault != NULL) {
            (void)snprintf(what, sizeof what, "points[%zu]: %s", i, fault);
            return refuse(cli, profile, status, path, what);
        }
    }
    return profile;
}

size_t profile_count(const json_t *profile)
{
    return json_array_size(json_object_get(profile, "points"));
}

const char *profile_condition(const json_t *profile, size_t i, double *points)
{
    const json_t *condition = json_array_get(json_object_get(profile, "points"), i);
    *points = json_number_value(json_object_get(condition, "points"));
    return json_string_value(json_object_get(condition, "if"));
}
