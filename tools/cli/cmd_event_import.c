/* SPDX-License-Identifier: Apache-2.0 */
/* icp event import: rows become events by a map and go in batches. A row that cannot be read is
 * told with its place and what would be right, an event that the server refuses with its line, and
 * neither costs another; a file that was cut off is imported again, for what is told already is no
 * second event. */
#include <time.h>

#include "proto/table.h"
#include "tools/cli/cmd.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/event_batch.h"
#include "tools/cli/event_map.h"
#include "tools/cli/import_mark.h"
#include "tools/cli/import_undone.h"
#include "tools/cli/row_walk.h"

/* Accounts that are not there and are named. */
#define NOBODIES_SHOWN 5

struct event_import {
    const struct cli *cli;
    struct csv_input *input;
    struct event_map map;
    struct event_accounts accounts;
    struct import_notes notes;
    struct event_sender sender;
    struct import_mark mark;
    int64_t now_ms;
    size_t rows;
    size_t silent; /* rows that tell nothing */
};

/* What no column of the file gives is named as its option is. */
static void row_refuse(struct event_import *import, const struct csv_row *row, size_t column,
                       const struct proto_fault *fault)
{
    struct note_place place = {row->line, 0, fault->field};
    if (column != SIZE_MAX && column < row->cell_count) {
        csv_cell_place(import->input, row, column, &place.line, &place.column);
        place.field = csv_column(import->input, column);
    }
    notes_refuse(&import->notes, place, fault->message);
}

static int row_import(void *context, const struct csv_row *row)
{
    struct event_import *import = context;
    struct proto_fault fault = {.code = PROTO_OK};
    struct event events[EVENT_ROW_MAX];
    size_t count = 0;
    size_t column = SIZE_MAX;
    import->rows++;
    if (row->bad) {
        notes_refuse(&import->notes,
                     (struct note_place){row->bad_line, row->bad_column, row->bad_name},
                     row->message);
        return EX_OK;
    }
    if (!event_map_read(&import->map, row, import->now_ms, events, &count, &column, &fault)) {
        if (fault.code == PROTO_NO_MEMORY) {
            return cli_fault(import->cli, &fault);
        }
        row_refuse(import, row, column, &fault);
        return EX_OK;
    }
    import->silent += count == 0;
    int status = EX_OK;
    for (size_t i = 0; i < count && status == EX_OK; i++) {
        status = event_sender_add(&import->sender, proto_span_text(import->map.account), &events[i],
                                  row->line);
    }
    return status;
}

/* Accounts that are not there; *named: as a list of their names, the first of them in `text`. */
static size_t nobodies(const struct event_import *import, char *text, size_t text_bytes)
{
    const struct event_accounts *accounts = &import->accounts;
    size_t count = 0;
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < accounts->names.count; i++) {
        const struct text_entry *name = &accounts->names.entries[i];
        if (accounts->states[i].owner != OWNER_NOBODY || count++ >= NOBODIES_SHOWN) {
            continue;
        }
        int bytes =
            snprintf(text + used, text_bytes - used, "%s'%.*s' (%zu, first on line %zu)",
                     used > 0 ? ", " : "", (int)(name->text.bytes < 60 ? name->text.bytes : 60),
                     (const char *)name->text.data, name->count, name->line);
        used += bytes > 0 && (size_t)bytes < text_bytes - used ? (size_t)bytes : 0;
    }
    return count;
}

static json_t *nobodies_json(const struct event_import *import)
{
    json_t *list = json_array();
    for (size_t i = 0; i < import->accounts.names.count; i++) {
        const struct text_entry *name = &import->accounts.names.entries[i];
        if (import->accounts.states[i].owner == OWNER_NOBODY) {
            json_array_append_new(list,
                                  json_stringn((const char *)name->text.data, name->text.bytes));
        }
    }
    return list;
}

