/* SPDX-License-Identifier: Apache-2.0 */
/* libicp beside hiredis, each against its own server, and a pool against one connection behind a
 * proxy that adds a millisecond.
 *
 *     icp-bench-client ICPD [--seconds S] [--rounds N]
 *
 * Starts both servers on core 0 and asks from core 1, in turn, round by round; a ratio is taken
 * within a round, and the median of the rounds is shown with the lowest and the highest. Ends with
 * 1 if something could not be measured, 2 if the pool falls short of its target. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/client/client_delay.h"
#include "bench/client/client_row.h"
#include "bench/load/load_fill.h"
#include "bench/peer/peer_process.h"

#define ROUNDS_MAX 31
#define DELAY_US 1000
#define POOL_TARGET 7.0
#define WAIT_S 60

struct row {
    const char *name;
    const char *first_name;
    client_row_way *first;
    const char *second_name;
    client_row_way *second;
    bool is_pool;
};

static const struct row rows[] = {
    {"one at a time, ping", "libicp ping", client_row_icp_ping, "hiredis PING",
     client_row_redis_ping, false},
    {"one at a time", "libicp score", client_row_icp_score, "hiredis GET", client_row_redis_get,
     false},
    {"64 in flight, ping", "libicp ping", client_row_icp_pings, "hiredis PING",
     client_row_redis_pings, false},
    {"64 in flight", "libicp score", client_row_icp_scores, "hiredis GET", client_row_redis_gets,
     false},
    {"1 ms away", "pool of 8", client_row_icp_pool, "one connection", client_row_icp_far, true},
};

struct bench {
    const char *icpd;
    char folder[64];
    struct peer_process server;
    struct peer_process redis;
    struct client_delay delay;
    char uri[48];
    char delayed_uri[48];
    struct client_row_target target;
    size_t rounds;
};

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

static bool servers_start(struct bench *bench, struct proto_fault *fault)
{
    char data[96];
    char ports[96];
    char log[96];
    char port[8];
    uint16_t icpd_port = 0;
    snprintf(data, sizeof data, "%s/data", bench->folder);
    snprintf(ports, sizeof ports, "%s/ports", bench->folder);
    snprintf(log, sizeof log, "%s/icpd.log", bench->folder);
    const char *const icpd[] = {
        bench->icpd, "--host",    "127.0.0.1", "--port",       "0",   "--http-port", "0", "--data",
        data,        "--workers", "1",         "--ports-file", ports, NULL};
    if (!peer_process_start(&bench->server, icpd, 0, log, fault) ||
        !peer_process_await_file(&bench->server, ports, WAIT_S, &icpd_port, fault)) {
        return false;
    }
    uint16_t redis_port = peer_port_free();
    snprintf(port, sizeof port, "%u", redis_port);
    snprintf(log, sizeof log, "%s/redis.log", bench->folder);
    const char *const redis[] = {"redis-server", "--port", port,           "--bind", "127.0.0.1",
                                 "--save",       "",       "--appendonly", "no",     NULL};
    if (!peer_process_start(&bench->redis, redis, 0, log, fault) ||
        !peer_process_await_port(&bench->redis, redis_port, WAIT_S, fault)) {
        return false;
    }
    if (!client_delay_start(&bench->delay, icpd_port, DELAY_US)) {
        return proto_fault_set(fault, PROTO_IO, "", "the proxy did not start");
    }
    snprintf(bench->uri, sizeof bench->uri, "icp://127.0.0.1:%u", icpd_port);
    snprintf(bench->delayed_uri, sizeof bench->delayed_uri, "icp://127.0.0.1:%u",
             bench->delay.port);
    bench->target.uri = bench->uri;
    bench->target.delayed_uri = bench->delayed_uri;
    bench->target.redis_port = redis_port;
    const struct load_fill_options fill = {
        .uri = bench->uri, .accounts = CLIENT_ROW_ACCOUNTS, .seed = 7, .quiet = true};
    return load_fill(&fill, fault) && client_row_redis_fill(redis_port, fault);
}

static bool row_run(struct bench *bench, const struct row *row, double *ratio,
                    struct proto_fault *fault)
{
    double ratios[ROUNDS_MAX];
    double rates[2][ROUNDS_MAX];
    double cpus[2][ROUNDS_MAX];
    for (size_t round = 0; round < bench->rounds; round++) {
        struct client_row_result results[2] = {{.rate = 0}, {.rate = 0}};
        for (size_t turn = 0; turn < 2; turn++) {
            size_t which = (round + turn) % 2; /* another one first in each round */
            client_row_way *way = which == 0 ? row->first : row->second;
            if (!way(&bench->target, &results[which], fault)) {
                return false;
            }
        }
        ratios[round] = results[0].rate / results[1].rate;
        for (size_t which = 0; which < 2; which++) {
            rates[which][round] = results[which].rate;
            cpus[which][round] = results[which].cpu_ns;
        }
    }
    *ratio = median(ratios, bench->rounds);
    printf("%-20s %-13s %10.0f/s %6.0f ns   %-15s %10.0f/s %6.0f ns   %5.2f (%.2f to %.2f)\n",
           row->name, row->first_name, median(rates[0], bench->rounds),
           median(cpus[0], bench->rounds), row->second_name, median(rates[1], bench->rounds),
           median(cpus[1], bench->rounds), *ratio, ratios[0], ratios[bench->rounds - 1]);
    return true;
}

static int rows_run(struct bench *bench, struct proto_fault *fault)
{
    cpu_set_t load;
    CPU_ZERO(&load);
    CPU_SET(1, &load);
    (void)sched_setaffinity(0, sizeof load, &load); /* one processor only: then as it comes */
    printf("%-20s %-13s %12s %9s   %-15s %12s %9s   %s\n", "", "", "rate", "cpu", "", "rate", "cpu",
           "ratio of rates");
    int status = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double ratio = 0;
        if (!row_run(bench, &rows[i], &ratio, fault)) {
            return 1;
        }
        if (rows[i].is_pool && ratio < POOL_TARGET) {
            printf("falls short: a pool of 8 should reach %.0f times one connection\n",
                   POOL_TARGET);
            status = 2;
        }
    }
    return status;
}

int main(int count, char **arguments)
{
    struct bench bench = {.rounds = 7, .target = {.seconds = 1}};
    struct proto_fault fault = {.code = PROTO_OK};
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--seconds") == 0 && i + 1 < count) {
            bench.target.seconds = strtod(arguments[++i], NULL);
        } else if (strcmp(arguments[i], "--rounds") == 0 && i + 1 < count) {
            bench.rounds = strtoul(arguments[++i], NULL, 10);
        } else {
            bench.icpd = arguments[i];
        }
    }
    if (bench.icpd == NULL || bench.rounds < 1 || bench.rounds > ROUNDS_MAX ||
        !(bench.target.seconds > 0)) {
        fprintf(stderr, "usage: icp-bench-client ICPD [--seconds S] [--rounds 1 to %d]\n",
                ROUNDS_MAX);
        return 64;
    }
    snprintf(bench.folder, sizeof bench.folder, "/tmp/icp-bench-client-XXXXXX");
    if (mkdtemp(bench.folder) == NULL) {
        return 1;
    }
    int status = servers_start(&bench, &fault) ? rows_run(&bench, &fault) : 1;
    if (bench.delay.port != 0) {
        client_delay_stop(&bench.delay);
    }
    peer_process_stop(&bench.redis);
    peer_process_stop(&bench.server);
    if (status == 1) {
        fprintf(stderr, "%s\n", fault.message);
    } else {
        peer_folder_remove(bench.folder);
    }
    return status;
}
