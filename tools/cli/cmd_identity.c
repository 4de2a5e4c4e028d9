/* SPDX-License-Identifier: Apache-2.0 */
/* icp identity …: says which source records are one account, takes that back, and shows who said
 * what. Each command of the family is one act; several records at once are so many entries of one
 * request, which are stored together or not at all. */
#include <stdlib.h>
#include <string.h>

#include "tools/cli/cmd.h"

enum { LIST_PAGE = 1000 };

static void entry_put(const struct cli *cli, struct icp_payload *payload, const char *act,
                      const char *account, const char *with)
{
    const char *reason = cli_text_named(cli, "reason");
    icp_payload_map_begin(payload, NULL);
    icp_payload_text(payload, "act", act);
    icp_payload_text(payload, "account", account);
    if (with != NULL) {
        icp_payload_text(payload, "other", with);
    }
    if (reason != NULL) {
        icp_payload_text(payload, "reason", reason);
    }
    icp_payload_map_end(payload);
}

static int send(struct cli *cli, struct cli_request *request)
{
    const char *operation = cli_text_named(cli, "operation");
    icp_payload_list_end(request->payload);
    if (operation != NULL) {
        icp_payload_text(request->payload, "operation", operation);
    }
    int status = cli_request_send(cli, request, ICP_OP_IDENTITY);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        return cli_json_reply(cli, &request->reply);
    }
    if (status == EX_OK) {
        long long last = (long long)icp_reply_int(&request->reply, "last", 0);
        long long count = (long long)icp_reply_int(&request->reply, "count", 0);
        if (count == 1) {
            cli_print(cli, "entry %lld; 'icp identity undo %lld' takes it away\n", last, last);
        } else {
            cli_print(cli, "entries %lld to %lld; 'icp identity undo NUMBER' takes one away\n",
                      last - count + 1, last);
        }
    }
    return status;
}

/* An entry for each account from the given one on: with the first, or (none) of it alone. */
static int entries_say(struct cli *cli, const char *act, const char *first, size_t from)
{
    struct cli_request request;
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_list_begin(request.payload, "entries");
    for (size_t i = from; i < cli->argument_count; i++) {
        if (first != NULL) {
            entry_put(cli, request.payload, act, first, cli->arguments[i]);
        } else {
            entry_put(cli, request.payload, act, cli->arguments[i], NULL);
        }
    }
    status = send(cli, &request);
    cli_request_close(&request);
    return status;
}

/* The first account with each of the others. */
static int pairs_say(struct cli *cli, const char *act)
{
    return cli_arguments(cli, 2, PROTO_IDENTITY_BATCH_MAX)
               ? entries_say(cli, act, cli->arguments[0], 1)
               : EX_USAGE;
}

static int each_say(struct cli *cli, const char *act)
{
    return cli_arguments(cli, 1, PROTO_IDENTITY_BATCH_MAX) ? entries_say(cli, act, NULL, 0)
                                                           : EX_USAGE;
}

int cmd_identity_link(struct cli *cli)
{
    return pairs_say(cli, "link");
}

int cmd_identity_merge(struct cli *cli)
{
    return pairs_say(cli, "merge");
}

int cmd_identity_never(struct cli *cli)
{
    return pairs_say(cli, "never");
}

int cmd_identity_split(struct cli *cli)
{
    return each_say(cli, "split");
}

int cmd_identity_pin(struct cli *cli)
{
    return each_say(cli, "pin");
}

static int number_read(const struct cli *cli, const char *text, uint64_t *number)
{
    char *end;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *number > 0
               ? EX_OK
               : cli_fail(cli, EX_USAGE, "'%s' is no number of an entry: see 'icp identity list'",
                          text);
}

