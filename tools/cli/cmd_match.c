/* SPDX-License-Identifier: Apache-2.0 */
/* icp match: which accounts the rows of a file may mean. Rows go to the server in batches; what
 * comes back is a sheet (match_sheet.h) for a person to review. A key links by itself, a name never
 * does. With --stored the accounts are held against each other (match_stored.h). */
#include <stdlib.h>
#include <string.h>

#include "server/feature/span_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/csv/key_column.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/match_review.h"
#include "tools/cli/match_stored.h"

#define MATCH_MS (600 * 1000)      /* for one batch */
#define BATCH_BYTES_MAX (2U << 20) /* of names and keys in a request, far below a frame */
#define CANDIDATES_DEFAULT 3

/* A row that waits for its answer. */
struct match_row {
    size_t line;
    char *name;
    char key[KEY_BYTES]; /* the row's own, "" if it has none */
};

struct match_run {
    const struct cli *cli;
    struct icp_client *client;
    struct csv_input *input;
    struct icp_payload *payload;
    size_t name_column;
    size_t country_column; /* SIZE_MAX: none */
    struct key_column keys[PROTO_KEYS_MAX];
    size_t key_count;
    bool has_own; /* keys[0] is the row's own id */
    struct match_row *rows;
    size_t row_count;
    size_t bytes;
    uint64_t candidates;
    struct sheet sheet;
    size_t bad;
};

static int column_find(const struct match_run *run, enum cli_option_id option, size_t *column)
{
    const char *name = cli_text(run->cli, option);
    struct proto_fault fault;
    *column = name != NULL ? csv_column_find(run->input, name) : SIZE_MAX;
    if (name == NULL || *column != SIZE_MAX) {
        return EX_OK;
    }
    (void)csv_column_absent(run->input, cli_options()[option].name, name, &fault);
    return cli_fault(run->cli, &fault);
}

static int keys_find(struct match_run *run)
{
    static const enum cli_option_id options[] = {CLI_MATCH_AS, CLI_MATCH_KEY};
    struct proto_fault fault;
    for (size_t o = 0; o < 2; o++) {
        size_t at = 0;
        const char *text;
        while ((text = cli_each(run->cli, options[o], &at)) != NULL) {
            if (run->key_count == PROTO_KEYS_MAX || (o == 0 && run->has_own)) {
                return cli_fail(run->cli, EX_USAGE, "--%s: given too often",
                                cli_options()[options[o]].name);
            }
            if (!key_column_parse(run->input, cli_options()[options[o]].name, text,
                                  &run->keys[run->key_count], &fault)) {
                return cli_fault(run->cli, &fault);
            }
            run->key_count++;
            run->has_own |= o == 0;
        }
    }
    return EX_OK;
}

static int columns_find(struct match_run *run)
{
    if (!cli_has(run->cli, CLI_MATCH_NAME)) {
        return cli_fail(run->cli, EX_USAGE, "--name COLUMN: which column holds the names?");
    }
    int status = column_find(run, CLI_MATCH_NAME, &run->name_column);
    if (status == EX_OK) {
        status = column_find(run, CLI_MATCH_COUNTRY, &run->country_column);
    }
    return status == EX_OK ? keys_find(run) : status;
}

static void text_write(struct match_run *run, const char *name, struct proto_span text)
{
    icp_payload_text_n(run->payload, name, (struct icp_text){(const char *)text.data, text.bytes});
    run->bytes += text.bytes;
}

static void request_begin(struct match_run *run)
{
    const struct cli *cli = run->cli;
    icp_payload_reset(run->payload);
    icp_payload_uint(run->payload, "candidates", run->candidates);
    if (cli_has(cli, CLI_MATCH_FIELD)) {
        icp_payload_text(run->payload, "field", cli_text(cli, CLI_MATCH_FIELD));
    }
    if (cli_has(cli, CLI_MATCH_COUNTRY_FIELD)) {
        icp_payload_text(run->payload, "country_field", cli_text(cli, CLI_MATCH_COUNTRY_FIELD));
    }
    icp_payload_list_begin(run->payload, "rows");
    run->bytes = 0;
}

