/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are read, sent and answered in a ring of requests in flight, and written out in the order of
 * the file. A fault of one row is told by its line and the row left out; any other ends the run,
 * and the file of results is not put in place. */
#include "tools/cli/lead_csv.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "server/feature/span_text.h"
#include "tools/cli/csv/csv_account.h"
#include "tools/cli/csv/key_column.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/import_note.h"
#include "tools/cli/remote_schema.h"
#include "tools/cli/row_walk.h"
#include "tools/cli/score_print.h"

#define PIPELINE_DEFAULT 256
#define PIPELINE_MOST 16384
#define REASONS_TEXT_BYTES 8192

/* One row in flight; own points into the file, which stays in memory. */
struct lead {
    uint32_t request_id;
    size_t line;
    struct proto_span own;
    size_t filled; /* cells that its end lacks */
};

struct lead_run {
    const struct cli *cli;
    struct icp_client *client;
    struct csv_input *input;
    struct feature_schema *schema;
    struct csv_map map;
    size_t id_column; /* SIZE_MAX: none */
    size_t email_column;
    bool has_key;
    struct key_column key;
    uint32_t version;
    uint32_t reasons; /* asked of the server */
    bool show_reasons;
    bool show_names;
    bool check;
    struct lead *leads; /* a ring of `depth` */
    size_t depth;
    size_t sent; /* rows sent and received so far */
    size_t received;
    struct icp_payload *values;
    struct icp_score score;
    struct import_notes notes;
    FILE *out;
    size_t found;
    size_t wrong; /* sums that did not add up */
};

/* A file of leads may well have a column `name` of its own. */
static const char name_column[] = "account_name";

static struct proto_span line_without_end(struct proto_span raw)
{
    while (raw.bytes > 0 && (raw.data[raw.bytes - 1] == '\n' || raw.data[raw.bytes - 1] == '\r')) {
        raw.bytes--;
    }
    return raw;
}

/* The row's own cells anew, each guarded against being run as a formula. */
static void cells_guard(FILE *out, struct proto_span own, char separator)
{
    uint8_t *cell = malloc(own.bytes + 1);
    size_t bytes = 0;
    bool open = false;
    for (size_t i = 0; cell != NULL && i <= own.bytes; i++) {
        bool ends = i == own.bytes || (!open && own.data[i] == (uint8_t)separator);
        if (ends) {
            out_csv_cell(out, (struct proto_span){cell, bytes}, separator, true);
            bytes = 0;
            if (i < own.bytes) {
                fputc(separator, out);
            }
        } else if (own.data[i] != '"') {
            cell[bytes++] = own.data[i];
        } else {
            /* A doubled quote within quotes is one. */
            if (open && i + 1 < own.bytes && own.data[i + 1] == '"') {
                cell[bytes++] = own.data[i++];
            } else {
                open = !open;
            }
        }
    }
    free(cell);
}

static void row_write(struct lead_run *run, const struct lead *lead)
{
    const struct icp_score *score = &run->score;
    char separator = csv_separator(run->input);
    if (run->cli->style.spreadsheet) {
        cells_guard(run->out, lead->own, separator);
    } else {
        fwrite(lead->own.data, 1, lead->own.bytes, run->out);
    }
    for (size_t i = 0; i < lead->filled; i++) {
        fputc(separator, run->out);
    }
    fprintf(run->out, "%c%.4f%c%.9f%c%c%c%lld", separator, score->fit, separator, score->p,
            separator, score->grade, separator, (long long)score->raw);
    if (run->show_reasons) {
        char text[REASONS_TEXT_BYTES];
        score_reasons_text(score, text, sizeof text);
        fputc(separator, run->out);
        out_csv_cell(run->out, proto_span_text(text), separator, run->cli->style.spreadsheet);
    }
    if (run->show_names) {
        struct icp_text name = icp_reply_text(&score->reply, "name");
        fputc(separator, run->out);
        out_csv_cell(run->out, (struct proto_span){(const uint8_t *)name.data, name.bytes},
                     separator, run->cli->style.spreadsheet);
    }
    fputc('\n', run->out);
}

