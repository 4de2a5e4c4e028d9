/* SPDX-License-Identifier: Apache-2.0 */
/* The sub-commands of icp-bench; each takes its own arguments (argv[0] is its name) and returns an
 * exit code of sysexits.h. */
#ifndef BENCH_CLI_H
#define BENCH_CLI_H

#include "proto/fault.h"

/* X(name, "arguments", "help") */
#define BENCH_COMMANDS                                                                             \
    X(run, "WORKLOAD…", "send a workload to a running icpd (or echo) and measure it")              \
    X(echo, "", "serve frames of one size: the floor that others are compared with")               \
    X(fill, "", "fill a running icpd with accounts of 40 fields and an ICP")                       \
    X(gate, "serving|smoke", "measure icpd, the floor and its peers in one alternating run")       \
    X(ingest, "[BATCH…]", "measure how fast icpd, Redis and SQLite store the same records")        \
    X(sustain, "", "write to icpd for a long time while it scores, then stop and start it")        \
    X(compare, "A.json B.json", "end non-zero if B is worse than A beyond noise")                  \
    X(report, "IN.json", "write a report as one HTML file without scripts")

#define X(name, arguments, help) int bench_command_##name(int argc, char **argv);
BENCH_COMMANDS
#undef X

/* Prints the fault to standard error; returns the exit code for it. */
int bench_fail(const struct proto_fault *fault);

#endif
