/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: a field, an operator that fits its type, and values. */
#include <stdlib.h>

#include "server/feature/date_text.h"
#include "server/filter/filter_parser.h"

uint16_t filter_leaf_add(struct filter_parser *parser, const struct feature_field *field,
                         enum filter_test test, bool negated, size_t operand_first)
{
    struct filter *filter = parser->filter;
    uint16_t node =
        filter_node_add(parser, (struct filter_node){.kind = FILTER_LEAF,
                                                     .condition = (uint16_t)filter->condition_count,
                                                     .child = FILTER_NONE});
    if (node == FILTER_NONE) {
        return node;
    }
    filter->conditions[filter->condition_count++] = (struct filter_condition){
        .field_id = field->id,
        .type = field->type,
        .test = test,
        .negated = negated,
        .operand_count = (uint16_t)(filter->operand_count - operand_first),
        .operand_first = (uint32_t)operand_first,
    };
    return node;
}

static int number_order(const void *a, const void *b)
{
    double x = ((const struct filter_operand *)a)->number;
    double y = ((const struct filter_operand *)b)->number;
    return (x > y) - (x < y);
}

static int text_order(const void *a, const void *b)
{
    return proto_span_compare(((const struct filter_operand *)a)->text,
                              ((const struct filter_operand *)b)->text);
}

/* Sorts the operands from `first` on and drops repetitions. */
static void operands_sort(struct filter *filter, enum feature_type type, size_t first)
{
    int (*order)(const void *, const void *) =
        feature_type_is_number(type) ? number_order : text_order;
    struct filter_operand *operands = filter->operands + first;
    size_t count = filter->operand_count - first;
    size_t kept = 1;
    qsort(operands, count, sizeof *operands, order);
    for (size_t i = 1; i < count; i++) {
        if (order(&operands[i], &operands[kept - 1]) != 0) {
            operands[kept++] = operands[i];
        }
    }
    filter->operand_count = first + kept;
}

/* "(" value { "," value } ")" */
static bool list_read(struct filter_parser *parser, const struct feature_field *field)
{
    char found[96];
    if (!filter_symbol_take(parser, "(", "before a list of values")) {
        return false;
    }
    if (filter_token_is(&parser->token, ")")) {
        return filter_fail(parser, parser->token_at, "the list is empty: it would match nothing");
    }
    for (;;) {
        if (!filter_value_read(parser, field)) {
            return false;
        }
        if (!filter_token_is(&parser->token, ",")) {
            break;
        }
        filter_advance(parser);
    }
    if (!filter_token_is(&parser->token, ")")) {
        return filter_fail(parser, parser->token_at, ", or ) is wanted in a list, not %s",
                           filter_found(parser, found, sizeof found));
    }
    filter_advance(parser);
    return true;
}

/* Which operators fit the field's type; says what would be right. */
static bool operator_fits(struct filter_parser *parser, const struct feature_field *field,
                          size_t offset, bool fits)
{
    static const char *const right[] = {
        [FEATURE_NUMBER] = "=, !=, <, <=, >, >=, in, between, is missing",
        [FEATURE_CATEGORY] = "=, !=, in, contains, starts with, between, <, <=, >, >=, is missing",
        [FEATURE_TAGS] = "has, has any, has all, =, !=, in, contains, starts with, is missing",
        [FEATURE_FLAG] = "=, !=, is missing, or its name alone",
        [FEATURE_VECTOR] = "is missing",
        [FEATURE_DATE] = "=, !=, <, <=, >, >=, between, is missing",
    };
    return fits || filter_fail(parser, offset, "\"%s\" is a %s field; it takes %s", field->name,
                               feature_type_name(field->type), right[field->type]);
}

