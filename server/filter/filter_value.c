/* SPDX-License-Identifier: Apache-2.0 */
/* Values in a filter, read as the type of the field that they are compared with. */
#include <stdlib.h>

#include "server/feature/date_text.h"
#include "server/feature/span_text.h"
#include "server/filter/filter_parser.h"

bool filter_operand_add(struct filter_parser *parser, struct filter_operand operand)
{
    struct filter *filter = parser->filter;
    if (filter->operand_count == parser->operand_capacity) {
        size_t capacity = parser->operand_capacity * 2;
        struct filter_operand *wider = realloc(filter->operands, capacity * sizeof *wider);
        if (wider == NULL) {
            return filter_fail_memory(parser);
        }
        filter->operands = wider;
        parser->operand_capacity = capacity;
    }
    filter->operands[filter->operand_count++] = operand;
    return true;
}

/* A copy that lives as long as the filter. */
static struct proto_span text_keep(struct filter_parser *parser, const struct filter_token *token)
{
    uint8_t *out = parser->filter->texts->bytes + parser->texts_used;
    size_t bytes = token->text.bytes;
    if (token->kind == FILTER_TEXT) {
        bytes = filter_token_unquote(token, out);
    } else {
        memcpy(out, token->text.data, bytes);
    }
    parser->texts_used += bytes;
    return (struct proto_span){out, bytes};
}

static bool value_wanted(struct filter_parser *parser, const struct feature_field *field)
{
    static const char *const right[] = {
        [FEATURE_NUMBER] = "a number",
        [FEATURE_CATEGORY] = "a text in single quotes",
        [FEATURE_TAGS] = "a tag in single quotes",
        [FEATURE_FLAG] = "true or false",
        [FEATURE_VECTOR] = "nothing",
        [FEATURE_DATE] = "a date in single quotes, such as '2023-01-31',",
    };
    char found[96];
    enum filter_token_kind kind = parser->token.kind;
    filter_found(parser, found, sizeof found);
    if (kind == FILTER_UNCLOSED) {
        return filter_fail(parser, parser->token_at, "the quote that opens here is not closed");
    }
    if (kind == FILTER_WORD && strstr(found, "its quotes are round") != NULL) {
        return filter_fail(parser, parser->token_at, "%s, as in 'text'", found);
    }
    if (kind == FILTER_WORD && strstr(found, "is missing") != NULL) {
        return filter_fail(parser, parser->token_at,
                           "a value is wanted here, not %s; write \"%s is missing\"", found,
                           field->name);
    }
    if ((kind == FILTER_WORD || kind == FILTER_NAME) &&
        (field->type == FEATURE_CATEGORY || field->type == FEATURE_TAGS)) {
        struct proto_span inner = kind == FILTER_NAME ? parser->token.inner : parser->token.text;
        char shown[FEATURE_SHOWN_BYTES];
        return filter_fail(parser, parser->token_at,
                           "a value is wanted here, and %s is a name; text goes in single quotes: "
                           "'%s'",
                           found, feature_text_show(inner, shown, sizeof shown));
    }
    return filter_fail(parser, parser->token_at, "%s is wanted for the %s field \"%s\", not %s",
                       right[field->type], feature_type_name(field->type), field->name, found);
}

/* Text compared with a number or flag is read as a cell of a file would be. */
static bool cell_read(struct filter_parser *parser, const struct feature_field *field,
                      struct proto_span text, struct filter_operand *operand)
{
    struct feature_value value;
    struct proto_fault fault;
    if (!feature_value_from_text(parser->schema, field, text, NULL, 0, &value, &fault)) {
        return filter_fail(parser, parser->token_at, "field \"%s\": %s", field->name,
                           fault.message);
    }
    operand->number = feature_type_is_number(field->type) ? value.number : 0;
    if (field->type == FEATURE_DATE) {
        int64_t ms;
        (void)feature_date_read(feature_text_trim(text), &ms, &parser->whole_day);
    }
    operand->flag = field->type == FEATURE_FLAG && value.flag;
    return true;
}

static bool scalar_read(struct filter_parser *parser, const struct feature_field *field,
                        struct filter_operand *operand)
{
    const struct filter_token *token = &parser->token;
    bool yes = filter_token_is(token, "true");
    if (token->kind == FILTER_TEXT) {
        return cell_read(parser, field, text_keep(parser, token), operand);
    }
    if (field->type == FEATURE_FLAG && (yes || filter_token_is(token, "false"))) {
        operand->flag = yes;
        return true;
    }
    if (token->kind != FILTER_NUMBER || field->type == FEATURE_DATE) {
        return value_wanted(parser, field);
    }
    if (field->type == FEATURE_NUMBER) {
        return feature_number_read(token->text, &operand->number);
    }
    return cell_read(parser, field, token->text, operand);
}

bool filter_part_read(struct filter_parser *parser, const struct feature_field *field)
{
    const struct filter_token *token = &parser->token;
    if (token->kind != FILTER_TEXT && token->kind != FILTER_NUMBER) {
        return value_wanted(parser, field);
    }
    if (token->kind == FILTER_TEXT && token->inner.bytes == 0) {
        return filter_fail(parser, parser->token_at,
                           "every text has '' in it; write \"is not missing\"");
    }
    struct filter_operand operand = {.text = text_keep(parser, token)};
    if (!filter_operand_add(parser, operand)) {
        return false;
    }
    filter_advance(parser);
    return true;
}

bool filter_value_read(struct filter_parser *parser, const struct feature_field *field)
{
    struct filter_operand operand = {0};
    const struct filter_token *token = &parser->token;
    bool is_text = field->type == FEATURE_CATEGORY || field->type == FEATURE_TAGS;
    if (token->kind == FILTER_TEXT &&
        feature_is_missing_word(parser->schema, field, token->inner)) {
        return filter_fail(parser, parser->token_at,
                           "%.*s means missing in \"%s\": no value equals it; write \"is missing\" "
                           "or \"is not missing\"",
                           (int)(token->text.bytes < 80 ? token->text.bytes : 80),
                           (const char *)token->text.data, field->name);
    }
    if (is_text) {
        if (token->kind != FILTER_TEXT && token->kind != FILTER_NUMBER) {
            return value_wanted(parser, field);
        }
        operand.text = text_keep(parser, token);
    } else if (!scalar_read(parser, field, &operand)) {
        return false;
    }
    if (!filter_operand_add(parser, operand)) {
        return false;
    }
    filter_advance(parser);
    return true;
}
