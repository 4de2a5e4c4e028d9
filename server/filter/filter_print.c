/* SPDX-License-Identifier: Apache-2.0 */
/* A filter back to text, in canonical form. */
#include <stdlib.h>

#include "server/feature/date_text.h"
#include "server/feature/span_text.h"
#include "server/filter/filter_program.h"

/* A growing text; out of memory is sticky. */
struct printed {
    char *text;
    size_t bytes;
    size_t capacity;
    bool failed;
};

static void put(struct printed *printed, struct proto_span part)
{
    if (printed->failed) {
        return;
    }
    if (printed->bytes + part.bytes + 1 > printed->capacity) {
        size_t capacity = 2 * (printed->bytes + part.bytes) + 64;
        char *wider = realloc(printed->text, capacity);
        if (wider == NULL) {
            printed->failed = true;
            return;
        }
        printed->text = wider;
        printed->capacity = capacity;
    }
    if (part.bytes > 0) {
        memcpy(printed->text + printed->bytes, part.data, part.bytes);
    }
    printed->bytes += part.bytes;
    printed->text[printed->bytes] = '\0';
}

static void put_text(struct printed *printed, const char *text)
{
    put(printed, proto_span_text(text));
}

/* As an upper end a day alone means its last moment, so that a midnight needs its time there. */
static void put_date(struct printed *printed, double number, bool is_end)
{
    char date[FEATURE_DATE_TEXT_BYTES];
    int64_t ms = (int64_t)number;
    bool closes = is_end && (ms + 1) % FEATURE_DAY_MS == 0;
    (void)feature_date_print(closes ? ms + 1 - FEATURE_DAY_MS : ms, date);
    put_text(printed, "'");
    put_text(printed, date);
    put_text(printed, is_end && ms % FEATURE_DAY_MS == 0 ? "T00:00:00Z'" : "'");
}

static void put_operand(struct printed *printed, const struct filter_condition *condition,
                        const struct filter_operand *operand)
{
    char number[FEATURE_NUMBER_TEXT_BYTES];
    switch (condition->type) {
    case FEATURE_NUMBER:
        (void)feature_number_print(operand->number, number);
        put_text(printed, number);
        return;
    case FEATURE_DATE:
        put_date(printed, operand->number, false);
        return;
    case FEATURE_FLAG:
        put_text(printed, operand->flag ? "true" : "false");
        return;
    case FEATURE_CATEGORY:
    case FEATURE_TAGS:
    case FEATURE_VECTOR:
        break;
    }
    put_text(printed, "'");
    for (size_t i = 0; i < operand->text.bytes; i++) {
        if (operand->text.data[i] == '\'') {
            put_text(printed, "'");
        }
        put(printed, (struct proto_span){operand->text.data + i, 1});
    }
    put_text(printed, "'");
}

static void put_list(struct printed *printed, const struct filter *filter,
                     const struct filter_condition *condition, const char *operator)
{
    put_text(printed, operator);
    for (unsigned i = 0; i < condition->operand_count; i++) {
        put_text(printed, i == 0 ? "(" : ", ");
        put_operand(printed, condition, filter->operands + condition->operand_first + i);
    }
    put_text(printed, ")");
}

/* The operator of a test that takes one operand, for its plain and its negated form. */
static const char *single_operator(const struct filter_condition *condition)
{
    switch (condition->test) {
    case FILTER_LESS:
        return " < ";
    case FILTER_LESS_EQUAL:
        return " <= ";
    case FILTER_GREATER:
        return " > ";
    case FILTER_GREATER_EQUAL:
        return " >= ";
    case FILTER_HAS_ANY:
    case FILTER_HAS_ALL:
        return condition->negated ? " != " : " has ";
    case FILTER_CONTAINS:
        return condition->negated ? " not contains " : " contains ";
    case FILTER_STARTS:
        return condition->negated ? " not starts with " : " starts with ";
    case FILTER_FLAG:
    case FILTER_EQUAL:
    case FILTER_BETWEEN:
    case FILTER_MISSING:
        break;
    }
    return condition->negated ? " != " : " = ";
}