/* in ( … ), perhaps after "not": the token is "in". */
static uint16_t parse_in(struct filter_parser *parser, const struct feature_field *field,
                         bool negated)
{
    size_t first = parser->filter->operand_count;
    bool fits = field->type == FEATURE_NUMBER || field->type == FEATURE_CATEGORY ||
                field->type == FEATURE_TAGS;
    if (!operator_fits(parser, field, parser->token_at, fits)) {
        return FILTER_NONE;
    }
    filter_advance(parser);
    if (!list_read(parser, field)) {
        return FILTER_NONE;
    }
    operands_sort(parser->filter, field->type, first);
    return filter_leaf_add(
        parser, field, field->type == FEATURE_TAGS ? FILTER_HAS_ANY : FILTER_EQUAL, negated, first);
}

/* has value, has any ( … ), has all ( … ): the token is "has". */
static uint16_t parse_has(struct filter_parser *parser, const struct feature_field *field)
{
    size_t first = parser->filter->operand_count;
    if (!operator_fits(parser, field, parser->token_at, field->type == FEATURE_TAGS)) {
        return FILTER_NONE;
    }
    filter_advance(parser);
    bool all = filter_token_is(&parser->token, "all");
    bool listed = all || filter_token_is(&parser->token, "any");
    if (listed) {
        filter_advance(parser);
    }
    if (listed ? !list_read(parser, field) : !filter_value_read(parser, field)) {
        return FILTER_NONE;
    }
    operands_sort(parser->filter, field->type, first);
    return filter_leaf_add(parser, field, all ? FILTER_HAS_ALL : FILTER_HAS_ANY, false, first);
}

/* The last moment of the day that the last value names, where it names a day: '2023-01-31' as an
 * upper end holds all of that day. */
static void day_close(struct filter_parser *parser, const struct feature_field *field)
{
    if (field->type == FEATURE_DATE && parser->whole_day) {
        parser->filter->operands[parser->filter->operand_count - 1].number +=
            (double)(FEATURE_DAY_MS - 1);
    }
}

/* between low and high: the token is "between". */
static uint16_t parse_between(struct filter_parser *parser, const struct feature_field *field)
{
    size_t first = parser->filter->operand_count;
    bool fits = feature_type_is_number(field->type) || field->type == FEATURE_CATEGORY;
    if (!operator_fits(parser, field, parser->token_at, fits)) {
        return FILTER_NONE;
    }
    filter_advance(parser);
    size_t low_at = parser->token_at;
    if (!filter_value_read(parser, field) ||
        !filter_symbol_take(parser, "and", "after between's value") ||
        !filter_value_read(parser, field)) {
        return FILTER_NONE;
    }
    day_close(parser, field);
    const struct filter_operand *operands = parser->filter->operands + first;
    if ((feature_type_is_number(field->type) ? number_order(&operands[0], &operands[1])
                                             : text_order(&operands[0], &operands[1])) > 0) {
        filter_fail(parser, low_at, "between's first value is above its second: no value matches");
        return FILTER_NONE;
    }
    return filter_leaf_add(parser, field, FILTER_BETWEEN, false, first);
}

/* contains value, starts with value: the token is the first word. */
static uint16_t parse_part(struct filter_parser *parser, const struct feature_field *field,
                           bool negated)
{
    char found[96];
    size_t first = parser->filter->operand_count;
    bool starts = filter_token_is(&parser->token, "starts");
    bool fits = field->type == FEATURE_CATEGORY || field->type == FEATURE_TAGS;
    if (!operator_fits(parser, field, parser->token_at, fits)) {
        return FILTER_NONE;
    }
    filter_advance(parser);
    if (starts && !filter_token_is(&parser->token, "with")) {
        filter_fail(parser, parser->token_at, "with is wanted after starts, not %s",
                    filter_found(parser, found, sizeof found));
        return FILTER_NONE;
    }
    if (starts) {
        filter_advance(parser);
    }
    if (!filter_part_read(parser, field)) {
        return FILTER_NONE;
    }
    return filter_leaf_add(parser, field, starts ? FILTER_STARTS : FILTER_CONTAINS, negated, first);
}

