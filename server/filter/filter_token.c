/* SPDX-License-Identifier: Apache-2.0 */
#include "server/filter/filter_token.h"

#include "server/feature/span_text.h"

static struct proto_span part(struct proto_span text, size_t from, size_t to)
{
    return (struct proto_span){text.data + from, to - from};
}

static struct filter_token quoted_token(struct proto_span text, size_t start, size_t *at)
{
    uint8_t quote = text.data[start];
    for (size_t i = start + 1; i < text.bytes; i++) {
        if (text.data[i] != quote) {
            continue;
        }
        if (i + 1 < text.bytes && text.data[i + 1] == quote) {
            i++; /* a doubled quote stands for itself */
            continue;
        }
        *at = i + 1;
        return (struct filter_token){quote == '\'' ? FILTER_TEXT : FILTER_NAME,
                                     part(text, start, i + 1), part(text, start + 1, i)};
    }
    *at = text.bytes;
    return (struct filter_token){.kind = FILTER_UNCLOSED, .text = part(text, start, text.bytes)};
}

static bool is_digit_at(struct proto_span text, size_t at)
{
    return at < text.bytes && text.data[at] >= '0' && text.data[at] <= '9';
}

static bool number_starts(struct proto_span text, size_t at)
{
    size_t sign = text.data[at] == '-' || text.data[at] == '+';
    return is_digit_at(text, at + sign) || (at + sign < text.bytes && text.data[at + sign] == '.' &&
                                            is_digit_at(text, at + sign + 1));
}

static struct filter_token number_token(struct proto_span text, size_t start, size_t *at)
{
    size_t i = start + (text.data[start] == '-' || text.data[start] == '+');
    double number = 0;
    while (i < text.bytes && (filter_is_word_byte(text.data[i]) || text.data[i] == '.')) {
        bool exponent = (text.data[i] == 'e' || text.data[i] == 'E') && i + 1 < text.bytes &&
                        (text.data[i + 1] == '-' || text.data[i + 1] == '+');
        i += exponent ? 2 : 1;
    }
    struct filter_token token = {.kind = FILTER_NUMBER, .text = part(text, start, i)};
    *at = i;
    if (!feature_number_read(token.text, &number)) {
        token.kind = FILTER_BAD;
    }
    return token;
}

struct filter_token filter_token_next(struct proto_span text, size_t *at)
{
    size_t start = *at;
    while (start < text.bytes && filter_is_blank(text.data[start])) {
        start++;
    }
    *at = start;
    if (start >= text.bytes) {
        return (struct filter_token){.kind = FILTER_END,
                                     .text = part(text, text.bytes, text.bytes)};
    }
    uint8_t byte = text.data[start];
    if (byte == '\'' || byte == '"' || byte == '`') {
        return quoted_token(text, start, at);
    }
    if (number_starts(text, start)) {
        return number_token(text, start, at);
    }
    if (filter_is_word_byte(byte)) {
        while (*at < text.bytes && filter_is_word_byte(text.data[*at])) {
            (*at)++;
        }
        return (struct filter_token){.kind = FILTER_WORD, .text = part(text, start, *at)};
    }
    uint8_t second = start + 1 < text.bytes ? text.data[start + 1] : 0;
    bool two = (second == '=' && (byte == '!' || byte == '<' || byte == '>')) ||
               (byte == '<' && second == '>');
    bool one =
        byte == '=' || byte == '<' || byte == '>' || byte == '(' || byte == ')' || byte == ',';
    *at = start + (two ? 2 : 1);
    return (struct filter_token){.kind = one || two ? FILTER_SYMBOL : FILTER_BAD,
                                 .text = part(text, start, *at)};
}

bool filter_token_is(const struct filter_token *token, const char *word)
{
    return (token->kind == FILTER_WORD || token->kind == FILTER_SYMBOL) &&
           feature_text_same(token->text, proto_span_text(word));
}

bool filter_is_keyword(struct proto_span word)
{
    static const char *const words[] = {"and",  "or",    "not",      "in",    "has",
                                        "any",  "all",   "between",  "is",    "missing",
                                        "true", "false", "contains", "starts"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (feature_text_same(word, proto_span_text(words[i]))) {
            return true;
        }
    }
    return false;
}

size_t filter_token_unquote(const struct filter_token *token, uint8_t *out)
{
    uint8_t quote = token->text.data[0];
    size_t bytes = 0;
    for (size_t i = 0; i < token->inner.bytes; i++) {
        out[bytes++] = token->inner.data[i];
        i += token->inner.data[i] == quote;
    }
    return bytes;
}

size_t filter_column(struct proto_span text, size_t offset)
{
    size_t column = 1;
    for (size_t i = 0; i < offset && i < text.bytes; i++) {
        column += (text.data[i] & 0xC0) != 0x80;
    }
    return column;
}
