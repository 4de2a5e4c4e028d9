/* SPDX-License-Identifier: Apache-2.0 */
/* Shares against floors. What is below its floor is told from the furthest on, with what mends the
 * first; a floor that there is not, or that is no share, is refused. */
#include "server/measure/readiness_floor.h"

#include <stdio.h>

#include "server/feature/span_text.h"
#include "server/math/accuracy.h"

static const struct {
    const char *name;
    double floor;
    const char *share;
    const char *mend;
} rows[MEASURE_READY_COUNT] = {
#define X(NAME, name, floor, share, mend) {name, floor, share, mend},
#include "server/measure/readiness_floor.def"
#undef X
};

void measure_floors_default(struct measure_floors *floors)
{
    for (int i = 0; i < MEASURE_READY_COUNT; i++) {
        floors->least[i] = rows[i].floor;
    }
}

bool measure_floors_set(struct measure_floors *floors, struct proto_span name, double share,
                        struct proto_fault *fault)
{
    static const char names[] =
#define X(NAME, name, floor, share, mend) ", " name
#include "server/measure/readiness_floor.def"
#undef X
        ;
    char shown[FEATURE_SHOWN_BYTES];
    char field[16 + FEATURE_SHOWN_BYTES];
    (void)feature_text_show(name, shown, sizeof shown);
    (void)snprintf(field, sizeof field, "floors.%s", shown);
    for (int i = 0; i < MEASURE_READY_COUNT; i++) {
        if (proto_span_is(name, rows[i].name)) {
            floors->least[i] = share;
            return (share >= 0 && share <= 1) ||
                   proto_fault_set(fault, PROTO_BAD_FIELD, field, "a floor is a share, 0 to 1");
        }
    }
    return proto_fault_set(fault, PROTO_BAD_FIELD, field, "there is no floor '%s'; there are %s",
                           shown, names + 2);
}

const char *measure_ready_name(enum measure_ready_figure figure)
{
    return rows[figure].name;
}

double measure_ready_share(const struct measure_ready *ready, enum measure_ready_figure figure)
{
    return ready->n[figure] > 0 ? (double)ready->part[figure] / (double)ready->n[figure] : 1;
}

bool measure_ready_check(const struct measure_ready *ready, const struct measure_floors *floors,
                         struct proto_fault *fault)
{
    double furthest = 0;
    int worst = MEASURE_READY_COUNT;
    char others[120] = "";
    for (int i = 0; i < MEASURE_READY_COUNT; i++) {
        double below = floors->least[i] - measure_ready_share(ready, (enum measure_ready_figure)i);
        if (below > furthest) {
            furthest = below;
            worst = i;
        }
    }
    if (worst == MEASURE_READY_COUNT) {
        return true;
    }
    for (int i = 0; i < MEASURE_READY_COUNT; i++) {
        double share = measure_ready_share(ready, (enum measure_ready_figure)i);
        if (i != worst && share < floors->least[i]) {
            size_t used = strlen(others);
            (void)snprintf(others + used, sizeof others - used, "; then %s, %.3f below %.3g",
                           rows[i].name, share, floors->least[i]);
        }
    }
    double low = 0;
    double high = 1;
    enum measure_ready_figure first = (enum measure_ready_figure)worst;
    math_wilson((size_t)ready->part[first], (size_t)ready->n[first], &low, &high);
    return proto_fault_set(fault, PROTO_BAD_FIELD, "readiness",
                           "not ready to be learned from: %s is %.3f (95 %% %.3f to %.3f, n %llu), "
                           "below %.3g: %s%s",
                           rows[first].name, measure_ready_share(ready, first), low, high,
                           (unsigned long long)ready->n[first], floors->least[first],
                           rows[first].mend, others);
}
