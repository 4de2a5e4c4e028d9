/* SPDX-License-Identifier: Apache-2.0 */
/* icp stats: for people in sections, with what is zero left out; for programs every figure by its
 * dotted name; with --watch one line each time. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tools/cli/cmd.h"
#include "tools/cli/stats_read.h"

/* Sections by the beginning of a name; operations have a table of their own. */
static const struct {
    const char *title;
    const char *prefix;
} sections[] = {{"server", ""}, {"work", "server."}, {"store", "store."}, {"connections", "net."}};

static bool ends_with(const char *text, const char *end)
{
    size_t bytes = strlen(text);
    size_t tail = strlen(end);
    return bytes > tail && strcmp(text + bytes - tail, end) == 0;
}

/* The value with its unit, which the end of the name says; the name is cut to what is left. */
static void item_text(const struct stats_item *item, char *name, char value[OUT_NUMBER_BYTES])
{
    static const struct {
        const char *end;
        double us; /* in one of the unit; 0: bytes */
    } units[] = {{"_bytes", 0},     {"_ns", 1e-3},    {"_ns_last", 1e-3}, {"_ns_max", 1e-3},
                 {"_ns_sum", 1e-3}, {"_us", 1},       {"_s", 1e6},        {"bytes_in", 0},
                 {"bytes_out", 0},  {"bytes_held", 0}};
    bool has_unit = false;
    for (size_t i = 0; i < sizeof units / sizeof *units && !has_unit; i++) {
        has_unit = ends_with(name, units[i].end) || strcmp(name, units[i].end) == 0;
        if (has_unit && units[i].us > 0) {
            (void)out_duration(item->value * units[i].us, value);
        } else if (has_unit) {
            (void)out_size(item->value, value);
        }
    }
    if (!has_unit && item->is_whole && item->value >= 0) {
        (void)out_count((uint64_t)item->value, value);
    } else if (!has_unit) {
        snprintf(value, OUT_NUMBER_BYTES, "%.4g", item->value);
    }
    for (char *at = name; *at != '\0'; at++) {
        *at = *at == '_' ? ' ' : *at;
    }
    char *unit = strstr(name, " ns");
    if (unit != NULL) {
        memmove(unit, unit + 3, strlen(unit + 3) + 1);
    }
    if (ends_with(name, " s") || ends_with(name, " us")) {
        *strrchr(name, ' ') = '\0';
    }
}

static void section_print(const struct cli *cli, const struct stats *stats, size_t index)
{
    const char *prefix = sections[index].prefix;
    size_t names = 0;
    bool any = false;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < stats->count; i++) {
            const struct stats_item *item = &stats->items[i];
            char name[STATS_NAME_BYTES];
            char value[OUT_NUMBER_BYTES];
            if (strncmp(item->name, prefix, strlen(prefix)) != 0 || item->value == 0 ||
                (prefix[0] == '\0' && strchr(item->name, '.') != NULL)) {
                continue;
            }
            snprintf(name, sizeof name, "%s", item->name + strlen(prefix));
            item_text(item, name, value);
            if (pass == 0) {
                names = strlen(name) > names ? strlen(name) : names;
                continue;
            }
            if (!any) {
                out_tone(&cli->style.sink, OUT_BOLD);
                cli_print(cli, "%s%s\n", index > 0 ? "\n" : "", sections[index].title);
                out_tone(&cli->style.sink, OUT_PLAIN);
            }
            any = true;
            cli_print(cli, "  %-*s  %s\n", (int)names, name, value);
        }
    }
}

static int operations_print(const struct cli *cli, const struct stats *stats)
{
    static const char *const headers[] = {"operation", "requests", "p50",
                                          "p99",       "p99.9",    "longest"};
    static const char *const latencies[] = {"latency_p50_us", "latency_p99_us", "latency_p999_us",
                                            "latency_max_us"};
    struct out_table table;
    char text[OUT_NUMBER_BYTES];
    char name[STATS_NAME_BYTES + 32];
    out_table_init(&table, headers, 6);
    for (size_t i = 0; i < stats->count; i++) {
        const struct stats_item *item = &stats->items[i];
        if (strncmp(item->name, "requests.", 9) != 0 || item->value == 0) {
            continue;
        }
        const char *operation = item->name + 9;
        out_cell_text(&table, "%s", operation);
        out_cell_number(&table, "%.0f", item->value);
        for (size_t l = 0; l < 4; l++) {
            snprintf(name, sizeof name, "%s.%s", latencies[l], operation);
            out_cell_number(&table, "%s", out_duration(stats_value(stats, name), text));
        }
    }
    if (table.count == 0) {
        out_table_fini(&table);
        return EX_OK;
    }
    cli_print(cli, "\n");
    return cli_table(cli, &table);
}

static int sections_print(const struct cli *cli, const struct stats *stats)
{
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        section_print(cli, stats, i);
    }
    return operations_print(cli, stats);
}

static int csv_print(const struct cli *cli, const struct stats *stats)
{
    static const char *const headers[] = {"metric", "value"};
    struct out_table table;
    out_table_init(&table, headers, 2);
    for (size_t i = 0; i < stats->count; i++) {
        out_cell_text(&table, "%s", stats->items[i].name);
        out_cell_number(&table, stats->items[i].is_whole ? "%.0f" : "%.6g", stats->items[i].value);
    }
    return cli_table(cli, &table);
}

