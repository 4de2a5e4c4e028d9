/* SPDX-License-Identifier: Apache-2.0 */
/* icp stats: every metric by its dotted name; with --watch what changed per second. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tools/cli/cmd.h"

#define METRIC_NAME_BYTES 160

struct metric {
    char name[METRIC_NAME_BYTES];
    double value;
    bool is_whole;
};

struct metrics {
    struct metric *items;
    size_t count;
    size_t capacity;
    bool failed;
};

static void metric_add(struct metrics *metrics, const char *name, const struct icp_value *value)
{
    if (metrics->count == metrics->capacity) {
        size_t capacity = metrics->capacity * 2 + 128;
        struct metric *items = realloc(metrics->items, capacity * sizeof *items);
        if (items == NULL) {
            metrics->failed = true;
            return;
        }
        metrics->items = items;
        metrics->capacity = capacity;
    }
    struct metric *metric = &metrics->items[metrics->count++];
    snprintf(metric->name, sizeof metric->name, "%s", name);
    metric->value = value->kind == ICP_KIND_FLAG ? value->flag : value->number;
    metric->is_whole = value->kind != ICP_KIND_NUMBER;
}

/* Maps within maps become dotted names; depth is bounded by the protocol. */
static void metrics_collect(struct metrics *metrics, const char *prefix,
                            const struct icp_value *value)
{
    struct icp_walk walk = icp_walk_over(value);
    struct icp_text key;
    struct icp_value element;
    while (icp_next(&walk, &key, &element)) {
        char name[METRIC_NAME_BYTES];
        snprintf(name, sizeof name, "%s%s%.*s", prefix, prefix[0] != '\0' ? "." : "",
                 (int)key.bytes, key.data);
        if (element.kind == ICP_KIND_MAP)
            metrics_collect(metrics, name, &element);
        else
            metric_add(metrics, name, &element);
    }
}

static const struct metric *metric_find(const struct metrics *metrics, const char *name)
{
    for (size_t i = 0; i < metrics->count; i++) {
        if (strcmp(metrics->items[i].name, name) == 0)
            return &metrics->items[i];
    }
    return NULL;
}

static int metrics_print(const struct cli *cli, const struct metrics *now,
                         const struct metrics *before, double seconds)
{
    static const char *const headers[] = {"metric", "value", "per second"};
    struct out_table table;
    out_table_init(&table, headers, before != NULL ? 3 : 2);
    for (size_t i = 0; i < now->count; i++) {
        const struct metric *metric = &now->items[i];
        out_cell_text(&table, "%s", metric->name);
        out_cell_number(&table, metric->is_whole ? "%.0f" : "%.6g", metric->value);
        if (before == NULL)
            continue;
        const struct metric *earlier = metric_find(before, metric->name);
        double rate = earlier != NULL ? (metric->value - earlier->value) / seconds : 0;
        if (rate == 0)
            out_cell_text(&table, "%s", "");
        else
            out_cell_number(&table, "%.1f", rate);
    }
    return cli_table(cli, &table);
}

static int metrics_read(const struct cli *cli, struct icp_client *client, struct icp_reply *reply,
                        struct metrics *metrics)
{
    struct icp_value value;
    int status = cli_call(cli, client, ICP_OP_STATS, NULL, reply);
    metrics->count = 0;
    if (status == EX_OK && icp_reply_get(reply, "metrics", &value))
        metrics_collect(metrics, "", &value);
    return metrics->failed ? cli_fail(cli, EX_OSERR, "no memory for the metrics") : status;
}

/* Until the reader goes away or the user presses Ctrl-C. */
static int watch(const struct cli *cli, struct icp_client *client, struct icp_reply *reply,
                 unsigned seconds)
{
    struct metrics metrics[2] = {{0}, {0}};
    int status = metrics_read(cli, client, reply, &metrics[0]);
    for (size_t turn = 1; status == EX_OK && !ferror(stdout); turn++) {
        sleep(seconds);
        status = metrics_read(cli, client, reply, &metrics[turn % 2]);
        if (status != EX_OK)
            break;
        if (isatty(STDOUT_FILENO))
            printf("\033[H\033[J");
        status = metrics_print(cli, &metrics[turn % 2], &metrics[(turn + 1) % 2], seconds);
        fflush(stdout);
    }
    free(metrics[0].items);
    free(metrics[1].items);
    return status;
}

int cmd_stats(struct cli *cli)
{
    int status = EX_OK;
    uint64_t seconds = 0;
    struct icp_reply reply = {0};
    struct metrics metrics = {0};
    if (!cli_arguments(cli, 0, 0) || !cli_number(cli, CLI_STATS_WATCH, 1, 3600, 0, &seconds))
        return EX_USAGE;
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL)
        return status;
    if (seconds > 0) {
        status = watch(cli, client, &reply, (unsigned)seconds);
    } else {
        status = metrics_read(cli, client, &reply, &metrics);
        if (status == EX_OK && cli->style.form == OUT_JSON)
            status = cli_json_reply(cli, &reply);
        else if (status == EX_OK)
            status = metrics_print(cli, &metrics, NULL, 1);
    }
    free(metrics.items);
    icp_reply_fini(&reply);
    icp_close(client);
    return status;
}
