/* SPDX-License-Identifier: Apache-2.0 */
/* What a filter speaks of beside the fields of an account: its score, the lists it is on, and what
 * is true of every account. */
#include "server/filter/filter_parser.h"

/* Subjects as fields, so that the conditions on them are parsed like any other. */
static const struct feature_field subjects[] = {
    {.id = FILTER_SCORE_FIT, .name = (char[]){"score.fit"}, .type = FEATURE_NUMBER},
    {.id = FILTER_SCORE_P, .name = (char[]){"score.p"}, .type = FEATURE_NUMBER},
    {.id = FILTER_SCORE_GRADE, .name = (char[]){"score.grade"}, .type = FEATURE_CATEGORY},
    {.id = FILTER_SCORE_RAW, .name = (char[]){"score.raw"}, .type = FEATURE_NUMBER},
    {.id = FILTER_ON_TAL, .name = (char[]){"on tal"}, .type = FEATURE_CATEGORY},
    {.id = FILTER_ON_ANY_TAL, .name = (char[]){"on any tal"}, .type = FEATURE_FLAG},
    {.id = FILTER_ALWAYS, .name = (char[]){"true"}, .type = FEATURE_FLAG},
};
#define PREFIX "score"

const char *filter_subject_name(enum filter_subject subject)
{
    return subjects[subject - FILTER_SUBJECTS].name;
}

/* A label that depends on the score of an older label would teach the model what it said itself. */
static bool scope_allows(struct filter_parser *parser, const struct feature_field *subject)
{
    return parser->scope == FILTER_OF_ACCOUNTS ||
           filter_fail(parser, parser->token_at,
                       "\"%s\" is no value of an account: it cannot stand in a label, nor in what "
                       "is learned from",
                       subject->name);
}

/* The short name, or "score", a dot and the short name. *after is the offset behind it. */
static const struct feature_field *subject_find(const struct filter_parser *parser, size_t *after)
{
    size_t at = parser->after;
    struct proto_span word = parser->token.text;
    if (filter_token_is(&parser->token, PREFIX)) {
        if (at >= parser->text.bytes || parser->text.data[at] != '.') {
            return NULL;
        }
        at++;
        struct filter_token token = filter_token_next(parser->text, &at);
        if (token.kind != FILTER_WORD) {
            return NULL;
        }
        word = token.text;
    }
    for (size_t i = 0; i <= FILTER_SCORE_RAW - FILTER_SUBJECTS; i++) {
        const char *name = subjects[i].name + sizeof PREFIX;
        struct filter_token token = {.kind = FILTER_WORD, .text = word};
        if (filter_token_is(&token, name)) {
            *after = at;
            return &subjects[i];
        }
    }
    return NULL;
}

const struct feature_field *filter_subject_read(struct filter_parser *parser, bool *failed)
{
    size_t end = 0;
    size_t after = 0;
    if (parser->token.kind != FILTER_WORD) {
        return NULL;
    }
    const struct feature_field *subject = subject_find(parser, &after);
    /* A field of the schema comes first: filters that were written before keep their meaning. */
    if (subject == NULL || (filter_name_match(parser, &end) != NULL &&
                            (end >= after || !filter_token_is(&parser->token, PREFIX)))) {
        return NULL;
    }
    *failed = !scope_allows(parser, subject);
    if (*failed) {
        return NULL;
    }
    filter_advance_to(parser, after);
    return subject;
}

static bool word_next(const struct filter_parser *parser, size_t *at, const char *word)
{
    struct filter_token token = filter_token_next(parser->text, at);
    return filter_token_is(&token, word);
}

bool filter_list_stands(const struct filter_parser *parser)
{
    size_t at = parser->after;
    size_t named = at;
    if (!filter_token_is(&parser->token, "on")) {
        return false;
    }
    if (word_next(parser, &at, "tal")) {
        return true;
    }
    return word_next(parser, &named, "any") && word_next(parser, &named, "tal");
}

uint16_t filter_list_parse(struct filter_parser *parser)
{
    struct filter *filter = parser->filter;
    size_t first = filter->operand_count;
    size_t offset = parser->token_at;
    filter_advance(parser);
    bool any = filter_token_is(&parser->token, "any");
    const struct feature_field *subject =
        &subjects[(any ? FILTER_ON_ANY_TAL : FILTER_ON_TAL) - FILTER_SUBJECTS];
    if (!scope_allows(parser, subject)) {
        return FILTER_NONE;
    }
    if (any) {
        filter_advance(parser);
    }
    filter_advance(parser);
    if (any ? !filter_operand_add(parser, (struct filter_operand){.flag = true})
            : !filter_value_read(parser, subject)) {
        return FILTER_NONE;
    }
    uint16_t node =
        filter_leaf_add(parser, subject, any ? FILTER_FLAG : FILTER_EQUAL, false, first);
    if (node != FILTER_NONE) {
        filter->conditions[filter->nodes[node].condition].column =
            (uint32_t)filter_column(parser->text, offset);
    }
    return node;
}

bool filter_always_stands(const struct filter_parser *parser)
{
    size_t end = 0;
    return (filter_token_is(&parser->token, "true") || filter_token_is(&parser->token, "false")) &&
           filter_name_match(parser, &end) == NULL;
}

uint16_t filter_always_parse(struct filter_parser *parser)
{
    bool always = filter_token_is(&parser->token, "true");
    filter_advance(parser);
    return filter_always_add(parser, always);
}

uint16_t filter_always_add(struct filter_parser *parser, bool always)
{
    return filter_leaf_add(parser, &subjects[FILTER_ALWAYS - FILTER_SUBJECTS], FILTER_FLAG, !always,
                           parser->filter->operand_count);
}