/* The columns of --watch, the most telling first: as many as the screen has room for. */
enum watch { REQUESTS, SCORES, WRITES, P99, SLOW, QUEUE, CONNECTIONS, ACCOUNTS, WATCHES };
static const char *const watch_names[WATCHES] = {"requests/s",  "scores/s", "writes/s",
                                                 "score p99",   "slow/s",   "queue",
                                                 "connections", "accounts"};
#define WATCH_TIME_COLUMNS 8
#define WATCH_COLUMNS 13 /* of one figure, with what divides it from the next */
#define WATCH_HEADER_EVERY 20

static void watch_value(enum watch watch, const struct stats *now, const struct stats *before,
                        double seconds, char text[OUT_NUMBER_BYTES])
{
    static const char *const names[WATCHES] = {
        [SCORES] = "server.scores",     [WRITES] = "server.accounts_written",
        [P99] = "latency_p99_us.score", [SLOW] = "server.requests_slow",
        [QUEUE] = "store.queue_bytes",  [CONNECTIONS] = "net.connections_open",
        [ACCOUNTS] = "store.accounts"};
    double rate = 0;
    if (watch == REQUESTS) {
        rate = (stats_sum(now, "requests.") - stats_sum(before, "requests.")) / seconds;
    } else if (watch == SCORES || watch == WRITES || watch == SLOW) {
        rate = (stats_value(now, names[watch]) - stats_value(before, names[watch])) / seconds;
    }
    if (watch == P99) {
        (void)out_duration(stats_value(now, names[P99]), text);
    } else if (watch == QUEUE) {
        (void)out_size(stats_value(now, names[QUEUE]), text);
    } else if (watch == CONNECTIONS || watch == ACCOUNTS) {
        (void)out_count((uint64_t)stats_value(now, names[watch]), text);
    } else {
        (void)out_count(rate > 0 ? (uint64_t)(rate + 0.5) : 0, text);
    }
}

static void watch_line(const struct cli *cli, const struct stats *now, const struct stats *before,
                       double seconds, bool header)
{
    size_t screen = cli->style.sink.columns > 0 ? cli->style.sink.columns : SIZE_MAX;
    size_t count = (screen - WATCH_TIME_COLUMNS) / WATCH_COLUMNS;
    char line[WATCH_TIME_COLUMNS + WATCHES * (WATCH_COLUMNS + OUT_NUMBER_BYTES)];
    char text[OUT_NUMBER_BYTES];
    time_t clock = time(NULL);
    struct tm parts;
    size_t used = strftime(line, sizeof line, "%H:%M:%S", localtime_r(&clock, &parts));
    if (header) {
        used = (size_t)snprintf(line, sizeof line, "%-8s", "time");
    }
    for (size_t i = 0; i < WATCHES && i < count; i++) {
        if (!header) {
            watch_value((enum watch)i, now, before, seconds, text);
        } else {
            snprintf(text, sizeof text, "%s", watch_names[i]);
        }
        used += (size_t)snprintf(line + used, sizeof line - used, "  %11s", text);
    }
    out_tone(&cli->style.sink, header ? OUT_BOLD : OUT_PLAIN);
    fprintf(cli->style.sink.file, "%s\n", line);
    out_tone(&cli->style.sink, OUT_PLAIN);
}

/* Until the reader goes away or the user presses Ctrl-C. */
static int watch(const struct cli *cli, struct icp_client *client, struct icp_reply *reply,
                 unsigned seconds)
{
    struct stats stats[2] = {{0}, {0}};
    int status = stats_read(cli, client, reply, &stats[0]);
    for (size_t turn = 1; status == EX_OK && !ferror(stdout); turn++) {
        if (turn % WATCH_HEADER_EVERY == 1) {
            watch_line(cli, NULL, NULL, seconds, true);
        }
        fflush(stdout);
        sleep(seconds);
        status = stats_read(cli, client, reply, &stats[turn % 2]);
        if (status == EX_OK) {
            watch_line(cli, &stats[turn % 2], &stats[(turn + 1) % 2], seconds, false);
        }
    }
    stats_fini(&stats[0]);
    stats_fini(&stats[1]);
    return status;
}

int cmd_stats(struct cli *cli)
{
    int status = EX_OK;
    uint64_t seconds = 0;
    struct icp_reply reply = {0};
    struct stats stats = {0};
    if (!cli_arguments(cli, 0, 0) || !cli_number(cli, CLI_STATS_WATCH, 1, 3600, 0, &seconds)) {
        return EX_USAGE;
    }
    if (seconds > 0 && cli->style.form != OUT_TABLE) {
        return cli_fail(cli, EX_USAGE,
                        "--watch is for people; without it --json and --csv give all");
    }
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL) {
        return status;
    }
    if (seconds > 0) {
        status = watch(cli, client, &reply, (unsigned)seconds);
    } else {
        status = stats_read(cli, client, &reply, &stats);
        if (status == EX_OK && cli->style.form == OUT_JSON) {
            status = cli_json_reply(cli, &reply);
        } else if (status == EX_OK) {
            status =
                cli->style.form == OUT_CSV ? csv_print(cli, &stats) : sections_print(cli, &stats);
        }
    }
    stats_fini(&stats);
    icp_reply_fini(&reply);
    icp_close(client);
    return status;
}
