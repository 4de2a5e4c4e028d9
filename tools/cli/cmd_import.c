/* SPDX-License-Identifier: Apache-2.0 */
/* icp import: good rows are laid over what is stored, or put in its place on request; bad rows are
 * told by line and column; a bad cell costs its value. */
#include <stdlib.h>

#include "server/feature/date_text.h"
#include "server/feature/record.h"
#include "server/feature/span_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/cmd_import_plan.h"
#include "tools/cli/csv/csv_account.h"
#include "tools/cli/csv/key_column.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/everything.h"
#include "tools/cli/import_batch.h"
#include "tools/cli/import_columns.h"
#include "tools/cli/import_ids.h"
#include "tools/cli/import_look.h"
#include "tools/cli/import_mark.h"
#include "tools/cli/remote_schema.h"
#include "tools/cli/row_walk.h"

struct import {
    const struct cli *cli;
    struct csv_input *input;
    struct feature_schema *schema;
    struct csv_map map;
    struct import_columns columns;
    struct text_count ids;  /* that went in, to find one that occurs twice */
    struct text_count made; /* keys, likewise */
    struct key_hosts hosts; /* of the file, to know which are alone below their domain */
    struct import_notes notes;
    struct import_sender sender;
    struct import_mark mark;
    struct import_look look;                     /* schema NULL: rows are not looked at */
    char own_source[PROTO_SOURCE_BYTES_MAX + 1]; /* the file's name */
    size_t rows;
    bool strict;      /* a bad cell refuses its row */
    bool bad_cell;    /* in this row */
    size_t rewritten; /* ids that a spreadsheet seems to have made of others */
    size_t rewritten_line;
    char rewritten_id[64];
};

static struct note_place place_of(const struct import *import, const struct csv_row *row,
                                  size_t cell)
{
    struct note_place place = {row->line, 0, csv_column(import->input, cell)};
    csv_cell_place(import->input, row, cell, &place.line, &place.column);
    return place;
}

/* Finds the id or says why the row cannot have one. Where keys find accounts it may be missing. */
static bool id_take(struct import *import, const struct csv_row *row, struct proto_span *id)
{
    char message[160];
    const struct import_columns *columns = &import->columns;
    *id = (struct proto_span){0};
    if (columns->id != SIZE_MAX) {
        *id = feature_text_trim(row->cells[columns->id]);
    }
    if (id->bytes == 0 && columns->match != 0) {
        return true;
    }
    const struct text_entry *earlier = text_count_find(&import->ids, *id);
    bool has_control = false;
    for (size_t i = 0; i < id->bytes; i++) {
        has_control |= id->data[i] < 0x20 || id->data[i] == 0x7f;
    }
    if (id->bytes == 0) {
        snprintf(message, sizeof message, "the id is missing");
    } else if (id->bytes > PROTO_ID_BYTES_MAX) {
        snprintf(message, sizeof message, "the id has %zu bytes, at most %d are allowed", id->bytes,
                 PROTO_ID_BYTES_MAX);
    } else if (has_control) {
        snprintf(message, sizeof message, "a control character stands in the id");
    } else if (earlier != NULL && import->map.field_count > 0) {
        /* Where there are keys alone, it is another key of the account. */
        snprintf(message, sizeof message, "the id stands on line %zu already", earlier->line);
    } else {
        return true;
    }
    notes_refuse(&import->notes, place_of(import, row, columns->id), message);
    return false;
}

static void key_tell(struct import *import, const struct csv_row *row,
                     const struct key_column *column, enum key_outcome outcome, const char *text)
{
    struct note_place place = place_of(import, row, column->column);
    char message[400];
    switch (outcome) {
    case KEY_SHARED:
        notes_shared(&import->notes, place, text, "a host that many organisations share");
        break;
    case KEY_FREE:
        notes_shared(&import->notes, place, text, "a free-mail domain");
        break;
    case KEY_NONSENSE:
        snprintf(message, sizeof message,
                 strcmp(column->name_space, "domain") == 0 ? "'%s' holds no domain; no key is made"
                                                           : "'%s' is too long for a key",
                 text);
        notes_key(&import->notes, place, message);
        break;
    case KEY_MADE:
    case KEY_EMPTY:
        break;
    }
}

/* What became of a row. */
enum row_fate { ROW_GOOD, ROW_REFUSED, ROW_NO_MEMORY };

