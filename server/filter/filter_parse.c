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
/* Room for operands to begin with; never none, so that their address is never NULL. */
#define OPERANDS_FIRST 4

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

/* What people bring from other languages, and what it is here. */
static const char *meant(struct proto_span word)
{
    static const char *const words[][2] = {{"&", "and"},
                                           {"|", "or"},
                                           {"!", "not, or !="},
                                           {"like", "contains"},
                                           {"ilike", "contains"},
                                           {"matches", "contains"},
                                           {"includes", "has"},
                                           {"contain", "contains"},
                                           {"startswith", "starts with"},
                                           {"begins", "starts with"},
                                           {"null", "is missing"},
                                           {"none", "is missing"},
                                           {"empty", "is missing"},
                                           {"nil", "is missing"},
                                           {"equals", "="},
                                           {"eq", "="},
                                           {"~", "contains"},
                                           {"under", "<"},
                                           {"over", ">"},
                                           {"above", ">"},
                                           {"below", "<"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (feature_text_same(word, proto_span_text(words[i][0]))) {
            return words[i][1];
        }
    }
    return NULL;
}

/* Quotes that a text program made round: ‘ ’ “ ”. */
static bool has_round_quote(struct proto_span word)
{
    for (size_t i = 0; i + 2 < word.bytes; i++) {
        if (word.data[i] == 0xe2 && word.data[i + 1] == 0x80 &&
            (word.data[i + 2] == 0x98 || word.data[i + 2] == 0x99 || word.data[i + 2] == 0x9c ||
             word.data[i + 2] == 0x9d)) {
            return true;
        }
    }
    return false;
}

const char *filter_found(const struct filter_parser *parser, char *out, size_t out_bytes)
{
    char shown[FEATURE_SHOWN_BYTES];
    const char *right = meant(parser->token.text);
    feature_text_show(parser->token.text, shown, sizeof shown);
    if (parser->token.kind == FILTER_END) {
        (void)snprintf(out, out_bytes, "the end of the filter");
    } else if (parser->token.kind == FILTER_UNCLOSED) {
        (void)snprintf(out, out_bytes, "a quote that is not closed");
    } else if (right != NULL) {
        (void)snprintf(out, out_bytes, "%s (here it is: %s)", shown, right);
    } else if (has_round_quote(parser->token.text)) {
        (void)snprintf(out, out_bytes, "%s: its quotes are round, type straight ones", shown);
    } else {
        (void)snprintf(out, out_bytes, "%s", shown);
    }
    return out;
}

uint16_t filter_node_add(struct filter_parser *parser, struct filter_node node)
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

bool filter_symbol_take(struct filter_parser *parser, const char *symbol, const char *what)
{
    char found[96];
    if (!filter_token_is(&parser->token, symbol)) {
        return filter_fail(parser, parser->token_at, "%s is wanted %s, not %s", symbol, what,
                           filter_found(parser, found, sizeof found));
    }
    filter_advance(parser);
    return true;
}

static bool depth_enter(struct filter_parser *parser)
{
    if (++parser->depth > DEPTH_MAX) {
        return filter_fail(parser, parser->token_at, "brackets and nots nest deeper than %d",
                           DEPTH_MAX);
    }
    return true;
}

static uint16_t parse_not(struct filter_parser *parser)
{
    size_t end = 0;
    uint16_t node = FILTER_NONE;
    bool is_not = filter_token_is(&parser->token, "not") &&
                  filter_name_match(parser, &end) == NULL; /* a field may be named "Not …" */
    bool is_bracket = filter_token_is(&parser->token, "(");
    if (!is_not && !is_bracket) {
        return filter_condition_parse(parser);
    }
    if (!depth_enter(parser)) {
        return FILTER_NONE;
    }
    filter_advance(parser);
    if (is_not) {
        uint16_t child = parse_not(parser);
        if (child != FILTER_NONE) {
            node =
                filter_node_add(parser, (struct filter_node){.kind = FILTER_NOT, .child = child});
        }
    } else {
        node = parse_or(parser);
        if (node != FILTER_NONE && !filter_symbol_take(parser, ")", "to close the bracket")) {
            node = FILTER_NONE;
        }
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
    if (last == FILTER_NONE || last == first) {
        return last;
    }
    return filter_node_add(parser, (struct filter_node){.kind = kind, .child = first});
}

static uint16_t parse_and(struct filter_parser *parser)
{
    return parse_chain(parser, "and", FILTER_AND, parse_not);
}

static uint16_t parse_or(struct filter_parser *parser)
{
    return parse_chain(parser, "or", FILTER_OR, parse_and);
}

uint16_t filter_expression_parse(struct filter_parser *parser)
{
    return parse_or(parser);
}

static bool whole_parse(struct filter_parser *parser)
{
    char found[96];
    filter_advance_to(parser, 0);
    if (parser->token.kind == FILTER_END) {
        return filter_fail(parser, 0, "the filter is empty; write one like \"Converted\" = 1");
    }
    if (parse_or(parser) == FILTER_NONE) {
        return false;
    }
    if (filter_token_is(&parser->token, ",")) {
        return filter_fail(parser, parser->token_at,
                           "a comma stands only between the values of a list; numbers are written "
                           "without it, like 1000");
    }
    if (parser->token.kind != FILTER_END) {
        return filter_fail(parser, parser->token_at, "and, or, or the end is wanted here, not %s",
                           filter_found(parser, found, sizeof found));
    }
    return true;
}

static bool text_check(struct filter_parser *parser)
{
    if (parser->text.bytes > PROTO_FILTER_BYTES_MAX) {
        return filter_fail(parser, 0, "the filter has %zu bytes, at most %d are allowed",
                           parser->text.bytes, PROTO_FILTER_BYTES_MAX);
    }
    if (proto_utf8_valid(parser->text)) {
        /* No value holds a zero byte, and printed filters are C strings. */
        const uint8_t *zero =
            parser->text.bytes == 0 ? NULL : memchr(parser->text.data, 0, parser->text.bytes);
        return zero == NULL ||
               filter_fail(parser, (size_t)(zero - parser->text.data), "a zero byte stands here");
    }
    size_t good = 0;
    for (size_t step = 1; step > 0;) {
        good += step - 1;
        step = 0;
        for (size_t bytes = 1; step == 0 && bytes <= 4 && good + bytes <= parser->text.bytes;
             bytes++) {
            if (proto_utf8_valid((struct proto_span){parser->text.data + good, bytes})) {
                step = bytes + 1;
            }
        }
    }
    return filter_fail(parser, good, "a byte here is not UTF-8 text");
}

static bool labels_make(struct filter_parser *parser)
{
    struct filter *filter = parser->filter;
    filter->field_names = calloc(filter->field_count + 1, sizeof *filter->field_names);
    if (filter->field_names == NULL) {
        return false;
    }
    for (size_t i = 0; i < filter->field_count; i++) {
        filter->field_names[i] = filter_name_label(
            parser->schema, feature_schema_by_id(parser->schema, filter->field_ids[i]));
        if (filter->field_names[i] == NULL) {
            return false;
        }
    }
    return true;
}

bool filter_room_grow(struct filter_parser *parser, size_t bytes)
{
    struct filter *filter = parser->filter;
    /* No node takes less than a byte of text. */
    size_t capacity = parser->node_capacity + bytes + 1;
    capacity = capacity < PROTO_FILTER_NODES_MAX ? capacity : PROTO_FILTER_NODES_MAX;
    struct filter_node *nodes = realloc(filter->nodes, capacity * sizeof *nodes);
    filter->nodes = nodes != NULL ? nodes : filter->nodes;
    struct filter_condition *conditions =
        realloc(filter->conditions, capacity * sizeof *conditions);
    filter->conditions = conditions != NULL ? conditions : filter->conditions;
    struct filter_texts *texts = malloc(sizeof *texts + bytes + 1);
    if (nodes == NULL || conditions == NULL || texts == NULL) {
        free(texts);
        return false;
    }
    texts->before = filter->texts;
    filter->texts = texts;
    parser->texts_used = 0;
    parser->node_capacity = capacity;
    return true;
}

/* An empty filter with room for what the text can need. NULL: no memory. */
static struct filter *filter_create(struct filter_parser *parser)
{
    parser->filter = calloc(1, sizeof *parser->filter);
    if (parser->filter == NULL) {
        return NULL;
    }
    parser->operand_capacity = OPERANDS_FIRST;
    parser->filter->operands = calloc(parser->operand_capacity, sizeof *parser->filter->operands);
    if (parser->filter->operands == NULL || !filter_room_grow(parser, parser->text.bytes)) {
        filter_destroy(parser->filter);
        return NULL;
    }
    return parser->filter;
}

struct filter *filter_parse(const struct feature_schema *schema, struct proto_span text,
                            struct proto_fault *fault, size_t *fault_column)
{
    return filter_parse_scope(schema, FILTER_OF_VALUES, text, fault, fault_column);
}

struct filter *filter_parse_scope(const struct feature_schema *schema, enum filter_scope scope,
                                  struct proto_span text, struct proto_fault *fault,
                                  size_t *fault_column)
{
    return filter_parse_named(schema, scope, NULL, text, fault, fault_column);
}

struct filter *filter_parse_named(const struct feature_schema *schema, enum filter_scope scope,
                                  const struct filter_names *names, struct proto_span text,
                                  struct proto_fault *fault, size_t *fault_column)
{
    struct filter_parser parser = {
        .schema = schema, .scope = scope, .names = names, .text = text, .fault = fault};
    bool ok = text_check(&parser);
    if (ok) {
        parser.filter = filter_create(&parser);
        ok = parser.filter != NULL;
        if (!ok) {
            filter_fail_memory(&parser);
        }
    }
    if (ok && whole_parse(&parser)) {
        if (filter_compile(parser.filter) && labels_make(&parser)) {
            return parser.filter;
        }
        filter_fail_memory(&parser);
    }
    filter_destroy(parser.filter);
    if (fault_column != NULL) {
        *fault_column = parser.fault_column;
    }
    return NULL;
}