/* The row goes into the request, and what is needed of it later stays here. */
static int row_add(struct match_run *run, const struct csv_row *row)
{
    struct match_row *kept = &run->rows[run->row_count];
    struct proto_span name = feature_text_trim(row->cells[run->name_column]);
    name.bytes = name.bytes > PROTO_CATEGORY_BYTES_MAX ? PROTO_CATEGORY_BYTES_MAX : name.bytes;
    kept->line = row->line;
    kept->key[0] = '\0';
    kept->name = strndup(name.bytes > 0 ? (const char *)name.data : "", name.bytes);
    if (kept->name == NULL) {
        return cli_fail(run->cli, EX_OSERR, "no memory for line %zu", row->line);
    }
    run->row_count++;
    icp_payload_map_begin(run->payload, NULL);
    icp_payload_text(run->payload, "name", kept->name);
    run->bytes += name.bytes;
    if (run->country_column != SIZE_MAX) {
        struct proto_span country = feature_text_trim(row->cells[run->country_column]);
        if (country.bytes > 0 && country.bytes <= PROTO_CATEGORY_BYTES_MAX) {
            text_write(run, "country", country);
        }
    }
    icp_payload_list_begin(run->payload, "keys");
    for (size_t i = 0; i < run->key_count; i++) {
        char key[KEY_BYTES];
        struct proto_span cell = row->cells[run->keys[i].column];
        if (key_column_make(&run->keys[i], cell, key) == KEY_MADE) {
            text_write(run, NULL, proto_span_text(key));
            if (i == 0 && run->has_own) {
                memcpy(kept->key, key, sizeof key);
            }
        }
    }
    icp_payload_list_end(run->payload);
    icp_payload_map_end(run->payload);
    return EX_OK;
}

static bool line_add(struct match_run *run, const struct match_row *row,
                     const struct icp_value *candidate)
{
    static const char *const members[] = {"match", "id", "name", "score", "why"};
    static const enum sheet_column columns[] = {SHEET_MATCH, SHEET_ID, SHEET_ACCOUNT, SHEET_SCORE,
                                                SHEET_WHY};
    char line[24];
    char *copies[5] = {NULL};
    const char *texts[SHEET_COLUMNS] = {line, row->name, row->key, "none", "", "", "", "", ""};
    bool good = true;
    snprintf(line, sizeof line, "%zu", row->line);
    for (size_t i = 0; candidate != NULL && i < 5; i++) {
        struct icp_value value = {0};
        (void)icp_value_get(candidate, members[i], &value);
        if (value.kind == ICP_KIND_TEXT) {
            copies[i] = strndup(value.text.data, value.text.bytes);
        } else if (asprintf(&copies[i], "%.4f", value.number) < 0) {
            copies[i] = NULL;
        }
        good &= copies[i] != NULL;
        texts[columns[i]] = copies[i];
    }
    good = good && sheet_add(&run->sheet, texts);
    for (size_t i = 0; i < 5; i++) {
        free(copies[i]);
    }
    return good;
}

static bool answers_take(struct match_run *run, const struct icp_reply *reply)
{
    struct icp_value rows;
    struct icp_value answer;
    struct icp_value list;
    struct icp_value candidate;
    (void)icp_reply_get(reply, "rows", &rows);
    struct icp_walk walk = icp_walk_over(&rows);
    for (size_t i = 0; i < run->row_count; i++) {
        bool any = false;
        if (icp_next(&walk, NULL, &answer) && icp_value_get(&answer, "candidates", &list)) {
            struct icp_walk candidates = icp_walk_over(&list);
            while (icp_next(&candidates, NULL, &candidate)) {
                any = true;
                if (!line_add(run, &run->rows[i], &candidate)) {
                    return false;
                }
            }
        }
        if (!any && !line_add(run, &run->rows[i], NULL)) {
            return false;
        }
    }
    return true;
}

static void rows_drop(struct match_run *run)
{
    for (size_t i = 0; i < run->row_count; i++) {
        free(run->rows[i].name);
    }
    run->row_count = 0;
}

static int batch_send(struct match_run *run)
{
    struct icp_reply reply = {0};
    int status = EX_OK;
    icp_payload_list_end(run->payload);
    if (run->row_count == 0) {
        return EX_OK;
    }
    if (!icp_call_within(run->client, ICP_OP_MATCH, run->payload, MATCH_MS, &reply)) {
        status = cli_icp_fault(run->cli, &reply.fault);
    } else if (!answers_take(run, &reply)) {
        status = cli_fail(run->cli, EX_OSERR, "no memory for the candidates");
    }
    icp_reply_fini(&reply);
    rows_drop(run);
    return status;
}