/* A key that an earlier row has: it names one account, so a key that finds accounts makes this row
 * the same one again, and any other is left out. */
static enum row_fate key_twice(struct import *import, const struct csv_row *row, size_t k,
                               const char *key, size_t line)
{
    char message[PROTO_ID_BYTES_MAX + 96];
    struct note_place place = place_of(import, row, import->columns.keys[k].column);
    if ((import->columns.match >> k & 1) != 0) {
        snprintf(message, sizeof message, "%s stands on line %zu already: the same account again",
                 key, line);
        notes_refuse(&import->notes, place, message);
        return ROW_REFUSED;
    }
    snprintf(message, sizeof message, "%s is a key of line %zu already, left out here", key, line);
    notes_key(&import->notes, place, message);
    return ROW_GOOD;
}

/* The key that an account has as long as nobody comes with the domain itself. An earlier row's
 * stays where it is, which is no mistake of this one. */
static enum row_fate key_above_write(struct import *import, const struct csv_row *row,
                                     const struct key_column *column, struct import_row *account)
{
    char key[KEY_BYTES];
    if (!key_column_above(column, &import->hosts, row->cells[column->column], key) ||
        text_count_find(&import->made, proto_span_text(key)) != NULL) {
        return ROW_GOOD;
    }
    return text_count_add(&import->made, proto_span_text(key), row->line, NULL) &&
                   import_row_key(account, key, false)
               ? ROW_GOOD
               : ROW_NO_MEMORY;
}

static enum row_fate key_write(struct import *import, const struct csv_row *row, size_t k,
                               struct import_row *account)
{
    char key[KEY_BYTES];
    const struct key_column *column = &import->columns.keys[k];
    struct proto_span cell = row->cells[column->column];
    enum key_outcome outcome = key_column_make(column, cell, key);
    if (outcome != KEY_MADE) {
        key_tell(import, row, column, outcome, key);
        return ROW_GOOD;
    }
    const struct text_entry *earlier = text_count_find(&import->made, proto_span_text(key));
    if (earlier != NULL) {
        return key_twice(import, row, k, key, earlier->line);
    }
    bool address = key_column_is_address(column, cell);
    account->address |= address ? UINT32_C(1) << account->key_count : 0;
    if (!text_count_add(&import->made, proto_span_text(key), row->line, NULL) ||
        !import_row_key(account, key, (import->columns.match >> k & 1) != 0)) {
        return ROW_NO_MEMORY;
    }
    return key_above_write(import, row, column, account);
}

static enum row_fate keys_write(struct import *import, const struct csv_row *row,
                                struct import_row *account)
{
    enum row_fate fate = ROW_GOOD;
    for (size_t k = 0; k < import->columns.key_count && fate == ROW_GOOD; k++) {
        fate = key_write(import, row, k, account);
    }
    return fate;
}

/* A new account that has no id of its own is called as its first key: domain:acme.com becomes
 * acme.com. */
static bool id_make(struct import *import, const struct csv_row *row, struct import_row *account)
{
    for (size_t k = 0; k < account->key_count; k++) {
        if ((account->match >> k & 1) != 0) {
            snprintf(account->id, sizeof account->id, "%s",
                     strchr(import_row_key_at(account, k), ':') + 1);
            return true;
        }
    }
    notes_refuse(&import->notes, (struct note_place){row->line, 0, ""},
                 "no id, and none of the keys by which accounts are found: whose row it is cannot "
                 "be known");
    return false;
}

/* The row's values once more, to be held against what is stored. False: no memory. */
static bool record_keep(struct import *import, struct import_row *account)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct feature_record record = {.id = proto_span_text("-"),
                                    .values = import->map.values,
                                    .value_slots = import->schema->id_count};
    uint8_t nothing[1];
    size_t bytes = feature_record_encode(&record, nothing, 0, &fault);
    uint8_t *room = realloc(account->record, bytes + 1);
    if (room == NULL) {
        return false;
    }
    account->record = room;
    account->record_bytes = bytes;
    (void)feature_record_encode(&record, room, bytes, &fault);
    return true;
}