/* Takes the answer of the oldest row in flight: rows come out in the order of the file. */
static int lead_receive(struct lead_run *run)
{
    const struct lead *lead = &run->leads[run->received % run->depth];
    struct icp_fault fault;
    run->received++;
    if (!icp_score_receive(run->client, lead->request_id, 0, &run->score, &fault)) {
        /* A fault of the row's own is told by line; any other ends the run. */
        bool own = fault.code == ICP_BAD_FIELD || fault.code == ICP_NOT_FOUND ||
                   fault.code == ICP_MISSING_FIELD;
        if (!own) {
            return cli_icp_fault(run->cli, &fault);
        }
        notes_refuse(&run->notes, (struct note_place){lead->line, 0, fault.field}, fault.message);
        return EX_OK;
    }
    run->found += run->score.found;
    if (run->check && !score_adds_up(&run->score)) {
        run->wrong++;
        cli_say(run->cli, "%s, line %zu: intercept + contributions differ from the raw score",
                csv_name(run->input), lead->line);
    }
    row_write(run, lead);
    return EX_OK;
}

/* The server takes one of id, key and email: the surest that the row has. */
static void name_fill(struct lead_run *run, const struct csv_row *row, struct icp_query *query,
                      char text[PROTO_ID_BYTES_MAX + 1])
{
    struct proto_span id = {0};
    struct proto_span email = {0};
    if (run->id_column != SIZE_MAX) {
        id = feature_text_trim(row->cells[run->id_column]);
    }
    if (run->email_column != SIZE_MAX) {
        email = feature_text_trim(row->cells[run->email_column]);
    }
    if (id.bytes > 0 && id.bytes <= PROTO_ID_BYTES_MAX) {
        snprintf(text, PROTO_ID_BYTES_MAX + 1, "%.*s", (int)id.bytes, (const char *)id.data);
        query->id = text;
    } else if (run->has_key && key_column_address(&run->key, row->cells[run->key.column], text)) {
        query->email = text;
    } else if (run->has_key &&
               key_column_make(&run->key, row->cells[run->key.column], text) == KEY_MADE) {
        query->key = text;
    } else if (email.bytes > 0 && email.bytes <= PROTO_ID_BYTES_MAX) {
        snprintf(text, PROTO_ID_BYTES_MAX + 1, "%.*s", (int)email.bytes, (const char *)email.data);
        query->email = text;
    }
}

static int lead_send(struct lead_run *run, const struct csv_row *row)
{
    char text[PROTO_ID_BYTES_MAX + 1];
    struct icp_query query = {ICP_QUERY, .values = run->values, .icp = run->version,
                              .reasons = run->reasons, .names = run->show_names};
    struct icp_fault fault;
    name_fill(run, row, &query, text);
    icp_payload_reset(run->values);
    csv_map_write(&run->map, run->values);
    uint32_t id = icp_score_send(run->client, &query, &fault);
    if (id == 0) {
        return cli_icp_fault(run->cli, &fault);
    }
    run->leads[run->sent++ % run->depth] = (struct lead){id, row->line, row->own, row->filled};
    return EX_OK;
}

/* The value is missing then; the row is scored without it. */
static void on_bad_cell(void *context, const struct csv_row *row,
                        const struct csv_cell_fault *fault)
{
    struct lead_run *run = context;
    struct note_place place = {row->line, 0, csv_column(run->input, fault->column)};
    csv_cell_place(run->input, row, fault->column, &place.line, &place.column);
    notes_cell(&run->notes, place, fault->fault.message);
}

static int row_score(void *context, const struct csv_row *row)
{
    struct lead_run *run = context;
    if (row->bad) {
        notes_refuse(&run->notes,
                     (struct note_place){row->bad_line, row->bad_column, row->bad_name},
                     row->message);
        return EX_OK;
    }
    if (!csv_map_read(&run->map, row, on_bad_cell, run)) {
        return cli_fail(run->cli, EX_OSERR, "no memory for line %zu", row->line);
    }
    int status = run->sent - run->received == run->depth ? lead_receive(run) : EX_OK;
    return status == EX_OK ? lead_send(run, row) : status;
}

