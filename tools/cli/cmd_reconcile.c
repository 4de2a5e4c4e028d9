/* SPDX-License-Identifier: Apache-2.0 */
/* icp reconcile: the server's accounts are read page by page, then each row of the file is held
 * against the account that it is of. Rows that cannot be read, columns and fields that there are
 * none of, and rows of one account twice are told. Nothing is written on either side. */
#include <math.h>
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/csv/csv_form.h"
#include "tools/cli/csv/key_column.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/reconcile.h"

enum { PAGE_MOST = 10000, KEYS_AT_ONCE = 500, TEXT_BYTES = 160 };

struct label {
    char field[PROTO_FIELD_NAME_BYTES_MAX + 1];
    size_t column;
};

/* A row whose account is asked for by its key. */
struct waiting {
    size_t line;
    char key[KEY_BYTES];
    char fit[TEXT_BYTES], grade[TEXT_BYTES];
    char labels[RECONCILE_LABELS_MAX][TEXT_BYTES];
};

struct run {
    const struct cli *cli;
    struct icp_client *client;
    struct icp_payload *payload;
    struct icp_reply reply;
    struct csv_input *input;
    struct reconcile_side side;
    size_t id, fit, grade; /* columns; SIZE_MAX: none */
    struct key_column key;
    bool by_key;
    enum csv_decimal decimal;
    struct label labels[RECONCILE_LABELS_MAX];
    size_t label_count;
    double within;
    uint64_t limit, shown;
    struct waiting *waiting;
    size_t waiting_count;
    struct out_table table;
    uint64_t rows, same, differing, unknown, twice, unread, absent;
};

static int column_find(struct run *run, enum cli_option_id option, size_t *column)
{
    const char *name = cli_text(run->cli, option);
    struct proto_fault fault = {.code = PROTO_OK};
    *column = name != NULL ? csv_column_find(run->input, name) : SIZE_MAX;
    if (name != NULL && *column == SIZE_MAX) {
        (void)csv_column_absent(run->input, cli_options()[option].name, name, &fault);
        return cli_fault(run->cli, &fault);
    }
    return EX_OK;
}

static int label_read(struct run *run, const char *text)
{
    const char *sign = strchr(text, '=');
    struct label *label = &run->labels[run->label_count];
    struct proto_fault fault = {.code = PROTO_OK};
    size_t bytes = sign != NULL ? (size_t)(sign - text) : 0;
    if (bytes == 0 || bytes >= sizeof label->field || sign[1] == '\0') {
        return cli_fail(run->cli, EX_USAGE, "--label is FIELD=COLUMN, not '%s'", text);
    }
    if (run->label_count == RECONCILE_LABELS_MAX) {
        return cli_fail(run->cli, EX_USAGE, "--label: at most %d are held against each other",
                        RECONCILE_LABELS_MAX);
    }
    memcpy(label->field, text, bytes);
    label->field[bytes] = '\0';
    label->column = csv_column_find(run->input, sign + 1);
    if (label->column == SIZE_MAX) {
        (void)csv_column_absent(run->input, "label", sign + 1, &fault);
        return cli_fault(run->cli, &fault);
    }
    run->label_count++;
    return EX_OK;
}

/* --key crm is --key crm=crm. */
static int key_read(struct run *run, const char *text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    char whole[2 * (FEATURE_NAMESPACE_BYTES_MAX + 1)];
    if (strchr(text, '=') == NULL && strlen(text) <= FEATURE_NAMESPACE_BYTES_MAX) {
        (void)snprintf(whole, sizeof whole, "%s=%s", text, text);
        text = whole;
    }
    run->by_key = true;
    return key_column_parse(run->input, "key", text, &run->key, &fault)
               ? EX_OK
               : cli_fault(run->cli, &fault);
}

static int columns_read(struct run *run)
{
    const struct cli *cli = run->cli;
    const char *key = cli_text(cli, CLI_RECONCILE_KEY);
    const char *text = NULL;
    size_t at = 0;
    int status = EX_OK;
    if ((key != NULL) == cli_has(cli, CLI_RECONCILE_ID)) {
        return cli_fail(cli, EX_USAGE,
                        "give one of --id COLUMN and --key NAMESPACE=COLUMN: how rows are found");
    }
    if ((status = column_find(run, CLI_RECONCILE_ID, &run->id)) != EX_OK ||
        (status = column_find(run, CLI_RECONCILE_FIT, &run->fit)) != EX_OK ||
        (status = column_find(run, CLI_RECONCILE_GRADE, &run->grade)) != EX_OK ||
        (key != NULL && (status = key_read(run, key)) != EX_OK)) {
        return status;
    }
    while (status == EX_OK && (text = cli_each(cli, CLI_RECONCILE_LABEL, &at)) != NULL) {
        status = label_read(run, text);
    }
    return status;
}

