/* SPDX-License-Identifier: Apache-2.0 */
/* The echo server as a program: net_echo_server [--port N] [--socket PATH] [--workers N]. Prints
 * its port, serves until TERM or INT, drains, prints its figures. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/net/net_echo.h"

static bool options_read(struct net_options *options, int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--port") == 0) {
            options->port = (uint16_t)strtoul(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--socket") == 0) {
            options->socket_path = argv[i + 1];
        } else if (strcmp(argv[i], "--workers") == 0) {
            options->workers = (unsigned)strtoul(argv[i + 1], NULL, 10);
        } else {
            return false;
        }
    }
    return argc % 2 == 1;
}

static void figures_print(const struct net_echo *echo)
{
    struct net_counters counters;
    size_t count = 0;
    const struct net_counter_info *infos = net_counter_infos(&count);
    net_server_counters(echo->server, &counters);
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        memcpy(&value, (const char *)&counters + infos[i].offset, sizeof value);
        fprintf(stderr, "%-22s %" PRIu64 "\n", infos[i].name, value);
    }
}

int main(int argc, char **argv)
{
    static struct net_echo echo;
    struct net_options options;
    struct proto_fault fault = {0};
    struct base_log *log =
        base_log_create(&(struct base_log_options){.level = BASE_LOG_INFO}, &fault);
    net_options_default(&options);
    options.port = 0;
    options.log = log;
    if (!options_read(&options, argc, argv)) {
        fprintf(stderr, "usage: %s [--port N] [--socket PATH] [--workers N]\n", argv[0]);
        return 64;
    }
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (!net_echo_start(&echo, &options, &fault)) {
        fprintf(stderr, "%s: %s\n", fault.field, fault.message);
        return 1;
    }
    printf("port %u\n", net_server_port(echo.server));
    fflush(stdout);
    int caught = 0;
    sigwait(&ends, &caught);
    net_server_drain(echo.server, 5000);
    net_server_join(echo.server);
    figures_print(&echo);
    net_echo_stop(&echo, 0);
    base_log_destroy(log);
    return 0;
}
