/* SPDX-License-Identifier: Apache-2.0 */
/* A segment in a filter: its expression is parsed in the place where it is named, so that what
 * comes of it is conditions like any other. A name that is not known is refused with those that
 * are; an expression that the schema cannot read any more is told with its own column. */
#include <stdio.h>
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/filter/filter_parser.h"

#define WORD "segment"

enum { SHOWN_NAMES = 8 };

bool filter_segment_stands(const struct filter_parser *parser)
{
    size_t end = 0;
    size_t at = parser->after;
    if (filter_token_is(&parser->token, "in")) {
        struct filter_token token = filter_token_next(parser->text, &at);
        return filter_token_is(&token, WORD);
    }
    return filter_token_is(&parser->token, WORD) && filter_name_match(parser, &end) == NULL;
}

const char *filter_names_show(const struct filter_names *names, char out[FILTER_NAMES_SHOWN])
{
    size_t used = 0;
    size_t shown = 0;
    out[0] = '\0';
    for (; shown < names->count && shown < SHOWN_NAMES && used < FILTER_NAMES_SHOWN / 2; shown++) {
        char name[FEATURE_SHOWN_BYTES];
        (void)feature_text_show(names->items[shown].name, name, sizeof name);
        used += (size_t)snprintf(out + used, FILTER_NAMES_SHOWN - used, "%s'%s'",
                                 shown > 0 ? ", " : "", name);
    }
    if (shown < names->count && used < FILTER_NAMES_SHOWN) {
        (void)snprintf(out + used, FILTER_NAMES_SHOWN - used, " and %zu more",
                       names->count - shown);
    }
    return out;
}

static bool unknown_fail(struct filter_parser *parser, struct proto_span name)
{
    char shown[FEATURE_SHOWN_BYTES];
    char there[FILTER_NAMES_SHOWN];
    const struct filter_names *names = parser->names;
    (void)feature_text_show(name, shown, sizeof shown);
    if (names->unsure > 0) {
        return filter_fail(parser, parser->token_at,
                           "segment '%s' is not there, but %zu that are stored cannot be read and "
                           "may be it: put it anew",
                           shown, names->unsure);
    }
    if (names->count == 0) {
        return filter_fail(parser, parser->token_at,
                           "there is no segment '%s': none is kept; segment-put keeps one", shown);
    }
    return filter_fail(parser, parser->token_at, "there is no segment '%s'; there are %s", shown,
                       filter_names_show(names, there));
}

static const struct filter_named *named_find(const struct filter_names *names,
                                             struct proto_span name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (proto_span_equal(names->items[i].name, name)) {
            return &names->items[i];
        }
    }
    return NULL;
}

/* Tells what is wrong with the segment's own text at the place where it was named. */
static uint16_t broken_fail(struct filter_parser *parser, const struct filter_named *named,
                            size_t offset)
{
    char shown[FEATURE_SHOWN_BYTES];
    char why[sizeof parser->fault->message];
    if (parser->fault->code == PROTO_BAD_FILTER) {
        (void)snprintf(why, sizeof why, "%s", parser->fault->message);
        filter_fail(parser, offset, "segment '%s' cannot be read by the schema of today: %s",
                    feature_text_show(named->name, shown, sizeof shown), why);
    }
    return FILTER_NONE;
}

/* The conditions of the segment; the token stays where it is. */
static uint16_t expand(struct filter_parser *parser, const struct filter_named *named)
{
    char found[96];
    const struct filter_parser outer = *parser;
    if (!filter_room_grow(parser, named->text.bytes)) {
        filter_fail_memory(parser);
        return FILTER_NONE;
    }
    parser->text = named->text;
    parser->names = NULL;
    parser->scope = FILTER_OF_VALUES;
    filter_advance_to(parser, 0);
    uint16_t node = filter_expression_parse(parser);
    if (node != FILTER_NONE && parser->token.kind != FILTER_END) {
        filter_fail(parser, parser->token_at, "the end is wanted here, not %s",
                    filter_found(parser, found, sizeof found));
        node = FILTER_NONE;
    }
    parser->text = outer.text;
    parser->names = outer.names;
    parser->scope = outer.scope;
    parser->token = outer.token;
    parser->token_at = outer.token_at;
    parser->after = outer.after;
    parser->depth = outer.depth;
    /* Copies go on in a block of their own, for the one before is behind this one. */
    if (node != FILTER_NONE && !filter_room_grow(parser, outer.text.bytes - outer.token_at)) {
        filter_fail_memory(parser);
        node = FILTER_NONE;
    }
    return node != FILTER_NONE ? node : broken_fail(parser, named, outer.token_at);
}