/* ---- the server's side ---- */

static char *value_text(const struct icp_value *map, const char *field)
{
    struct icp_value value;
    char text[TEXT_BYTES] = "";
    if (icp_value_get(map, field, &value) && value.kind != ICP_KIND_NIL) {
        (void)icp_value_print(&value, text, sizeof text);
    }
    return strdup(text);
}

static int page_take(struct run *run)
{
    struct icp_value ids = {.count = 0};
    struct icp_value maps = {.count = 0};
    struct icp_value fit = {.text = {"", 0}};
    struct icp_value grade = {.text = {"", 0}};
    struct icp_value id;
    struct icp_value map;
    (void)icp_reply_get(&run->reply, "ids", &ids);
    (void)icp_reply_get(&run->reply, "values", &maps);
    (void)icp_reply_get(&run->reply, "fit", &fit);
    (void)icp_reply_get(&run->reply, "grade", &grade);
    struct icp_walk walk = icp_walk_over(&ids);
    struct icp_walk values = icp_walk_over(&maps);
    for (size_t row = 0; icp_next(&walk, NULL, &id); row++) {
        struct reconcile_account *account = reconcile_add(&run->side, id.text);
        float one = 0;
        bool there = icp_next(&values, NULL, &map);
        if (account == NULL) {
            return cli_fail(run->cli, EX_OSERR, "no memory for the accounts");
        }
        if (fit.text.bytes >= (row + 1) * sizeof one) {
            memcpy(&one, fit.text.data + row * sizeof one, sizeof one);
        }
        account->fit = (double)one;
        account->grade = grade.text.bytes > row ? grade.text.data[row] : '-';
        for (size_t label = 0; there && label < run->label_count; label++) {
            account->labels[label] = value_text(&map, run->labels[label].field);
        }
    }
    return EX_OK;
}

/* Where the next page begins; "": there is none. */
struct cursor {
    char text[512];
};

static int page_ask(struct run *run, struct cursor *cursor)
{
    const char *filter = cli_text(run->cli, CLI_RECONCILE_FILTER);
    struct icp_payload *payload = run->payload;
    icp_payload_reset(payload);
    icp_payload_text(payload, "filter", filter != NULL ? filter : "true");
    icp_payload_uint(payload, "limit", PAGE_MOST);
    icp_payload_flag(payload, "scores", run->fit != SIZE_MAX || run->grade != SIZE_MAX);
    if (run->label_count > 0) {
        icp_payload_list_begin(payload, "fields");
        for (size_t i = 0; i < run->label_count; i++) {
            icp_payload_text(payload, NULL, run->labels[i].field);
        }
        icp_payload_list_end(payload);
    }
    if (cursor->text[0] != '\0') {
        icp_payload_text(payload, "after", cursor->text);
    }
    int status = cli_call(run->cli, run->client, ICP_OP_FILTER, payload, &run->reply);
    struct icp_text next = icp_reply_text(&run->reply, "next");
    (void)snprintf(cursor->text, sizeof cursor->text, "%.*s", (int)next.bytes, next.data);
    return status == EX_OK ? page_take(run) : status;
}

static int side_read(struct run *run)
{
    struct cursor cursor = {""};
    int status = page_ask(run, &cursor);
    while (status == EX_OK && cursor.text[0] != '\0') {
        status = page_ask(run, &cursor);
    }
    return status;
}

/* ---- the file's side ---- */

static void difference_add(struct run *run, size_t line, const char *account, const char *what,
                           const char *here, const char *there)
{
    if (run->shown++ >= run->limit) {
        return;
    }
    if (line > 0) {
        out_cell_number(&run->table, "%zu", line);
    } else {
        out_cell_number(&run->table, "%s", "");
    }
    out_cell_text(&run->table, "%s", account);
    out_cell_text(&run->table, "%s", what);
    out_cell_text(&run->table, "%s", here);
    out_cell_text(&run->table, "%s", there);
}

static bool fit_differs(const struct run *run, const struct reconcile_account *account,
                        const char *text)
{
    uint8_t plain[TEXT_BYTES];
    double fit = 0;
    struct proto_span cell = csv_form_plain(run->decimal, proto_span_text(text), plain);
    return !feature_number_read(cell, &fit) || fabs(fit - account->fit) > run->within;
}

static bool text_same(const char *here, const char *there)
{
    struct proto_span a = feature_text_trim(proto_span_text(here));
    struct proto_span b = feature_text_trim(proto_span_text(there));
    return proto_span_equal(a, b);
}

