/* SPDX-License-Identifier: Apache-2.0 */
/* icp schema infer, put, get. */
#include <stdlib.h>

#include "tools/cli/cmd.h"
#include "tools/cli/csv/csv_input.h"
#include "tools/cli/csv/infer.h"
#include "tools/cli/csv/key_column.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/document_put.h"
#include "tools/cli/schema_change.h"

/* Bad rows that are told one by one; the rest is counted. */
#define BAD_ROWS_SHOWN 5

static int rows_read(const struct cli *cli, struct csv_input *input, struct infer *infer)
{
    struct proto_fault fault = {.code = PROTO_OK};
    char place[CSV_PLACE_BYTES];
    struct csv_row row;
    size_t bad = 0;
    while (csv_next(input, &row, &fault)) {
        if (!row.bad) {
            infer_row(infer, row.line, row.cells, row.cell_count);
        } else if (bad++ < BAD_ROWS_SHOWN) {
            cli_say(cli, "%s: %s; the row is passed over",
                    csv_row_place(input, &row, place, sizeof place), row.message);
        }
    }
    if (bad > BAD_ROWS_SHOWN) {
        cli_say(cli, "… and %zu more bad rows", bad - BAD_ROWS_SHOWN);
    }
    if (fault.code != PROTO_OK) {
        return cli_fault(cli, &fault);
    }
    if (infer->failed) {
        return cli_fail(cli, EX_OSERR, "no memory for the values of %s", csv_name(input));
    }
    if (infer->rows == 0) {
        return cli_fail(cli, EX_DATAERR, "%s has no good row to learn types from", csv_name(input));
    }
    return EX_OK;
}

static int no_column(const struct cli *cli, const struct csv_input *input, const char *option,
                     const char *name)
{
    struct proto_fault fault;
    (void)csv_column_absent(input, option, name, &fault);
    return cli_fault(cli, &fault);
}

static int told_apply(const struct cli *cli, const struct csv_input *input, struct infer *infer)
{
    const char *id = cli_text(cli, CLI_SCHEMA_INFER_ID);
    if (id != NULL && !infer_tell(infer, id, INFER_ID, "")) {
        return no_column(cli, input, "id", id);
    }
    size_t at = 0;
    const char *text;
    while ((text = cli_each(cli, CLI_SCHEMA_INFER_KEY, &at)) != NULL) {
        struct key_column key;
        struct proto_fault fault;
        if (!key_column_parse(input, "key", text, &key, &fault)) {
            return cli_fault(cli, &fault);
        }
        (void)infer_tell(infer, csv_column(input, key.column), INFER_KEY, key.name_space);
    }
    for (at = 0; (text = cli_each(cli, CLI_SCHEMA_INFER_LABEL, &at)) != NULL;) {
        if (!infer_tell_label(infer, text)) {
            return no_column(cli, input, "label", text);
        }
    }
    for (at = 0; (text = cli_each(cli, CLI_SCHEMA_INFER_SKIP, &at)) != NULL;) {
        if (!infer_tell(infer, text, INFER_LEFT_OUT, "")) {
            return no_column(cli, input, "skip", text);
        }
    }
    return EX_OK;
}

static int decisions_print(const struct cli *cli, const struct infer *infer)
{
    static const char *const headers[] = {"column",  "becomes",  "type", "family",
                                          "missing", "distinct", "note"};
    struct out_style style = {.sink = out_sink_of(stderr), .records = cli->style.records};
    struct out_table table;
    out_table_init(&table, headers, 7);
    for (size_t i = 0; i < infer->column_count; i++) {
        const struct infer_column *column = &infer->columns[i];
        bool is_field = column->role == INFER_FIELD;
        out_cell_text(&table, "%s", column->name);
        out_cell_text(&table, "%s%s%s", infer_role_name(column->role),
                      column->role == INFER_KEY ? " " : "", column->key_space);
        out_cell_text(&table, "%s%s", is_field ? feature_type_name(column->type) : "",
                      is_field && column->transform == FEATURE_TRANSFORM_LOG ? " (log)" : "");
        out_cell_text(&table, "%s", is_field ? feature_family_name(column->family) : "");
        out_cell_number(&table, "%.1f %%",
                        100 * (double)column->missing /
                            (double)(infer->rows > 0 ? infer->rows : 1));
        out_cell_number(&table, column->texts.overflow > 0 ? "%zu+" : "%zu", column->distinct);
        out_cell_text(&table, "%s", column->why);
    }
    return out_table_show(&table, &style) ? EX_OK : cli_fail(cli, EX_OSERR, "no memory");
}

