/* SPDX-License-Identifier: Apache-2.0 */
/* Each row of the file is held against the account that it is of. Rows that cannot be read, and
 * rows of one account twice, are told. */
#include "tools/cli/reconcile_rows.h"

#include <math.h>
#include <stdlib.h>

#include "server/feature/span_text.h"

static void difference_add(struct reconcile_run *run, size_t line, const char *account,
                           const char *what, const char *here, const char *there)
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

static bool fit_differs(const struct reconcile_run *run, const struct reconcile_account *account,
                        const char *text)
{
    uint8_t plain[RECONCILE_TEXT_BYTES];
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

static void row_compare(struct reconcile_run *run, const struct reconcile_row *row,
                        struct reconcile_account *account)
{
    bool differs = false;
    char here[RECONCILE_TEXT_BYTES];
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

static void row_match(struct reconcile_run *run, const struct reconcile_row *row,
                      struct icp_text id)
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
static int keys_ask(struct reconcile_run *run)
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
    if (scores.count != run->waiting_count) {
        return cli_fail(run->cli, EX_PROTOCOL, "the server was asked for %zu keys and told of %zu",
                        run->waiting_count, (size_t)scores.count);
    }
    struct icp_walk walk = icp_walk_over(&scores);
    for (size_t i = 0; i < run->waiting_count && icp_next(&walk, NULL, &score); i++) {
        struct icp_value id = {.text = {"", 0}};
        (void)icp_value_get(&score, "id", &id);
        row_match(run, &run->waiting[i], id.text);
    }
    run->waiting_count = 0;
    return EX_OK;
}

static void cell_copy(const struct csv_row *row, size_t column, char text[RECONCILE_TEXT_BYTES])
{
    struct proto_span cell = {NULL, 0};
    if (column != SIZE_MAX && column < row->cell_count) {
        cell = feature_text_trim(row->cells[column]);
    }
    (void)snprintf(text, RECONCILE_TEXT_BYTES, "%.*s", (int)cell.bytes, (const char *)cell.data);
}

static int row_take(struct reconcile_run *run, const struct csv_row *row)
{
    struct reconcile_row *waiting = &run->waiting[run->waiting_count];
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
    return ++run->waiting_count == RECONCILE_KEYS_AT_ONCE ? keys_ask(run) : EX_OK;
}

/* How the numbers of the column of fit are written, by all of them. */
static int decimal_find(struct reconcile_run *run)
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

int reconcile_rows_read(struct reconcile_run *run)
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

void reconcile_absent_tell(struct reconcile_run *run)
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
