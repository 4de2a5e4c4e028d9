/* SPDX-License-Identifier: Apache-2.0 */
#include "server/filter/filter.h"

#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/filter/filter_rows_verdict.h"

void filter_destroy(struct filter *filter)
{
    if (filter == NULL) {
        return;
    }
    for (size_t i = 0; filter->field_names != NULL && i < filter->field_count; i++) {
        free(filter->field_names[i]);
    }
    free(filter->field_names);
    free(filter->field_ids);
    free(filter->nodes);
    free(filter->conditions);
    free(filter->steps);
    free(filter->operands);
    while (filter->texts != NULL) {
        struct filter_texts *before = filter->texts->before;
        free(filter->texts);
        filter->texts = before;
    }
    free(filter);
}

const uint16_t *filter_fields(const struct filter *filter, size_t *count)
{
    *count = filter->field_count;
    return filter->field_ids;
}

bool filter_reads(const struct filter *filter, uint16_t field_id)
{
    for (size_t i = 0; filter != NULL && i < filter->field_count; i++) {
        if (filter->field_ids[i] == field_id) {
            return true;
        }
    }
    return false;
}

void filter_fields_mark(const struct filter *filter, bool *fields)
{
    for (size_t i = 0; filter != NULL && i < filter->field_count; i++) {
        fields[filter->field_ids[i]] = true;
    }
}

static int id_order(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

static bool fields_collect(struct filter *filter)
{
    size_t kept = 0;
    filter->field_ids = calloc(filter->condition_count + 1, sizeof *filter->field_ids);
    if (filter->field_ids == NULL) {
        return false;
    }
    size_t count = 0;
    for (size_t i = 0; i < filter->condition_count; i++) {
        if (filter->conditions[i].field_id < FILTER_SUBJECTS) {
            filter->field_ids[count++] = filter->conditions[i].field_id;
        }
    }
    qsort(filter->field_ids, count, sizeof *filter->field_ids, id_order);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || filter->field_ids[i] != filter->field_ids[kept - 1]) {
            filter->field_ids[kept++] = filter->field_ids[i];
        }
    }
    filter->field_count = kept;
    return true;
}

/* Where to go after a node is known, and where it begins. */
struct exits {
    uint16_t yes;
    uint16_t no;
    uint16_t entry; /* its first condition */
};

bool filter_compile(struct filter *filter)
{
    struct exits *exits = calloc(filter->node_count, sizeof *exits);
    filter->steps = calloc(filter->condition_count, sizeof *filter->steps);
    if (exits == NULL || filter->steps == NULL || !fields_collect(filter)) {
        free(exits);
        return false;
    }
    for (size_t i = 0; i < filter->node_count; i++) {
        const struct filter_node *node = &filter->nodes[i];
        exits[i].entry = node->kind == FILTER_LEAF ? node->condition : exits[node->child].entry;
    }
    exits[filter->node_count - 1].yes = FILTER_TRUE;
    exits[filter->node_count - 1].no = FILTER_FALSE;
    for (size_t i = filter->node_count; i-- > 0;) {
        const struct filter_node *node = &filter->nodes[i];
        const struct exits *own = &exits[i];
        if (node->kind == FILTER_LEAF) {
            bool negated = filter->conditions[node->condition].negated;
            filter->steps[node->condition] = (struct filter_step){
                .yes = negated ? own->no : own->yes, .no = negated ? own->yes : own->no};
            continue;
        }
        for (uint16_t at = node->child; at != FILTER_NONE; at = filter->nodes[at].next) {
            uint16_t next = filter->nodes[at].next;
            bool more = next != FILTER_NONE;
            exits[at].yes = node->kind == FILTER_AND && more ? exits[next].entry : own->yes;
            exits[at].no = node->kind == FILTER_OR && more ? exits[next].entry : own->no;
            if (node->kind == FILTER_NOT) {
                exits[at].yes = own->no;
                exits[at].no = own->yes;
            }
        }
    }
    free(exits);
    return true;
}

/* The sign of value − operand. */
static int operand_compare(const struct feature_value *value, const struct filter_operand *operand)
{
    if (feature_type_is_number(value->type)) {
        return (value->number > operand->number) - (value->number < operand->number);
    }
    return proto_span_compare(value->text, operand->text);
}

