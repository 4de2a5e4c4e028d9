/* SPDX-License-Identifier: Apache-2.0 */
#include "server/filter/filter_rows_verdict.h"

#include <math.h>

/* A bin of numbers: low < x ≤ high, both ends perhaps infinite. */
struct bin {
    double low;
    double high;
};

static struct bin bin_of(const struct feature_column *column, unsigned code)
{
    struct bin bin = {-HUGE_VAL, HUGE_VAL};
    if (code >= 2) {
        bin.low = column->edges[code - 2];
    }
    if (code <= column->bin_count - 2) {
        bin.high = column->edges[code - 1];
    }
    return bin;
}

static enum filter_says either(bool all, bool none)
{
    return all ? FILTER_YES : none ? FILTER_NO : FILTER_LOOK;
}

/* No bin of numbers is a single value, so equality is never certain, only impossible. */
static enum filter_says equal_says(struct bin bin, const struct filter_operand *operands,
                                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (operands[i].number > bin.low && operands[i].number <= bin.high) {
            return FILTER_LOOK;
        }
    }
    return FILTER_NO;
}

static enum filter_says number_says(const struct filter_condition *condition,
                                    const struct filter_operand *operands, struct bin bin)
{
    double x = condition->operand_count > 0 ? operands[0].number : 0;
    switch (condition->test) {
    case FILTER_EQUAL:
        return equal_says(bin, operands, condition->operand_count);
    case FILTER_LESS:
        return either(bin.high < x, bin.low >= x);
    case FILTER_LESS_EQUAL:
        return either(bin.high <= x, bin.low >= x);
    case FILTER_GREATER:
        return either(bin.low >= x, bin.high <= x);
    case FILTER_GREATER_EQUAL:
        return either(bin.low >= x, bin.high < x);
    case FILTER_BETWEEN:
        return either(bin.low >= x && bin.high <= operands[1].number,
                      bin.high < x || bin.low >= operands[1].number);
    case FILTER_MISSING:
    case FILTER_FLAG:
    case FILTER_HAS_ANY:
    case FILTER_HAS_ALL:
    case FILTER_CONTAINS:
    case FILTER_STARTS:
        break;
    }
    return FILTER_NO;
}

void filter_says_fill(const struct filter *filter, const struct filter_condition *condition,
                      const struct feature_column *column, uint8_t says[256])
{
    const struct filter_operand *operands = filter->operands + condition->operand_first;
    struct feature_value value = {.present = true, .type = column->type};
    memset(says, FILTER_LOOK, 256); /* codes that do not occur */
    says[0] = condition->test == FILTER_MISSING ? FILTER_YES : FILTER_NO;
    for (unsigned code = 1; code < column->bin_count; code++) {
        if (condition->test == FILTER_MISSING) {
            says[code] = FILTER_NO;
        } else if (column->type == FEATURE_NUMBER) {
            says[code] = (uint8_t)number_says(condition, operands, bin_of(column, code));
        } else if (column->type == FEATURE_FLAG) {
            value.flag = code == 2;
            says[code] = filter_condition_test(filter, condition, &value);
        } else if (column->type == FEATURE_CATEGORY && code >= 2) {
            value.text = proto_span_text(column->categories[code - 2]);
            says[code] = filter_condition_test(filter, condition, &value);
        }
    }
}

static double score_at(const struct filter_condition *condition, const struct filter_facts *facts,
                       int64_t raw)
{
    switch (condition->field_id) {
    case FILTER_SCORE_FIT:
        return facts->fit(facts->context, raw);
    case FILTER_SCORE_P:
        return facts->p(facts->context, raw);
    case FILTER_SCORE_GRADE:
        return facts->grade(facts->context, raw);
    default:
        return (double)raw; /* exact: |raw| < 2^53 */
    }
}

/* The least raw score whose value is ≥ x, or > x if above is set; FILTER_RAW_END if none is. */
static int64_t least_raw(const struct filter_condition *condition, const struct filter_facts *facts,
                         double x, bool above)
{
    int64_t low = -FILTER_RAW_END;
    int64_t high = FILTER_RAW_END;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        double value = score_at(condition, facts, middle);
        if (above ? value > x : value >= x) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static double operand_number(const struct filter_condition *condition,
                             const struct filter_operand *operand)
{
    return condition->field_id == FILTER_SCORE_GRADE ? 'D' - operand->text.data[0]
                                                     : operand->number;
}

size_t filter_ranges_fill(const struct filter *filter, const struct filter_condition *condition,
                          const struct filter_facts *facts, struct filter_range *ranges)
{
    const struct filter_operand *operands = filter->operands + condition->operand_first;
    double x = operand_number(condition, operands);
    ranges[0] = (struct filter_range){-FILTER_RAW_END, FILTER_RAW_END};
    switch (condition->test) {
    case FILTER_LESS:
        ranges[0].end = least_raw(condition, facts, x, false);
        return 1;
    case FILTER_LESS_EQUAL:
        ranges[0].end = least_raw(condition, facts, x, true);
        return 1;
    case FILTER_GREATER:
        ranges[0].from = least_raw(condition, facts, x, true);
        return 1;
    case FILTER_GREATER_EQUAL:
        ranges[0].from = least_raw(condition, facts, x, false);
        return 1;
    case FILTER_BETWEEN:
        ranges[0].from = least_raw(condition, facts, x, false);
        ranges[0].end = least_raw(condition, facts, operand_number(condition, &operands[1]), true);
        return 1;
    case FILTER_EQUAL:
        for (size_t i = 0; i < condition->operand_count; i++) {
            x = operand_number(condition, &operands[i]);
            ranges[i] = (struct filter_range){least_raw(condition, facts, x, false),
                                              least_raw(condition, facts, x, true)};
        }
        return condition->operand_count;
    case FILTER_MISSING:
    case FILTER_FLAG:
    case FILTER_HAS_ANY:
    case FILTER_HAS_ALL:
    case FILTER_CONTAINS:
    case FILTER_STARTS:
        break;
    }
    return 0;
}