/* The account of a row that was read. */
static enum row_fate account_fill(struct import *import, const struct csv_row *row,
                                  struct proto_span id)
{
    struct import_row *account = sender_row(&import->sender);
    if (account == NULL) {
        return ROW_NO_MEMORY;
    }
    snprintf(account->id, sizeof account->id, "%.*s", (int)id.bytes, (const char *)id.data);
    account->line = row->line;
    enum row_fate fate = keys_write(import, row, account);
    if (fate != ROW_GOOD) {
        return fate;
    }
    if (id.bytes == 0 && !id_make(import, row, account)) {
        return ROW_REFUSED;
    }
    csv_map_write(&import->map, account->values);
    bool kept = (id.bytes == 0 || text_count_add(&import->ids, id, row->line, NULL)) &&
                (import->sender.look == NULL || record_keep(import, account));
    return kept ? ROW_GOOD : ROW_NO_MEMORY;
}

static void on_bad_cell(void *context, const struct csv_row *row,
                        const struct csv_cell_fault *fault)
{
    struct import *import = context;
    struct note_place place = place_of(import, row, fault->column);
    if (!import->strict) {
        notes_cell(&import->notes, place, fault->fault.message);
    } else if (!import->bad_cell) {
        notes_refuse(&import->notes, place, fault->fault.message);
    }
    import->bad_cell = true;
}

/* An id or the value of a key. */
static void id_look(struct import *import, const struct csv_row *row, struct proto_span id)
{
    if (id_rewritten(id) && import->rewritten++ == 0) {
        import->rewritten_line = row->line;
        (void)feature_text_show(id, import->rewritten_id, sizeof import->rewritten_id);
    }
}

static void ids_look(struct import *import, const struct csv_row *row, struct proto_span id)
{
    id_look(import, row, id);
    for (size_t k = 0; k < import->columns.key_count; k++) {
        const struct key_column *key = &import->columns.keys[k];
        if (strcmp(key->name_space, "domain") != 0) {
            id_look(import, row, feature_text_trim(row->cells[key->column]));
        }
    }
}

static int row_import(void *context, const struct csv_row *row)
{
    struct import *import = context;
    struct proto_span id;
    import->rows++;
    if (row->bad) {
        notes_refuse(&import->notes,
                     (struct note_place){row->bad_line, row->bad_column, row->bad_name},
                     row->message);
        return EX_OK;
    }
    if (!id_take(import, row, &id)) {
        return EX_OK;
    }
    import->bad_cell = false;
    if (!csv_map_read(&import->map, row, on_bad_cell, import)) {
        return cli_fail(import->cli, EX_OSERR, "no memory for line %zu", row->line);
    }
    if (import->bad_cell && import->strict) {
        return EX_OK;
    }
    ids_look(import, row, id);
    enum row_fate fate = account_fill(import, row, id);
    if (fate == ROW_NO_MEMORY) {
        return cli_fail(import->cli, EX_OSERR, "no memory for line %zu", row->line);
    }
    return fate == ROW_GOOD ? sender_add(&import->sender) : EX_OK;
}

static int map_find(struct import *import)
{
    if (!csv_map_init(&import->map, import->schema, import->input)) {
        return cli_fail(import->cli, EX_OSERR, "no memory");
    }
    /* A file of ids and keys alone, as icp match review writes it, adds keys. */
    bool keys_alone = cli_has(import->cli, CLI_IMPORT_KEY) && !import->sender.replace;
    if (import->map.field_count == 0 && !keys_alone) {
        return cli_fail(import->cli, EX_DATAERR,
                        "no column of %s is a field of the schema; --map COLUMN=FIELD says which "
                        "is which",
                        csv_name(import->input));
    }
    import_columns_absent(import->cli, import->input, &import->map, import->sender.replace);
    return EX_OK;
}

static int result_json(const struct import *import, bool dry, int status)
{
    size_t keys = import->made.count - import->sender.keys_refused;
    json_t *json = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:s}", "rows", (json_int_t)import->rows, "stored",
        (json_int_t)import->sender.stored, "created", (json_int_t)import->sender.created, "refused",
        (json_int_t)import->notes.refused, "values_left_out",
        (json_int_t)import->notes.cells_left_out, "keys", (json_int_t)keys, "seq",
        (json_int_t)import->sender.seq, "dry_run", dry, "import", import->mark.id);
    if (import->sender.look != NULL) {
        json_object_set_new(json, "change", import_change_json(&import->look.change));
    }
    int printed = cli_json(import->cli, json);
    return status != EX_OK ? status : printed;
}

