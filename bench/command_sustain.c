/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench sustain: icpd under writes for a long time, and its starts after that. */
#include <stddef.h>
#include <stdio.h>
#include <sysexits.h>

#include "bench/bench_cli.h"
#include "bench/bench_flags.h"
#include "bench/gate/gate_sustain.h"
#include "bench/load/load_account.h"
#include "bench/report/report_json.h"

struct arguments {
    struct gate_sustain_options sustain;
    const char *json;
};

#define AT(field) offsetof(struct arguments, field)
static const struct bench_flag options[] = {
    {"icpd", "PATH", BENCH_FLAG_TEXT, AT(sustain.ingest.icpd), 0, 0, "the server to measure"},
    {"folder", "PATH", BENCH_FLAG_TEXT, AT(sustain.ingest.folder), 0, 0,
     "where it writes; its disk is what is measured (build/bench)"},
    {"accounts", "N", BENCH_FLAG_U64, AT(sustain.ingest.accounts), 1000, LOAD_ACCOUNTS_MAX / 4.0,
     "accounts that it holds (1000000)"},
    {"record-bytes", "N", BENCH_FLAG_U64, AT(sustain.ingest.record_bytes), 32, 4096,
     "of a record, as near as 39 fields come (512)"},
    {"batch", "N", BENCH_FLAG_UNSIGNED, AT(sustain.ingest.batches), 1, 10000,
     "records a request (100)"},
    {"connections", "N", BENCH_FLAG_UNSIGNED, AT(sustain.ingest.connections), 1, 1000,
     "clients that write, waiting for one request at a time, and as many that ask for scores (16)"},
    {"seconds", "S", BENCH_FLAG_REAL, AT(sustain.seconds), 1, 86400, "of updates (600)"},
    {"score-rate", "N", BENCH_FLAG_REAL, AT(sustain.score_rate), 1, 1e6,
     "scores a second meanwhile, by a schedule (10000)"},
    {"no-vectors", NULL, BENCH_FLAG_OFF, AT(sustain.vectors), 0, 0, "without look-alike vectors"},
    {"server-cpu", "N", BENCH_FLAG_INT, AT(sustain.ingest.server_cpu), -1, 1023,
     "processor of the server (0); -1: any"},
    {"load-cpu", "N", BENCH_FLAG_INT, AT(sustain.ingest.load_cpu), -1, 1023,
     "processor of the load (1); -1: any"},
    {"json", "FILE", BENCH_FLAG_TEXT, AT(json), 0, 0,
     "where the result goes (FOLDER/sustain.json)"},
};

int bench_command_sustain(int argc, char **argv)
{
    static const struct bench_flags flags = {
        .what = "Random updates for a long time beside scores, bytes written, memory; then starts.",
        .arguments = "",
        .flags = options,
        .count = sizeof options / sizeof *options};
    struct arguments arguments = {.sustain = {.ingest = {.icpd = "icpd",
                                                         .folder = "build/bench",
                                                         .accounts = GATE_INGEST_ACCOUNTS,
                                                         .record_bytes = 512,
                                                         .batches = {100},
                                                         .batch_count = 1,
                                                         .connections = 16,
                                                         .server_cpu = 0,
                                                         .load_cpu = 1},
                                              .workloads = BENCH_WORKLOADS,
                                              .seconds = GATE_SUSTAIN_SECONDS,
                                              .score_rate = 10000,
                                              .vectors = true}};
    struct gate_sustain result;
    struct proto_fault fault = {0};
    char path[512];
    bench_flags_parse(&flags, argc, argv, &arguments);
    if (!gate_sustain_measure(&arguments.sustain, &result, &fault)) {
        return bench_fail(&fault);
    }
    printf("%.0f updates/s over %.0f s\n", result.updates, arguments.sustain.seconds);
    unsigned short_of = gate_lines_print(stdout, result.lines, GATE_SUSTAIN_ROWS);
    snprintf(path, sizeof path, "%s/sustain.json", arguments.sustain.ingest.folder);
    const char *to = arguments.json != NULL ? arguments.json : path;
    bool saved = report_json_save(result.json, to, &fault);
    json_decref(result.json);
    if (!saved) {
        return bench_fail(&fault);
    }
    printf("written to %s\n", to);
    return short_of > 0 ? 1 : EX_OK;
}