static int rows_match(struct match_run *run)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    char place[CSV_PLACE_BYTES];
    int status = EX_OK;
    request_begin(run);
    while (status == EX_OK && csv_next(run->input, &row, &fault)) {
        if (row.bad) {
            run->bad++;
            cli_say(run->cli, "%s: %s; the row is passed over",
                    csv_row_place(run->input, &row, place, sizeof place), row.message);
            continue;
        }
        status = row_add(run, &row);
        if (status == EX_OK &&
            (run->row_count == PROTO_MATCH_ROWS_MAX || run->bytes > BATCH_BYTES_MAX)) {
            status = batch_send(run);
            request_begin(run);
        }
    }
    if (status == EX_OK && fault.code != PROTO_OK) {
        return cli_fault(run->cli, &fault);
    }
    return status == EX_OK ? batch_send(run) : status;
}

static int sheet_put(const struct match_run *run)
{
    const char *path = cli_text(run->cli, CLI_MATCH_OUT);
    struct out_file output;
    int status = cli_file_begin(run->cli, path != NULL ? path : "-", &output);
    if (status != EX_OK) {
        return status;
    }
    sheet_write(&run->sheet, output.file, run->cli->style.spreadsheet);
    status = cli_file_commit(run->cli, &output);
    if (status == EX_OK) {
        tally_say(run->cli, &run->sheet);
    }
    return status == EX_OK && run->bad > 0 ? EX_DATAERR : status;
}

static int run_all(struct match_run *run)
{
    int status = columns_find(run);
    if (status == EX_OK) {
        run->client = cli_connect(run->cli, &status);
    }
    if (status != EX_OK) {
        return status;
    }
    run->payload = icp_payload_create();
    run->rows = calloc(PROTO_MATCH_ROWS_MAX, sizeof *run->rows);
    if (run->payload == NULL || run->rows == NULL) {
        return cli_fail(run->cli, EX_OSERR, "no memory");
    }
    status = rows_match(run);
    csv_told_end(run->cli, run->input);
    return status == EX_OK ? sheet_put(run) : status;
}

/* Some options are of a file, some of stored accounts. */
static bool options_fit(const struct cli *cli, bool stored)
{
    static const enum cli_option_id of_file[] = {
        CLI_MATCH_NAME,      CLI_MATCH_AS,       CLI_MATCH_KEY,          CLI_MATCH_COUNTRY,
        CLI_MATCH_SEPARATOR, CLI_MATCH_ENCODING, CLI_MATCH_COUNTRY_FIELD};
    static const enum cli_option_id of_stored[] = {CLI_MATCH_SAME, CLI_MATCH_FILTER};
    const enum cli_option_id *list = stored ? of_file : of_stored;
    size_t count = stored ? sizeof of_file / sizeof *of_file : sizeof of_stored / sizeof *of_stored;
    for (size_t i = 0; i < count; i++) {
        if (cli_has(cli, list[i])) {
            (void)cli_fail(cli, EX_USAGE, "--%s goes with %s", cli_options()[list[i]].name,
                           stored ? "a file, not with --stored" : "--stored");
            return false;
        }
    }
    return true;
}

int cmd_match(struct cli *cli)
{
    struct match_run *run = calloc(1, sizeof *run);
    int status = EX_OK;
    if (run == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    run->cli = cli;
    bool stored = cli_has(cli, CLI_MATCH_STORED);
    if (!cli_arguments(cli, !stored, !stored) || !options_fit(cli, stored) ||
        !cli_number(cli, CLI_MATCH_CANDIDATES, 1, PROTO_MATCH_CANDIDATES_MAX, CANDIDATES_DEFAULT,
                    &run->candidates)) {
        status = EX_USAGE;
    } else if (stored) {
        status = match_stored(cli, &run->sheet);
        status = status == EX_OK ? sheet_put(run) : status;
    } else {
        run->input = csv_told_open(cli, cli->arguments[0], &status);
    }
    if (run->input != NULL) {
        status = run_all(run);
        csv_close(run->input);
    }
    rows_drop(run);
    sheet_fini(&run->sheet);
    icp_payload_destroy(run->payload);
    icp_close(run->client);
    free(run->rows);
    free(run);
    return status;
}
