/* SPDX-License-Identifier: Apache-2.0 */
/* icp ping, version, jobs, cancel. */
#include <stdlib.h>
#include <time.h>

#include "server/math/order.h"
#include "tools/cli/cmd.h"

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int ping(const struct cli *cli, struct icp_client *client, double *times, size_t count)
{
    struct icp_reply reply = {0};
    int status = EX_OK;
    for (size_t i = 0; i < count && status == EX_OK; i++) {
        double start = now_us();
        status = cli_call(cli, client, ICP_OP_PING, NULL, &reply);
        times[i] = now_us() - start;
    }
    int64_t time = icp_reply_int(&reply, "time", 0);
    icp_reply_fini(&reply);
    if (status != EX_OK) {
        return status;
    }
    qsort(times, count, sizeof *times, math_ascending);
    double median = times[count / 2];
    double high = times[count * 99 / 100];
    const struct icp_server *server = icp_server_info(client);
    if (cli->style.form == OUT_JSON) {
        return cli_json(cli, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f}",
                                       "server", server->server, "role", server->role, "schema",
                                       (json_int_t)server->schema, "icp", (json_int_t)server->icp,
                                       "time", (json_int_t)time, "count", (json_int_t)count,
                                       "least_us", times[0], "median_us", median, "p99_us", high,
                                       "most_us", times[count - 1]));
    }
    cli_print(cli, "%s at %s answers; role %s, schema %llu, ICP %llu\n", server->server, cli->uri,
              server->role, (unsigned long long)server->schema, (unsigned long long)server->icp);
    if (count == 1) {
        cli_print(cli, "round trip %.0f µs\n", median);
    } else {
        cli_print(cli, "%zu round trips: least %.0f, median %.0f, p99 %.0f, most %.0f µs\n", count,
                  times[0], median, high, times[count - 1]);
    }
    return EX_OK;
}

/* Until a server that is starting takes connections, or the time is up; then cli_connect says what
 * is wrong. */
static void server_wait(const struct cli *cli, uint64_t seconds)
{
    struct icp_options options = cli_client_options(cli);
    options.connect_timeout_ms = 1000;
    struct icp_fault fault = {.code = ICP_CONNECT};
    double end = now_us() + (double)seconds * 1e6;
    while (fault.code == ICP_CONNECT && now_us() < end) {
        struct icp_client *client = icp_connect(cli->uri, &options, &fault);
        icp_close(client);
        if (client != NULL) {
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
    }
}

int cmd_ping(struct cli *cli)
{
    int status = EX_OK;
    uint64_t count = 0;
    uint64_t seconds = 0;
    if (!cli_arguments(cli, 0, 0) || !cli_number(cli, CLI_PING_COUNT, 1, 10000000, 1, &count) ||
        !cli_number(cli, CLI_PING_WAIT, 0, 3600, 0, &seconds)) {
        return EX_USAGE;
    }
    server_wait(cli, seconds);
    double *times = calloc(count, sizeof *times);
    if (times == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    struct icp_client *client = cli_connect(cli, &status);
    if (client != NULL) {
        status = ping(cli, client, times, count);
    }
    icp_close(client);
    free(times);
    return status;
}

/* The server's version is told if one answers; that none does is no failure of this command. */
int cmd_version(struct cli *cli)
{
    struct icp_options options = cli_client_options(cli);
    struct icp_fault fault;
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    options.connect_timeout_ms = 1000;
    struct icp_client *client = icp_connect(cli->uri, &options, &fault);
    const char *server = client != NULL ? icp_server_info(client)->server : "";
    int status = EX_OK;
    if (cli->style.form == OUT_JSON) {
        status = cli_json(cli, json_pack("{s:s, s:s}", "icp", icp_version(), "server", server));
    } else if (client != NULL) {
        cli_print(cli, "icp %s, server %s\n", icp_version(), server);
    } else {
        cli_print(cli, "icp %s, no server at %s\n", icp_version(), cli->uri);
    }
    icp_close(client);
    return status;
}

static int jobs_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"job", "op",      "state", "stage", "done",
                                          "icp", "started", "ended", "error"};
    struct out_table table;
    struct icp_value list;
    struct icp_value entry;
    struct icp_value value;
    char text[24];
    (void)icp_reply_get(reply, "jobs", &list);
    struct icp_walk walk = icp_walk_over(&list);
    out_table_init(&table, headers, 9);
    while (icp_next(&walk, NULL, &entry)) {
        for (size_t i = 0; i < 9; i++) {
            (void)icp_value_get(&entry, headers[i], &value);
            if (i == 4) {
                out_cell_number(&table, "%.0f %%", 100 * value.number);
            } else if (i == 6 || i == 7) {
                out_cell_text(&table, "%s", out_time(value.integer, text));
            } else {
                out_cell_value(&table, &value);
            }
        }
    }
    if (list.count == 0 && cli->style.form == OUT_TABLE) {
        cli_print(cli, "no job has run yet\n");
        out_table_fini(&table);
        return EX_OK;
    }
    return cli_table(cli, &table);
}

int cmd_jobs(struct cli *cli)
{
    int status = EX_OK;
    struct icp_reply reply = {0};
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL) {
        return status;
    }
    status = cli_call(cli, client, ICP_OP_JOB_LIST, NULL, &reply);
    if (status == EX_OK) {
        status =
            cli->style.form == OUT_JSON ? cli_json_reply(cli, &reply) : jobs_print(cli, &reply);
    }
    icp_reply_fini(&reply);
    icp_close(client);
    return status;
}

int cmd_cancel(struct cli *cli)
{
    int status = EX_OK;
    struct cli_request request;
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    const char *text = cli->arguments[0];
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits] != '\0') {
        return cli_fail(cli, EX_USAGE, "'%s' is no job; 'icp jobs' shows their numbers", text);
    }
    status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_uint(request.payload, "job", strtoull(text, NULL, 10));
    status = cli_request_send(cli, &request, ICP_OP_JOB_CANCEL);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        cli_print(cli, "job %s is being cancelled\n", text);
    }
    cli_request_close(&request);
    return status;
}