/* 'name', used up: the node of its conditions. */
static uint16_t one_parse(struct filter_parser *parser)
{
    char found[96];
    uint8_t name[PROTO_SEGMENT_NAME_BYTES_MAX + 1];
    if (parser->token.kind != FILTER_TEXT) {
        filter_fail(parser, parser->token_at,
                    "the name of a segment is wanted here, in single quotes, not %s",
                    filter_found(parser, found, sizeof found));
        return FILTER_NONE;
    }
    struct proto_span said = parser->token.inner;
    if (said.bytes <= PROTO_SEGMENT_NAME_BYTES_MAX) {
        said = (struct proto_span){name, filter_token_unquote(&parser->token, name)};
    }
    const struct filter_named *named = named_find(parser->names, said);
    if (named == NULL) {
        unknown_fail(parser, said);
        return FILTER_NONE;
    }
    uint16_t node = expand(parser, named);
    if (node != FILTER_NONE) {
        filter_advance(parser);
    }
    return node;
}

/* Nodes that were parsed one after another, as one that is true where one of them is. */
static uint16_t any_of(struct filter_parser *parser, uint16_t first, uint16_t last)
{
    return first == last
               ? first
               : filter_node_add(parser, (struct filter_node){.kind = FILTER_OR, .child = first});
}

/* "(" 'name' { "," 'name' } ")" */
static uint16_t list_parse(struct filter_parser *parser)
{
    if (!filter_symbol_take(parser, "(", "before a list of segments")) {
        return FILTER_NONE;
    }
    uint16_t first = one_parse(parser);
    uint16_t last = first;
    while (last != FILTER_NONE && filter_token_is(&parser->token, ",")) {
        filter_advance(parser);
        uint16_t next = one_parse(parser);
        parser->filter->nodes[last].next = next;
        last = next;
    }
    bool good = last != FILTER_NONE && filter_symbol_take(parser, ")", "to close the list");
    return good ? any_of(parser, first, last) : FILTER_NONE;
}

/* Whoever is in one of all segments. */
static uint16_t all_expand(struct filter_parser *parser)
{
    uint16_t first = FILTER_NONE;
    uint16_t last = FILTER_NONE;
    if (parser->names->unsure > 0) {
        filter_fail(parser, parser->token_at,
                    "%zu segments are stored and cannot be read: who is in none of them cannot be "
                    "said",
                    parser->names->unsure);
        return FILTER_NONE;
    }
    for (size_t i = 0; i < parser->names->count; i++) {
        uint16_t next = expand(parser, &parser->names->items[i]);
        if (next == FILTER_NONE) {
            return FILTER_NONE;
        }
        if (last != FILTER_NONE) {
            parser->filter->nodes[last].next = next;
        }
        first = first == FILTER_NONE ? next : first;
        last = next;
    }
    return last == FILTER_NONE ? filter_always_add(parser, false) : any_of(parser, first, last);
}

static uint16_t negate(struct filter_parser *parser, uint16_t node, bool negated)
{
    return node == FILTER_NONE || !negated
               ? node
               : filter_node_add(parser, (struct filter_node){.kind = FILTER_NOT, .child = node});
}

static uint16_t missing_parse(struct filter_parser *parser)
{
    bool negated;
    if (!filter_missing_take(parser, &negated)) {
        return FILTER_NONE;
    }
    uint16_t node = negate(parser, all_expand(parser), !negated);
    if (node != FILTER_NONE) {
        filter_advance(parser);
    }
    return node;
}

static uint16_t behind_parse(struct filter_parser *parser)
{
    char found[96];
    bool differs = filter_token_is(&parser->token, "!=") || filter_token_is(&parser->token, "<>");
    if (differs || filter_token_is(&parser->token, "=")) {
        filter_advance(parser);
        return negate(parser, one_parse(parser), differs);
    }
    if (filter_token_is(&parser->token, "is")) {
        return missing_parse(parser);
    }
    bool negated = filter_token_is(&parser->token, "not");
    if (negated) {
        filter_advance(parser);
    }
    if (filter_token_is(&parser->token, "in")) {
        filter_advance(parser);
        return negate(parser, list_parse(parser), negated);
    }
    filter_fail(parser, parser->token_at, "segment takes =, !=, in, not in, is missing; not %s",
                filter_found(parser, found, sizeof found));
    return FILTER_NONE;
}

uint16_t filter_segment_parse(struct filter_parser *parser)
{
    bool within = filter_token_is(&parser->token, "in");
    if (parser->names == NULL) {
        filter_fail(parser, parser->token_at,
                    "%skept segments cannot be named here: write the conditions themselves",
                    within ? "" : "there is no field \"segment\", and ");
        return FILTER_NONE;
    }
    filter_advance(parser);
    if (!within) {
        return behind_parse(parser);
    }
    filter_advance(parser);
    return one_parse(parser);
}
