/* SPDX-License-Identifier: Apache-2.0 */
/* icp campaign check: the members of a file held against the server before anybody writes to them.
 * Each row is one account, by id, key or email address; what is said of it is asked of the server
 * one after another. A list, a field or a column that is not there ends it before the first row. */
#include <stdlib.h>
#include <string.h>

#include "server/feature/span_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/csv/text_count.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_rows.h"
#include "tools/cli/remote_schema.h"

#define PAGE 1000

/* What a row comes to. The first that holds keeps it from being sent. */
enum verdict { UNKNOWN, AGAIN, CUSTOMER, OPTED_OUT, OFF_LIST, SEND, VERDICTS };

struct checking {
    const struct cli *cli;
    struct icp_client *client;
    struct icp_payload *payload;
    struct icp_reply reply;
    struct measure_pick pick;
    const char *opt_out;    /* flag field; NULL: nobody says so */
    bool listed;            /* a list is named */
    struct text_count list; /* ids of its accounts */
    struct text_count seen; /* ids of the file's */
    struct out_file out;    /* rows that may be sent */
    bool writes;
    int status; /* of what ended it between two rows */
    size_t rows;
    size_t on_list, customers, opted_out; /* of known accounts, each once */
    size_t verdicts[VERDICTS];
};

static int list_page(struct checking *checking, const char *name, size_t offset, size_t *count)
{
    struct icp_value entries = {.count = 0};
    struct icp_value entry;
    struct icp_value id;
    icp_payload_reset(checking->payload);
    icp_payload_text(checking->payload, "name", name);
    icp_payload_uint(checking->payload, "offset", offset);
    icp_payload_uint(checking->payload, "limit", PAGE);
    int status = cli_call(checking->cli, checking->client, ICP_OP_TAL_GET, checking->payload,
                          &checking->reply);
    if (status != EX_OK) {
        return status;
    }
    (void)icp_reply_get(&checking->reply, "entries", &entries);
    struct icp_walk walk = icp_walk_over(&entries);
    while (icp_next(&walk, NULL, &entry)) {
        if (icp_value_get(&entry, "id", &id) &&
            !text_count_add(&checking->list,
                            (struct proto_span){(const uint8_t *)id.text.data, id.text.bytes}, 0,
                            NULL)) {
            return cli_fail(checking->cli, EX_OSERR, "no memory for the list");
        }
    }
    *count = entries.count > 0 ? (size_t)icp_reply_int(&checking->reply, "count", 0) : 0;
    return EX_OK;
}

static int list_read(struct checking *checking)
{
    const char *name = cli_text(checking->cli, CLI_CAMPAIGN_CHECK_TAL);
    size_t count = 1;
    int status = EX_OK;
    checking->listed = name != NULL;
    for (size_t at = 0; name != NULL && at < count && status == EX_OK; at += PAGE) {
        status = list_page(checking, name, at, &count);
    }
    return status;
}

/* A field that says who opted out must be a flag. */
static int opt_out_check(struct checking *checking)
{
    int status = EX_OK;
    checking->opt_out = cli_text(checking->cli, CLI_CAMPAIGN_CHECK_OPT_OUT);
    if (checking->opt_out == NULL) {
        return EX_OK;
    }
    struct feature_schema *schema = schema_from_server(checking->cli, checking->client, &status);
    if (schema == NULL) {
        return status;
    }
    const struct feature_field *field =
        feature_schema_find(schema, proto_span_text(checking->opt_out));
    if (field == NULL || field->type != FEATURE_FLAG) {
        status = cli_fail(checking->cli, EX_USAGE,
                          field == NULL ? "--opt-out: the schema has no field '%s'"
                                        : "--opt-out: '%s' is no flag",
                          checking->opt_out);
    }
    feature_schema_release(schema);
    return status;
}

/* By id, else by what it looks like. Whether it is there; what ended it is in `status`. */
static bool account_get(struct checking *checking, struct proto_span name)
{
    const char *kinds[3] = {"id", NULL, NULL};
    char *text = feature_text_copy(name);
    bool found = false;
    if (text == NULL) {
        checking->status = cli_fail(checking->cli, EX_OSERR, "no memory");
        return false;
    }
    size_t count = 1;
    if (strchr(text, '@') != NULL) {
        kinds[count++] = "email";
    } else if (strchr(text, ':') != NULL) {
        kinds[count++] = "key";
    }
    for (size_t i = 0; i < count && !found && checking->status == EX_OK; i++) {
        icp_payload_reset(checking->payload);
        icp_payload_text(checking->payload, kinds[i], text);
        found = icp_call(checking->client, ICP_OP_ACCOUNT_GET, checking->payload, &checking->reply);
        unsigned code = found ? ICP_OK : checking->reply.fault.code;
        if (!found && code != ICP_NOT_FOUND && code != ICP_BAD_FIELD) {
            checking->status = cli_icp_fault(checking->cli, &checking->reply.fault);
        }
    }
    free(text);
    return found;
}

static bool has_opted_out(const struct checking *checking)
{
    struct icp_value values;
    struct icp_value stored;
    struct icp_value value;
    return checking->opt_out != NULL && icp_reply_get(&checking->reply, "values", &values) &&
           icp_value_get(&values, checking->opt_out, &stored) &&
           icp_value_get(&stored, "value", &value) && value.flag;
}

static bool is_customer(struct checking *checking, struct proto_span id)
{
    struct icp_value customer = {.flag = false};
    char *text = feature_text_copy(id);
    if (text == NULL) {
        checking->status = cli_fail(checking->cli, EX_OSERR, "no memory");
        return false;
    }
    icp_payload_reset(checking->payload);
    icp_payload_text(checking->payload, "id", text);
    checking->status = cli_call(checking->cli, checking->client, ICP_OP_LIFECYCLE,
                                checking->payload, &checking->reply);
    free(text);
    return checking->status == EX_OK && icp_reply_get(&checking->reply, "customer", &customer) &&
           customer.flag;
}