static int result_print(const struct import *import, int status)
{
    const struct cli *cli = import->cli;
    bool dry = import->sender.dry;
    size_t keys = import->made.count - import->sender.keys_refused;
    if (cli->style.form == OUT_JSON) {
        return result_json(import, dry, status);
    }
    char counts[6][OUT_NUMBER_BYTES];
    char values[64] = "";
    char created[64] = " (dry run, nothing stored)";
    if (!dry) {
        snprintf(created, sizeof created, " (%s new)",
                 out_count(import->sender.created, counts[2]));
    }
    if (import->notes.cells_left_out > 0) {
        snprintf(values, sizeof values, ", %s values left out",
                 out_count(import->notes.cells_left_out, counts[5]));
    }
    cli_print(cli, "%s rows: %s %s%s, %s refused%s, %s keys\n", out_count(import->rows, counts[0]),
              out_count(import->sender.stored, counts[1]), dry ? "good" : "accounts stored",
              created, out_count(import->notes.refused, counts[3]), values,
              out_count(keys, counts[4]));
    if (import->sender.look != NULL) {
        import_change_print(cli, &import->look.change, dry);
    }
    if (import->mark.id[0] != '\0') {
        cli_print(cli, "import %s: 'icp import undo' takes it back\n", import->mark.id);
    }
    return status;
}

/* When the values of the file were true; 0 if nothing was told. */
static int time_find(const struct cli *cli, uint64_t *time_ms)
{
    const char *text = cli_text(cli, CLI_IMPORT_TIME);
    int64_t told = 0;
    bool whole_day = false;
    *time_ms = 0;
    if (text == NULL) {
        return EX_OK;
    }
    if (!feature_date_read(proto_span_text(text), &told, &whole_day) || told <= 0) {
        return cli_fail(cli, EX_USAGE,
                        "--time: '%s' is no date such as 2023-01-08 or 2023-01-08T12:00:00Z after "
                        "1970",
                        text);
    }
    *time_ms = (uint64_t)told;
    return EX_OK;
}

/* What goes to the server, and how; false with the status and a message. */
static int sender_plan(struct import *import, struct icp_client *client)
{
    const struct cli *cli = import->cli;
    uint64_t batch = 0;
    uint64_t time_ms = 0;
    if (!cli_number(cli, CLI_IMPORT_BATCH, 1, PROTO_BATCH_ACCOUNTS_MAX, 1000, &batch) ||
        time_find(cli, &time_ms) != EX_OK) {
        return EX_USAGE;
    }
    const char *source = cli_text(cli, CLI_IMPORT_SOURCE);
    const char *slash = strrchr(csv_name(import->input), '/');
    snprintf(import->own_source, sizeof import->own_source, "%s",
             slash != NULL ? slash + 1 : csv_name(import->input));
    import->sender = (struct import_sender){
        .cli = cli,
        .client = client,
        .notes = &import->notes,
        .source = source != NULL ? source : import->own_source,
        .time_ms = time_ms,
        .batch_rows = batch,
        .replace = cli_has(cli, CLI_IMPORT_REPLACE),
        .dry = cli_has(cli, CLI_IMPORT_DRY_RUN),
        .strict = import->strict,
        .import = import->mark.id,
    };
    bool match = import->columns.match != 0;
    if (match && client == NULL) {
        return cli_fail(cli, EX_USAGE, "--match asks the server; it does not go with --schema");
    }
    const char *precedence = cli_text(cli, CLI_IMPORT_PRECEDENCE);
    if (precedence != NULL && (client == NULL || import->sender.replace)) {
        return cli_fail(cli, EX_USAGE,
                        "--precedence lays over what the server has; it does not go "
                        "with --replace or --schema");
    }
    bool look = import->sender.dry || match || precedence != NULL || time_ms != 0;
    if (client != NULL && look) {
        if (!import_look_init(&import->look, import->schema, match, batch)) {
            return cli_fail(cli, EX_OSERR, "no memory for the batches");
        }
        import->look.precedence = precedence;
        import->sender.look = &import->look;
    }
    return EX_OK;
}

static void rewritten_tell(const struct import *import)
{
    if (import->rewritten > 0) {
        cli_say(import->cli,
                "%zu ids look rewritten by a spreadsheet, first '%s' on line %zu: they are "
                "stored as they stand, and are not the accounts that they were before",
                import->rewritten, import->rewritten_id, import->rewritten_line);
    }
}