bool filter_missing_take(struct filter_parser *parser, bool *negated)
{
    char found[96];
    filter_advance(parser);
    *negated = filter_token_is(&parser->token, "not");
    if (*negated) {
        filter_advance(parser);
    }
    return filter_token_is(&parser->token, "missing") ||
           filter_fail(parser, parser->token_at, "missing is wanted after is%s, not %s",
                       *negated ? " not" : "", filter_found(parser, found, sizeof found));
}

static uint16_t parse_is(struct filter_parser *parser, const struct feature_field *field)
{
    bool negated;
    if (!filter_missing_take(parser, &negated)) {
        return FILTER_NONE;
    }
    filter_advance(parser);
    return filter_leaf_add(parser, field, FILTER_MISSING, negated, parser->filter->operand_count);
}

/* What an operator sign tests. */
static bool comparison(const struct filter_token *token, enum filter_test *test, bool *negated)
{
    static const struct {
        const char *sign;
        enum filter_test test;
        bool negated;
    } signs[] = {
        {"=", FILTER_EQUAL, false},          {"!=", FILTER_EQUAL, true},
        {"<>", FILTER_EQUAL, true},          {"<", FILTER_LESS, false},
        {"<=", FILTER_LESS_EQUAL, false},    {">", FILTER_GREATER, false},
        {">=", FILTER_GREATER_EQUAL, false},
    };
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (filter_token_is(token, signs[i].sign)) {
            *test = signs[i].test;
            *negated = signs[i].negated;
            return true;
        }
    }
    return false;
}

static uint16_t parse_comparison(struct filter_parser *parser, const struct feature_field *field,
                                 enum filter_test test, bool negated)
{
    size_t first = parser->filter->operand_count;
    bool equality = test == FILTER_EQUAL;
    bool fits = feature_type_is_number(field->type) || field->type == FEATURE_CATEGORY ||
                (equality && field->type != FEATURE_VECTOR);
    if (!operator_fits(parser, field, parser->token_at, fits)) {
        return FILTER_NONE;
    }
    filter_advance(parser);
    if (filter_token_is(&parser->token, "=")) {
        filter_fail(parser, parser->token_at, "a value is wanted here; write = once");
        return FILTER_NONE;
    }
    if (equality &&
        (filter_token_is(&parser->token, ">") || filter_token_is(&parser->token, "<"))) {
        filter_fail(parser, parser->token_at, "a value is wanted here; the sign is written %.*s=",
                    (int)parser->token.text.bytes, (const char *)parser->token.text.data);
        return FILTER_NONE;
    }
    if (!filter_value_read(parser, field)) {
        return FILTER_NONE;
    }
    if (test == FILTER_LESS_EQUAL || test == FILTER_GREATER) {
        day_close(parser, field);
    }
    if (equality && field->type == FEATURE_DATE && parser->whole_day) {
        if (!filter_operand_add(parser, parser->filter->operands[first])) {
            return FILTER_NONE;
        }
        day_close(parser, field);
        test = FILTER_BETWEEN;
    }
    if (equality && field->type == FEATURE_TAGS) {
        test = FILTER_HAS_ANY;
    }
    if (equality && field->type == FEATURE_FLAG) {
        test = FILTER_FLAG;
    }
    return filter_leaf_add(parser, field, test, negated, first);
}

/* A flag's name alone: it is true. */
static uint16_t parse_flag(struct filter_parser *parser, const struct feature_field *field)
{
    char found[96];
    bool ends = parser->token.kind == FILTER_END || filter_token_is(&parser->token, ")") ||
                filter_token_is(&parser->token, "and") || filter_token_is(&parser->token, "or");
    if (field->type != FEATURE_FLAG || !ends) {
        filter_fail(parser, parser->token_at,
                    "an operator is wanted after \"%s\", such as =, !=, <, >, in, has, contains, "
                    "between, is missing; not %s",
                    field->name, filter_found(parser, found, sizeof found));
        return FILTER_NONE;
    }
    size_t first = parser->filter->operand_count;
    if (!filter_operand_add(parser, (struct filter_operand){.flag = true})) {
        return FILTER_NONE;
    }
    return filter_leaf_add(parser, field, FILTER_FLAG, false, first);
}

