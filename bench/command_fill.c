/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench fill */
#include <sysexits.h>

#include "bench/bench_cli.h"
#include "bench/bench_flags.h"
#include "bench/load/load_account.h"
#include "bench/load/load_fill.h"

#define AT(field) offsetof(struct load_fill_options, field)
static const struct bench_flag options[] = {
    {"uri", "URI", BENCH_FLAG_TEXT, AT(uri), 0, 0, "icpd to fill (default icp://127.0.0.1:4273)"},
    {"accounts", "N", BENCH_FLAG_U64, AT(accounts), 1, LOAD_ACCOUNTS_MAX,
     "how many (default 1000000)"},
    {"seed", "N", BENCH_FLAG_U64, AT(seed), 0, 0x1p53, "same seed, same accounts (default 7)"},
    {"learn-from", "N", BENCH_FLAG_U64, AT(learn_from), 1, LOAD_ACCOUNTS_MAX,
     "learn the ICP from the first N (default 20000)"},
    {"icp", "FILE", BENCH_FLAG_TEXT, AT(icp_path), 0, 0,
     "put this ICP document instead of learning one"},
    {"quiet", NULL, BENCH_FLAG_SWITCH, AT(quiet), 0, 0, "tell no progress"},
};

int bench_command_fill(int argc, char **argv)
{
    static const struct bench_flags flags = {
        .what = "Fills an icpd with accounts of 40 fields and an ICP.",
        .flags = options,
        .count = sizeof options / sizeof *options};
    struct proto_fault fault = {0};
    struct load_fill_options fill = {
        .uri = "icp://127.0.0.1:4273", .accounts = 1000000, .seed = LOAD_SEED};
    bench_flags_parse(&flags, argc, argv, &fill);
    return load_fill(&fill, &fault) ? EX_OK : bench_fail(&fault);
}