static int hosts_gather(struct import *import)
{
    struct proto_fault fault = {.code = PROTO_OK};
    bool gathered = key_hosts_gather(&import->hosts, import->input, import->columns.keys,
                                     import->columns.key_count, &fault);
    return gathered ? EX_OK : cli_fault(import->cli, &fault);
}

static int import_run(struct import *import, struct icp_client *client)
{
    const struct cli *cli = import->cli;
    int status = import_columns_find(cli, import->input, import->schema, &import->columns);
    if (status == EX_OK) {
        status = hosts_gather(import);
    }
    if (status == EX_OK && client != NULL && import->columns.id != SIZE_MAX) {
        status = import_ids_look(cli, client, import->input, import->columns.id);
    }
    if (status == EX_OK) {
        status = sender_plan(import, client);
    }
    if (status == EX_OK) {
        status = map_find(import);
    }
    if (status != EX_OK) {
        return status;
    }
    status = notes_begin(&import->notes, cli, csv_name(import->input),
                         cli_text(cli, CLI_IMPORT_REJECTS));
    bool marked = client != NULL && !import->sender.dry;
    if (status == EX_OK && marked) {
        status = import_mark_begin(cli, client, cli_text(cli, CLI_IMPORT_IMPORT_ID),
                                   csv_name(import->input), import->sender.source, &import->mark);
    }
    if (status == EX_OK) {
        status = sender_begin(&import->sender);
    }
    if (status == EX_OK) {
        status = row_walk(import->cli, import->input, row_import, import);
    }
    if (status == EX_OK) {
        status = sender_finish(&import->sender);
    }
    if (status == EX_OK && marked) {
        status = import_mark_end(cli, client, &import->mark, import->notes.refused);
    }
    /* What was refused is told even if the import broke off. */
    int noted = notes_end(&import->notes);
    csv_told_end(cli, import->input);
    rewritten_tell(import);
    if (status == EX_OK) {
        status = noted;
    }
    if (status != EX_OK && !import->sender.dry) {
        cli_say(cli, "the import broke off; once that is mended the whole file can be imported "
                     "again, for rows that are stored already do no harm");
    }
    if (status == EX_OK && import->notes.refused > 0) {
        status = EX_DATAERR;
    }
    status = result_print(import, status);
    sender_end(&import->sender);
    return status;
}

int cmd_import(struct cli *cli)
{
    if (cli_has(cli, CLI_IMPORT_EVERYTHING) && cli->argument_count == 0) {
        return cli_fail(cli, EX_USAGE,
                        "which file? One that 'icp export --everything FILE' wrote, "
                        "or - for standard input");
    }
    if (cli_has(cli, CLI_IMPORT_PLAN)) {
        return cli_arguments(cli, 0, 0) ? import_plan_run(cli) : EX_USAGE;
    }
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    if (cli_has(cli, CLI_IMPORT_EVERYTHING)) {
        return everything_import(cli);
    }
    struct import import = {.cli = cli};
    struct icp_client *client = NULL;
    int status = EX_OK;
    text_count_init(&import.ids, UINT32_MAX);
    text_count_init(&import.made, UINT32_MAX);
    key_hosts_init(&import.hosts);
    import.strict = cli_has(cli, CLI_IMPORT_STRICT);
    import.input = csv_told_open(cli, cli->arguments[0], &status);
    bool local = cli_has(cli, CLI_IMPORT_SCHEMA);
    if (status == EX_OK && local && !cli_has(cli, CLI_IMPORT_DRY_RUN)) {
        status = cli_fail(cli, EX_USAGE,
                          "--schema is for --dry-run; 'icp schema put' gives the "
                          "server a schema");
    }
    if (status == EX_OK && !local) {
        client = cli_connect(cli, &status);
    }
    if (status == EX_OK) {
        import.schema = local ? schema_from_file(cli, cli_text(cli, CLI_IMPORT_SCHEMA), &status)
                              : schema_from_server(cli, client, &status);
    }
    if (status == EX_OK) {
        status = import_run(&import, client);
    }
    icp_close(client);
    import_look_fini(&import.look);
    csv_map_fini(&import.map);
    text_count_fini(&import.ids);
    text_count_fini(&import.made);
    key_hosts_fini(&import.hosts);
    feature_schema_release(import.schema);
    csv_close(import.input);
    return status;
}
