/* SPDX-License-Identifier: Apache-2.0 */
/* The mapping file is read first, for what it says counts as if it had been an option; then each
 * cell gets its column or its value, the plan follows from which were told, and what the plan needs
 * is asked for in words. At last the file is looked through for the forms of its dates and numbers,
 * and conditions are parsed over its columns. */
#include "tools/cli/event_map.h"

#include <stdlib.h>

#include "tools/cli/label.h"

#define MAP_BYTES_MAX ((size_t)1 << 20)

static const struct measure_pick cells[EVENT_CELLS] = {
    [EVENT_CELL_ACCOUNT] = {.option = "account", .kind = CELL_TEXT},
    [EVENT_CELL_TYPE] = {.option = "type", .kind = CELL_TEXT},
    [EVENT_CELL_AT] = {.option = "at", .kind = CELL_DAY},
    [EVENT_CELL_ID] = {.option = "id", .kind = CELL_TEXT},
    [EVENT_CELL_CREATED] = {.option = "created", .kind = CELL_DAY},
    [EVENT_CELL_START] = {.option = "start", .kind = CELL_DAY},
    [EVENT_CELL_TRIAL] = {.option = "trial", .kind = CELL_FLAG},
/* NOLINTBEGIN(bugprone-macro-parentheses): names of members */
#define T(NAME, name, text, most, meaning)                                                         \
    [EVENT_CELL_MEMBER + EVENT_MEMBER_##NAME] = {.option = text, .kind = CELL_TEXT},
#define N(NAME, name, text, low, high, meaning)                                                    \
    [EVENT_CELL_MEMBER + EVENT_MEMBER_##                                                           \
        NAME] = {.option = text,                                                                   \
                 .kind = EVENT_MEMBER_##NAME == EVENT_MEMBER_END      ? CELL_DAY                   \
                         : EVENT_MEMBER_##NAME == EVENT_MEMBER_MONTHS ? CELL_TERM                  \
                                                                      : CELL_MONEY},
#include "server/event/event_member.def"
#undef T
#undef N
    /* NOLINTEND(bugprone-macro-parentheses) */
};

static const char *const condition_names[EVENT_CONDITIONS] = {"where", "won", "lost", "churned"};

const char *event_map_told(const struct event_map *map, const char *name)
{
    const char *text = cli_text_named(map->cli, name);
    return text != NULL ? text : json_string_value(json_object_get(map->file, name));
}

static bool is_map_name(const char *name)
{
    bool known = strcmp(name, "source") == 0 || strcmp(name, "through") == 0;
    for (size_t i = 0; i < EVENT_CELLS && !known; i++) {
        known = strcmp(name, cells[i].option) == 0;
    }
    for (size_t i = 0; i < EVENT_CONDITIONS && !known; i++) {
        known = strcmp(name, condition_names[i]) == 0;
    }
    return known;
}

/* An object of texts under the names of options. */
static int file_read(struct event_map *map)
{
    const struct cli *cli = map->cli;
    const char *path = cli_text_named(cli, "map");
    struct proto_fault fault = {.code = PROTO_OK};
    json_error_t error;
    size_t bytes = 0;
    if (path == NULL) {
        return EX_OK;
    }
    uint8_t *text = csv_file_read(path, MAP_BYTES_MAX, &bytes, &fault);
    if (text == NULL) {
        return cli_file_fault(cli, &fault);
    }
    map->file = json_loadb((const char *)text, bytes, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (!json_is_object(map->file)) {
        return cli_fail(cli, EX_DATAERR, "%s, line %d, column %d: %s", path,
                        map->file == NULL ? error.line : 1, map->file == NULL ? error.column : 1,
                        map->file == NULL ? error.text
                                          : "a mapping is an object such as {\"account\": "
                                            "\"account_id\", \"type\": \"touch\"}");
    }
    const char *name;
    json_t *value;
    json_object_foreach(map->file, name, value)
    {
        if (!is_map_name(name) || !json_is_string(value)) {
            return cli_fail(cli, EX_DATAERR,
                            "%s: '%s' is no option of 'icp event import' with a text that names a "
                            "column, or a value behind '='",
                            path, name);
        }
    }
    return EX_OK;
}

static int column_find(struct event_map *map, enum event_cell cell, const char *name)
{
    struct proto_fault fault = {.code = PROTO_OK};
    enum event_type type;
    map->picks[cell].column = csv_column_find(map->input, name);
    if (map->picks[cell].column != SIZE_MAX) {
        return EX_OK;
    }
    if (cell == EVENT_CELL_TYPE && !event_type_read(proto_span_text(name), "", &type, &fault)) {
        return cli_fail(map->cli, EX_USAGE, "--type: %s has no column '%s', and %s",
                        csv_name(map->input), name, fault.message);
    }
    (void)csv_column_absent(map->input, cells[cell].option, name, &fault);
    return cli_fault(map->cli, &fault);
}

/* "touch" for --type and "USD" for --currency are what they say, unless a column is called so. */
static bool is_plain_value(const struct event_map *map, enum event_cell cell, const char *text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    enum event_type type;
    if (csv_column_find(map->input, text) != SIZE_MAX) {
        return false;
    }
    if (cell == EVENT_CELL_TYPE) {
        return event_type_read(proto_span_text(text), "type", &type, &fault);
    }
    return cell == EVENT_CELL_MEMBER + EVENT_MEMBER_CURRENCY && strlen(text) == 3 &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

/* A column of ids, or of keys: "crm=column". */
static int account_find(struct event_map *map, const char *text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    if (csv_column_find(map->input, text) != SIZE_MAX || strchr(text, '=') == NULL) {
        return column_find(map, EVENT_CELL_ACCOUNT, text);
    }
    if (!key_column_parse(map->input, "account", text, &map->key, &fault)) {
        return cli_fault(map->cli, &fault);
    }
    map->picks[EVENT_CELL_ACCOUNT].column = map->key.column;
    return EX_OK;
}

static int cells_find(struct event_map *map)
{
    int status = EX_OK;
    for (size_t i = 0; i < EVENT_CELLS && status == EX_OK; i++) {
        enum event_cell cell = (enum event_cell)i;
        const char *text = event_map_told(map, cells[i].option);
        map->picks[i] = cells[i];
        map->picks[i].column = SIZE_MAX;
        if (text == NULL) {
            continue;
        }
        if (cell == EVENT_CELL_ACCOUNT && text[0] != '=') {
            status = account_find(map, text);
        } else if (text[0] == '=' || is_plain_value(map, cell, text)) {
            map->fixed[i] = text + (text[0] == '=');
        } else {
            status = column_find(map, cell, text);
        }
    }
    return status;
}

static bool is_told(const struct event_map *map, enum event_cell cell)
{
    return map->fixed[cell] != NULL || map->picks[cell].column != SIZE_MAX;
}

static int need(const struct event_map *map, enum event_cell cell, const char *why)
{
    return is_told(map, cell)
               ? EX_OK
               : cli_fail(map->cli, EX_USAGE, "--%s COLUMN is needed: %s", cells[cell].option, why);
}

/* What each plan cannot do without, and what would be told in vain. */
static int plan_find(struct event_map *map)
{
    const struct cli *cli = map->cli;
    bool won = event_map_told(map, "won") != NULL || event_map_told(map, "lost") != NULL;
    bool deal = won || is_told(map, EVENT_CELL_CREATED);
    bool subscription = is_told(map, EVENT_CELL_START);
    if (deal && subscription) {
        return cli_fail(cli, EX_USAGE,
                        "--start is of subscriptions, --created, --won and --lost are of "
                        "opportunities; a file is one of the two");
    }
    map->plan = deal ? EVENT_PLAN_DEAL : subscription ? EVENT_PLAN_SUBSCRIPTION : EVENT_PLAN_ONE;
    int status = need(map, EVENT_CELL_ACCOUNT, "whose event a row is");
    if (status == EX_OK && (map->plan == EVENT_PLAN_ONE || won)) {
        status = need(map, EVENT_CELL_AT, "when it happened");
    }
    if (status == EX_OK && map->plan == EVENT_PLAN_ONE) {
        status = need(map, EVENT_CELL_TYPE,
                      "of which type events are, such as --type touch, or the column that says so");
    }
    if (status == EX_OK && map->plan != EVENT_PLAN_ONE) {
        status = need(map, EVENT_CELL_ID, "which opportunity or subscription a row is");
    }
    if (status == EX_OK && map->plan != EVENT_PLAN_ONE && is_told(map, EVENT_CELL_TYPE)) {
        status = cli_fail(cli, EX_USAGE,
                          "--type does not go with --created, --won, --lost and "
                          "--start: these say which types there are");
    }
    if (status == EX_OK && map->plan == EVENT_PLAN_SUBSCRIPTION) {
        status = need(map, EVENT_CELL_MEMBER + EVENT_MEMBER_AMOUNT, "what a subscription costs");
    }
    if (status == EX_OK && is_told(map, EVENT_CELL_MEMBER + EVENT_MEMBER_AMOUNT)) {
        status = need(map, EVENT_CELL_MEMBER + EVENT_MEMBER_CURRENCY,
                      "what amounts are in; --currency USD says it for all rows");
    }
    if (status == EX_OK && map->plan != EVENT_PLAN_SUBSCRIPTION &&
        (event_map_told(map, "churned") != NULL || is_told(map, EVENT_CELL_TRIAL))) {
        status = cli_fail(cli, EX_USAGE,
                          "--churned and --trial are of subscriptions: --start "
                          "COLUMN says when one began");
    }
    return status;
}

static int conditions_find(struct event_map *map)
{
    struct proto_fault fault = {.code = PROTO_OK};
    for (size_t i = 0; i < EVENT_CONDITIONS; i++) {
        const char *text = event_map_told(map, condition_names[i]);
        if (text == NULL) {
            continue;
        }
        if (map->schema == NULL) {
            map->schema = csv_schema_infer(map->input, &fault);
            if (map->schema == NULL) {
                return cli_fault(map->cli, &fault);
            }
            if (!csv_map_init(&map->values, map->schema, map->input)) {
                return cli_fail(map->cli, EX_OSERR, "no memory");
            }
        }
        map->conditions[i] = label_parse(map->cli, map->schema, condition_names[i], text);
        if (map->conditions[i] == NULL) {
            return EX_DATAERR;
        }
    }
    return EX_OK;
}

int event_map_open(struct event_map *map, const struct cli *cli, struct csv_input *input)
{
    *map = (struct event_map){.cli = cli, .input = input};
    text_count_init(&map->digests, UINT32_MAX);
    text_count_init(&map->through.names, UINT32_MAX);
    text_count_init(&map->through.accounts, UINT32_MAX);
    const char *slash = strrchr(csv_name(input), '/');
    int status = file_read(map);
    if (status != EX_OK) {
        return status;
    }
    map->source = event_map_told(map, "source");
    if (map->source == NULL) {
        map->source = slash != NULL ? slash + 1 : csv_name(input);
    }
    if (map->source[0] == '\0' || strlen(map->source) > EVENT_SOURCE_BYTES_MAX) {
        return cli_fail(cli, EX_USAGE, "--source NAME: a name of 1 to %u bytes is right, not '%s'",
                        EVENT_SOURCE_BYTES_MAX, map->source);
    }
    status = cells_find(map);
    if (status == EX_OK) {
        status = plan_find(map);
    }
    map->through_told = event_map_told(map, "through");
    if (status == EX_OK && map->through_told != NULL) {
        status = event_through_open(&map->through, cli, map->through_told);
    }
    if (status == EX_OK) {
        status = measure_forms_find(cli, input, map->picks, EVENT_CELLS);
    }
    return status == EX_OK ? conditions_find(map) : status;
}

bool event_map_makes_ids(const struct event_map *map)
{
    return !is_told(map, EVENT_CELL_ID);
}

void event_map_close(struct event_map *map)
{
    for (size_t i = 0; i < EVENT_CONDITIONS; i++) {
        filter_destroy(map->conditions[i]);
    }
    csv_map_fini(&map->values);
    feature_schema_release(map->schema);
    text_count_fini(&map->digests);
    event_through_close(&map->through);
    json_decref(map->file);
    *map = (struct event_map){.plan = EVENT_PLAN_ONE};
}