/* Operands are sorted: halving serves one and a thousand. */
static bool equal_any(const struct feature_value *value, const struct filter_operand *operands,
                      size_t count)
{
    while (count > 0) {
        size_t half = count / 2;
        int order = operand_compare(value, &operands[half]);
        if (order == 0) {
            return true;
        }
        if (order > 0) {
            operands += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return false;
}

static bool has(struct proto_span tags, const struct filter_operand *operands, size_t count,
                bool all)
{
    for (size_t i = 0; i < count; i++) {
        if (feature_tags_has(tags, operands[i].text) != all) {
            return !all;
        }
    }
    return all;
}

/* Whether the part stands in the text, at its start or anywhere; ASCII letters of either case. */
static bool part_stands(struct proto_span text, struct proto_span part, bool anywhere)
{
    for (size_t at = 0; at + part.bytes <= text.bytes; at++) {
        if (feature_text_same((struct proto_span){text.data + at, part.bytes}, part)) {
            return true;
        }
        if (!anywhere) {
            break;
        }
    }
    return false;
}

static bool part_test(const struct feature_value *value, struct proto_span part, bool anywhere)
{
    if (value->type != FEATURE_TAGS) {
        return part_stands(value->text, part, anywhere);
    }
    struct proto_span tag;
    size_t at = 0;
    while (feature_tags_next(value->tags, &at, &tag)) {
        if (part_stands(tag, part, anywhere)) {
            return true;
        }
    }
    return false;
}

bool filter_condition_test(const struct filter *filter, const struct filter_condition *condition,
                           const struct feature_value *value)
{
    const struct filter_operand *operands = filter->operands + condition->operand_first;
    switch (condition->test) {
    case FILTER_FLAG:
        return value->flag == operands->flag;
    case FILTER_EQUAL:
        return equal_any(value, operands, condition->operand_count);
    case FILTER_LESS:
        return operand_compare(value, operands) < 0;
    case FILTER_LESS_EQUAL:
        return operand_compare(value, operands) <= 0;
    case FILTER_GREATER:
        return operand_compare(value, operands) > 0;
    case FILTER_GREATER_EQUAL:
        return operand_compare(value, operands) >= 0;
    case FILTER_BETWEEN:
        return operand_compare(value, &operands[0]) >= 0 &&
               operand_compare(value, &operands[1]) <= 0;
    case FILTER_HAS_ANY:
        return has(value->tags, operands, condition->operand_count, false);
    case FILTER_HAS_ALL:
        return has(value->tags, operands, condition->operand_count, true);
    case FILTER_CONTAINS:
        return part_test(value, operands->text, true);
    case FILTER_STARTS:
        return part_test(value, operands->text, false);
    case FILTER_MISSING:
        return false; /* it is present, or we would not be here */
    }
    return false;
}

static bool reads_any(const struct filter *filter, uint16_t first, uint16_t last)
{
    for (size_t i = 0; i < filter->condition_count; i++) {
        if (filter->conditions[i].field_id >= first && filter->conditions[i].field_id <= last) {
            return true;
        }
    }
    return false;
}

bool filter_reads_score(const struct filter *filter)
{
    return reads_any(filter, FILTER_SCORE_FIT, FILTER_SCORE_RAW);
}

bool filter_reads_lists(const struct filter *filter)
{
    return reads_any(filter, FILTER_ON_TAL, FILTER_ON_ANY_TAL);
}

bool filter_tells_missing(const struct filter *filter)
{
    for (size_t i = 0; i < filter->condition_count; i++) {
        const struct filter_condition *condition = &filter->conditions[i];
        if (condition->test == FILTER_MISSING ||
            (condition->field_id < FILTER_SUBJECTS && condition->type == FEATURE_TAGS)) {
            return true;
        }
    }
    return false;
}

bool filter_match(const struct filter *filter, const struct feature_value *values, size_t slots)
{
    return filter_match_known(filter, values, slots, NULL);
}

bool filter_match_known(const struct filter *filter, const struct feature_value *values,
                        size_t slots, const uint8_t *known)
{
    uint16_t at = 0;
    while (at < FILTER_FALSE) {
        const struct filter_condition *condition = &filter->conditions[at];
        if (condition->field_id >= FILTER_SUBJECTS) {
            bool holds = condition->field_id == FILTER_ALWAYS || (known != NULL && known[at] != 0);
            at = holds ? filter->steps[at].yes : filter->steps[at].no;
            continue;
        }
        const struct feature_value *value =
            condition->field_id < slots ? &values[condition->field_id] : NULL;
        bool yes;
        /* A value of another type is from before its field changed: missing. */
        if (value == NULL || !value->present || value->type != condition->type) {
            yes = condition->test == FILTER_MISSING;
        } else {
            yes = filter_condition_test(filter, condition, value);
        }
        at = yes ? filter->steps[at].yes : filter->steps[at].no;
    }
    return at == FILTER_TRUE;
}