/* What infer made must be what the server takes. */
static int schema_check(const struct cli *cli, const json_t *json)
{
    struct proto_fault fault = {.code = PROTO_OK};
    char *text = json_dumps(json, 0);
    if (text == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory for the schema");
    }
    struct feature_schema *schema = feature_schema_parse(proto_span_text(text), 1, NULL, &fault);
    free(text);
    if (schema == NULL) {
        return cli_fault(cli, &fault);
    }
    feature_schema_release(schema);
    return EX_OK;
}

/* The mapping that import takes (import_columns.h): every column under its own name, to be edited.
 * Drops the schema. */
static json_t *map_of(json_t *schema)
{
    size_t i;
    json_t *field;
    json_t *map = json_object();
    json_t *columns = json_object();
    json_array_foreach(json_object_get(schema, "fields"), i, field)
    {
        json_t *name = json_object_get(field, "name");
        json_object_set(columns, json_string_value(name), name);
    }
    if (json_object_get(schema, "id") != NULL) {
        json_object_set(map, "id", json_object_get(schema, "id"));
    }
    json_object_set(map, "keys", json_object_get(schema, "keys"));
    json_object_set_new(map, "columns", columns);
    json_decref(schema);
    return map;
}

static int infer_file(const struct cli *cli, struct csv_input *input)
{
    struct infer infer;
    size_t columns = csv_column_count(input);
    const char **names = calloc(columns, sizeof *names);
    if (names == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    for (size_t i = 0; i < columns; i++) {
        names[i] = csv_column(input, i);
    }
    if (!infer_init(&infer, names, columns)) {
        free(names);
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    int status = told_apply(cli, input, &infer);
    if (status == EX_OK) {
        status = rows_read(cli, input, &infer);
    }
    json_t *schema = NULL;
    if (status == EX_OK) {
        csv_told_end(cli, input);
        infer.separator = csv_separator(input);
        infer.decimal = csv_decimal_told(input);
        infer.dates = csv_dates_told(input);
        infer_decide(&infer);
        schema = infer_schema(&infer);
        if (!cli_has(cli, CLI_SCHEMA_INFER_QUIET)) {
            status = decisions_print(cli, &infer);
        }
    }
    if (status == EX_OK && json_array_size(json_object_get(schema, "fields")) == 0) {
        status =
            cli_fail(cli, EX_DATAERR,
                     "no column of %s is worth a field: each is an id, a key, or constant over "
                     "its %zu good rows",
                     csv_name(input), infer.rows);
    }
    if (status == EX_OK) {
        status = schema_check(cli, schema);
    }
    if (status == EX_OK && json_object_get(schema, "id") == NULL) {
        cli_say(cli, "no column is an id; name one with --id, or import with --id");
    }
    if (status == EX_OK) {
        status = cli_json(cli, cli_has(cli, CLI_SCHEMA_INFER_MAP) ? map_of(schema) : schema);
    } else {
        json_decref(schema);
    }
    infer_fini(&infer);
    free(names);
    return status;
}

int cmd_schema_infer(struct cli *cli)
{
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    int status = EX_OK;
    struct csv_input *input = csv_told_open(cli, cli->arguments[0], &status);
    if (input == NULL) {
        return status;
    }
    status = infer_file(cli, input);
    csv_close(input);
    return status;
}

int cmd_schema_put(struct cli *cli)
{
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    if (cli_has(cli, CLI_SCHEMA_PUT_DRY_RUN)) {
        return schema_change_show(cli, cli->arguments[0]);
    }
    uint32_t same = 0;
    int status = schema_change_none(cli, cli->arguments[0], &same);
    if (status != EX_OK || same == 0) {
        return status != EX_OK ? status : document_put(cli, ICP_OP_SCHEMA_PUT, "schema");
    }
    if (cli->style.form == OUT_JSON) {
        json_t *told = json_object();
        (void)json_object_set_new(told, "schema", json_integer(same));
        (void)json_object_set_new(told, "unchanged", json_true());
        return cli_json(cli, told);
    }
    cli_print(cli, "schema version %u says the same and is in force: nothing was stored\n", same);
    return EX_OK;
}

/* Field by field, as it is in force. */
static int schema_print(const struct cli *cli, struct icp_text document)
{
    static const char *const headers[] = {"field",     "type",    "family",
                                          "transform", "missing", "stale after"};
    struct proto_fault fault = {.code = PROTO_OK};
    struct feature_schema *schema = feature_schema_parse(
        (struct proto_span){(const uint8_t *)document.data, document.bytes}, 0, NULL, &fault);
    if (schema == NULL) {
        return cli_fault(cli, &fault);
    }
    struct out_table table;
    out_table_init(&table, headers, 6);
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct feature_field *field = &schema->fields[i];
        char words[128] = "";
        for (size_t w = 0; w < field->missing_count; w++) {
            size_t used = strlen(words);
            snprintf(words + used, sizeof words - used, "%s%s", w > 0 ? ", " : "",
                     field->missing[w]);
        }
        out_cell_text(&table, "%s", field->name);
        out_cell_text(&table, "%s", feature_type_name(field->type));
        out_cell_text(&table, "%s", feature_family_name(field->family));
        out_cell_text(&table, "%s",
                      field->transform != FEATURE_TRANSFORM_NONE
                          ? feature_transform_name(field->transform)
                          : "");
        out_cell_text(&table, "%s", words);
        if (field->stale_after_ms > 0) {
            out_cell_text(&table, "%lld days", (long long)(field->stale_after_ms / 86400000));
        } else {
            out_cell_text(&table, "never");
        }
    }
    if (cli->style.form == OUT_TABLE) {
        cli_print(cli, "schema version %u, id column %s\n", schema->version,
                  schema->id_column != NULL ? schema->id_column : "not named");
        if (schema->name != NULL) {
            cli_print(cli, "accounts are named by %s\n", schema->name->name);
        }
        for (size_t i = 0; i < schema->key_count; i++) {
            cli_print(cli, "key %s from column %s\n", schema->keys[i].name_space,
                      schema->keys[i].column);
        }
    }
    int status = cli_table(cli, &table);
    feature_schema_release(schema);
    return status;
}

int cmd_schema_get(struct cli *cli)
{
    int status = EX_OK;
    uint64_t version = 0;
    if (!cli_arguments(cli, 0, 0) ||
        !cli_number(cli, CLI_SCHEMA_GET_SCHEMA, 1, UINT32_MAX, 0, &version)) {
        return EX_USAGE;
    }
    struct icp_client *client = cli_connect(cli, &status);
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    if (client != NULL && payload != NULL) {
        if (version > 0) {
            icp_payload_uint(payload, "schema", version);
        }
        status = cli_call(cli, client, ICP_OP_SCHEMA_GET, payload, &reply);
        if (status == EX_OK) {
            struct icp_text document = icp_reply_text(&reply, "document");
            status = cli->style.form == OUT_JSON
                         ? cli_json(cli, json_loadb(document.data, document.bytes, 0, NULL))
                         : schema_print(cli, document);
        }
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    icp_close(client);
    return status;
}
