/* SPDX-License-Identifier: Apache-2.0 */
/* Field names in a filter: bare, of several words, quoted, mistyped. */
#include <stdio.h>
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/filter/filter_parser.h"

static size_t blanks_skip(struct proto_span text, size_t at)
{
    while (at < text.bytes && filter_is_blank(text.data[at])) {
        at++;
    }
    return at;
}

/* Where the name ends in the text if it stands at `at`, else 0. A run of blanks in one matches a
 * run of blanks in the other. */
static size_t name_stands(struct proto_span text, size_t at, struct proto_span name, bool any_case)
{
    size_t i = 0;
    while (i < name.bytes) {
        if (at >= text.bytes) {
            return 0;
        }
        if (filter_is_blank(name.data[i])) {
            if (!filter_is_blank(text.data[at])) {
                return 0;
            }
            i = blanks_skip(name, i);
            at = blanks_skip(text, at);
            continue;
        }
        uint8_t x = name.data[i++];
        uint8_t y = text.data[at++];
        if (x != y && !(any_case && feature_text_lower(x) == feature_text_lower(y))) {
            return 0;
        }
    }
    bool inside = at < text.bytes && filter_is_word_byte(text.data[at]) && name.bytes > 0 &&
                  filter_is_word_byte(name.data[name.bytes - 1]);
    return inside ? 0 : at;
}

/* The first word of a name: its bytes up to the first that is no letter, digit or underscore. */
static struct proto_span first_word(struct proto_span name)
{
    size_t bytes = 0;
    while (bytes < name.bytes && filter_is_word_byte(name.data[bytes])) {
        bytes++;
    }
    return (struct proto_span){name.data, bytes};
}

const struct feature_field *filter_name_match(const struct filter_parser *parser, size_t *end)
{
    const struct feature_field *longest = NULL;
    *end = 0;
    for (size_t i = 0; i < parser->schema->field_count; i++) {
        const struct feature_field *field = &parser->schema->fields[i];
        struct proto_span name = proto_span_text(field->name);
        struct proto_span word = first_word(name);
        bool keyword = filter_is_keyword(word);
        if (keyword && word.bytes == name.bytes) {
            continue; /* a field named "in" must be quoted */
        }
        size_t stands = name_stands(parser->text, parser->token_at, name, !keyword);
        if (stands > *end) {
            *end = stands;
            longest = field;
        }
    }
    return longest;
}

/* Text from the token up to the first operator, bracket or keyword: what was meant as a name. */
static struct proto_span name_guess(const struct filter_parser *parser)
{
    size_t at = parser->token_at;
    size_t end = parser->after;
    for (;;) {
        struct filter_token token = filter_token_next(parser->text, &at);
        bool part =
            token.kind == FILTER_WORD || token.kind == FILTER_NUMBER || token.kind == FILTER_BAD;
        if (!part || (token.kind == FILTER_WORD && filter_is_keyword(token.text))) {
            break;
        }
        end = at;
    }
    return (struct proto_span){parser->text.data + parser->token_at, end - parser->token_at};
}

static void unknown_name(struct filter_parser *parser, size_t offset, struct proto_span name)
{
    char shown[FEATURE_SHOWN_BYTES];
    const struct feature_field *nearest = feature_schema_nearest(parser->schema, name);
    feature_text_show(name, shown, sizeof shown);
    if (nearest != NULL) {
        filter_fail(parser, offset, "there is no field \"%s\"; did you mean \"%s\"?", shown,
                    nearest->name);
    } else {
        filter_fail(parser, offset, "there is no field \"%s\"", shown);
    }
}

static const struct feature_field *quoted_read(struct filter_parser *parser)
{
    uint8_t name[PROTO_FIELD_NAME_BYTES_MAX];
    const struct feature_field *field = NULL;
    struct proto_span shown = parser->token.inner;
    if (parser->token.inner.bytes <= 2 * sizeof name) {
        uint8_t whole[2 * sizeof name];
        size_t bytes = filter_token_unquote(&parser->token, whole);
        struct proto_span text = {whole, bytes};
        field = feature_schema_find(parser->schema, text);
        if (field == NULL) {
            field = feature_schema_find_any_case(parser->schema, text);
        }
    }
    if (field == NULL) {
        unknown_name(parser, parser->token_at, shown);
    } else {
        filter_advance(parser);
    }
    return field;
}

const struct feature_field *filter_name_read(struct filter_parser *parser)
{
    char found[96];
    size_t end = 0;
    if (parser->token.kind == FILTER_NAME) {
        return quoted_read(parser);
    }
    const struct feature_field *field = filter_name_match(parser, &end);
    if (field != NULL) {
        filter_advance_to(parser, end);
        return field;
    }
    if (parser->token.kind == FILTER_TEXT) {
        filter_fail(parser, parser->token_at,
                    "a field is wanted here, and %s is a text; names go in double quotes",
                    filter_found(parser, found, sizeof found));
    } else if (parser->token.kind == FILTER_WORD && !filter_is_keyword(parser->token.text)) {
        unknown_name(parser, parser->token_at, name_guess(parser));
    } else {
        filter_fail(parser, parser->token_at, "a field is wanted here, not %s%s",
                    filter_found(parser, found, sizeof found),
                    parser->token.kind == FILTER_WORD
                        ? " (a field of that name goes in double quotes)"
                        : "");
    }
    return NULL;
}

/* A bare word is read back as this field unless another field's name goes on from it. */
static bool bare_is_safe(const struct feature_schema *schema, struct proto_span name)
{
    if (first_word(name).bytes != name.bytes || filter_is_keyword(name) ||
        (name.data[0] >= '0' && name.data[0] <= '9')) {
        return false;
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        struct proto_span other = proto_span_text(schema->fields[i].name);
        if (other.bytes > name.bytes && !filter_is_word_byte(other.data[name.bytes]) &&
            feature_text_same((struct proto_span){other.data, name.bytes}, name)) {
            return false;
        }
    }
    return true;
}

char *filter_name_label(const struct feature_schema *schema, const struct feature_field *field)
{
    struct proto_span name = proto_span_text(field->name);
    if (bare_is_safe(schema, name)) {
        return feature_text_copy(name);
    }
    char *label = malloc(2 * name.bytes + 3);
    size_t used = 0;
    if (label == NULL) {
        return NULL;
    }
    label[used++] = '"';
    for (size_t i = 0; i < name.bytes; i++) {
        if (name.data[i] == '"') {
            label[used++] = '"';
        }
        label[used++] = (char)name.data[i];
    }
    label[used++] = '"';
    label[used] = '\0';
    return label;
}
