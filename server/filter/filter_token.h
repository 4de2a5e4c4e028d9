/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the filter language: splits text into tokens, knows keywords, counts columns.
 * Ownership: tokens borrow the text. Errors: a token of kind FILTER_BAD. Threads: pure. */
#ifndef FILTER_FILTER_TOKEN_H
#define FILTER_FILTER_TOKEN_H

#include "proto/span.h"

enum filter_token_kind {
    FILTER_END,
    FILTER_WORD,     /* a bare word, perhaps a keyword */
    FILTER_NAME,     /* "…" or `…`: a field's name */
    FILTER_TEXT,     /* '…' */
    FILTER_NUMBER,   /* 12, -3.5e2 */
    FILTER_SYMBOL,   /* = != <> < <= > >= ( ) , */
    FILTER_UNCLOSED, /* a quote without its end */
    FILTER_BAD,      /* any other character, or a number that runs into letters */
};

struct filter_token {
    enum filter_token_kind kind;
    struct proto_span text;  /* as written, quotes included */
    struct proto_span inner; /* NAME and TEXT: between the quotes, doubled quotes still doubled */
};

/* The token at or after *at, which moves behind it. */
struct filter_token filter_token_next(struct proto_span text, size_t *at);

/* True if the token is that keyword, whatever its case, or that symbol. */
bool filter_token_is(const struct filter_token *token, const char *word);

/* True if the word is one of the language: and, or, not, in, has, any, all, between, is, missing,
 * true, false, contains, starts. */
bool filter_is_keyword(struct proto_span word);

/* Copies what stands between quotes, doubled quotes made single; returns the bytes (at most the
 * inner bytes). */
size_t filter_token_unquote(const struct filter_token *token, uint8_t *out);

/* Which character of the text, from 1, begins at the byte offset; what stands before it is UTF-8.
 */
size_t filter_column(struct proto_span text, size_t offset);

/* A byte of a bare word. Bytes of UTF-8 characters beyond ASCII count as letters. */
static inline bool filter_is_word_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte >= 0x80;
}

static inline bool filter_is_blank(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

#endif