static int result_print(const struct event_import *import, int status)
{
    const struct cli *cli = import->cli;
    const struct event_sender *sender = &import->sender;
    char counts[5][OUT_NUMBER_BYTES];
    char names[640];
    if (cli->style.form == OUT_JSON) {
        json_t *json = json_pack(
            "{s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:s}", "rows", (json_int_t)import->rows,
            "new", (json_int_t)sender->created, "told", (json_int_t)sender->told, "refused",
            (json_int_t)import->notes.refused, "silent", (json_int_t)import->silent, "seq",
            (json_int_t)sender->seq, "dry_run", sender->dry, "unknown_accounts",
            nobodies_json(import), "import", import->mark.id);
        int printed = cli_json(cli, json);
        return status != EX_OK ? status : printed;
    }
    size_t nobody = nobodies(import, names, sizeof names);
    cli_print(cli, "%s rows: %s events new%s, %s told already, %s refused, %s rows tell nothing\n",
              out_count(import->rows, counts[0]), out_count(sender->created, counts[1]),
              sender->dry ? " (dry run, nothing stored)" : "", out_count(sender->told, counts[2]),
              out_count(import->notes.refused, counts[3]), out_count(import->silent, counts[4]));
    if (nobody > 0) {
        cli_print(cli, "%s accounts are not there: %s%s\n", out_count(nobody, counts[0]), names,
                  nobody > NOBODIES_SHOWN ? ", …" : "");
    }
    if (import->mark.id[0] != '\0') {
        cli_print(cli, "import %s: 'icp import undo' takes it back\n", import->mark.id);
    }
    return status;
}

static int sender_plan(struct event_import *import, struct icp_client *client)
{
    const struct cli *cli = import->cli;
    uint64_t batch = 0;
    struct timespec now;
    if (!cli_number(cli, CLI_EVENT_IMPORT_BATCH, 1, PROTO_BATCH_EVENTS_MAX, 2000, &batch)) {
        return EX_USAGE;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    import->now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    bool dry = cli_has(cli, CLI_EVENT_IMPORT_DRY_RUN);
    import->sender = (struct event_sender){.cli = cli,
                                           .client = client,
                                           .accounts = &import->accounts,
                                           .notes = &import->notes,
                                           .source = import->map.source,
                                           .import = import->mark.id,
                                           .batch_events = batch,
                                           .as_key = import->map.key.name_space[0] != '\0',
                                           .dry = dry};
    int status = event_accounts_open(&import->accounts, cli, client, dry);
    return status == EX_OK ? event_sender_begin(&import->sender) : status;
}

static int import_run(struct event_import *import)
{
    const struct cli *cli = import->cli;
    int status = notes_begin(&import->notes, cli, csv_name(import->input),
                             cli_text(cli, CLI_EVENT_IMPORT_REJECTS));
    if (status != EX_OK) {
        return status;
    }
    if (event_map_makes_ids(&import->map)) {
        cli_say(cli, "no --id is told: each event is known by a digest of what its row tells, so "
                     "the file can be imported again, but a row that was changed tells a second "
                     "event");
    }
    struct icp_client *client = import->sender.client;
    if (!import->sender.dry) {
        status = import_mark_begin(cli, client, cli_text(cli, CLI_EVENT_IMPORT_IMPORT_ID),
                                   csv_name(import->input), import->map.source, &import->mark);
    }
    if (status == EX_OK) {
        status = row_walk(import->cli, import->input, row_import, import);
    }
    if (status == EX_OK) {
        status = event_sender_finish(&import->sender);
    }
    if (status == EX_OK && !import->sender.dry) {
        status = import_mark_end(cli, client, &import->mark, import->notes.refused);
    }
    /* What was refused is told even if the import broke off. */
    int noted = notes_end(&import->notes);
    csv_told_end(cli, import->input);
    if (status == EX_OK) {
        status = noted;
    }
    if (status != EX_OK && !import->sender.dry) {
        cli_say(cli, "the import broke off; once that is mended the whole file can be imported "
                     "again, for events that are told already are no second ones");
    }
    if (status == EX_OK && import->sender.told > 0) {
        char name[IMPORT_MARK_NAME_BYTES];
        import_mark_name(csv_name(import->input), import->map.source, name);
        import_undone_ask(cli, client, name);
    }
    if (status == EX_OK && import->notes.refused > 0) {
        status = EX_DATAERR;
    }
    return result_print(import, status);
}

int cmd_event_import(struct cli *cli)
{
    struct event_import import = {.cli = cli};
    struct icp_client *client = NULL;
    int status = EX_OK;
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    import.input = csv_told_open(cli, cli->arguments[0], &status);
    if (import.input == NULL) {
        return status;
    }
    status = event_map_open(&import.map, cli, import.input);
    if (status == EX_OK) {
        client = cli_connect(cli, &status);
    }
    if (status == EX_OK) {
        status = sender_plan(&import, client);
    }
    if (status == EX_OK) {
        status = import_run(&import);
    }
    event_sender_end(&import.sender);
    event_accounts_close(&import.accounts);
    event_map_close(&import.map);
    icp_close(client);
    csv_close(import.input);
    return status;
}