static int rows_score(struct lead_run *run)
{
    int status = row_walk(run->cli, run->input, row_score, run);
    while (status == EX_OK && run->received < run->sent) {
        status = lead_receive(run);
    }
    return status;
}

static void header_write(struct lead_run *run)
{
    struct proto_span header = line_without_end(csv_header(run->input));
    char separator = csv_separator(run->input);
    if (csv_has_mark(run->input)) {
        fputs("\xef\xbb\xbf", run->out);
    }
    fwrite(header.data, 1, header.bytes, run->out);
    fprintf(run->out, "%cfit%cp%cgrade%craw", separator, separator, separator, separator);
    if (run->show_reasons) {
        fprintf(run->out, "%creasons", separator);
    }
    if (run->show_names) {
        fprintf(run->out, "%c%s", separator, name_column);
    }
    fputc('\n', run->out);
}

/* A column named on the command line must be there; a usual one is taken if it is. */
static int column_find(struct lead_run *run, enum cli_option_id option, const char *usual,
                       size_t *column)
{
    const char *name = cli_text(run->cli, option);
    *column = SIZE_MAX;
    if (name == NULL && usual != NULL) {
        *column = csv_column_find(run->input, usual);
    }
    if (name == NULL) {
        return EX_OK;
    }
    *column = csv_column_find(run->input, name);
    if (*column != SIZE_MAX) {
        return EX_OK;
    }
    struct proto_fault fault;
    (void)csv_column_absent(run->input, cli_options()[option].name, name, &fault);
    return cli_fault(run->cli, &fault);
}

static int names_find(struct lead_run *run)
{
    assert(run->schema != NULL);
    run->id_column = run->email_column = SIZE_MAX;
    if (cli_has(run->cli, CLI_SCORE_VALUES_ONLY)) {
        return EX_OK;
    }
    struct proto_fault fault;
    int status = column_find(run, CLI_SCORE_ID, run->schema->id_column, &run->id_column);
    if (status == EX_OK) {
        status = column_find(run, CLI_SCORE_EMAIL, "email", &run->email_column);
    }
    const char *key = cli_text(run->cli, CLI_SCORE_KEY);
    if (status == EX_OK && key != NULL) {
        status = key_column_parse(run->input, "key", key, &run->key, &fault)
                     ? EX_OK
                     : cli_fault(run->cli, &fault);
    }
    run->has_key = status == EX_OK && key != NULL;
    for (size_t i = 0; status == EX_OK && i < run->schema->key_count && !run->has_key; i++) {
        run->key.column = csv_column_find(run->input, run->schema->keys[i].column);
        run->has_key = run->key.column != SIZE_MAX;
        snprintf(run->key.name_space, sizeof run->key.name_space, "%s",
                 run->schema->keys[i].name_space);
    }
    return status;
}

static int options_read(struct lead_run *run)
{
    const struct cli *cli = run->cli;
    uint64_t reasons = 0;
    uint64_t version = 0;
    uint64_t depth = 0;
    if (!cli_number(cli, CLI_SCORE_REASONS, 0, PROTO_COLUMNS_MAX, 0, &reasons) ||
        !cli_number(cli, CLI_SCORE_ICP, 1, UINT32_MAX, 0, &version) ||
        !cli_number(cli, CLI_SCORE_PIPELINE, 1, PIPELINE_MOST, PIPELINE_DEFAULT, &depth)) {
        return EX_USAGE;
    }
    if (cli_has(cli, CLI_SCORE_SET)) {
        return cli_fail(cli, EX_USAGE, "--set does not go with --csv: the file has the values");
    }
    run->check = cli_has(cli, CLI_SCORE_CHECK);
    run->show_reasons = reasons > 0;
    run->show_names = cli_has(cli, CLI_SCORE_NAMES);
    run->reasons = (uint32_t)(run->check && reasons == 0 ? PROTO_COLUMNS_MAX : reasons);
    run->version = (uint32_t)version;
    run->depth = depth;
    return EX_OK;
}