static enum verdict verdict_of(struct checking *checking, struct proto_span name, size_t line)
{
    const struct text_entry *entry = NULL;
    if (!account_get(checking, name)) {
        return UNKNOWN;
    }
    bool opted_out = has_opted_out(checking);
    struct icp_text told = icp_reply_text(&checking->reply, "id");
    if (!text_count_add(&checking->seen,
                        (struct proto_span){(const uint8_t *)told.data, told.bytes}, line,
                        &entry) ||
        entry == NULL) {
        checking->status = cli_fail(checking->cli, EX_OSERR, "no memory for the accounts");
        return UNKNOWN;
    }
    if (entry->count > 1) {
        return AGAIN;
    }
    bool on_list = checking->listed && text_count_find(&checking->list, entry->text) != NULL;
    bool customer = is_customer(checking, entry->text);
    checking->on_list += on_list;
    checking->customers += customer;
    checking->opted_out += opted_out;
    return customer                       ? CUSTOMER
           : opted_out                    ? OPTED_OUT
           : checking->listed && !on_list ? OFF_LIST
                                          : SEND;
}

static bool on_member(void *context, const struct csv_row *row, size_t *column,
                      struct proto_fault *fault)
{
    struct checking *checking = context;
    struct proto_span name = measure_cell_text(&checking->pick, row);
    *column = checking->pick.column;
    if (name.bytes == 0) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "", "the account is missing");
    }
    if (checking->status != EX_OK) {
        return true; /* what ended it was told */
    }
    enum verdict verdict = verdict_of(checking, name, row->line);
    checking->rows++;
    checking->verdicts[verdict]++;
    if (verdict == SEND && checking->writes) {
        fwrite(row->raw.data, 1, row->raw.bytes, checking->out.file);
    }
    return true;
}

static void figure_add(struct out_table *table, const char *figure, size_t count, size_t of)
{
    out_cell_text(table, "%s", figure);
    out_cell_number(table, "%zu", count);
    if (of > 0) {
        out_cell_number(table, "%.4f", (double)count / (double)of);
    } else {
        out_cell_number(table, "%s", "");
    }
}

static int table_show(const struct checking *checking)
{
    static const char *const headers[] = {"figure", "count", "share"};
    struct out_table table;
    size_t rows = checking->rows;
    size_t known = checking->seen.count;
    out_table_init(&table, headers, 3);
    figure_add(&table, "rows", rows, rows);
    figure_add(&table, "unknown", checking->verdicts[UNKNOWN], rows);
    figure_add(&table, "named again", checking->verdicts[AGAIN], rows);
    figure_add(&table, "accounts", known, rows);
    if (checking->listed) {
        figure_add(&table, "on the list", checking->on_list, known);
        figure_add(&table, "off the list", known - checking->on_list, known);
    }
    figure_add(&table, "customers already", checking->customers, known);
    if (checking->opt_out != NULL) {
        figure_add(&table, "opted out", checking->opted_out, known);
    }
    figure_add(&table, "to send", checking->verdicts[SEND], rows);
    int status = cli_table(checking->cli, &table);
    out_table_fini(&table);
    return status;
}

static int file_check(struct checking *checking, const char *path)
{
    int status = EX_OK;
    const char *out = cli_text(checking->cli, CLI_CAMPAIGN_CHECK_OUT);
    struct csv_input *file = csv_told_open(checking->cli, path, &status);
    if (file == NULL) {
        return status;
    }
    status = measure_picks_open(checking->cli, file, &checking->pick, 1);
    if (status == EX_OK && out != NULL) {
        status = cli_file_begin(checking->cli, out, &checking->out);
        checking->writes = status == EX_OK;
    }
    if (checking->writes) {
        struct proto_span header = csv_header(file);
        fwrite(header.data, 1, header.bytes, checking->out.file);
    }
    if (status == EX_OK) {
        struct measure_walk walk = {.cli = checking->cli, .file = file};
        status = measure_rows_walk(&walk, on_member, checking);
        status = checking->status != EX_OK ? checking->status : status;
    }
    csv_close(file);
    if (status == EX_OK && checking->writes) {
        status = cli_file_commit(checking->cli, &checking->out);
    }
    if (checking->writes) {
        out_file_abandon(&checking->out);
    }
    return status == EX_OK ? table_show(checking) : status;
}

int cmd_campaign_check(struct cli *cli)
{
    struct checking checking = {.cli = cli,
                                .pick = {.option = "account", .kind = CELL_TEXT, .needed = true}};
    int status = EX_OK;
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    text_count_init(&checking.list, MEASURE_ACCOUNTS_MAX);
    text_count_init(&checking.seen, MEASURE_ACCOUNTS_MAX);
    checking.client = cli_connect(cli, &status);
    checking.payload = icp_payload_create();
    if (checking.client != NULL && checking.payload == NULL) {
        status = cli_fail(cli, EX_OSERR, "no memory");
    }
    if (status == EX_OK) {
        status = opt_out_check(&checking);
    }
    if (status == EX_OK) {
        status = list_read(&checking);
    }
    if (status == EX_OK) {
        status = file_check(&checking, cli->arguments[0]);
    }
    text_count_fini(&checking.list);
    text_count_fini(&checking.seen);
    icp_reply_fini(&checking.reply);
    icp_payload_destroy(checking.payload);
    icp_close(checking.client);
    return status;
}
