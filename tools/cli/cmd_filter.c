/* SPDX-License-Identifier: Apache-2.0 */
/* icp filter, count: the accounts that match an expression, page by page. */
#include <stdlib.h>
#include <string.h>

#include "tools/cli/cmd.h"
#include "tools/cli/explain_none.h"
#include "tools/cli/label.h"
#include "tools/cli/member.h"
#include "tools/cli/remote_schema.h"

#define PAGE_MOST 10000   /* accounts in one reply */
#define ROWS_MOST 1000000 /* accounts in one table, which is held in memory */
#define FIELDS_SHOWN_MOST 32

struct filter_run {
    const struct cli *cli;
    struct icp_client *client;
    struct icp_payload *payload;
    struct icp_reply reply;
    struct out_table table;
    const char *headers[6 + FIELDS_SHOWN_MOST];
    size_t columns;
    bool scores;
    bool named; /* the schema says which field names an account */
    char names[FIELDS_SHOWN_MOST][PROTO_FIELD_NAME_BYTES_MAX + 1];
    size_t name_count;
};

/* The fields asked for, split as names_write splits them for the request. */
static int names_read(struct filter_run *run)
{
    size_t at = 0;
    const char *text;
    while ((text = cli_each(run->cli, CLI_FILTER_FIELDS, &at)) != NULL) {
        char name[PROTO_FIELD_NAME_BYTES_MAX + 1];
        while (name_next(&text, name, sizeof name)) {
            if (run->name_count == FIELDS_SHOWN_MOST) {
                return cli_fail(run->cli, EX_USAGE, "--fields: at most %d are shown",
                                FIELDS_SHOWN_MOST);
            }
            memcpy(run->names[run->name_count++], name, sizeof name);
        }
    }
    if (cli_has(run->cli, CLI_FILTER_FIELDS) && run->name_count == 0) {
        return cli_fail(run->cli, EX_USAGE,
                        "--fields: the list is empty; names stand with a comma between");
    }
    return EX_OK;
}

static float f32_at(struct icp_text bytes, size_t index)
{
    float value = 0;
    if (bytes.bytes >= (index + 1) * sizeof value) {
        memcpy(&value, bytes.data + index * sizeof value, sizeof value);
    }
    return value;
}

static int64_t i64_at(struct icp_text bytes, size_t index)
{
    int64_t value = 0;
    if (bytes.bytes >= (index + 1) * sizeof value) {
        memcpy(&value, bytes.data + index * sizeof value, sizeof value);
    }
    return value;
}

/* Adds the accounts of one reply to the table; returns their number. */
static size_t page_add(struct filter_run *run)
{
    struct icp_value ids;
    struct icp_value values = {0};
    struct icp_value names = {0};
    struct icp_value id;
    struct icp_value map;
    struct icp_value value;
    struct icp_text fit = member_bytes(&run->reply, "fit");
    struct icp_text p = member_bytes(&run->reply, "p");
    struct icp_text grade = member_bytes(&run->reply, "grade");
    struct icp_text raw = member_bytes(&run->reply, "raw");
    (void)icp_reply_get(&run->reply, "ids", &ids);
    (void)icp_reply_get(&run->reply, "values", &values);
    (void)icp_reply_get(&run->reply, "names", &names);
    struct icp_walk walk = icp_walk_over(&ids);
    struct icp_walk names_walk = icp_walk_over(&names);
    struct icp_walk maps = icp_walk_over(&values);
    size_t row = 0;
    for (; icp_next(&walk, NULL, &id); row++) {
        out_cell_value(&run->table, &id);
        if (run->named) {
            (void)icp_next(&names_walk, NULL, &value);
            out_cell_value(&run->table, &value);
        }
        if (run->scores) {
            out_cell_number(&run->table, "%.2f", (double)f32_at(fit, row));
            out_cell_number(&run->table, "%.4f", (double)f32_at(p, row));
            out_cell_text(&run->table, "%.*s", grade.bytes > row, grade.data + row);
            out_cell_number(&run->table, "%lld", (long long)i64_at(raw, row));
        }
        if (!icp_next(&maps, NULL, &map)) {
            map = (struct icp_value){0};
        }
        for (size_t i = 0; i < run->name_count; i++) {
            (void)icp_value_get(&map, run->names[i], &value);
            out_cell_value(&run->table, &value);
        }
    }
    return row;
}

static void request_fill(struct filter_run *run, size_t limit, struct icp_text after,
                         uint64_t version)
{
    const struct cli *cli = run->cli;
    icp_payload_reset(run->payload);
    icp_payload_text(run->payload, "filter", cli->arguments[0]);
    icp_payload_uint(run->payload, "limit", limit);
    icp_payload_flag(run->payload, "names", true);
    (void)names_write(cli, CLI_FILTER_FIELDS, "fields", run->payload); /* names_read refused none */
    if (cli_has(cli, CLI_FILTER_SORT)) {
        icp_payload_text(run->payload, "sort", cli_text(cli, CLI_FILTER_SORT));
    }
    if (run->scores) {
        icp_payload_flag(run->payload, "scores", true);
    }
    if (version > 0) {
        icp_payload_uint(run->payload, "icp", version);
    }
    if (after.bytes > 0) {
        icp_payload_text_n(run->payload, "after", after);
    }
}