/* A file scored before has the columns already; two of one name would make it unreadable. */
static int columns_check(const struct lead_run *run)
{
    const char *const added[] = {"fit",
                                 "p",
                                 "grade",
                                 "raw",
                                 run->show_reasons ? "reasons" : "raw",
                                 run->show_names ? name_column : "raw"};
    for (size_t i = 0; i < sizeof added / sizeof *added; i++) {
        for (size_t c = 0; c < csv_column_count(run->input); c++) {
            if (strcmp(csv_column(run->input, c), added[i]) == 0) {
                return cli_fail(run->cli, EX_DATAERR,
                                "%s has a column '%s' already, which this command adds",
                                csv_name(run->input), added[i]);
            }
        }
    }
    return EX_OK;
}

static int run_prepare(struct lead_run *run)
{
    int status = columns_check(run);
    if (status == EX_OK) {
        status = names_find(run);
    }
    if (status != EX_OK) {
        return status;
    }
    if (run->show_names && run->schema->name == NULL) {
        cli_say(run->cli,
                "no field of the schema names accounts, so %s is empty: 'name' of the "
                "schema says which one does",
                name_column);
    }
    assert(run->depth > 0);
    run->leads = calloc(run->depth, sizeof *run->leads);
    run->values = icp_payload_create();
    if (!csv_map_init(&run->map, run->schema, run->input) || run->leads == NULL ||
        run->values == NULL) {
        return cli_fail(run->cli, EX_OSERR, "no memory");
    }
    bool named = run->id_column != SIZE_MAX || run->email_column != SIZE_MAX || run->has_key;
    if (run->map.field_count == 0 && !named) {
        return cli_fail(
            run->cli, EX_DATAERR,
            "no column of %s is a field of the schema, an id, a key or an email address",
            csv_name(run->input));
    }
    return notes_begin(&run->notes, run->cli, csv_name(run->input), NULL);
}

static int run_all(struct lead_run *run, struct out_file *output)
{
    int status = run_prepare(run);
    if (status != EX_OK) {
        return status;
    }
    struct timespec start;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    run->out = output->file;
    header_write(run);
    status = rows_score(run);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds =
        (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    int noted = notes_end(&run->notes);
    csv_told_end(run->cli, run->input);
    if (status == EX_OK) {
        status = noted;
    }
    if (status == EX_OK) {
        status = cli_file_commit(run->cli, output);
    }
    if (status != EX_OK) {
        return status;
    }
    cli_say(run->cli,
            "%zu rows sent, %zu of a stored account, %zu refused, in %.2f s (%.0f a second)",
            run->sent, run->found, run->notes.refused, seconds,
            seconds > 0 ? (double)run->sent / seconds : 0);
    if (run->wrong > 0) {
        return cli_fail(run->cli, EX_SOFTWARE, "%zu rows do not add up", run->wrong);
    }
    if (run->check) {
        cli_say(run->cli, "intercept + contributions = raw score for every row: checked");
    }
    return run->notes.refused > 0 ? EX_DATAERR : EX_OK;
}

int score_csv(const struct cli *cli)
{
    struct lead_run run = {.cli = cli};
    struct out_file output = {0};
    int status = options_read(&run);
    if (status != EX_OK) {
        return status;
    }
    if (!cli_has(cli, CLI_SCORE_OUT)) {
        return cli_fail(cli, EX_USAGE, "--out FILE is needed with --csv; - is standard output");
    }
    run.input = csv_told_open(cli, cli_text(cli, CLI_SCORE_CSV), &status);
    if (run.input == NULL) {
        return status;
    }
    run.client = cli_connect(cli, &status);
    if (run.client != NULL) {
        run.schema = schema_from_server(cli, run.client, &status);
    }
    if (status == EX_OK) {
        status = cli_file_begin(cli, cli_text(cli, CLI_SCORE_OUT), &output);
    }
    if (status == EX_OK) {
        status = run_all(&run, &output);
    }
    out_file_abandon(&output);
    icp_payload_destroy(run.values);
    icp_score_fini(&run.score);
    free(run.leads);
    csv_map_fini(&run.map);
    feature_schema_release(run.schema);
    icp_close(run.client);
    csv_close(run.input);
    return status;
}
