/* SPDX-License-Identifier: Apache-2.0 */
/* icp clients, slowlog, monitor, audit: who is connected, what took long, what is answered now, and
 * who wrote what. The server gives no content of any request. */
#include <stdlib.h>
#include <time.h>

#include "tools/cli/cmd.h"
#include "tools/cli/member.h"

enum { MONITOR_PAUSE_MS = 200 };

/* Cells of one entry, by name of the member. */
static void cells_add(struct out_table *table, const struct icp_value *entry)
{
    for (size_t i = 0; i < table->columns; i++) {
        const char *name = table->headers[i];
        struct icp_value value = {0};
        char text[OUT_TIME_BYTES];
        (void)icp_value_get(entry, name, &value);
        if (strcmp(name, "time") == 0 || strcmp(name, "since") == 0) {
            out_cell_text(table, "%s", out_moment(value.integer, text));
        } else {
            out_cell_value(table, &value);
        }
    }
}

static int list_print(const struct cli *cli, const struct icp_reply *reply, const char *name,
                      const char *const *headers, size_t columns, const char *none)
{
    struct out_table table;
    struct icp_value list = {0};
    struct icp_value entry;
    (void)icp_reply_get(reply, name, &list);
    if (list.count == 0 && cli->style.form == OUT_TABLE) {
        cli_print(cli, "%s\n", none);
        return EX_OK;
    }
    struct icp_walk walk = icp_walk_over(&list);
    out_table_init(&table, headers, columns);
    while (icp_next(&walk, NULL, &entry)) {
        cells_add(&table, &entry);
    }
    return cli_table(cli, &table);
}

/* A command that shows a list of the server: which operation gives it, under what name, and what is
 * said of one without entries. */
struct listing {
    enum icp_op op;
    const char *name;
    const char *const *headers;
    size_t columns;
    const char *none;
};

/* Asks and prints; `limit`: at most so many entries, 0: as many as the server gives; `id`: of one
 * account alone, or NULL. */
static int list_show(struct cli *cli, const struct listing *listing, uint64_t limit, const char *id)
{
    struct cli_request request;
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    if (limit > 0) {
        icp_payload_uint(request.payload, "limit", limit);
    }
    if (id != NULL) {
        icp_payload_text(request.payload, "id", id);
    }
    status = cli_request_send(cli, &request, listing->op);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        status = list_print(cli, &request.reply, listing->name, listing->headers, listing->columns,
                            listing->none);
    }
    cli_request_close(&request);
    return status;
}

int cmd_clients(struct cli *cli)
{
    static const char *const headers[] = {"connection", "address",  "client", "role", "since",
                                          "idle_ms",    "requests", "last",   "token"};
    static const struct listing clients = {ICP_OP_CLIENT_LIST, "clients", headers, 9,
                                           "nobody is connected"};
    uint64_t limit = 0;
    if (!cli_arguments(cli, 0, 0) || !cli_number(cli, CLI_CLIENTS_LIMIT, 1, 10000, 0, &limit)) {
        return EX_USAGE;
    }
    return list_show(cli, &clients, limit, NULL);
}

int cmd_audit(struct cli *cli)
{
    static const char *const headers[] = {"seq", "time", "by", "did", "first", "reason"};
    static const struct listing audit = {ICP_OP_AUDIT, "entries", headers, 6,
                                         "nothing of that kind stands in the log"};
    uint64_t limit = 0;
    if (!cli_arguments(cli, 0, 1) || !cli_number(cli, CLI_AUDIT_LIMIT, 1, 10000, 0, &limit)) {
        return EX_USAGE;
    }
    return list_show(cli, &audit, limit, cli->argument_count > 0 ? cli->arguments[0] : NULL);
}

static const char *const answered_headers[] = {"time",  "op",    "took_us",    "status", "client",
                                               "bytes", "count", "connection", "token"};

int cmd_slowlog(struct cli *cli)
{
    static const struct listing slow = {ICP_OP_SLOW_LOG, "requests", answered_headers, 9,
                                        "no request was slow since the server started"};
    return cli_arguments(cli, 0, 0) ? list_show(cli, &slow, 0, NULL) : EX_USAGE;
}

static void answered_line(const struct cli *cli, const struct icp_value *entry)
{
    char when[OUT_TIME_BYTES];
    char took[OUT_NUMBER_BYTES];
    char times[32] = "";
    struct icp_text op = member_text(entry, "op");
    struct icp_text status = member_text(entry, "status");
    struct icp_text client = member_text(entry, "client");
    int64_t count = member_int(entry, "count");
    if (count > 1) {
        snprintf(times, sizeof times, " ×%lld", (long long)count);
    }
    cli_print(cli, "%s  %.*s%s  %.*s  %s  #%lld%s%.*s\n",
              out_moment(member_int(entry, "time"), when), (int)op.bytes, op.data, times,
              (int)status.bytes, status.data,
              out_duration((double)member_int(entry, "took_us"), took),
              (long long)member_int(entry, "connection"), client.bytes > 0 ? " " : "",
              (int)client.bytes, client.data);
}

/* Whoever watches asks five times a second: of that nobody wants to read. */
static bool is_watching(const struct icp_value *entry)
{
    return member_text_is(member_text(entry, "op"), "monitor");
}

/* One line each, as they come. */
static void answered_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value list = {0};
    struct icp_value entry;
    uint64_t lost = (uint64_t)icp_reply_int(reply, "lost", 0);
    if (lost > 0) {
        cli_print(cli, "… %llu requests were too many to be kept\n", (unsigned long long)lost);
    }
    (void)icp_reply_get(reply, "requests", &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &entry)) {
        if (!is_watching(&entry)) {
            answered_line(cli, &entry);
        }
    }
}

static int monitor_step(struct cli *cli, struct cli_request *request, uint64_t *after)
{
    icp_payload_reset(request->payload);
    icp_payload_uint(request->payload, "after", *after);
    int status = cli_request_send(cli, request, ICP_OP_MONITOR);
    if (status != EX_OK) {
        return status;
    }
    *after = (uint64_t)icp_reply_int(&request->reply, "next", 0);
    if (cli->style.form == OUT_JSON) {
        return cli_json_reply(cli, &request->reply);
    }
    answered_print(cli, &request->reply);
    (void)fflush(stdout);
    return EX_OK;
}

int cmd_monitor(struct cli *cli)
{
    struct cli_request request;
    struct timespec began;
    struct timespec now;
    uint64_t seconds = 0;
    uint64_t after = 0;
    if (!cli_arguments(cli, 0, 0) || !cli_number(cli, CLI_MONITOR_SECONDS, 1, 86400, 0, &seconds)) {
        return EX_USAGE;
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    clock_gettime(CLOCK_MONOTONIC, &began);
    do {
        status = monitor_step(cli, &request, &after);
        nanosleep(&(struct timespec){.tv_nsec = MONITOR_PAUSE_MS * 1000000L}, NULL);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (status == EX_OK && (seconds == 0 || now.tv_sec - began.tv_sec < (time_t)seconds));
    cli_request_close(&request);
    return status;
}