/* Whether the fields that are asked for exist; told if not. */
static bool names_asked(const struct cli *cli, struct icp_client *client)
{
    int status = EX_OK;
    struct feature_schema *schema = schema_from_server(cli, client, &status);
    bool known = schema == NULL || names_known(cli, CLI_FILTER_FIELDS, schema);
    feature_schema_release(schema);
    return known;
}

static int expression_call(const struct cli *cli, struct icp_client *client, enum icp_op op,
                           const struct icp_payload *payload, struct icp_reply *reply)
{
    if (icp_call(client, op, payload, reply)) {
        return EX_OK;
    }
    if (op == ICP_OP_FILTER && strncmp(reply->fault.field, "fields", 6) == 0 &&
        !names_asked(cli, client)) {
        return EX_DATAERR;
    }
    int status = cli_icp_fault(cli, &reply->fault);
    label_caret_fault(cli->arguments[0], &reply->fault);
    return status;
}

/* Which columns there are is known with the first reply. */
static void headers_fill(struct filter_run *run)
{
    static const char *const scores[] = {"fit", "p", "grade", "raw"};
    struct icp_value names;
    run->named = icp_reply_get(&run->reply, "names", &names);
    run->headers[run->columns++] = "id";
    if (run->named) {
        run->headers[run->columns++] = "name";
    }
    for (size_t i = 0; run->scores && i < 4; i++) {
        run->headers[run->columns++] = scores[i];
    }
    for (size_t i = 0; i < run->name_count; i++) {
        run->headers[run->columns++] = run->names[i];
    }
    out_table_init(&run->table, run->headers, run->columns);
}

static int pages_read(struct filter_run *run, size_t limit, uint64_t version)
{
    size_t shown = 0;
    bool more = true;
    struct icp_text after = {"", 0};
    char *cursor = NULL;
    int status = EX_OK;
    while (status == EX_OK && more && shown < limit) {
        size_t page = limit - shown < PAGE_MOST ? limit - shown : PAGE_MOST;
        request_fill(run, page, after, version);
        status = expression_call(run->cli, run->client, ICP_OP_FILTER, run->payload, &run->reply);
        if (status != EX_OK) {
            break;
        }
        if (run->columns == 0) {
            headers_fill(run);
        }
        shown += page_add(run);
        /* The cursor points into the reply, which the next call overwrites. */
        struct icp_text next = icp_reply_text(&run->reply, "next");
        free(cursor);
        cursor = strndup(next.data, next.bytes);
        after = (struct icp_text){cursor, next.bytes};
        more = next.bytes > 0 && cursor != NULL;
    }
    free(cursor);
    if (status != EX_OK) {
        return status;
    }
    if (shown == 0 && run->cli->style.form == OUT_TABLE) {
        cli_print(run->cli, "no account matches\n");
        explain_none(run->cli, run->client, run->cli->arguments[0]);
        return EX_OK;
    }
    status = cli_table(run->cli, &run->table);
    if (run->cli->style.form == OUT_TABLE && more) {
        cli_say(run->cli, "%zu accounts shown, there are more; --limit shows them", shown);
    }
    return status;
}

int cmd_filter(struct cli *cli)
{
    uint64_t limit = 0;
    uint64_t version = 0;
    if (!cli_arguments(cli, 1, 1) ||
        !cli_number(cli, CLI_FILTER_LIMIT, 1, ROWS_MOST, 100, &limit) ||
        !cli_number(cli, CLI_FILTER_ICP, 1, UINT32_MAX, 0, &version)) {
        return EX_USAGE;
    }
    struct filter_run *run = calloc(1, sizeof *run);
    if (run == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    run->cli = cli;
    run->scores = cli_has(cli, CLI_FILTER_SCORES) || cli_has(cli, CLI_FILTER_SORT);
    int status = names_read(run);
    if (status == EX_OK) {
        run->client = cli_connect(cli, &status);
    }
    if (run->client != NULL) {
        run->payload = icp_payload_create();
        status = run->payload == NULL ? cli_fail(cli, EX_OSERR, "no memory")
                                      : pages_read(run, limit, version);
    }
    out_table_fini(&run->table);
    icp_reply_fini(&run->reply);
    icp_payload_destroy(run->payload);
    icp_close(run->client);
    free(run);
    return status;
}

static void count_print(const struct cli *cli, struct cli_request *request)
{
    char counts[2][OUT_NUMBER_BYTES];
    uint64_t count = (uint64_t)icp_reply_int(&request->reply, "count", 0);
    uint64_t of = (uint64_t)icp_reply_int(&request->reply, "of", 0);
    cli_print(cli, "%s of %s accounts\n", out_count(count, counts[0]), out_count(of, counts[1]));
    if (count == 0) {
        explain_none(cli, request->client, cli->arguments[0]);
    }
}

int cmd_count(struct cli *cli)
{
    int status = EX_OK;
    struct cli_request request;
    uint64_t version = 0;
    if (!cli_arguments(cli, 1, 1) || !cli_number(cli, CLI_COUNT_ICP, 1, UINT32_MAX, 0, &version)) {
        return EX_USAGE;
    }
    status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_text(request.payload, "filter", cli->arguments[0]);
    if (version > 0) {
        icp_payload_uint(request.payload, "icp", version);
    }
    status = expression_call(cli, request.client, ICP_OP_COUNT, request.payload, &request.reply);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        count_print(cli, &request);
    }
    cli_request_close(&request);
    return status;
}
