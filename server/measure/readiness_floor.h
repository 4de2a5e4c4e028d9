/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an account base is ready to be learned from: four shares, each with a floor of
 * readiness_floor.def that a request may set. Below one of them learning is refused, with what to
 * mend first, the share that is furthest below its floor.
 *
 * Shapes: part of n; a share of which n is 0 is not asked for, as freshness where no field says
 * when it is stale, or names where the schema names no field. Ownership: values. Errors: BAD_FIELD
 * of "readiness", or of "floors.NAME" for a floor that is none. Threads: pure. Source: Wilson 1927
 * for the intervals; docs/methods/readiness.md. */
#ifndef MEASURE_READINESS_FLOOR_H
#define MEASURE_READINESS_FLOOR_H

#include "proto/fault.h"
#include "proto/span.h"

enum measure_ready_figure {
#define X(NAME, name, floor, share, mend) MEASURE_READY_##NAME,
#include "server/measure/readiness_floor.def"
#undef X
    MEASURE_READY_COUNT
};

struct measure_floors {
    double least[MEASURE_READY_COUNT];
};

struct measure_ready {
    uint64_t part[MEASURE_READY_COUNT];
    uint64_t n[MEASURE_READY_COUNT];
};

void measure_floors_default(struct measure_floors *floors);
/* A share from 0 to 1. */
bool measure_floors_set(struct measure_floors *floors, struct proto_span name, double share,
                        struct proto_fault *fault);
const char *measure_ready_name(enum measure_ready_figure figure);
double measure_ready_share(const struct measure_ready *ready, enum measure_ready_figure figure);
bool measure_ready_check(const struct measure_ready *ready, const struct measure_floors *floors,
                         struct proto_fault *fault);

#endif
