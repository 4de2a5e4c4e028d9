/* SPDX-License-Identifier: Apache-2.0 */
/* Lives are sorted, each time with ends makes a point. Memory can run out. */
#include "server/measure/survival.h"

#include <math.h>
#include <stdlib.h>

#include "server/math/auc.h"
#include "server/measure/long_sort.h"

static int by_duration(const void *left, const void *right)
{
    const struct measure_life *a = left;
    const struct measure_life *b = right;
    if (a->duration != b->duration) {
        return a->duration < b->duration ? -1 : 1;
    }
    return (int)b->ended - (int)a->ended;
}

/* Interval of S by the variance of ln S. */
static void interval(struct measure_survival_point *point, double variance)
{
    point->error = point->survival * sqrt(variance);
    if (point->survival >= 1) {
        point->low = point->high = 1;
    } else if (point->survival <= 0) {
        point->error = MEASURE_NAN;
        point->low = point->high = MEASURE_NAN;
    } else {
        double spread = exp(MATH_Z_95 * sqrt(variance) / fabs(log(point->survival)));
        point->low = pow(point->survival, spread);
        point->high = pow(point->survival, 1 / spread);
    }
}

bool measure_survival_of(struct measure_life *lives, size_t count, const struct measure_pace *pace,
                         struct measure_survival *curve, struct proto_fault *fault)
{
    *curve = (struct measure_survival){.n = count};
    curve->points = calloc(count + 1, sizeof *curve->points);
    if (curve->points == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu lives", count);
    }
    if (!measure_sort(lives, count, sizeof *lives, by_duration, pace, fault)) {
        measure_survival_fini(curve);
        return false;
    }
    double survival = 1;
    double variance = 0;
    uint32_t censored = 0;
    for (size_t i = 0, asked = MEASURE_PIECE; i < count;) {
        if (i >= asked) {
            asked = i + MEASURE_PIECE;
            if (!measure_goes_on(pace, fault)) {
                measure_survival_fini(curve);
                return false;
            }
        }
        struct measure_survival_point point = {.time = lives[i].duration,
                                               .at_risk = (uint32_t)(count - i)};
        for (; i < count && lives[i].duration == point.time; i++) {
            point.ended += lives[i].ended;
            censored += !lives[i].ended;
        }
        if (point.ended == 0) {
            continue;
        }
        double left = (double)point.at_risk - point.ended;
        survival *= left / point.at_risk;
        variance += left > 0 ? point.ended / (point.at_risk * left) : 0;
        point.survival = survival;
        point.censored = censored;
        censored = 0;
        interval(&point, variance);
        curve->points[curve->count++] = point;
    }
    curve->last = count > 0 ? lives[count - 1].duration : 0;
    return true;
}

void measure_survival_fini(struct measure_survival *curve)
{
    free(curve->points);
    *curve = (struct measure_survival){.points = NULL};
}

bool measure_survival_at(const struct measure_survival *curve, const struct measure_life *sorted,
                         int64_t time, struct measure_survival_point *point)
{
    *point = (struct measure_survival_point){.survival = 1, .low = 1, .high = 1};
    for (size_t i = 0; i < curve->count && curve->points[i].time <= time; i++) {
        *point = curve->points[i];
    }
    point->time = time;
    point->at_risk = 0;
    for (size_t i = 0; i < curve->n; i++) {
        point->at_risk += sorted[i].duration >= time;
    }
    return curve->n > 0 && (time <= curve->last || point->survival <= 0);
}

int64_t measure_survival_median(const struct measure_survival *curve)
{
    for (size_t i = 0; i < curve->count; i++) {
        if (curve->points[i].survival <= 0.5) {
            return curve->points[i].time;
        }
    }
    return MEASURE_NEVER;
}

bool measure_life_of(const struct measure_spells *spells, uint32_t account, int64_t as_of_ms,
                     int64_t grace_ms, int64_t *start_ms, struct measure_life *life)
{
    const struct measure_spell *items = spells->items;
    size_t first = spells->first[account];
    size_t last = spells->first[account + 1];
    while (first < last && items[first].minor == 0) {
        first++;
    }
    int64_t start = first < last ? items[first].from_ms : MEASURE_NEVER;
    if (start >= as_of_ms) {
        return false;
    }
    /* Spells stand in the order of their start: the first that begins too late ends the life. */
    int64_t end = start;
    for (size_t i = first; i < last && items[i].from_ms - grace_ms <= end; i++) {
        end = items[i].minor > 0 && items[i].to_ms > end ? items[i].to_ms : end;
    }
    /* Within the grace it may still come back. */
    bool ended = end < as_of_ms && as_of_ms - end > grace_ms;
    *start_ms = start;
    *life = (struct measure_life){(end < as_of_ms ? end : as_of_ms) - start, ended};
    return true;
}
