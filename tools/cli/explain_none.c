/* SPDX-License-Identifier: Apache-2.0 */
/* The expression is parsed here with the server's schema; each text that stands for equality is
 * asked for by itself. One that no account has is looked for in other cases, then among values that
 * begin like it. */
#include "tools/cli/explain_none.h"

#include <ctype.h>
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/filter/filter_program.h"
#include "tools/cli/remote_schema.h"

#define EXPLAINED_MOST 8
/* Accounts that are looked at for a value that is spelt alike. */
#define LOOKED_AT 2000

struct search {
    const struct cli *cli;
    struct icp_client *client;
    struct icp_payload *payload;
    struct icp_reply reply;
    const char *field; /* its label in a filter */
    const char *name;
    struct proto_span typed;
    char found[FEATURE_SHOWN_BYTES * 2];
};

/* 'text' with its quotes doubled, behind what stands in the expression. */
static void text_append(char *expression, size_t room, const char *before, struct proto_span text)
{
    size_t used = strlen(expression);
    used += (size_t)snprintf(expression + used, room - used, "%s'", before);
    for (size_t i = 0; i < text.bytes && used + 4 < room; i++) {
        if (text.data[i] == '\'') {
            expression[used++] = '\'';
        }
        expression[used++] = (char)text.data[i];
    }
    snprintf(expression + used, room - used, "'");
}

/* Asks for accounts that match, with their values of the field. */
static bool ask(struct search *search, const char *expression, uint64_t limit)
{
    icp_payload_reset(search->payload);
    icp_payload_text(search->payload, "filter", expression);
    icp_payload_uint(search->payload, "limit", limit);
    icp_payload_list_begin(search->payload, "fields");
    icp_payload_text(search->payload, NULL, search->name);
    icp_payload_list_end(search->payload);
    return icp_call(search->client, ICP_OP_FILTER, search->payload, &search->reply);
}

static void nearer(struct search *search, struct icp_text text, size_t *least)
{
    struct proto_span value = {(const uint8_t *)text.data, text.bytes};
    size_t distance = feature_text_distance(search->typed, value, *least);
    if (distance >= *least || text.bytes == 0) {
        return;
    }
    *least = distance;
    (void)feature_text_show(value, search->found, sizeof search->found);
}

/* The value of the reply that is nearest to what was typed, within a slip or two. */
static bool nearest_of(struct search *search)
{
    struct icp_value maps;
    struct icp_value map;
    struct icp_value value;
    struct icp_value tag;
    size_t least = search->typed.bytes / 4 + 2 < 4 ? search->typed.bytes / 4 + 2 : 4;
    if (!icp_reply_get(&search->reply, "values", &maps)) {
        return false;
    }
    struct icp_walk walk = icp_walk_over(&maps);
    while (icp_next(&walk, NULL, &map)) {
        if (!icp_value_get(&map, search->name, &value)) {
            continue;
        }
        if (value.kind == ICP_KIND_TEXT) {
            nearer(search, value.text, &least);
        }
        struct icp_walk tags = icp_walk_over(&value);
        while (value.kind == ICP_KIND_LIST && icp_next(&tags, NULL, &tag)) {
            nearer(search, tag.text, &least);
        }
    }
    return search->found[0] != '\0';
}

/* UPPER, lower and Each Word of what was typed. */
static void cases_append(char *expression, size_t room, struct proto_span typed)
{
    uint8_t text[PROTO_ID_BYTES_MAX];
    size_t bytes = typed.bytes < sizeof text ? typed.bytes : sizeof text;
    for (int form = 0; form < 3; form++) {
        for (size_t i = 0; i < bytes; i++) {
            bool upper = form == 0 || (form == 2 && (i == 0 || typed.data[i - 1] == ' '));
            text[i] = (uint8_t)(typed.data[i] >= 0x80 ? typed.data[i]
                                : upper               ? toupper(typed.data[i])
                                                      : tolower(typed.data[i]));
        }
        text_append(expression, room, form > 0 ? ", " : "", (struct proto_span){text, bytes});
    }
}

static void text_explain(struct search *search)
{
    char expression[2048];
    char shown[FEATURE_SHOWN_BYTES];
    size_t room = sizeof expression;
    search->found[0] = '\0';
    snprintf(expression, room, "%s in (", search->field);
    text_append(expression, room, "", search->typed);
    snprintf(expression + strlen(expression), room - strlen(expression), ")");
    struct icp_value ids;
    if (!ask(search, expression, 1) || !icp_reply_get(&search->reply, "ids", &ids) ||
        ids.count > 0) {
        return; /* somebody has it */
    }
    snprintf(expression, room, "%s in (", search->field);
    cases_append(expression, room, search->typed);
    snprintf(expression + strlen(expression), room - strlen(expression), ")");
    bool found = ask(search, expression, 1) && nearest_of(search);
    size_t begins = search->typed.bytes < 2 ? search->typed.bytes : 2;
    if (!found && begins > 0 && search->typed.data[begins - 1] < 0x80) {
        snprintf(expression, room, "%s contains ", search->field);
        text_append(expression, room, "", (struct proto_span){search->typed.data, begins});
        found = ask(search, expression, LOOKED_AT) && nearest_of(search);
    }
    (void)feature_text_show(search->typed, shown, sizeof shown);
    cli_say(search->cli, "no account has '%s' in %s%s%s%s", shown, search->name,
            found ? "; there is '" : "", found ? search->found : "", found ? "'" : "");
}

static void conditions_walk(struct search *search, const struct feature_schema *schema,
                            const struct filter *filter)
{
    size_t explained = 0;
    for (size_t i = 0; i < filter->condition_count; i++) {
        const struct filter_condition *condition = &filter->conditions[i];
        bool equality = condition->test == FILTER_EQUAL || condition->test == FILTER_HAS_ANY ||
                        condition->test == FILTER_HAS_ALL;
        bool text = condition->type == FEATURE_CATEGORY || condition->type == FEATURE_TAGS;
        if (!equality || !text || condition->negated || condition->field_id >= FILTER_SUBJECTS) {
            continue;
        }
        size_t at = 0;
        while (filter->field_ids[at] != condition->field_id) {
            at++;
        }
        search->field = filter->field_names[at];
        search->name = feature_schema_by_id(schema, condition->field_id)->name;
        for (size_t o = 0; o < condition->operand_count && explained < EXPLAINED_MOST; o++) {
            search->typed = filter->operands[condition->operand_first + o].text;
            text_explain(search);
            explained++;
        }
    }
}

void explain_none(const struct cli *cli, struct icp_client *client, const char *expression)
{
    int status = EX_OK;
    struct proto_fault fault = {.code = PROTO_OK};
    struct search search = {.cli = cli, .client = client, .payload = icp_payload_create()};
    struct feature_schema *schema = schema_from_server(cli, client, &status);
    struct filter *filter = NULL;
    if (schema != NULL && search.payload != NULL) {
        filter = filter_parse_scope(schema, FILTER_OF_ACCOUNTS, proto_span_text(expression), &fault,
                                    NULL);
    }
    if (filter != NULL) {
        conditions_walk(&search, schema, filter);
    }
    filter_destroy(filter);
    feature_schema_release(schema);
    icp_payload_destroy(search.payload);
    icp_reply_fini(&search.reply);
}