int cmd_identity_undo(struct cli *cli)
{
    struct cli_request request;
    if (!cli_arguments(cli, 1, PROTO_IDENTITY_BATCH_MAX)) {
        return EX_USAGE;
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_list_begin(request.payload, "entries");
    for (size_t i = 0; status == EX_OK && i < cli->argument_count; i++) {
        const char *reason = cli_text_named(cli, "reason");
        uint64_t number = 0;
        status = number_read(cli, cli->arguments[i], &number);
        icp_payload_map_begin(request.payload, NULL);
        icp_payload_text(request.payload, "act", "undo");
        icp_payload_uint(request.payload, "entry", number);
        if (reason != NULL) {
            icp_payload_text(request.payload, "reason", reason);
        }
        icp_payload_map_end(request.payload);
    }
    if (status == EX_OK) {
        status = send(cli, &request);
    }
    cli_request_close(&request);
    return status;
}

/* The records of the account, and how many of all are linked. */
static void sources_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value list = {0};
    struct icp_value source;
    struct icp_value part = {0};
    char text[512];
    double records = (double)icp_reply_int(reply, "records", 0);
    double linked = (double)icp_reply_int(reply, "linked", 0);
    if (!icp_reply_get(reply, "sources", &list)) {
        cli_print(
            cli, "%.0f of %.0f source records are part of an account of several (link rate %.4f)\n",
            linked, records, records > 0 ? linked / records : 0);
        return;
    }
    struct icp_walk walk = icp_walk_over(&list);
    for (size_t i = 0; icp_next(&walk, NULL, &source); i++) {
        struct icp_value name = {0};
        (void)icp_value_get(&source, "name", &name);
        (void)icp_value_get(&source, "id", &part);
        cli_print(cli, "%s%.*s%s%.*s", i == 0 ? "" : "  = ", (int)part.text.bytes, part.text.data,
                  name.text.bytes > 0 ? "  " : "", (int)name.text.bytes, name.text.data);
        (void)icp_value_get(&source, "keys", &part);
        cli_print(cli, "  (%s)\n",
                  part.count > 0 ? icp_value_print(&part, text, sizeof text) : "no keys");
    }
}

static void entry_cells(struct out_table *table, const struct icp_value *entry)
{
    static const char *const members[] = {"entry", "act", "account", "other", "state",
                                          "taken", "by",  "time",    "reason"};
    char text[64];
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct icp_value part = {0};
        bool there = icp_value_get(entry, members[i], &part);
        if (there && strcmp(members[i], "time") == 0) {
            out_cell_text(table, "%s", out_time(part.integer, text));
        } else if (there) {
            out_cell_value(table, &part);
        } else {
            out_cell_text(table, "%s", "");
        }
    }
}

static void list_request(const struct cli *cli, struct icp_payload *payload, uint64_t limit,
                         uint64_t before)
{
    icp_payload_reset(payload);
    if (cli->argument_count > 0) {
        icp_payload_text(payload, "id", cli->arguments[0]);
    } else if (cli_has(cli, CLI_IDENTITY_LIST_KEY)) {
        icp_payload_text(payload, "key", cli_text(cli, CLI_IDENTITY_LIST_KEY));
    }
    icp_payload_flag(payload, "names", true);
    icp_payload_uint(payload, "limit", limit < LIST_PAGE ? limit : LIST_PAGE);
    if (before > 0) {
        icp_payload_uint(payload, "before", before);
    }
}

static int list_read(struct cli *cli, struct cli_request *request, uint64_t limit)
{
    static const char *const headers[] = {"entry", "act", "account", "other", "state",
                                          "taken", "by",  "time",    "reason"};
    struct out_table table;
    uint64_t taken = 0;
    uint64_t next = 0;
    out_table_init(&table, headers, sizeof headers / sizeof *headers);
    do {
        struct icp_value list = {0};
        struct icp_value entry;
        list_request(cli, request->payload, limit - taken, next);
        int status = cli_request_send(cli, request, ICP_OP_IDENTITY_LIST);
        if (status != EX_OK) {
            out_table_fini(&table);
            return status;
        }
        if (next == 0 && cli->style.form == OUT_TABLE) {
            sources_print(cli, &request->reply);
        }
        (void)icp_reply_get(&request->reply, "entries", &list);
        struct icp_walk walk = icp_walk_over(&list);
        while (icp_next(&walk, NULL, &entry)) {
            entry_cells(&table, &entry);
            taken++;
        }
        next = (uint64_t)icp_reply_int(&request->reply, "next", 0);
    } while (next > 0 && taken < limit);
    return cli_table(cli, &table);
}

int cmd_identity_list(struct cli *cli)
{
    struct cli_request request;
    uint64_t limit = 0;
    if (!cli_arguments(cli, 0, 1) ||
        !cli_number(cli, CLI_IDENTITY_LIST_LIMIT, 1, INT64_MAX, 100, &limit)) {
        return EX_USAGE;
    }
    if (cli->argument_count > 0 && cli_has(cli, CLI_IDENTITY_LIST_KEY)) {
        return cli_fail(cli, EX_USAGE, "give ID or --key, not both");
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    status = list_read(cli, &request, limit);
    cli_request_close(&request);
    return status;
}