/* A score is always there, and a grade is one of four letters: what compares otherwise is refused.
 */
static bool subject_operator_fits(struct filter_parser *parser, const struct feature_field *field)
{
    enum filter_test test = FILTER_MISSING;
    bool negated;
    const struct filter_token *token = &parser->token;
    bool compared = comparison(token, &test, &negated);
    bool listed = filter_token_is(token, "in") || filter_token_is(token, "not");
    if (field->id == FILTER_SCORE_GRADE) {
        return (compared && test == FILTER_EQUAL) || listed ||
               filter_fail(parser, parser->token_at, "\"%s\" takes =, !=, in and not in",
                           field->name);
    }
    return compared || listed || filter_token_is(token, "between") ||
           filter_fail(parser, parser->token_at, "\"%s\" takes =, !=, <, <=, >, >=, in and between",
                       field->name);
}

static bool grades_check(struct filter_parser *parser, size_t first, size_t offset)
{
    const struct filter *filter = parser->filter;
    for (size_t i = first; i < filter->operand_count; i++) {
        struct proto_span text = filter->operands[i].text;
        if (text.bytes != 1 || text.data[0] < 'A' || text.data[0] > 'D') {
            return filter_fail(parser, offset, "a grade is 'A', 'B', 'C' or 'D'");
        }
    }
    return true;
}

static uint16_t parse_field_condition(struct filter_parser *parser,
                                      const struct feature_field *field);

static uint16_t parse_subject(struct filter_parser *parser, const struct feature_field *subject)
{
    size_t first = parser->filter->operand_count;
    size_t offset = parser->token_at;
    if (!subject_operator_fits(parser, subject)) {
        return FILTER_NONE;
    }
    uint16_t node = parse_field_condition(parser, subject);
    if (node != FILTER_NONE && subject->id == FILTER_SCORE_GRADE &&
        !grades_check(parser, first, offset)) {
        return FILTER_NONE;
    }
    return node;
}

uint16_t filter_condition_parse(struct filter_parser *parser)
{
    bool failed = false;
    if (filter_list_stands(parser)) {
        return filter_list_parse(parser);
    }
    if (filter_always_stands(parser)) {
        return filter_always_parse(parser);
    }
    if (filter_segment_stands(parser)) {
        return filter_segment_parse(parser);
    }
    const struct feature_field *subject = filter_subject_read(parser, &failed);
    if (subject != NULL) {
        return parse_subject(parser, subject);
    }
    const struct feature_field *field = failed ? NULL : filter_name_read(parser);
    return field == NULL ? FILTER_NONE : parse_field_condition(parser, field);
}

static uint16_t parse_field_condition(struct filter_parser *parser,
                                      const struct feature_field *field)
{
    enum filter_test test = FILTER_MISSING;
    bool negated = false;
    if (comparison(&parser->token, &test, &negated)) {
        return parse_comparison(parser, field, test, negated);
    }
    if (filter_token_is(&parser->token, "in")) {
        return parse_in(parser, field, false);
    }
    if (filter_token_is(&parser->token, "has")) {
        return parse_has(parser, field);
    }
    if (filter_token_is(&parser->token, "between")) {
        return parse_between(parser, field);
    }
    if (filter_token_is(&parser->token, "is")) {
        return parse_is(parser, field);
    }
    if (filter_token_is(&parser->token, "contains") || filter_token_is(&parser->token, "starts")) {
        return parse_part(parser, field, false);
    }
    if (filter_token_is(&parser->token, "not")) {
        filter_advance(parser);
        if (filter_token_is(&parser->token, "in")) {
            return parse_in(parser, field, true);
        }
        if (filter_token_is(&parser->token, "contains") ||
            filter_token_is(&parser->token, "starts")) {
            return parse_part(parser, field, true);
        }
        filter_fail(parser, parser->token_at,
                    "in, contains or starts with is wanted after \"%s\" not", field->name);
        return FILTER_NONE;
    }
    return parse_flag(parser, field);
}
