/* SPDX-License-Identifier: Apache-2.0 */
/* A parameter is found among those that were given, or is its default. One that the measure does
 * not know, that is missing, of another kind or beyond its bounds is refused with what would do. */
#include "server/lifecycle/lifecycle_parameter.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "server/engine/worker.h"
#include "server/feature/date_text.h"
#include "server/feature/span_text.h"
#include "server/measure/movement.h"

static bool bad(struct proto_fault *fault, const char *name, const char *wanted,
                const struct lifecycle_parameter *given)
{
    char field[80];
    char shown[FEATURE_SHOWN_BYTES];
    (void)snprintf(field, sizeof field, "parameters.%s", name);
    if (given->is_number) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, field, "%s is wanted, not %g", wanted,
                               given->number);
    }
    return proto_fault_set(fault, PROTO_BAD_FIELD, field, "%s is wanted, not '%s'", wanted,
                           feature_text_show(given->text, shown, sizeof shown));
}

bool lifecycle_parameters_known(const struct lifecycle_request *request, struct proto_fault *fault)
{
    size_t count = 0;
    const struct measure_parameter *known = measure_parameters(request->measure, &count);
    for (size_t i = 0; i < request->parameter_count; i++) {
        bool found = false;
        for (size_t k = 0; k < count && !found; k++) {
            found = proto_span_is(request->parameters[i].name, known[k].name);
        }
        if (!found) {
            char shown[FEATURE_SHOWN_BYTES];
            char field[80];
            (void)feature_text_show(request->parameters[i].name, shown, sizeof shown);
            (void)snprintf(field, sizeof field, "parameters.%s", shown);
            return proto_fault_set(fault, PROTO_BAD_FIELD, field,
                                   "%s has no parameter '%s'; measure-list has them",
                                   measure_info(request->measure)->name, shown);
        }
    }
    return true;
}

/* As it was given, or its default. */
static bool find(const struct lifecycle_request *request, const char *name,
                 struct lifecycle_parameter *parameter, struct proto_fault *fault)
{
    const struct measure_parameter *row = measure_parameter_find(request->measure, name);
    assert(row != NULL);
    for (size_t i = 0; i < request->parameter_count; i++) {
        if (proto_span_is(request->parameters[i].name, name)) {
            *parameter = request->parameters[i];
            return true;
        }
    }
    *parameter = (struct lifecycle_parameter){.text = proto_span_text(row->fallback)};
    bool of_counts = row->kind == MEASURE_KIND_TIME && strcmp(row->fallback, "lost") == 0;
    if (row->fallback[0] == '\0' || of_counts) {
        char field[80];
        (void)snprintf(field, sizeof field, "parameters.%s", name);
        return proto_fault_set(fault, PROTO_MISSING_FIELD, field, "%s needs it: %s",
                               measure_info(request->measure)->name, row->help);
    }
    return true;
}

bool lifecycle_time(const struct lifecycle_request *request, const char *name, int64_t *ms,
                    struct proto_fault *fault)
{
    struct lifecycle_parameter given;
    bool whole_day = false;
    if (!find(request, name, &given, fault)) {
        return false;
    }
    bool good = given.is_number ? given.number >= (double)FEATURE_DATE_MS_MIN &&
                                      given.number <= (double)FEATURE_DATE_MS_MAX &&
                                      floor(given.number) == given.number
                                : feature_date_read(given.text, ms, &whole_day);
    if (good && given.is_number) {
        *ms = (int64_t)given.number;
    }
    return good || bad(fault, name, "a day such as 2024-01-01, or ms since 1970,", &given);
}

bool lifecycle_given(const struct lifecycle_request *request, const char *name)
{
    for (size_t i = 0; i < request->parameter_count; i++) {
        if (proto_span_is(request->parameters[i].name, name)) {
            return true;
        }
    }
    return false;
}

