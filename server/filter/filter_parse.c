/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of filter.h, by recursive descent. Each level of recursion is a bracket or a "not",
 * and their depth is bounded, so that no text exhausts the stack. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/reader.h"
#include "server/feature/span_text.h"
#include "server/filter/filter_parser.h"

/* People nest three or four deep; programs that write filters flatten. */
#define DEPTH_MAX 64

static uint16_t parse_or(struct filter_parser *parser);

bool filter_fail(struct filter_parser *parser, size_t offset, const char *format, ...)
{
    char message[448];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    parser->fault_column = filter_column(parser->text, offset);
    return proto_fault_set(parser->fault, PROTO_BAD_FILTER, "filter", "column %zu: %s",
                           parser->fault_column, message);
}

bool filter_fail_memory(struct filter_parser *parser)
{
    return proto_fault_set(parser->fault, PROTO_NO_MEMORY, "filter", "no memory for a filter");
}

void filter_advance_to(struct filter_parser *parser, size_t offset)
{
    parser->after = offset;
    parser->token = filter_token_next(parser->text, &parser->after);
    parser->token_at = (size_t)(parser->token.text.data - parser->text.data);
}

void filter_advance(struct filter_parser *parser)
{
    filter_advance_to(parser, parser->after);
}

const char *filter_found(const struct filter_parser *parser, char *out, size_t out_bytes)
{
    char shown[FEATURE_SHOWN_BYTES];
    feature_text_show(parser->token.text, shown, sizeof shown);
    if (parser->token.kind == FILTER_END)
        (void)snprintf(out, out_bytes, "the end of the filter");
    else if (parser->token.kind == FILTER_UNCLOSED)
        (void)snprintf(out, out_bytes, "a quote that is not closed");
    else
        (void)snprintf(out, out_bytes, "%s", shown);
    return out;
}

static uint16_t node_add(struct filter_parser *parser, struct filter_node node)
{
    struct filter *filter = parser->filter;
    if (filter->node_count == parser->node_capacity) {
        filter_fail(parser, parser->token_at, "more than %d conditions and operators",
                    PROTO_FILTER_NODES_MAX);
        return FILTER_NONE;
    }
    node.next = FILTER_NONE;
    filter->nodes[filter->node_count] = node;
    return (uint16_t)filter->node_count++;
}

/* A condition whose operands begin at operand_first. */
static uint16_t leaf_add(struct filter_parser *parser, const struct feature_field *field,
                         enum filter_test test, bool negated, size_t operand_first)
{
    struct filter *filter = parser->filter;
    uint16_t node =
        node_add(parser, (struct filter_node){.kind = FILTER_LEAF,
                                              .condition = (uint16_t)filter->condition_count,
                                              .child = FILTER_NONE});
    if (node == FILTER_NONE)
        return node;
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
    int (*order)(const void *, const void *) = type == FEATURE_NUMBER ? number_order : text_order;
    struct filter_operand *operands = filter->operands + first;
    size_t count = filter->operand_count - first;
    size_t kept = 1;
    qsort(operands, count, sizeof *operands, order);
    for (size_t i = 1; i < count; i++) {
        if (order(&operands[i], &operands[kept - 1]) != 0)
            operands[kept++] = operands[i];
    }
    filter->operand_count = first + kept;
}

static bool symbol_take(struct filter_parser *parser, const char *symbol, const char *what)
{
    char found[96];
    if (!filter_token_is(&parser->token, symbol))
        return filter_fail(parser, parser->token_at, "%s is wanted %s, not %s", symbol, what,
                           filter_found(parser, found, sizeof found));
    filter_advance(parser);
    return true;
}

/* "(" value { "," value } ")" */
static bool list_read(struct filter_parser *parser, const struct feature_field *field)
{
    char found[96];
    if (!symbol_take(parser, "(", "before a list of values"))
        return false;
    for (;;) {
        if (!filter_value_read(parser, field))
            return false;
        if (!filter_token_is(&parser->token, ","))
            break;
        filter_advance(parser);
    }
    if (!filter_token_is(&parser->token, ")"))
        return filter_fail(parser, parser->token_at, ", or ) is wanted in a list, not %s",
                           filter_found(parser, found, sizeof found));
    filter_advance(parser);
    return true;
}

