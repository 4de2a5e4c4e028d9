/* SPDX-License-Identifier: Apache-2.0 */
/* A profile written by hand, {"name": …, "points": [{"if": FILTER, "points": N}, …]}, as in
 * docs/methods/backtest.md: the points of an account are the sum of those whose condition it meets.
 *
 * Ownership: a profile is the caller's to fini. Errors: BAD_DOCUMENT with line and column, or the
 * member; BAD_FILTER at profile.points[i].if. Threads: one. */
#ifndef TRIAL_TRIAL_PROFILE_H
#define TRIAL_TRIAL_PROFILE_H

#include <jansson.h>

#include "server/filter/filter.h"

#define TRIAL_CONDITIONS_MAX 256

struct trial_profile {
    json_t *document; /* NULL: there is none */
    struct filter *filters[TRIAL_CONDITIONS_MAX];
    double points[TRIAL_CONDITIONS_MAX];
    size_t count;
};

/* text: empty for none. */
bool trial_profile_read(struct proto_span text, const struct feature_schema *schema,
                        struct trial_profile *profile, struct proto_fault *fault);
void trial_profile_fini(struct trial_profile *profile);
double trial_profile_points(const struct trial_profile *profile, const struct feature_value *values,
                            size_t slots);

#endif
