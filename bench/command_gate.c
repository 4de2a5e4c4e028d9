/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench gate */
#include <argp.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench_cli.h"
#include "bench/bench_gate.h"
#include "bench/bench_json.h"

#define ROWS_MAX 64

enum {
    KEY_ICPD = 256,
    KEY_FOLDER,
    KEY_ACCOUNTS,
    KEY_LARGE,
    KEY_ROUNDS,
    KEY_SECONDS,
    KEY_WARMUP,
    KEY_SERVER_CPU,
    KEY_LOAD_CPU,
    KEY_NO_PEERS,
    KEY_NICE,
    KEY_JSON
};

struct arguments {
    struct gate_options gate;
    const char *name;
    const char *json;
    int nice;
};

static const struct argp_option options[] = {
    {"icpd", KEY_ICPD, "PATH", 0, "the server to measure", 1},
    {"folder", KEY_FOLDER, "PATH", 0, "where filled bases are kept (build/bench)", 1},
    {"accounts", KEY_ACCOUNTS, "N", 0, "accounts of 40 fields each (1000000)", 1},
    {"large", KEY_LARGE, "N", 0, "accounts of the large base; 0: growth is not measured", 1},
    {"rounds", KEY_ROUNDS, "N", 0, "alternating rounds (7)", 1},
    {"seconds", KEY_SECONDS, "S", 0, "counted in each run (1.5)", 1},
    {"warmup", KEY_WARMUP, "S", 0, "before each run (0.3)", 1},
    {"server-cpu", KEY_SERVER_CPU, "N", 0, "processor of every server (0)", 1},
    {"load-cpu", KEY_LOAD_CPU, "N", 0, "processor of the load generator (1)", 1},
    {"no-peers", KEY_NO_PEERS, NULL, 0, "icpd and the floor alone", 1},
    {"nice", KEY_NICE, "N", 0, "priority of servers and generator alike (0)", 1},
    {"json", KEY_JSON, "FILE", 0, "where the result goes (FOLDER/serving.json)", 1},
    {0},
};

static error_t parse_numbers(struct arguments *arguments, int key, const char *text)
{
    switch (key) {
    case KEY_ROUNDS:
        arguments->gate.rounds = (unsigned)strtoul(text, NULL, 10);
        return 0;
    case KEY_SECONDS:
        arguments->gate.measure_s = strtod(text, NULL);
        return 0;
    case KEY_WARMUP:
        arguments->gate.warmup_s = strtod(text, NULL);
        return 0;
    case KEY_SERVER_CPU:
        arguments->gate.server_cpu = (int)strtol(text, NULL, 10);
        return 0;
    case KEY_LOAD_CPU:
        arguments->gate.load_cpu = (int)strtol(text, NULL, 10);
        return 0;
    case KEY_NICE:
        arguments->nice = (int)strtol(text, NULL, 10);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case KEY_ICPD:
        arguments->gate.icpd = text;
        return 0;
    case KEY_FOLDER:
        arguments->gate.folder = text;
        return 0;
    case KEY_ACCOUNTS:
        arguments->gate.accounts = strtoull(text, NULL, 10);
        return 0;
    case KEY_LARGE:
        arguments->gate.large = strtoull(text, NULL, 10);
        return 0;
    case KEY_NO_PEERS:
        arguments->gate.peers = false;
        return 0;
    case KEY_JSON:
        arguments->json = text;
        return 0;
    case ARGP_KEY_ARG:
        arguments->name = text;
        if (strcmp(text, "serving") != 0 && strcmp(text, "smoke") != 0)
            argp_error(state, "the gates are serving and smoke");
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which gate: serving or smoke?");
        return EINVAL;
    default:
        return parse_numbers(arguments, key, text);
    }
}

static void number_print(double value)
{
    if (value >= 1e5)
        printf("%8.2f M", value / 1e6);
    else if (value >= 100)
        printf("%10.0f", value);
    else
        printf("%10.3f", value);
}

