/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions are looked at from the last to the first, so that where a condition goes to is known
 * before it: one that the common values decide goes on where its answer does, one on a number
 * becomes a step. A list of numbers is no interval, and room can run out. */
#include "server/filter/filter_narrow.h"

#include <math.h>
#include <stdlib.h>

#include "server/filter/filter_program.h"
#include "server/filter/filter_rows_verdict.h"

/* The place among the fields of what the condition reads; count: it is none of them. */
static size_t place_of(const struct filter_condition *condition, const uint16_t *fields,
                       size_t count)
{
    size_t place = 0;
    while (place < count && fields[place] != condition->field_id) {
        place++;
    }
    return place;
}

/* What the condition says of every row. */
static bool holds(const struct filter *filter, const struct filter_condition *condition,
                  const struct feature_value *values, size_t slots)
{
    if (condition->field_id >= FILTER_SUBJECTS) {
        return condition->field_id == FILTER_ALWAYS;
    }
    const struct feature_value *value =
        condition->field_id < slots ? &values[condition->field_id] : NULL;
    if (value == NULL || !value->present || value->type != condition->type) {
        return condition->test == FILTER_MISSING;
    }
    return filter_condition_test(filter, condition, value);
}

/* The numbers of which the test is true. False: they are no interval. */
static bool interval_of(const struct filter *filter, const struct filter_condition *condition,
                        double *low, double *high)
{
    const struct filter_operand *operands = filter->operands + condition->operand_first;
    *low = -HUGE_VAL;
    *high = HUGE_VAL;
    switch (condition->test) {
    case FILTER_EQUAL:
        *low = *high = operands[0].number;
        return condition->operand_count == 1;
    case FILTER_LESS:
        *high = nextafter(operands[0].number, -HUGE_VAL);
        return true;
    case FILTER_LESS_EQUAL:
        *high = operands[0].number;
        return true;
    case FILTER_GREATER:
        *low = nextafter(operands[0].number, HUGE_VAL);
        return true;
    case FILTER_GREATER_EQUAL:
        *low = operands[0].number;
        return true;
    case FILTER_BETWEEN:
        *low = operands[0].number;
        *high = operands[1].number;
        return true;
    default:
        return false;
    }
}

/* Where a step of the filter leads now. */
static uint8_t led_to(const uint8_t *leads, uint16_t step)
{
    return step == FILTER_TRUE    ? FILTER_NARROW_TRUE
           : step == FILTER_FALSE ? FILTER_NARROW_FALSE
                                  : leads[step];
}

/* Condition i of the filter, with those behind it in leads. False: it cannot be narrowed. */
static bool condition_take(const struct filter *filter, size_t i,
                           const struct feature_value *values, size_t slots, size_t place,
                           bool varies, uint8_t *leads, struct filter_narrow *narrow)
{
    const struct filter_condition *condition = &filter->conditions[i];
    uint8_t yes = led_to(leads, filter->steps[i].yes);
    uint8_t no = led_to(leads, filter->steps[i].no);
    double low = 0;
    double high = 0;
    if (!varies || condition->test == FILTER_MISSING || yes == no) {
        leads[i] = holds(filter, condition, values, slots) ? yes : no;
        return true;
    }
    if (narrow->count == FILTER_NARROW_STEPS || !interval_of(filter, condition, &low, &high)) {
        return false;
    }
    leads[i] = narrow->count++;
    narrow->steps[leads[i]].low = low;
    narrow->steps[leads[i]].high = high;
    narrow->steps[leads[i]].number = (uint8_t)place;
    narrow->steps[leads[i]].yes = yes;
    narrow->steps[leads[i]].no = no;
    return true;
}

bool filter_narrow_make(const struct filter *filter, const struct feature_value *values,
                        size_t slots, const uint16_t *fields, size_t count,
                        struct filter_narrow *narrow)
{
    uint8_t *leads = calloc(filter->condition_count + 1, sizeof *leads);
    bool good = leads != NULL && count <= UINT8_MAX;
    *narrow = (struct filter_narrow){.count = 0};
    for (size_t i = filter->condition_count; i-- > 0 && good;) {
        const struct filter_condition *condition = &filter->conditions[i];
        size_t place = place_of(condition, fields, count);
        bool varies = place < count && values[condition->field_id].present &&
                      values[condition->field_id].type == condition->type;
        good = condition_take(filter, i, values, slots, place, varies, leads, narrow);
    }
    narrow->first = good && filter->condition_count > 0 ? leads[0] : FILTER_NARROW_FALSE;
    free(leads);
    return good;
}
