/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench gate */
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench_cli.h"
#include "bench/bench_flags.h"
#include "bench/gate/gate.h"
#include "bench/load/load_account.h"
#include "bench/report/report_json.h"

#define ROWS_MAX 64

struct arguments {
    struct gate_options gate;
    const char *name;
    const char *json;
    int nice;
};

#define AT(field) offsetof(struct arguments, field)
static const struct bench_flag options[] = {
    {"icpd", "PATH", BENCH_FLAG_TEXT, AT(gate.icpd), 0, 0, "the server to measure"},
    {"folder", "PATH", BENCH_FLAG_TEXT, AT(gate.folder), 0, 0,
     "where filled bases are kept (build/bench)"},
    {"accounts", "N", BENCH_FLAG_U64, AT(gate.accounts), 1000, LOAD_ACCOUNTS_MAX,
     "accounts of 40 fields each (1000000)"},
    {"large", "N", BENCH_FLAG_U64, AT(gate.large), 0, LOAD_ACCOUNTS_MAX,
     "accounts of the large base; 0: growth is not measured"},
    {"rounds", "N", BENCH_FLAG_UNSIGNED, AT(gate.rounds), 1, REPORT_RUNS_MAX,
     "alternating rounds (7)"},
    {"seconds", "S", BENCH_FLAG_REAL, AT(gate.measure_s), 0.05, 3600, "counted in each run (1.5)"},
    {"warmup", "S", BENCH_FLAG_REAL, AT(gate.warmup_s), 0, 3600, "before each run (0.3)"},
    {"server-cpu", "N", BENCH_FLAG_INT, AT(gate.server_cpu), -1, 1023,
     "processor of every server (0); -1: any"},
    {"load-cpu", "N", BENCH_FLAG_INT, AT(gate.load_cpu), -1, 1023,
     "processor of the load generator (1); -1: any"},
    {"no-peers", NULL, BENCH_FLAG_OFF, AT(gate.peers), 0, 0, "icpd and the floor alone"},
    {"nice", "N", BENCH_FLAG_INT, AT(nice), -20, 19, "priority of servers and generator alike (0)"},
    {"json", "FILE", BENCH_FLAG_TEXT, AT(json), 0, 0, "where the result goes (FOLDER/GATE.json)"},
};

static bool take(void *into, const char *text, char *why, size_t why_bytes)
{
    struct arguments *arguments = into;
    if (arguments->name != NULL || (strcmp(text, "serving") != 0 && strcmp(text, "smoke") != 0)) {
        snprintf(why, why_bytes, "one gate: serving or smoke, not '%s'", text);
        return false;
    }
    arguments->name = text;
    return true;
}

/* What this run had less of than the rows speak of. */
static void smaller_say(const struct gate_options *setup)
{
    if (setup->accounts < GATE_ACCOUNTS) {
        printf("note: the base has %llu accounts, the rows speak of %d\n",
               (unsigned long long)setup->accounts, GATE_ACCOUNTS);
    }
    if (setup->large > 0 && setup->large < GATE_LARGE) {
        printf("note: the large base has %llu accounts, the row of growth speaks of %d and cannot "
               "hold\n",
               (unsigned long long)setup->large, GATE_LARGE);
    }
    if (setup->rounds < GATE_ROUNDS) {
        printf("note: %u rounds, the rows speak of medians of %d\n", setup->rounds, GATE_ROUNDS);
    }
}

static int rows_print(const struct gate *gate, const struct gate_options *setup)
{
    struct gate_line lines[ROWS_MAX];
    size_t count = gate_rows(gate, lines, ROWS_MAX);
    unsigned short_of = gate_lines_print(stdout, lines, count);
    smaller_say(setup);
    return short_of == 0 ? EX_OK : 1;
}

/* Every series in a line: what the rows were made of. */
static unsigned series_print(const struct gate *gate)
{
    unsigned wrong = 0;
    printf("%-12s %-18s %14s %12s %12s %12s\n", "case", "contender", "requests/s", "p50 us",
           "p99 us", "CPU ns");
    for (unsigned what = 0; what < GATE_CASES; what++) {
        for (unsigned who = 0; who < GATE_CONTENDERS; who++) {
            const struct gate_series *series =
                gate_series(gate, (enum gate_case)what, (enum gate_contender)who);
            if (series->runs == NULL || what == GATE_SWEEP) {
                continue;
            }
            printf("%-12s %-18s", gate_case_name((enum gate_case)what),
                   gate_contender_name((enum gate_contender)who));
            static const enum gate_metric shown[] = {GATE_RATE, GATE_P50, GATE_P99, GATE_CPU};
            for (unsigned i = 0; i < sizeof shown / sizeof *shown; i++) {
                printf(i == 0 ? " %14.0f" : " %12.1f",
                       report_spread_of(series->values[shown[i]], series->count).median);
            }
            if (series->wrong > 0) {
                printf("   %llu WRONG REPLIES", (unsigned long long)series->wrong);
            }
            printf("\n");
            wrong += series->wrong > 0;
        }
    }
    return wrong;
}

static int measure(struct arguments *arguments)
{
    struct proto_fault fault = {0};
    char path[512];
    struct gate *gate = gate_create(&arguments->gate, &fault);
    if (gate == NULL) {
        return bench_fail(&fault);
    }
    bool ok = gate_measure(gate, &fault);
    int code = ok ? EX_OK : bench_fail(&fault);
    if (ok) {
        json_t *json = gate_json(gate);
        snprintf(path, sizeof path, "%s/%s.json", arguments->gate.folder, arguments->name);
        unsigned wrong = series_print(gate);
        code = arguments->gate.smoke ? EX_OK : rows_print(gate, &arguments->gate);
        if (wrong > 0) {
            code = EX_SOFTWARE;
        }
        if (!report_json_save(json, arguments->json != NULL ? arguments->json : path, &fault)) {
            code = bench_fail(&fault);
        } else {
            printf("written to %s\n", arguments->json != NULL ? arguments->json : path);
        }
        json_decref(json);
    }
    gate_destroy(gate);
    return code;
}

int bench_command_gate(int argc, char **argv)
{
    static const struct bench_flags flags = {
        .what = "Measures icpd, the floor and its peers in one alternating run.",
        .arguments = "serving|smoke",
        .flags = options,
        .count = sizeof options / sizeof *options,
        .on_argument = take,
        .arguments_least = 1,
        .missing = "which gate: serving or smoke?"};
    char self[512] = "";
    struct arguments arguments = {.gate = {.icpd = "icpd",
                                           .self = self,
                                           .folder = "build/bench",
                                           .workloads = BENCH_WORKLOADS,
                                           .accounts = GATE_ACCOUNTS,
                                           .small = 10000,
                                           .rounds = GATE_ROUNDS,
                                           .connections = 50,
                                           .warmup_s = 0.3,
                                           .measure_s = 1.5,
                                           .server_cpu = 0,
                                           .load_cpu = 1,
                                           .peers = true}};
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) {
        return EX_OSERR;
    }
    bench_flags_parse(&flags, argc, argv, &arguments);
    arguments.gate.smoke = strcmp(arguments.name, "smoke") == 0;
    if (arguments.nice != 0 && nice(arguments.nice) == -1) {
        fprintf(stderr, "icp-bench: the priority could not be changed\n");
    }
    return measure(&arguments);
}
