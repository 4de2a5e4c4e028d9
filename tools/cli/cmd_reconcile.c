/* SPDX-License-Identifier: Apache-2.0 */
/* icp reconcile: the server's accounts are read page by page, then the rows of the file are held
 * against them (reconcile_rows.c). Columns and fields that there are none of are told. Nothing is
 * written on either side. */
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/reconcile_rows.h"

enum { PAGE_MOST = 10000 };

static int column_find(struct reconcile_run *run, enum cli_option_id option, size_t *column)
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

static int label_read(struct reconcile_run *run, const char *text)
{
    const char *sign = strchr(text, '=');
    struct reconcile_label *label = &run->labels[run->label_count];
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
static int key_read(struct reconcile_run *run, const char *text)
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

static int columns_read(struct reconcile_run *run)
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
    char text[RECONCILE_TEXT_BYTES] = "";
    if (icp_value_get(map, field, &value) && value.kind != ICP_KIND_NIL) {
        (void)icp_value_print(&value, text, sizeof text);
    }
    return strdup(text);
}

static int page_take(struct reconcile_run *run)
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

static int page_ask(struct reconcile_run *run, struct cursor *cursor)
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

static int side_read(struct reconcile_run *run)
{
    struct cursor cursor = {""};
    int status = page_ask(run, &cursor);
    while (status == EX_OK && cursor.text[0] != '\0') {
        status = page_ask(run, &cursor);
    }
    return status;
}

static int told(struct reconcile_run *run)
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

static int reconcile(struct reconcile_run *run)
{
    int status = EX_OK;
    run->client = cli_connect(run->cli, &status);
    if (run->client == NULL) {
        return status;
    }
    run->payload = icp_payload_create();
    run->waiting = calloc(RECONCILE_KEYS_AT_ONCE, sizeof *run->waiting);
    if (run->payload == NULL || run->waiting == NULL) {
        status = cli_fail(run->cli, EX_OSERR, "no memory");
    }
    if (status == EX_OK) {
        status = side_read(run);
    }
    if (status == EX_OK) {
        status = reconcile_rows_read(run);
    }
    if (status == EX_OK) {
        reconcile_absent_tell(run);
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
    struct reconcile_run run = {.cli = cli, .fit = SIZE_MAX, .grade = SIZE_MAX, .id = SIZE_MAX};
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
