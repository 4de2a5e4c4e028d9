/* SPDX-License-Identifier: Apache-2.0 */
/* The share of each event, and the band of their sum. An event that no row matches counts nothing.
 */
#include "server/measure/engagement.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/measure/spell.h"

static const struct measure_weight usual[] = {
    {EVENT_TOUCH, "", MEASURE_WEIGHT_ONE, 30 * MEASURE_WEIGHT_ONE, false},
    {EVENT_USAGE, "", MEASURE_WEIGHT_ONE / 4, 14 * MEASURE_WEIGHT_ONE, false},
    {EVENT_REQUEST, "", MEASURE_WEIGHT_ONE, 30 * MEASURE_WEIGHT_ONE, false},
    {EVENT_OUTCOME, "adopted", 3 * MEASURE_WEIGHT_ONE, 60 * MEASURE_WEIGHT_ONE, false},
};

static const char *const band_names[MEASURE_BANDS] = {"none", "low", "medium", "high"};

void measure_engagement_default(struct measure_engagement *engagement)
{
    *engagement = (struct measure_engagement){
        .count = sizeof usual / sizeof *usual,
        .least = {0, MEASURE_WEIGHT_ONE / 2, 3 * MEASURE_WEIGHT_ONE, 10 * MEASURE_WEIGHT_ONE}};
    memcpy(engagement->weights, usual, sizeof usual);
}

static bool row_same(const struct measure_weight *a, const struct measure_weight *b)
{
    return a->type == b->type && strcmp(a->kind, b->kind) == 0 && a->weight == b->weight &&
           a->half_life == b->half_life && a->by_quantity == b->by_quantity;
}

bool measure_engagement_same(const struct measure_engagement *a, const struct measure_engagement *b)
{
    bool same = a->count == b->count;
    for (int band = MEASURE_BAND_LOW; band < MEASURE_BANDS && same; band++) {
        same = a->least[band] == b->least[band];
    }
    for (uint32_t i = 0; i < a->count && same; i++) {
        same = row_same(&a->weights[i], &b->weights[i]);
    }
    return same;
}

uint32_t measure_engagement_types(const struct measure_engagement *engagement)
{
    uint32_t types = 0;
    for (uint32_t i = 0; i < engagement->count; i++) {
        types |= UINT32_C(1) << engagement->weights[i].type;
    }
    return types;
}

static const struct measure_weight *row_of(const struct measure_engagement *engagement,
                                           const struct event *event)
{
    for (uint32_t i = 0; i < engagement->count; i++) {
        const struct measure_weight *row = &engagement->weights[i];
        if (row->type == event->type &&
            (row->kind[0] == '\0' || proto_span_is(event->kind, row->kind))) {
            return row;
        }
    }
    return NULL;
}

static int64_t share_of(const struct measure_weight *row, const struct event *event, int64_t at_ms)
{
    double days = (double)(at_ms - event->time_ms) / (double)MEASURE_DAY_MS;
    double half_life = (double)row->half_life / (double)MEASURE_WEIGHT_ONE;
    bool counted = row->by_quantity && (event->has & EVENT_HAS_QUANTITY) != 0;
    double value = (double)row->weight * (counted ? (double)event->quantity / 1000.0 : 1.0);
    double share = value * exp2(-days / half_life);
    double most = (double)MEASURE_SHARE_MAX;
    return llround(share > most ? most : share < -most ? -most : share);
}

void measure_engagement_add(const struct measure_engagement *engagement, const struct event *event,
                            int64_t at_ms, struct measure_engaged *engaged)
{
    const struct measure_weight *row = row_of(engagement, event);
    if (row == NULL || event->time_ms > at_ms) {
        return;
    }
    int64_t share = share_of(row, event, at_ms);
    engaged->millionths += share;
    engaged->by_type[event->type] += share;
    engaged->events++;
    engaged->last_ms = event->time_ms > engaged->last_ms ? event->time_ms : engaged->last_ms;
}

enum measure_band measure_engagement_band(const struct measure_engagement *engagement,
                                          int64_t millionths)
{
    int band = MEASURE_BAND_HIGH;
    while (band > MEASURE_BAND_NONE && millionths < engagement->least[band]) {
        band--;
    }
    return (enum measure_band)band;
}

const char *measure_band_name(enum measure_band band)
{
    return band_names[band];
}

/* "touch demo": what a row is of. */
static void row_name(const struct measure_weight *row, char text[MEASURE_CHANGE_BYTES])
{
    (void)snprintf(text, MEASURE_CHANGE_BYTES, "%s%s%s", event_type_name(row->type),
                   row->kind[0] != '\0' ? " " : "", row->kind);
}

/* "5 over 30 days, by quantity" */
static void row_words(const struct measure_weight *row, char text[MEASURE_CHANGE_BYTES])
{
    (void)snprintf(text, MEASURE_CHANGE_BYTES, "%.10g over %.10g days%s",
                   (double)row->weight / (double)MEASURE_WEIGHT_ONE,
                   (double)row->half_life / (double)MEASURE_WEIGHT_ONE,
                   row->by_quantity ? ", by quantity" : "");
}

static const struct measure_weight *row_like(const struct measure_engagement *engagement,
                                             const struct measure_weight *row)
{
    for (uint32_t i = 0; i < engagement->count; i++) {
        const struct measure_weight *other = &engagement->weights[i];
        if (other->type == row->type && strcmp(other->kind, row->kind) == 0) {
            return other;
        }
    }
    return NULL;
}

static size_t bands_changed(const struct measure_engagement *was,
                            const struct measure_engagement *now,
                            struct measure_engagement_change *changes)
{
    size_t count = 0;
    for (int band = MEASURE_BAND_LOW; band < MEASURE_BANDS; band++) {
        if (was->least[band] != now->least[band]) {
            struct measure_engagement_change *change = &changes[count++];
            (void)snprintf(change->rule, sizeof change->rule, "band %s", band_names[band]);
            (void)snprintf(change->before, sizeof change->before, "from %.10g",
                           (double)was->least[band] / (double)MEASURE_WEIGHT_ONE);
            (void)snprintf(change->now, sizeof change->now, "from %.10g",
                           (double)now->least[band] / (double)MEASURE_WEIGHT_ONE);
        }
    }
    return count;
}

size_t
measure_engagement_changes(const struct measure_engagement *was,
                           const struct measure_engagement *now,
                           struct measure_engagement_change changes[MEASURE_ENGAGEMENT_CHANGES_MAX])
{
    size_t count = 0;
    for (uint32_t i = 0; i < now->count; i++) {
        const struct measure_weight *before = row_like(was, &now->weights[i]);
        if (before == NULL || !row_same(before, &now->weights[i])) {
            struct measure_engagement_change *change = &changes[count++];
            *change = (struct measure_engagement_change){.before = ""};
            row_name(&now->weights[i], change->rule);
            row_words(&now->weights[i], change->now);
            if (before != NULL) {
                row_words(before, change->before);
            }
        }
    }
    for (uint32_t i = 0; i < was->count; i++) {
        if (row_like(now, &was->weights[i]) == NULL) {
            struct measure_engagement_change *change = &changes[count++];
            *change = (struct measure_engagement_change){.now = ""};
            row_name(&was->weights[i], change->rule);
            row_words(&was->weights[i], change->before);
        }
    }
    return count + bands_changed(was, now, changes + count);
}
