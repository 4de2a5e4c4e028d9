/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a measure as a request gives them, read by the table of measure.def: kinds,
 * defaults and bounds are its.
 *
 * Ownership: borrows. Errors: BAD_FIELD, MISSING_FIELD with "parameters.NAME". Threads: pure. */
#ifndef LIFECYCLE_LIFECYCLE_PARAMETER_H
#define LIFECYCLE_LIFECYCLE_PARAMETER_H

#include "server/lifecycle/lifecycle.h"

/* Every one that is given is one of the measure's. */
bool lifecycle_parameters_known(const struct lifecycle_request *request, struct proto_fault *fault);
/* Whether it was given at all. */
bool lifecycle_given(const struct lifecycle_request *request, const char *name);
/* A day, or a time of one. */
bool lifecycle_time(const struct lifecycle_request *request, const char *name, int64_t *ms,
                    struct proto_fault *fault);
/* The same of one that may be left out: INT64_MAX then. */
bool lifecycle_time_or_none(const struct lifecycle_request *request, const char *name, int64_t *ms,
                            struct proto_fault *fault);
/* from and to, each of which may be left out (INT64_MIN, INT64_MAX), the one before the other. */
bool lifecycle_times_or_none(const struct lifecycle_request *request, int64_t *from_ms,
                             int64_t *to_ms, struct proto_fault *fault);
/* The moment of looking: one that was asked for; INT64_MAX: now, or what was known. */
int64_t lifecycle_moment(const struct engine_worker *worker,
                         const struct lifecycle_request *request, int64_t asked_ms);
/* from and to, the one before the other. */
bool lifecycle_period(const struct lifecycle_request *request, int64_t *from_ms, int64_t *to_ms,
                      struct proto_fault *fault);
bool lifecycle_number(const struct lifecycle_request *request, const char *name, double *number,
                      struct proto_fault *fault);
bool lifecycle_count(const struct lifecycle_request *request, const char *name, unsigned *count,
                     struct proto_fault *fault);
/* A count of days, as milliseconds. */
bool lifecycle_days(const struct lifecycle_request *request, const char *name, int64_t *ms,
                    struct proto_fault *fault);
/* One of `count` words; its place among them. */
bool lifecycle_word(const struct lifecycle_request *request, const char *name,
                    const char *const *words, size_t count, size_t *place,
                    struct proto_fault *fault);
bool lifecycle_text(const struct lifecycle_request *request, const char *name,
                    struct proto_span *text, struct proto_fault *fault);

#endif
