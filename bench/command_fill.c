/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench fill */
#include <argp.h>
#include <stdlib.h>
#include <sysexits.h>

#include "bench/bench_account.h"
#include "bench/bench_cli.h"
#include "bench/bench_fill.h"

enum { KEY_URI = 256, KEY_ACCOUNTS, KEY_SEED, KEY_LEARN_FROM, KEY_ICP, KEY_QUIET };

static const struct argp_option options[] = {
    {"uri", KEY_URI, "URI", 0, "icpd to fill (default icp://127.0.0.1:4273)", 0},
    {"accounts", KEY_ACCOUNTS, "N", 0, "how many (default 1000000)", 0},
    {"seed", KEY_SEED, "N", 0, "same seed, same accounts (default 7)", 0},
    {"learn-from", KEY_LEARN_FROM, "N", 0, "learn the ICP from the first N (default 20000)", 0},
    {"icp", KEY_ICP, "FILE", 0, "put this ICP document instead of learning one", 0},
    {"quiet", KEY_QUIET, NULL, 0, "tell no progress", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct bench_fill_options *fill = state->input;
    switch (key) {
    case KEY_URI:
        fill->uri = text;
        return 0;
    case KEY_ACCOUNTS:
        fill->accounts = strtoull(text, NULL, 10);
        return 0;
    case KEY_SEED:
        fill->seed = strtoull(text, NULL, 10);
        return 0;
    case KEY_LEARN_FROM:
        fill->learn_from = strtoull(text, NULL, 10);
        return 0;
    case KEY_ICP:
        fill->icp_path = text;
        return 0;
    case KEY_QUIET:
        fill->quiet = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int bench_command_fill(int argc, char **argv)
{
    static const struct argp parser = {
        options, parse, NULL, "Fills an icpd with accounts of 40 fields and an ICP.",
        NULL,    NULL,  NULL};
    struct proto_fault fault = {0};
    struct bench_fill_options fill = {
        .uri = "icp://127.0.0.1:4273", .accounts = 1000000, .seed = BENCH_SEED};
    argp_parse(&parser, argc, argv, 0, NULL, &fill);
    return bench_fill(&fill, &fault) ? EX_OK : bench_fail(&fault);
}
