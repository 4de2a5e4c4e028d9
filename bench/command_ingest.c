/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench ingest */
#include <stdlib.h>
#include <sysexits.h>

#include "bench/bench_cli.h"
#include "bench/bench_flags.h"
#include "bench/gate/gate_ingest.h"
#include "bench/load/load_account.h"
#include "bench/report/report_json.h"

#define BATCH_MAX 10000

struct arguments {
    struct gate_ingest_options ingest;
    const char *json;
};

#define AT(field) offsetof(struct arguments, field)
static const struct bench_flag options[] = {
    {"icpd", "PATH", BENCH_FLAG_TEXT, AT(ingest.icpd), 0, 0, "the server to measure"},
    {"folder", "PATH", BENCH_FLAG_TEXT, AT(ingest.folder), 0, 0,
     "where everybody writes; its disk is what is measured (build/bench)"},
    {"accounts", "N", BENCH_FLAG_U64, AT(ingest.accounts), 1000, LOAD_ACCOUNTS_MAX / 4.0,
     "records that everybody holds before (1000000)"},
    {"record-bytes", "N", BENCH_FLAG_U64, AT(ingest.record_bytes), 32, 4096,
     "of a record, as near as 39 fields come (512)"},
    {"rounds", "N", BENCH_FLAG_UNSIGNED, AT(ingest.rounds), 1, REPORT_RUNS_MAX,
     "alternating rounds (7)"},
    {"seconds", "S", BENCH_FLAG_REAL, AT(ingest.measure_s), 0.05, 3600,
     "counted in each run (1.5)"},
    {"warmup", "S", BENCH_FLAG_REAL, AT(ingest.warmup_s), 0, 3600, "before each run (0.3)"},
    {"connections", "N", BENCH_FLAG_UNSIGNED, AT(ingest.connections), 1, 1000,
     "clients that wait for their one request at a time (16)"},
    {"server-cpu", "N", BENCH_FLAG_INT, AT(ingest.server_cpu), -1, 1023,
     "processor of every server (0); -1: any"},
    {"load-cpu", "N", BENCH_FLAG_INT, AT(ingest.load_cpu), -1, 1023,
     "processor of the load, and so of SQLite (1); -1: any"},
    {"no-peers", NULL, BENCH_FLAG_OFF, AT(ingest.peers), 0, 0, "icpd alone"},
    {"json", "FILE", BENCH_FLAG_TEXT, AT(json), 0, 0, "where the result goes (FOLDER/ingest.json)"},
};

static bool take(void *into, const char *text, char *why, size_t why_bytes)
{
    struct arguments *arguments = into;
    char *end;
    unsigned long batch = strtoul(text, &end, 10);
    if (*end != '\0' || batch == 0 || batch > BATCH_MAX ||
        arguments->ingest.batch_count == GATE_INGEST_BATCHES_MAX) {
        snprintf(why, why_bytes, "'%s': at most %d sizes of batches from 1 to %d", text,
                 GATE_INGEST_BATCHES_MAX, BATCH_MAX);
        return false;
    }
    arguments->ingest.batches[arguments->ingest.batch_count++] = (unsigned)batch;
    return true;
}

static bool series_print(const struct gate_ingest *ingest, const struct arguments *arguments,
                         enum gate_ingest_mode mode, unsigned b, enum gate_ingest_who who)
{
    const struct gate_ingest_series *series = gate_ingest_series(ingest, mode, b, who);
    const struct gate_ingest_info *info = gate_ingest_info(who);
    if (series->count == 0) {
        return true;
    }
    struct report_spread records = report_spread_of(series->records, series->count);
    printf("%-7s %-6u %-16s %12.0f %11.0f … %9.0f %11.1f %11.1f %9.2f   %s\n",
           gate_ingest_mode_name(mode), arguments->ingest.batches[b], info->name, records.median,
           records.low, records.high, report_spread_of(series->p50_us, series->count).median,
           report_spread_of(series->p99_us, series->count).median,
           report_spread_of(series->cpu_us, series->count).median, info->durability);
    if (series->wrong > 0) {
        printf("       %llu WRONG REPLIES\n", (unsigned long long)series->wrong);
    }
    return series->wrong == 0;
}

/* Whether every reply was right. */
static bool table_print(const struct gate_ingest *ingest, const struct arguments *arguments)
{
    bool right = true;
    printf("%-7s %-6s %-16s %12s %24s %11s %11s %9s   %s\n", "records", "batch", "contender",
           "records/s", "lowest … highest", "p50 us", "p99 us", "CPU us", "acknowledged means");
    for (unsigned mode = 0; mode < GATE_INGEST_MODES; mode++) {
        for (unsigned b = 0; b < arguments->ingest.batch_count; b++) {
            for (unsigned i = 0; i < GATE_INGEST_COUNT; i++) {
                right &= series_print(ingest, arguments, (enum gate_ingest_mode)mode, b,
                                      (enum gate_ingest_who)i);
            }
        }
    }
    return right;
}

static int measure(const struct arguments *arguments)
{
    struct proto_fault fault = {0};
    char path[512];
    struct gate_ingest *ingest = gate_ingest_create(&arguments->ingest, &fault);
    if (ingest == NULL) {
        return bench_fail(&fault);
    }
    int code = EX_OK;
    if (!gate_ingest_measure(ingest, &fault)) {
        code = bench_fail(&fault);
    } else {
        json_t *json = gate_ingest_json(ingest);
        snprintf(path, sizeof path, "%s/ingest.json", arguments->ingest.folder);
        const char *to = arguments->json != NULL ? arguments->json : path;
        struct gate_line lines[GATE_INGEST_ROWS_MAX];
        size_t count = gate_ingest_rows(ingest, &arguments->ingest, lines, GATE_INGEST_ROWS_MAX);
        bool wrong = !table_print(ingest, arguments);
        unsigned short_of = gate_lines_print(stdout, lines, count);
        code = wrong ? EX_SOFTWARE : short_of > 0 ? 1 : EX_OK;
        if (!report_json_save(json, to, &fault)) {
            code = bench_fail(&fault);
        } else {
            printf("written to %s\n", to);
        }
        json_decref(json);
    }
    gate_ingest_destroy(ingest);
    return code;
}

int bench_command_ingest(int argc, char **argv)
{
    static const struct bench_flags flags = {
        .what =
            "Stores records in icpd, Redis with its append-only file, and SQLite, in batches of "
            "the given sizes (1 100 1000).",
        .arguments = "[BATCH…]",
        .flags = options,
        .count = sizeof options / sizeof *options,
        .on_argument = take};
    static const unsigned usual[] = {1, 100, 1000};
    struct arguments arguments = {.ingest = {.icpd = "icpd",
                                             .folder = "build/bench",
                                             .accounts = GATE_INGEST_ACCOUNTS,
                                             .record_bytes = 512,
                                             .rounds = GATE_INGEST_ROUNDS,
                                             .connections = 16,
                                             .warmup_s = 0.3,
                                             .measure_s = 1.5,
                                             .server_cpu = 0,
                                             .load_cpu = 1,
                                             .peers = true}};
    bench_flags_parse(&flags, argc, argv, &arguments);
    if (arguments.ingest.batch_count == 0) {
        memcpy(arguments.ingest.batches, usual, sizeof usual);
        arguments.ingest.batch_count = sizeof usual / sizeof *usual;
    }
    return measure(&arguments);
}