/* Which operators fit the field's type; says what would be right. */
static bool operator_fits(struct filter_parser *parser, const struct feature_field *field,
                          size_t offset, bool fits)
{
    static const char *const right[] = {
        [FEATURE_NUMBER] = "=, !=, <, <=, >, >=, in, between, is missing",
        [FEATURE_CATEGORY] = "=, !=, in, between, <, <=, >, >=, is missing",
        [FEATURE_TAGS] = "has, has any, has all, =, !=, in, is missing",
        [FEATURE_FLAG] = "=, !=, is missing, or its name alone",
        [FEATURE_VECTOR] = "is missing",
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
    if (!operator_fits(parser, field, parser->token_at, fits))
        return FILTER_NONE;
    filter_advance(parser);
    if (!list_read(parser, field))
        return FILTER_NONE;
    operands_sort(parser->filter, field->type, first);
    return leaf_add(parser, field, field->type == FEATURE_TAGS ? FILTER_HAS_ANY : FILTER_EQUAL,
                    negated, first);
}

/* has value, has any ( … ), has all ( … ): the token is "has". */
static uint16_t parse_has(struct filter_parser *parser, const struct feature_field *field)
{
    size_t first = parser->filter->operand_count;
    if (!operator_fits(parser, field, parser->token_at, field->type == FEATURE_TAGS))
        return FILTER_NONE;
    filter_advance(parser);
    bool all = filter_token_is(&parser->token, "all");
    bool listed = all || filter_token_is(&parser->token, "any");
    if (listed)
        filter_advance(parser);
    if (listed ? !list_read(parser, field) : !filter_value_read(parser, field))
        return FILTER_NONE;
    operands_sort(parser->filter, field->type, first);
    return leaf_add(parser, field, all ? FILTER_HAS_ALL : FILTER_HAS_ANY, false, first);
}

/* between low and high: the token is "between". */
static uint16_t parse_between(struct filter_parser *parser, const struct feature_field *field)
{
    size_t first = parser->filter->operand_count;
    bool fits = field->type == FEATURE_NUMBER || field->type == FEATURE_CATEGORY;
    if (!operator_fits(parser, field, parser->token_at, fits))
        return FILTER_NONE;
    filter_advance(parser);
    size_t low_at = parser->token_at;
    if (!filter_value_read(parser, field) || !symbol_take(parser, "and", "after between's value") ||
        !filter_value_read(parser, field))
        return FILTER_NONE;
    const struct filter_operand *operands = parser->filter->operands + first;
    if ((field->type == FEATURE_NUMBER ? number_order(&operands[0], &operands[1])
                                       : text_order(&operands[0], &operands[1])) > 0) {
        filter_fail(parser, low_at, "between's first value is above its second: no value matches");
        return FILTER_NONE;
    }
    return leaf_add(parser, field, FILTER_BETWEEN, false, first);
}

/* is [ not ] missing: the token is "is". */
static uint16_t parse_is(struct filter_parser *parser, const struct feature_field *field)
{
    char found[96];
    filter_advance(parser);
    bool negated = filter_token_is(&parser->token, "not");
    if (negated)
        filter_advance(parser);
    if (!filter_token_is(&parser->token, "missing")) {
        filter_fail(parser, parser->token_at, "missing is wanted after is%s, not %s",
                    negated ? " not" : "", filter_found(parser, found, sizeof found));
        return FILTER_NONE;
    }
    filter_advance(parser);
    return leaf_add(parser, field, FILTER_MISSING, negated, parser->filter->operand_count);
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
    bool fits = field->type == FEATURE_NUMBER || field->type == FEATURE_CATEGORY ||
                (equality && field->type != FEATURE_VECTOR);
    if (!operator_fits(parser, field, parser->token_at, fits))
        return FILTER_NONE;
    filter_advance(parser);
    if (filter_token_is(&parser->token, "=")) {
        filter_fail(parser, parser->token_at, "a value is wanted here; write = once");
        return FILTER_NONE;
    }
    if (!filter_value_read(parser, field))
        return FILTER_NONE;
    if (equality && field->type == FEATURE_TAGS)
        test = FILTER_HAS_ANY;
    if (equality && field->type == FEATURE_FLAG)
        test = FILTER_FLAG;
    return leaf_add(parser, field, test, negated, first);
}

/* A flag's name alone: it is true. */
static uint16_t parse_flag(struct filter_parser *parser, const struct feature_field *field)
{
    char found[96];
    bool ends = parser->token.kind == FILTER_END || filter_token_is(&parser->token, ")") ||
                filter_token_is(&parser->token, "and") || filter_token_is(&parser->token, "or");
    if (field->type != FEATURE_FLAG || !ends) {
        filter_fail(parser, parser->token_at,
                    "an operator is wanted after \"%s\", such as =, !=, <, >, in, has, between, "
                    "is missing; not %s",
                    field->name, filter_found(parser, found, sizeof found));
        return FILTER_NONE;
    }
    size_t first = parser->filter->operand_count;
    if (!filter_operand_add(parser, (struct filter_operand){.flag = true}))
        return FILTER_NONE;
    return leaf_add(parser, field, FILTER_FLAG, false, first);
}

static uint16_t parse_condition(struct filter_parser *parser)
{
    enum filter_test test = FILTER_MISSING;
    bool negated = false;
    const struct feature_field *field = filter_name_read(parser);
    if (field == NULL)
        return FILTER_NONE;
    if (comparison(&parser->token, &test, &negated))
        return parse_comparison(parser, field, test, negated);
    if (filter_token_is(&parser->token, "in"))
        return parse_in(parser, field, false);
    if (filter_token_is(&parser->token, "has"))
        return parse_has(parser, field);
    if (filter_token_is(&parser->token, "between"))
        return parse_between(parser, field);
    if (filter_token_is(&parser->token, "is"))
        return parse_is(parser, field);
    if (filter_token_is(&parser->token, "not")) {
        filter_advance(parser);
        if (filter_token_is(&parser->token, "in"))
            return parse_in(parser, field, true);
        filter_fail(parser, parser->token_at, "in is wanted after \"%s\" not", field->name);
        return FILTER_NONE;
    }
    return parse_flag(parser, field);
}

static bool depth_enter(struct filter_parser *parser)
{
    if (++parser->depth > DEPTH_MAX)
        return filter_fail(parser, parser->token_at, "brackets and nots nest deeper than %d",
                           DEPTH_MAX);
    return true;
}

static uint16_t parse_not(struct filter_parser *parser)
{
    size_t end = 0;
    uint16_t node = FILTER_NONE;
    bool is_not = filter_token_is(&parser->token, "not") &&
                  filter_name_match(parser, &end) == NULL; /* a field may be named "Not …" */
    bool is_bracket = filter_token_is(&parser->token, "(");
    if (!is_not && !is_bracket)
        return parse_condition(parser);
    if (!depth_enter(parser))
        return FILTER_NONE;
    filter_advance(parser);
    if (is_not) {
        uint16_t child = parse_not(parser);
        if (child != FILTER_NONE)
            node = node_add(parser, (struct filter_node){.kind = FILTER_NOT, .child = child});
    } else {
        node = parse_or(parser);
        if (node != FILTER_NONE && !symbol_take(parser, ")", "to close the bracket"))
            node = FILTER_NONE;
    }
    parser->depth--;
    return node;
}

/* part { word part }: one node over all parts, or the part itself if it is alone. */
static uint16_t parse_chain(struct filter_parser *parser, const char *word,
                            enum filter_node_kind kind,
                            uint16_t (*parse_part)(struct filter_parser *))
{
    uint16_t first = parse_part(parser);
    uint16_t last = first;
    while (last != FILTER_NONE && filter_token_is(&parser->token, word)) {
        filter_advance(parser);
        uint16_t next = parse_part(parser);
        parser->filter->nodes[last].next = next;
        last = next;
    }
    if (last == FILTER_NONE || last == first)
        return last;
    return node_add(parser, (struct filter_node){.kind = kind, .child = first});
}

static uint16_t parse_and(struct filter_parser *parser)
{
    return parse_chain(parser, "and", FILTER_AND, parse_not);
}

static uint16_t parse_or(struct filter_parser *parser)
{
    return parse_chain(parser, "or", FILTER_OR, parse_and);
}

static bool whole_parse(struct filter_parser *parser)
{
    char found[96];
    filter_advance_to(parser, 0);
    if (parser->token.kind == FILTER_END)
        return filter_fail(parser, 0, "the filter is empty; write one like \"Converted\" = 1");
    if (parse_or(parser) == FILTER_NONE)
        return false;
    if (parser->token.kind != FILTER_END)
        return filter_fail(parser, parser->token_at, "and, or, or the end is wanted here, not %s",
                           filter_found(parser, found, sizeof found));
    return true;
}

static bool text_check(struct filter_parser *parser)
{
    if (parser->text.bytes > PROTO_FILTER_BYTES_MAX)
        return filter_fail(parser, 0, "the filter has %zu bytes, at most %d are allowed",
                           parser->text.bytes, PROTO_FILTER_BYTES_MAX);
    if (proto_utf8_valid(parser->text))
        return true;
    size_t good = 0;
    for (size_t step = 1; step > 0;) {
        good += step - 1;
        step = 0;
        for (size_t bytes = 1; step == 0 && bytes <= 4 && good + bytes <= parser->text.bytes;
             bytes++) {
            if (proto_utf8_valid((struct proto_span){parser->text.data + good, bytes}))
                step = bytes + 1;
        }
    }
    return filter_fail(parser, good, "a byte here is not UTF-8 text");
}

static bool labels_make(struct filter_parser *parser)
{
    struct filter *filter = parser->filter;
    filter->field_names = calloc(filter->field_count + 1, sizeof *filter->field_names);
    if (filter->field_names == NULL)
        return false;
    for (size_t i = 0; i < filter->field_count; i++) {
        filter->field_names[i] = filter_name_label(
            parser->schema, feature_schema_by_id(parser->schema, filter->field_ids[i]));
        if (filter->field_names[i] == NULL)
            return false;
    }
    return true;
}

struct filter *filter_parse(const struct feature_schema *schema, struct proto_span text,
                            struct proto_fault *fault, size_t *fault_column)
{
    struct filter_parser parser = {.schema = schema, .text = text, .fault = fault};
    bool ok = text_check(&parser);
    if (ok) {
        struct filter *filter = calloc(1, sizeof *filter);
        parser.filter = filter;
        parser.node_capacity =
            text.bytes + 1 < PROTO_FILTER_NODES_MAX ? text.bytes + 1 : PROTO_FILTER_NODES_MAX;
        if (filter != NULL) {
            filter->nodes = calloc(parser.node_capacity, sizeof *filter->nodes);
            filter->conditions = calloc(parser.node_capacity, sizeof *filter->conditions);
            filter->texts = malloc(text.bytes + 1);
        }
        ok = filter != NULL && filter->nodes != NULL && filter->conditions != NULL &&
             filter->texts != NULL;
        ok = ok ? whole_parse(&parser) : filter_fail_memory(&parser);
        if (ok && (!filter_compile(filter) || !labels_make(&parser)))
            ok = filter_fail_memory(&parser);
    }
    if (ok)
        return parser.filter;
    filter_destroy(parser.filter);
    if (fault_column != NULL)
        *fault_column = parser.fault_column;
    return NULL;
}