static void put_date_condition(struct printed *printed, const struct filter_condition *condition,
                               const struct filter_operand *operands)
{
    double first = operands[0].number;
    if (condition->test != FILTER_BETWEEN) {
        bool is_end = condition->test != FILTER_LESS && condition->test != FILTER_GREATER_EQUAL;
        put_text(printed, single_operator(condition));
        put_date(printed, first, is_end);
    } else if (operands[1].number - first + 1 == (double)FEATURE_DAY_MS &&
               (int64_t)first % FEATURE_DAY_MS == 0) {
        put_text(printed, condition->negated ? " != " : " = ");
        put_date(printed, first, false);
    } else {
        put_text(printed, " between ");
        put_date(printed, first, false);
        put_text(printed, " and ");
        put_date(printed, operands[1].number, true);
    }
}

static void put_condition(struct printed *printed, const struct filter *filter,
                          const struct filter_condition *condition)
{
    const struct filter_operand *operands = filter->operands + condition->operand_first;
    size_t at = 0;
    if (condition->field_id == FILTER_ALWAYS) {
        put_text(printed, condition->negated ? "false" : "true");
        return;
    }
    if (condition->field_id >= FILTER_SUBJECTS) {
        put_text(printed, filter_subject_name(condition->field_id));
        if (condition->field_id == FILTER_ON_ANY_TAL) {
            return;
        }
        if (condition->field_id == FILTER_ON_TAL) {
            put_text(printed, " ");
            put_operand(printed, condition, operands);
            return;
        }
    } else {
        while (filter->field_ids[at] != condition->field_id) {
            at++;
        }
        put_text(printed, filter->field_names[at]);
    }
    if (condition->test == FILTER_MISSING) {
        put_text(printed, condition->negated ? " is not missing" : " is missing");
    } else if (condition->type == FEATURE_DATE) {
        put_date_condition(printed, condition, operands);
    } else if (condition->test == FILTER_BETWEEN) {
        put_text(printed, " between ");
        put_operand(printed, condition, &operands[0]);
        put_text(printed, " and ");
        put_operand(printed, condition, &operands[1]);
    } else if (condition->operand_count == 1) {
        put_text(printed, single_operator(condition));
        put_operand(printed, condition, operands);
    } else if (condition->negated) {
        put_list(printed, filter, condition, " not in ");
    } else if (condition->test == FILTER_EQUAL) {
        put_list(printed, filter, condition, " in ");
    } else {
        put_list(printed, filter, condition,
                 condition->test == FILTER_HAS_ALL ? " has all " : " has any ");
    }
}

/* Recursion is as deep as brackets and nots were nested, which the parser bounds. */
static void put_node(struct printed *printed, const struct filter *filter, size_t at,
                     enum filter_node_kind parent)
{
    const struct filter_node *node = &filter->nodes[at];
    bool bracket = node->kind == FILTER_OR ? parent != FILTER_LEAF && parent != FILTER_OR
                                           : node->kind == FILTER_AND && parent == FILTER_NOT;
    if (node->kind == FILTER_LEAF) {
        put_condition(printed, filter, &filter->conditions[node->condition]);
        return;
    }
    if (bracket) {
        put_text(printed, "(");
    }
    if (node->kind == FILTER_NOT) {
        put_text(printed, "not ");
    }
    for (uint16_t child = node->child; child != FILTER_NONE; child = filter->nodes[child].next) {
        if (child != node->child) {
            put_text(printed, node->kind == FILTER_AND ? " and " : " or ");
        }
        put_node(printed, filter, child, node->kind);
    }
    if (bracket) {
        put_text(printed, ")");
    }
}

char *filter_print(const struct filter *filter)
{
    struct printed printed = {0};
    put_node(&printed, filter, filter->node_count - 1, FILTER_LEAF);
    if (printed.failed) {
        free(printed.text);
        return NULL;
    }
    return printed.text;
}
