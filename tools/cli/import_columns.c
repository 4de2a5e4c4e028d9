/* SPDX-License-Identifier: Apache-2.0 */
/* The mapping is read first, for the names in it count as if they had been given as options; then
 * id and keys are found under the names of the file, and at last columns get the names of their
 * fields. A name that is nowhere is told with the nearest. */
#include "tools/cli/import_columns.h"

#include <stdlib.h>

#include "server/feature/span_text.h"
#include "tools/cli/csv/csv_input.h"

#define ABSENT_SHOWN 5 /* names of absent fields in one line */
#define MAP_BYTES_MAX ((size_t)1 << 20)

/* What the search goes by. */
struct search {
    const struct cli *cli;
    struct csv_input *input;
    const struct feature_schema *schema;
    json_t *map; /* the mapping file; NULL: none */
    struct import_columns *columns;
};

static int column_absent(const struct search *search, const char *what, const char *name)
{
    const char *nearest = csv_column_nearest(search->input, name);
    return cli_fail(search->cli, EX_DATAERR, "%s has no column '%s' for %s%s%s%s",
                    csv_name(search->input), name, what, nearest != NULL ? "; did you mean '" : "",
                    nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static int id_find(struct search *search)
{
    struct import_columns *columns = search->columns;
    const char *told = cli_text(search->cli, CLI_IMPORT_ID);
    const char *name = told != NULL ? told : json_string_value(json_object_get(search->map, "id"));
    bool required = name != NULL || columns->match == 0;
    columns->id = SIZE_MAX;
    if (name == NULL) {
        name = search->schema->id_column;
    }
    if (name == NULL) {
        return required ? cli_fail(search->cli, EX_USAGE,
                                   "the schema names no column of ids; give one with --id, or find "
                                   "accounts by their keys with --match")
                        : EX_OK;
    }
    columns->id = csv_column_find(search->input, name);
    if (columns->id != SIZE_MAX || !required) {
        return EX_OK;
    }
    const char *nearest = csv_column_nearest(search->input, name);
    return cli_fail(search->cli, EX_DATAERR, "%s has no column '%s' for the id%s%s%s",
                    csv_name(search->input), name,
                    nearest != NULL ? "; did you mean '" : "; --id names another column",
                    nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static bool key_is_told(const struct import_columns *columns, const char *name_space)
{
    for (size_t k = 0; k < columns->key_count; k++) {
        if (strcmp(columns->keys[k].name_space, name_space) == 0) {
            return true;
        }
    }
    return false;
}

static int keys_told(struct search *search)
{
    struct import_columns *columns = search->columns;
    size_t at = 0;
    const char *text;
    while ((text = cli_each(search->cli, CLI_IMPORT_KEY, &at)) != NULL) {
        struct proto_fault fault;
        if (columns->key_count == KEY_COLUMNS_MAX) {
            return cli_fail(search->cli, EX_USAGE, "--key: at most %d are allowed",
                            KEY_COLUMNS_MAX);
        }
        if (!key_column_parse(search->input, "key", text, &columns->keys[columns->key_count],
                              &fault)) {
            return cli_fault(search->cli, &fault);
        }
        columns->key_count++;
    }
    return EX_OK;
}

/* A key of the mapping or of the schema, unless an option gave one of its namespace. */
static void key_add(struct search *search, const char *name_space, const char *column)
{
    struct import_columns *columns = search->columns;
    size_t found = csv_column_find(search->input, column);
    if (found == SIZE_MAX || key_is_told(columns, name_space) ||
        columns->key_count == KEY_COLUMNS_MAX) {
        return;
    }
    struct key_column *key = &columns->keys[columns->key_count++];
    snprintf(key->name_space, sizeof key->name_space, "%s", name_space);
    key->column = found;
}

/* Key columns of the command line, of the mapping, and those of the schema that the file has. */
static int keys_find(struct search *search)
{
    const char *name_space;
    json_t *column;
    int status = keys_told(search);
    json_t *mapped = json_object_get(search->map, "keys");
    json_object_foreach(mapped, name_space, column)
    {
        const char *name = json_string_value(column);
        if (status == EX_OK && csv_column_find(search->input, name) == SIZE_MAX) {
            status = column_absent(search, "a key", name);
        }
        key_add(search, name_space, name);
    }
    for (size_t i = 0; i < search->schema->key_count; i++) {
        key_add(search, search->schema->keys[i].name_space, search->schema->keys[i].column);
    }
    return status;
}

/* --match domain,crm: which of the keys find accounts. */
static int match_find(struct search *search)
{
    struct import_columns *columns = search->columns;
    size_t at = 0;
    const char *text;
    while ((text = cli_each(search->cli, CLI_IMPORT_MATCH, &at)) != NULL) {
        while (*text != '\0') {
            size_t bytes = strcspn(text, ",");
            uint32_t before = columns->match;
            for (size_t k = 0; k < columns->key_count; k++) {
                if (strlen(columns->keys[k].name_space) == bytes &&
                    strncmp(columns->keys[k].name_space, text, bytes) == 0) {
                    columns->match |= UINT32_C(1) << k;
                }
            }
            if (columns->match == before) {
                return cli_fail(search->cli, EX_USAGE,
                                "--match: no column of %s is the key '%.*s'; name one with --key "
                                "%.*s=COLUMN",
                                csv_name(search->input), (int)bytes, text, (int)bytes, text);
            }
            text += bytes + (text[bytes] == ',');
        }
    }
    return EX_OK;
}

/* The column gets the name of its field, or none. */
static int column_name(struct search *search, const char *column, const char *field)
{
    size_t found = csv_column_find(search->input, column);
    if (found == SIZE_MAX) {
        return column_absent(search, "--map", column);
    }
    if (field[0] != '\0' && feature_schema_find(search->schema, proto_span_text(field)) == NULL) {
        const struct feature_field *nearest =
            feature_schema_nearest(search->schema, proto_span_text(field));
        return cli_fail(search->cli, EX_DATAERR, "--map: the schema has no field '%s'%s%s%s", field,
                        nearest != NULL ? "; did you mean '" : "",
                        nearest != NULL ? nearest->name : "", nearest != NULL ? "'?" : "");
    }
    return csv_column_rename(search->input, found, field)
               ? EX_OK
               : cli_fail(search->cli, EX_OSERR, "no memory for the names of columns");
}

/* Two columns of one field would be a matter of luck. */
static int fields_check(const struct search *search)
{
    for (size_t i = 0; i < csv_column_count(search->input); i++) {
        const char *name = csv_column(search->input, i);
        size_t first = csv_column_find(search->input, name);
        if (name[0] != '\0' && first != i &&
            feature_schema_find(search->schema, proto_span_text(name)) != NULL) {
            return cli_fail(search->cli, EX_DATAERR,
                            "columns %zu and %zu of %s are both the field '%s'; --map COLUMN= "
                            "leaves one out",
                            first + 1, i + 1, csv_name(search->input), name);
        }
    }
    return EX_OK;
}

static int columns_name(struct search *search)
{
    size_t at = 0;
    const char *text;
    const char *column;
    json_t *field;
    int status = EX_OK;
    json_object_foreach(json_object_get(search->map, "columns"), column, field)
    {
        const char *name = json_string_value(field);
        if (status == EX_OK) {
            status = column_name(search, column, name);
        }
    }
    while (status == EX_OK && (text = cli_each(search->cli, CLI_IMPORT_MAP, &at)) != NULL) {
        const char *equals = strrchr(text, '=');
        if (equals != NULL) {
            char *name = strndup(text, (size_t)(equals - text));
            status = name != NULL ? column_name(search, name, equals + 1)
                                  : cli_fail(search->cli, EX_OSERR, "no memory");
            free(name);
        }
    }
    return status == EX_OK ? fields_check(search) : status;
}

/* Every member is known and of its kind; says which is not. */
static bool map_valid(const struct search *search, const char *path)
{
    const char *name;
    const char *inner;
    json_t *member;
    json_t *text;
    json_object_foreach(search->map, name, member)
    {
        bool texts = strcmp(name, "keys") == 0 || strcmp(name, "columns") == 0;
        bool good =
            texts ? json_is_object(member) : strcmp(name, "id") == 0 && json_is_string(member);
        json_object_foreach(texts ? member : NULL, inner, text)
        {
            good &= json_is_string(text);
        }
        if (!good) {
            cli_say(search->cli,
                    "--map: %s: '%s' is not what a mapping has: \"id\": a column, \"keys\": "
                    "namespaces and columns, \"columns\": columns and fields, each a text",
                    path, name);
            return false;
        }
    }
    return json_is_object(search->map);
}

/* The value of --map that is no COLUMN=FIELD is a file. */
static int map_load(struct search *search)
{
    size_t at = 0;
    const char *text;
    while ((text = cli_each(search->cli, CLI_IMPORT_MAP, &at)) != NULL) {
        struct proto_fault fault = {.code = PROTO_OK};
        json_error_t error;
        size_t bytes = 0;
        if (strchr(text, '=') != NULL) {
            continue;
        }
        if (search->map != NULL) {
            return cli_fail(search->cli, EX_USAGE, "--map: one file is enough, %s is another",
                            text);
        }
        uint8_t *data = csv_file_read(text, MAP_BYTES_MAX, &bytes, &fault);
        if (data == NULL) {
            return cli_file_fault(search->cli, &fault);
        }
        search->map = json_loadb((const char *)data, bytes, JSON_REJECT_DUPLICATES, &error);
        free(data);
        if (search->map == NULL) {
            return cli_fail(search->cli, EX_DATAERR, "--map: %s, line %d, column %d: %s", text,
                            error.line, error.column, error.text);
        }
        if (!map_valid(search, text)) {
            return EX_DATAERR;
        }
    }
    return EX_OK;
}

int import_columns_find(const struct cli *cli, struct csv_input *input,
                        const struct feature_schema *schema, struct import_columns *columns)
{
    struct search search = {.cli = cli, .input = input, .schema = schema, .columns = columns};
    int status = map_load(&search);
    if (status == EX_OK) {
        status = keys_find(&search);
    }
    if (status == EX_OK) {
        status = match_find(&search);
    }
    if (status == EX_OK) {
        status = id_find(&search);
    }
    if (status == EX_OK) {
        status = columns_name(&search);
    }
    json_decref(search.map);
    return status;
}

void import_columns_absent(const struct cli *cli, const struct csv_input *input,
                           const struct csv_map *map, bool replace)
{
    const struct feature_field *absent[ABSENT_SHOWN];
    char names[ABSENT_SHOWN * (PROTO_FIELD_NAME_BYTES_MAX + 3)] = "";
    size_t used = 0;
    size_t count = csv_map_absent(map, absent, ABSENT_SHOWN);
    for (size_t i = 0; i < count && i < ABSENT_SHOWN; i++) {
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "",
                                 absent[i]->name);
    }
    if (count > 0) {
        cli_say(cli, "%s has no column for %zu of the schema's %zu fields, which %s: %s%s",
                csv_name(input), count, map->schema->field_count,
                replace ? "will be missing" : "stay as they are", names,
                count > ABSENT_SHOWN ? ", …" : "");
    }
}