static void row_compare(struct run *run, const struct waiting *row,
                        struct reconcile_account *account)
{
    bool differs = false;
    char here[TEXT_BYTES];
    if (account->line > 0) {
        (void)snprintf(here, sizeof here, "line %zu has it too", account->line);
        difference_add(run, row->line, account->id, "twice", here, "");
        run->twice++;
        return;
    }
    account->line = row->line;
    if (run->fit != SIZE_MAX && fit_differs(run, account, row->fit)) {
        (void)snprintf(here, sizeof here, "%.2f", account->fit);
        difference_add(run, row->line, account->id, "fit", here, row->fit);
        differs = true;
    }
    if (run->grade != SIZE_MAX) {
        const char grade[2] = {account->grade, '\0'};
        if (!text_same(grade, row->grade)) {
            difference_add(run, row->line, account->id, "grade", grade, row->grade);
            differs = true;
        }
    }
    for (size_t label = 0; label < run->label_count; label++) {
        const char *mine = account->labels[label] != NULL ? account->labels[label] : "";
        if (!text_same(mine, row->labels[label])) {
            difference_add(run, row->line, account->id, run->labels[label].field, mine,
                           row->labels[label]);
            differs = true;
        }
    }
    run->differing += differs;
    run->same += !differs;
}

static void row_match(struct run *run, const struct waiting *row, struct icp_text id)
{
    struct reconcile_account *account = id.bytes > 0 ? reconcile_find(&run->side, id) : NULL;
    if (account != NULL) {
        row_compare(run, row, account);
        return;
    }
    run->unknown++;
    difference_add(run, row->line, row->key,
                   id.bytes > 0 ? "not of the accounts asked for" : "absent here", "", row->grade);
}

/* Asks for the accounts of the keys that wait, all at once. */
static int keys_ask(struct run *run)
{
    struct icp_value scores = {.count = 0};
    struct icp_value score;
    if (run->waiting_count == 0) {
        return EX_OK;
    }
    icp_payload_reset(run->payload);
    icp_payload_uint(run->payload, "reasons", 1); /* with them comes the id */
    icp_payload_list_begin(run->payload, "leads");
    for (size_t i = 0; i < run->waiting_count; i++) {
        icp_payload_map_begin(run->payload, NULL);
        icp_payload_text(run->payload, "key", run->waiting[i].key);
        icp_payload_map_end(run->payload);
    }
    icp_payload_list_end(run->payload);
    int status = cli_call(run->cli, run->client, ICP_OP_SCORE_MANY, run->payload, &run->reply);
    if (status != EX_OK) {
        return status;
    }
    (void)icp_reply_get(&run->reply, "scores", &scores);
    struct icp_walk walk = icp_walk_over(&scores);
    for (size_t i = 0; i < run->waiting_count && icp_next(&walk, NULL, &score); i++) {
        struct icp_value id = {.text = {"", 0}};
        (void)icp_value_get(&score, "id", &id);
        row_match(run, &run->waiting[i], id.text);
    }
    run->waiting_count = 0;
    return EX_OK;
}

static void cell_copy(const struct csv_row *row, size_t column, char text[TEXT_BYTES])
{
    struct proto_span cell = {NULL, 0};
    if (column != SIZE_MAX && column < row->cell_count) {
        cell = feature_text_trim(row->cells[column]);
    }
    (void)snprintf(text, TEXT_BYTES, "%.*s", (int)cell.bytes, (const char *)cell.data);
}

static int row_take(struct run *run, const struct csv_row *row)
{
    struct waiting *waiting = &run->waiting[run->waiting_count];
    char id[KEY_BYTES];
    waiting->line = row->line;
    cell_copy(row, run->fit, waiting->fit);
    cell_copy(row, run->grade, waiting->grade);
    for (size_t i = 0; i < run->label_count; i++) {
        cell_copy(row, run->labels[i].column, waiting->labels[i]);
    }
    size_t column = run->by_key ? run->key.column : run->id;
    struct proto_span cell = feature_text_trim(row->cells[column]);
    (void)snprintf(id, sizeof id, "%.*s", (int)cell.bytes, (const char *)cell.data);
    if (run->by_key && key_column_make(&run->key, cell, waiting->key) != KEY_MADE) {
        (void)snprintf(waiting->key, sizeof waiting->key, "%.100s", id);
        row_match(run, waiting, (struct icp_text){"", 0});
        return EX_OK;
    }
    if (!run->by_key) {
        (void)snprintf(waiting->key, sizeof waiting->key, "%s", id);
        bool there = reconcile_find(&run->side, (struct icp_text){id, strlen(id)}) != NULL;
        row_match(run, waiting, (struct icp_text){id, there ? strlen(id) : 0});
        return EX_OK;
    }
    return ++run->waiting_count == KEYS_AT_ONCE ? keys_ask(run) : EX_OK;
}