static int rows_print(const struct gate *gate)
{
    struct gate_row rows[ROWS_MAX];
    size_t count = gate_rows(gate, rows, ROWS_MAX);
    unsigned short_of = 0;
    printf("\n%-58s %10s %24s %12s   %s\n", "", "measured", "lowest … highest run", "target", "");
    for (size_t i = 0; i < count; i++) {
        const struct gate_row *row = &rows[i];
        printf("%-58s ", row->text);
        if (row->measured.count == 0) {
            printf("%10s %24s", "-", "");
        } else {
            number_print(row->measured.median);
            printf("  ");
            number_print(row->measured.low);
            printf(" …");
            number_print(row->measured.high);
        }
        printf("  %s", row->at_least ? "≥" : "≤");
        number_print(row->target);
        printf("   %s", row->measured.count == 0 ? "NOT MEASURED"
                        : row->holds             ? "holds"
                                                 : "FALLS SHORT");
        if (row->by_cpu.count > 0)
            printf("  (by CPU time %.3f)", row->by_cpu.median);
        printf("\n");
        short_of += !row->holds;
    }
    printf("\n%zu rows, %u short\n", count, short_of);
    return short_of == 0 ? EX_OK : 1;
}

/* Every series in a line: what the rows were made of. */
static unsigned series_print(const struct gate *gate)
{
    unsigned wrong = 0;
    printf("%-12s %-18s %14s %12s %12s %12s\n", "case", "contender", "requests/s", "p50 us",
           "p99 us", "CPU ns");
    for (unsigned what = 0; what < GATE_CASES; what++)
        for (unsigned who = 0; who < GATE_CONTENDERS; who++) {
            const struct gate_series *series =
                gate_series(gate, (enum gate_case)what, (enum gate_contender)who);
            if (series->runs == NULL || what == GATE_SWEEP)
                continue;
            printf("%-12s %-18s", gate_case_name((enum gate_case)what),
                   gate_contender_name((enum gate_contender)who));
            static const enum gate_metric shown[] = {GATE_RATE, GATE_P50, GATE_P99, GATE_CPU};
            for (unsigned i = 0; i < sizeof shown / sizeof *shown; i++)
                printf(i == 0 ? " %14.0f" : " %12.1f",
                       bench_spread_of(series->values[shown[i]], series->count).median);
            if (series->wrong > 0)
                printf("   %llu WRONG REPLIES", (unsigned long long)series->wrong);
            printf("\n");
            wrong += series->wrong > 0;
        }
    return wrong;
}

static int measure(struct arguments *arguments)
{
    struct proto_fault fault = {0};
    char path[512];
    struct gate *gate = gate_create(&arguments->gate, &fault);
    if (gate == NULL)
        return bench_fail(&fault);
    bool ok = gate_measure(gate, &fault);
    int code = ok ? EX_OK : bench_fail(&fault);
    if (ok) {
        json_t *json = gate_json(gate);
        snprintf(path, sizeof path, "%s/%s.json", arguments->gate.folder, arguments->name);
        unsigned wrong = series_print(gate);
        code = arguments->gate.smoke ? EX_OK : rows_print(gate);
        if (wrong > 0)
            code = EX_SOFTWARE;
        if (!bench_json_save(json, arguments->json != NULL ? arguments->json : path, &fault))
            code = bench_fail(&fault);
        else
            printf("written to %s\n", arguments->json != NULL ? arguments->json : path);
        json_decref(json);
    }
    gate_destroy(gate);
    return code;
}

int bench_command_gate(int argc, char **argv)
{
    static const struct argp parser = {
        options,
        parse,
        "serving|smoke",
        "Measures icpd, the floor and its peers in one alternating run.",
        NULL,
        NULL,
        NULL};
    char self[512] = "";
    struct arguments arguments = {.gate = {.icpd = "icpd",
                                           .self = self,
                                           .folder = "build/bench",
                                           .workloads = BENCH_WORKLOADS,
                                           .accounts = 1000000,
                                           .small = 10000,
                                           .rounds = 7,
                                           .connections = 50,
                                           .warmup_s = 0.3,
                                           .measure_s = 1.5,
                                           .server_cpu = 0,
                                           .load_cpu = 1,
                                           .peers = true}};
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return EX_OSERR;
    argp_parse(&parser, argc, argv, 0, NULL, &arguments);
    arguments.gate.smoke = strcmp(arguments.name, "smoke") == 0;
    if (arguments.nice != 0 && nice(arguments.nice) == -1)
        fprintf(stderr, "icp-bench: the priority could not be changed\n");
    return measure(&arguments);
}
