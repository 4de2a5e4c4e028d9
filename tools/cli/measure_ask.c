/* SPDX-License-Identifier: Apache-2.0 */
/* Members of the request in the order of proto/field.def; the reply's rows by its columns, which
 * must be those that this icp knows. A server of another version and memory can fail it. */
#include "tools/cli/measure_ask.h"

#include <assert.h>
#include <stdlib.h>

void measure_ask_parameter(struct measure_ask *ask, const char *name, const char *text)
{
    assert(ask->parameter_count < MEASURE_ASK_PARAMETERS_MAX);
    ask->parameters[ask->parameter_count].name = name;
    ask->parameters[ask->parameter_count++].text = text;
}

static void rules_put(struct icp_payload *payload, const char *key,
                      const struct measure_rules *rules)
{
    icp_payload_map_begin(payload, key);
    for (int rule = 0; rule < MEASURE_RULE_RATES; rule++) {
        enum measure_choice choice = (enum measure_choice)rules->choice[rule];
        icp_payload_text(payload, measure_rule_name((enum measure_rule)rule),
                         measure_choice_info(choice)->word);
    }
    if (rules->base[0] != '\0') {
        icp_payload_text(payload, "currency", rules->base);
    }
    for (uint32_t i = 0; i < rules->rate_count; i++) {
        char name[16];
        char rate[40];
        (void)snprintf(name, sizeof name, "rate-%s", rules->rates[i].currency);
        (void)snprintf(rate, sizeof rate, "%lld.%06lld",
                       (long long)(rules->rates[i].millionths / MEASURE_RATE_ONE),
                       (long long)(rules->rates[i].millionths % MEASURE_RATE_ONE));
        icp_payload_text(payload, name, rate);
    }
    icp_payload_map_end(payload);
}

static void text_put(struct icp_payload *payload, const char *key, const char *text)
{
    if (text != NULL) {
        icp_payload_text(payload, key, text);
    }
}

int measure_ask_put(const struct cli *cli, const struct measure_ask *ask,
                    struct icp_payload *payload)
{
    icp_payload_text(payload, "measure", measure_info(ask->id)->name);
    icp_payload_map_begin(payload, "parameters");
    for (size_t i = 0; i < ask->parameter_count; i++) {
        icp_payload_text(payload, ask->parameters[i].name, ask->parameters[i].text);
    }
    icp_payload_map_end(payload);
    if (ask->rules != NULL) {
        rules_put(payload, "rules", ask->rules);
    }
    text_put(payload, "definition_name", ask->definition_name);
    text_put(payload, "against_name", ask->against_name);
    if (ask->definition_name == NULL && ask->definition != NULL && ask->definition->version > 0) {
        char *text = measure_definition_print(ask->definition);
        if (text == NULL) {
            return cli_fail(cli, EX_OSERR, "no memory for the definition");
        }
        icp_payload_text(payload, "definition", text);
        free(text);
    }
    if (ask->against != NULL) {
        rules_put(payload, "against", ask->against);
    }
    text_put(payload, "filter", ask->filter);
    text_put(payload, "by", ask->by);
    text_put(payload, "churn_flag", ask->churn_flag);
    if (ask->has_seq) {
        icp_payload_uint(payload, "seq", ask->seq);
    }
    if (ask->has_known) {
        icp_payload_int(payload, "known", ask->known_ms);
    }
    return EX_OK;
}

static void cell_take(struct measure_table *table, enum measure_kind kind,
                      const struct icp_value *value)
{
    if (value->kind == ICP_KIND_NIL) {
        measure_add_absent(table);
    } else if (kind == MEASURE_KIND_NUMBER) {
        measure_add_number(table, value->number);
    } else if (kind == MEASURE_KIND_TEXT) {
        char *text = strndup(value->text.data, value->text.bytes);
        measure_add_text(table, text != NULL ? text : "");
        table->failed |= text == NULL;
        free(text);
    } else {
        measure_add_whole(table, value->integer);
    }
}

/* Whether the columns are those that this icp knows. */
static bool columns_same(const struct icp_value *list, enum measure_id id)
{
    struct icp_value column;
    struct icp_value name;
    size_t count = 0;
    size_t at = 0;
    const struct measure_column *columns = measure_columns(id, &count);
    struct icp_walk walk = icp_walk_over(list);
    while (list->count == count && icp_next(&walk, NULL, &column)) {
        if (!icp_value_get(&column, "name", &name) || strlen(columns[at].name) != name.text.bytes ||
            memcmp(columns[at].name, name.text.data, name.text.bytes) != 0) {
            return false;
        }
        at++;
    }
    return at == count;
}

int measure_rows_take(const struct cli *cli, enum measure_id id, const struct icp_value *rows,
                      struct measure_table *table)
{
    struct icp_value row;
    struct icp_value value;
    size_t count = 0;
    const struct measure_column *columns = measure_columns(id, &count);
    struct icp_walk walk = icp_walk_over(rows);
    measure_table_init(table, id);
    while (icp_next(&walk, NULL, &row)) {
        struct icp_walk cells = icp_walk_over(&row);
        if (row.count != count) {
            return cli_fail(cli, EX_PROTOCOL,
                            "the server's table of %s has other columns: icp and icpd are of "
                            "versions that differ",
                            measure_info(id)->name);
        }
        for (size_t i = 0; i < count && icp_next(&cells, NULL, &value); i++) {
            cell_take(table, columns[i].kind, &value);
        }
    }
    return measure_table_good(table) ? EX_OK : cli_fail(cli, EX_OSERR, "no memory for the table");
}

int measure_ask_table(const struct cli *cli, enum measure_id id, const struct icp_value *told,
                      const struct icp_value *rows, struct measure_table *table)
{
    measure_table_init(table, id);
    if (!columns_same(told, id)) {
        return cli_fail(cli, EX_PROTOCOL,
                        "the server's table of %s has other columns: icp and icpd are of versions "
                        "that differ",
                        measure_info(id)->name);
    }
    return measure_rows_take(cli, id, rows, table);
}

int measure_ask_take(const struct cli *cli, enum measure_id id, const struct icp_reply *reply,
                     struct measure_table *table)
{
    struct icp_value columns = {.count = 0};
    struct icp_value rows = {.count = 0};
    (void)icp_reply_get(reply, "columns", &columns);
    (void)icp_reply_get(reply, "rows", &rows);
    return measure_ask_table(cli, id, &columns, &rows, table);
}