/* How the numbers of the column of fit are written, by all of them. */
static int decimal_find(struct run *run)
{
    struct csv_votes votes = {0};
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    while (run->fit != SIZE_MAX && csv_next(run->input, &row, &fault)) {
        if (!row.bad && run->fit < row.cell_count) {
            (void)csv_form_vote(&votes, row.cells[run->fit], 1, row.line);
        }
    }
    csv_rewind(run->input);
    run->decimal = csv_decimal_told(run->input);
    if (run->decimal == CSV_DECIMAL_ANY) {
        run->decimal = csv_form_decide(&votes, &votes, csv_separator(run->input));
    }
    return fault.code == PROTO_OK ? EX_OK : cli_fault(run->cli, &fault);
}

static int rows_read(struct run *run)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    int status = decimal_find(run);
    while (status == EX_OK && csv_next(run->input, &row, &fault)) {
        char place[CSV_PLACE_BYTES];
        run->rows++;
        if (row.bad) {
            cli_say(run->cli, "%s: %s", csv_row_place(run->input, &row, place, sizeof place),
                    row.message);
            run->unread++;
            continue;
        }
        status = row_take(run, &row);
    }
    if (status == EX_OK && fault.code != PROTO_OK) {
        return cli_fault(run->cli, &fault);
    }
    return status == EX_OK ? keys_ask(run) : status;
}

/* Accounts of the server that no row is of. */
static void absent_tell(struct run *run)
{
    for (size_t i = 0; i < run->side.count; i++) {
        const struct reconcile_account *account = &run->side.accounts[i];
        if (account->line == 0) {
            const char grade[2] = {account->grade != '\0' ? account->grade : '-', '\0'};
            run->absent++;
            difference_add(run, 0, account->id, "absent there", grade, "");
        }
    }
}

static int told(struct run *run)
{
    cli_say(run->cli,
            "%llu rows: %llu the same, %llu that differ, %llu that no account here is of, %llu "
            "twice, %llu that cannot be read; %llu of %zu accounts here have no row",
            (unsigned long long)run->rows, (unsigned long long)run->same,
            (unsigned long long)run->differing, (unsigned long long)run->unknown,
            (unsigned long long)run->twice, (unsigned long long)run->unread,
            (unsigned long long)run->absent, run->side.count);
    if (run->shown > run->limit) {
        cli_say(run->cli, "%llu lines more are not shown: --limit N",
                (unsigned long long)(run->shown - run->limit));
    }
    return cli_table(run->cli, &run->table);
}

static int reconcile(struct run *run)
{
    int status = EX_OK;
    run->client = cli_connect(run->cli, &status);
    if (run->client == NULL) {
        return status;
    }
    run->payload = icp_payload_create();
    run->waiting = calloc(KEYS_AT_ONCE, sizeof *run->waiting);
    if (run->payload == NULL || run->waiting == NULL) {
        status = cli_fail(run->cli, EX_OSERR, "no memory");
    }
    if (status == EX_OK) {
        status = side_read(run);
    }
    if (status == EX_OK) {
        status = rows_read(run);
    }
    if (status == EX_OK) {
        absent_tell(run);
        status = told(run);
    }
    icp_reply_fini(&run->reply);
    icp_payload_destroy(run->payload);
    icp_close(run->client);
    free(run->waiting);
    return status;
}

static int within_read(const struct cli *cli, double *within)
{
    const char *text = cli_text(cli, CLI_RECONCILE_WITHIN);
    *within = 0.5;
    return text == NULL || (feature_number_read(proto_span_text(text), within) && *within >= 0)
               ? EX_OK
               : cli_fail(cli, EX_USAGE, "--within: '%s' is no number of points", text);
}

int cmd_reconcile(struct cli *cli)
{
    static const char *const headers[] = {"line", "account", "what", "here", "there"};
    struct run run = {.cli = cli, .fit = SIZE_MAX, .grade = SIZE_MAX, .id = SIZE_MAX};
    if (!cli_arguments(cli, 1, 1) ||
        !cli_number(cli, CLI_RECONCILE_LIMIT, 0, 1000000, 100, &run.limit)) {
        return EX_USAGE;
    }
    int status = within_read(cli, &run.within);
    if (status == EX_OK) {
        run.input = csv_told_open(cli, cli->arguments[0], &status);
    }
    if (run.input == NULL) {
        return status;
    }
    out_table_init(&run.table, headers, 5);
    status = columns_read(&run);
    if (status == EX_OK) {
        status = reconcile(&run);
    }
    reconcile_fini(&run.side);
    out_table_fini(&run.table);
    csv_close(run.input);
    return status;
}