bool lifecycle_time_or_none(const struct lifecycle_request *request, const char *name, int64_t *ms,
                            struct proto_fault *fault)
{
    if (lifecycle_given(request, name)) {
        return lifecycle_time(request, name, ms, fault);
    }
    *ms = INT64_MAX;
    return true;
}

bool lifecycle_times_or_none(const struct lifecycle_request *request, int64_t *from_ms,
                             int64_t *to_ms, struct proto_fault *fault)
{
    if (!lifecycle_time_or_none(request, "from", from_ms, fault) ||
        !lifecycle_time_or_none(request, "to", to_ms, fault)) {
        return false;
    }
    *from_ms = *from_ms == INT64_MAX ? INT64_MIN : *from_ms;
    return *from_ms < *to_ms ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "parameters.to", "to must be later than from");
}

int64_t lifecycle_moment(const struct engine_worker *worker,
                         const struct lifecycle_request *request, int64_t asked_ms)
{
    int64_t now_ms = engine_now_ms(worker->engine);
    int64_t known_ms = request->as_of.known_ms;
    return asked_ms != INT64_MAX ? asked_ms : known_ms < now_ms ? known_ms : now_ms;
}

bool lifecycle_period(const struct lifecycle_request *request, int64_t *from_ms, int64_t *to_ms,
                      struct proto_fault *fault)
{
    return lifecycle_time(request, "from", from_ms, fault) &&
           lifecycle_time(request, "to", to_ms, fault) &&
           (measure_period_check(*from_ms, *to_ms, fault) ||
            proto_fault_within(fault, "parameters"));
}

bool lifecycle_number(const struct lifecycle_request *request, const char *name, double *number,
                      struct proto_fault *fault)
{
    const struct measure_parameter *row = measure_parameter_find(request->measure, name);
    struct lifecycle_parameter given;
    char wanted[96];
    if (!find(request, name, &given, fault)) {
        return false;
    }
    bool read = given.is_number || feature_number_read(given.text, &given.number);
    *number = given.number;
    (void)snprintf(wanted, sizeof wanted, "a number from %g to %g", row->low, row->high);
    return (read && *number >= row->low && *number <= row->high) ||
           bad(fault, name, wanted, &given);
}

bool lifecycle_count(const struct lifecycle_request *request, const char *name, unsigned *count,
                     struct proto_fault *fault)
{
    double number = 0;
    if (!lifecycle_number(request, name, &number, fault)) {
        return false;
    }
    *count = (unsigned)number;
    struct lifecycle_parameter given = {.is_number = true, .number = number};
    return *count == number || bad(fault, name, "a whole number", &given);
}

bool lifecycle_days(const struct lifecycle_request *request, const char *name, int64_t *ms,
                    struct proto_fault *fault)
{
    unsigned days = 0;
    bool good = lifecycle_count(request, name, &days, fault);
    *ms = days * MEASURE_DAY_MS;
    return good;
}

bool lifecycle_text(const struct lifecycle_request *request, const char *name,
                    struct proto_span *text, struct proto_fault *fault)
{
    struct lifecycle_parameter given;
    if (!find(request, name, &given, fault)) {
        return false;
    }
    *text = given.text;
    return !given.is_number || bad(fault, name, "a text", &given);
}

bool lifecycle_word(const struct lifecycle_request *request, const char *name,
                    const char *const *words, size_t count, size_t *place,
                    struct proto_fault *fault)
{
    struct lifecycle_parameter given = {.is_number = false};
    char wanted[160] = "one of ";
    size_t used = strlen(wanted);
    if (!lifecycle_text(request, name, &given.text, fault)) {
        return false;
    }
    for (*place = 0; *place < count; (*place)++) {
        if (proto_span_is(given.text, words[*place])) {
            return true;
        }
        used += (size_t)snprintf(wanted + used, sizeof wanted - used, "%s%s",
                                 *place > 0 ? ", " : "", words[*place]);
        assert(used < sizeof wanted); /* words are those of this folder */
    }
    return bad(fault, name, wanted, &given);
}
