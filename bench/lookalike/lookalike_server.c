/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-alikes through the server, over its Unix socket, beside 50,000 scores a second in an open
 * loop: what is left of the throughput that the same queries have within one process, and what the
 * scores notice of it. The set is A; its vectors are the accounts' only values, so both sides
 * compare the same floats.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/load/load.h"
#include "bench/load/load_account.h"
#include "bench/lookalike/lookalike_base.h"
#include "bench/lookalike/lookalike_bench.h"
#include "bench/lookalike/lookalike_gate.h"
#include "server/math/random.h"

enum { SCORE_RATE = 50000, SCORE_CONNECTIONS = 50, ASK_CONNECTIONS = 4, ASK_DEPTH = 4 };
enum { PROBES = 2000, SCANS = 40, EXACT_ASKED = 20 };
#define RECALL 0.975
#define WARMUP_S 0.3

struct stage {
    struct lookalike_gate *gate;
    struct lookalike_bench bench; /* the same vectors, searched within this process */
    struct lookalike_base base;
    struct load_traffic scores, probes, scans;
    struct lookalike_case probe_case, scan_case;
    double p99_alone[REPORT_RUNS_MAX], p99_worst[REPORT_RUNS_MAX];
    /* Of the server and of this process, for one look-alike: what counts where cores are shared. */
    double cpu_server[2][REPORT_RUNS_MAX], cpu_within[2][REPORT_RUNS_MAX];
    uint32_t rounds;
};

enum { PROBE, SCAN };

/* What one run told. */
struct run_figures {
    double asked_per_second;
    double p99;
    double cpu_ns; /* of the server, all of it */
    double scores; /* answered */
    double asked;  /* look-alikes answered */
};

static const enum lookalike_row rows[] = {LOOKALIKE_SERVER_WRONG, LOOKALIKE_SERVER_PROBE,
                                          LOOKALIKE_SERVER_SCAN, LOOKALIKE_SERVER_P99};

struct asker {
    const struct stage *stage;
    struct math_random random;
    double recall;
};

static void score_encode(void *context, uint32_t index, struct proto_writer *out)
{
    struct asker *asker = context;
    char id[LOAD_ID_BYTES + 1];
    load_account_id(math_random_below(&asker->random, asker->stage->bench.data.count), id);
    proto_writer_frame_begin(out);
    proto_write_map(out, 1);
    proto_write_text(out, "id");
    proto_write_text(out, id);
    proto_writer_frame_end(out, PROTO_OP_SCORE, 0, index);
}

static void similar_encode(void *context, uint32_t index, struct proto_writer *out)
{
    const struct asker *asker = context;
    const struct lookalike_bench *bench = &asker->stage->bench;
    const struct proto_span vector = {(const uint8_t *)lookalike_query(bench, index),
                                      bench->data.dim * sizeof(float)};
    proto_writer_frame_begin(out);
    proto_write_map(out, asker->recall < 1 ? 4 : 3);
    proto_write_text(out, "positives");
    proto_write_array(out, 1);
    proto_write_map(out, 1);
    proto_write_text(out, "values");
    proto_write_map(out, 1);
    proto_write_text(out, "v");
    proto_write_bin(out, vector);
    proto_write_text(out, "k");
    proto_write_uint(out, LOOKALIKE_K);
    proto_write_text(out, "reasons");
    proto_write_uint(out, 0);
    if (asker->recall < 1) {
        proto_write_text(out, "recall");
        proto_write_f64(out, asker->recall);
    }
    proto_writer_frame_end(out, PROTO_OP_SIMILAR, 0, index);
}

static bool traffic_make(struct stage *stage, struct proto_fault *fault)
{
    struct asker scores = {.stage = stage};
    struct asker probes = {.stage = stage, .recall = RECALL};
    struct asker scans = {.stage = stage, .recall = 1};
    math_random_init(&scores.random, LOAD_SEED);
    return load_traffic_make(&stage->scores, score_encode, &scores, fault) &&
           load_traffic_make(&stage->probes, similar_encode, &probes, fault) &&
           load_traffic_make(&stage->scans, similar_encode, &scans, fault);
}

/* One run: the scores, and look-alikes beside them unless `asked` is NULL. */
static bool run(struct stage *stage, const struct load_traffic *asked, struct run_figures *figures,
                struct proto_fault *fault)
{
    struct load_result results[2];
    const struct load_target target = {.port = stage->base.port, .path = stage->base.socket_path};
    struct load_options options = {
        .streams = {{.wire = &load_wire_icp,
                     .traffic = &stage->scores,
                     .target = target,
                     .connections = SCORE_CONNECTIONS,
                     .arrival = {.rate = SCORE_RATE}},
                    {.wire = &load_wire_icp,
                     .traffic = asked,
                     .target = target,
                     .connections = ASK_CONNECTIONS,
                     .depth = ASK_DEPTH}},
        .stream_count = asked != NULL ? 2 : 1,
        .warmup_s = WARMUP_S,
        .measure_s = stage->gate->options->seconds,
        .seed = 1,
        .cpu = -1,
        .server_pid = stage->base.process.pid,
        .clock = base_clock_system(),
    };
    if (!load_run(&options, results, fault)) {
        return false;
    }
    char remark[512];
    bool good = true;
    load_result_remark(&results[0], remark, sizeof remark);
    if (remark[0] != '\0') {
        printf("  scores%s: %s\n", asked != NULL ? " beside look-alikes" : "", remark);
    }
    *figures = (struct run_figures){
        .p99 = (double)base_histogram_percentile(&results[0].latency, 0.99) / 1e3,
        .cpu_ns = (double)results[0].server.cpu_ns,
        .scores = (double)results[0].completed,
    };
    for (unsigned i = 0; i < options.stream_count; i++) {
        good = good && load_result_errors(&results[i]) == 0;
    }
    if (asked != NULL) {
        figures->asked_per_second = results[1].rate;
        figures->asked = (double)results[1].completed;
        load_result_fini(&results[1]);
    }
    load_result_fini(&results[0]);
    return good || proto_fault_set(fault, PROTO_IO, "", "requests were answered with errors");
}

/* The same queries within this process, by the wall clock as the server's are. */
static double within(const struct stage *stage, double recall, uint32_t queries, double *cpu_ns)
{
    const struct lookalike_bench *bench = &stage->bench;
    double start = lookalike_wall();
    double cpu_start = lookalike_now();
    for (uint32_t q = 0; q < queries; q++) {
        struct similar_hit hits[LOOKALIKE_K];
        uint32_t count = 0;
        struct similar_query query = {
            .vector = lookalike_query(bench, q), .k = LOOKALIKE_K, .recall = recall};
        similar_search(bench->set, bench->scratch, &query, hits, &count, NULL);
    }
    *cpu_ns = (lookalike_now() - cpu_start) * 1e9 / queries;
    return queries / (lookalike_wall() - start);
}

/* What a look-alike cost the server: all it used, without what as many scores used alone. */
static double cpu_each(const struct run_figures *with, const struct run_figures *alone)
{
    double scores = alone->scores > 0 ? alone->cpu_ns / alone->scores * with->scores : 0;
    return with->asked > 0 ? (with->cpu_ns - scores) / with->asked : 0;
}

/* One round: every part once, another one first in each. */
static bool round_run(struct stage *stage, struct proto_fault *fault)
{
    struct run_figures alone = {0};
    struct run_figures with[2];
    struct lookalike_contender *probe = stage->probe_case.contenders;
    struct lookalike_contender *scan = stage->scan_case.contenders;
    bool good = true;
    uint32_t at = stage->rounds;
    memset(with, 0, sizeof with);
    for (unsigned i = 0; good && i < 5; i++) {
        switch ((i + at) % 5) {
        case 0:
            good = run(stage, NULL, &alone, fault);
            break;
        case 1:
            probe[1].per_second[at] = within(stage, RECALL, PROBES, &stage->cpu_within[PROBE][at]);
            break;
        case 2:
            good = run(stage, &stage->probes, &with[PROBE], fault);
            break;
        case 3:
            scan[1].per_second[at] = within(stage, 1, SCANS, &stage->cpu_within[SCAN][at]);
            break;
        default:
            good = run(stage, &stage->scans, &with[SCAN], fault);
            break;
        }
    }
    probe[0].per_second[at] = with[PROBE].asked_per_second;
    scan[0].per_second[at] = with[SCAN].asked_per_second;
    stage->cpu_server[PROBE][at] = cpu_each(&with[PROBE], &alone);
    stage->cpu_server[SCAN][at] = cpu_each(&with[SCAN], &alone);
    stage->p99_alone[at] = alone.p99;
    stage->p99_worst[at] = with[PROBE].p99 > with[SCAN].p99 ? with[PROBE].p99 : with[SCAN].p99;
    stage->rounds += good;
    return good;
}

/* Exact answers of the server that are not those of the process: similarities that differ by more
 * than rounding, rank by rank. */
static bool wrong_count(struct stage *stage, uint32_t *wrong, struct proto_fault *fault)
{
    const struct lookalike_bench *bench = &stage->bench;
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    bool good = payload != NULL;
    *wrong = 0;
    for (uint32_t q = 0; good && q < EXACT_ASKED; q++) {
        struct similar_hit hits[LOOKALIKE_K];
        struct icp_value list;
        struct icp_value each;
        struct icp_value similarity;
        uint32_t count = 0;
        uint32_t rank = 0;
        struct similar_query query = {.vector = lookalike_query(bench, q), .k = LOOKALIKE_K};
        similar_search(bench->set, bench->scratch, &query, hits, &count, NULL);
        lookalike_request(payload, query.vector, bench->data.dim, 1);
        good = lookalike_ask(&stage->base, payload, &reply, fault);
        bool same = good && icp_reply_flag(&reply, "exact", false) &&
                    icp_reply_get(&reply, "results", &list) && list.count == count;
        struct icp_walk walk = icp_walk_over(&list);
        while (same && icp_next(&walk, NULL, &each)) {
            same = icp_value_get(&each, "similarity", &similarity) &&
                   fabs(similarity.number - hits[rank++].similarity) < 1e-5;
        }
        *wrong += !same;
    }
    icp_payload_destroy(payload);
    icp_reply_fini(&reply);
    return good;
}

static void cases_name(struct stage *stage)
{
    snprintf(stage->probe_case.name, sizeof stage->probe_case.name,
             "server beside %d scores/s, recall target %g", SCORE_RATE, RECALL);
    snprintf(stage->scan_case.name, sizeof stage->scan_case.name,
             "server beside %d scores/s, exact", SCORE_RATE);
    lookalike_contender_add(&stage->probe_case, "icpd, through the server");
    lookalike_contender_add(&stage->probe_case, "icpd, in one process");
    lookalike_contender_add(&stage->scan_case, "icpd, through the server");
    lookalike_contender_add(&stage->scan_case, "icpd, in one process");
}

static void cpu_print(const struct stage *stage, unsigned kind, const char *name)
{
    struct report_spread server = report_spread_of(stage->cpu_server[kind], stage->rounds);
    struct report_spread process = report_spread_of(stage->cpu_within[kind], stage->rounds);
    printf(
        "  processor time of one, %s: %.1f us through the server, %.1f us in one process: %.2f\n",
        name, server.median / 1e3, process.median / 1e3, process.median / server.median);
    json_array_append_new(stage->gate->server,
                          json_pack("{s:s, s:f, s:f}", "case", name, "server_cpu_us",
                                    server.median / 1e3, "process_cpu_us", process.median / 1e3));
}

static void figures_set(struct stage *stage)
{
    struct lookalike_case *probe = &stage->probe_case;
    struct lookalike_case *scan = &stage->scan_case;
    probe->rounds = stage->rounds;
    scan->rounds = stage->rounds;
    lookalike_gate_keep(stage->gate, probe);
    lookalike_gate_keep(stage->gate, scan);
    cpu_print(stage, PROBE, "recall 0.975");
    cpu_print(stage, SCAN, "exact");
    printf("  p99 of the scores: alone %.0f us, beside look-alikes %.0f us\n",
           report_spread_of(stage->p99_alone, stage->rounds).median,
           report_spread_of(stage->p99_worst, stage->rounds).median);
    lookalike_figure_set(stage->gate, LOOKALIKE_SERVER_PROBE,
                         lookalike_case_ratio(probe, &probe->contenders[0], &probe->contenders[1]));
    lookalike_figure_set(stage->gate, LOOKALIKE_SERVER_SCAN,
                         lookalike_case_ratio(scan, &scan->contenders[0], &scan->contenders[1]));
    lookalike_figure_set(stage->gate, LOOKALIKE_SERVER_P99,
                         report_spread_ratio(stage->p99_worst, stage->p99_alone, stage->rounds));
}

static bool stage_run(struct stage *stage, struct proto_fault *fault)
{
    const struct lookalike_options *options = stage->gate->options;
    const struct lookalike_base_options wanted = {
        .icpd = options->icpd, .folder = options->folder, .scored = true};
    uint32_t wrong = 0;
    if (!lookalike_base_start(&stage->base, &wanted, &stage->bench.data, fault) ||
        !traffic_make(stage, fault) || !wrong_count(stage, &wrong, fault)) {
        return false;
    }
    lookalike_figure_number(stage->gate, LOOKALIKE_SERVER_WRONG, wrong);
    cases_name(stage);
    for (uint32_t round = 0; round < options->rounds; round++) {
        if (!round_run(stage, fault)) {
            return false;
        }
    }
    figures_set(stage);
    return true;
}

void lookalike_server_measure(struct lookalike_gate *gate)
{
    const struct lookalike_options *options = gate->options;
    const struct lookalike_data_options wanted = {
        .count = options->count, .dim = options->dim, .query_count = options->query_count};
    struct stage stage = {.gate = gate};
    struct lookalike_data data;
    struct proto_fault fault = {.message = "no memory for the set"};
    if (options->icpd == NULL) {
        for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
            lookalike_figure_skip(gate, rows[i], "without --icpd");
        }
        return;
    }
    printf("through the server: A, %u x %u\n", options->count, options->dim);
    fflush(stdout);
    bool good = lookalike_data_load(&data, 'A', &wanted) &&
                lookalike_bench_init(&stage.bench, &data, SIMILAR_COSINE) &&
                stage_run(&stage, &fault);
    for (unsigned i = 0; !good && i < sizeof rows / sizeof *rows; i++) {
        lookalike_figure_miss(gate, rows[i], fault.message);
    }
    lookalike_base_stop(&stage.base);
    load_traffic_fini(&stage.scores);
    load_traffic_fini(&stage.probes);
    load_traffic_fini(&stage.scans);
    lookalike_bench_fini(&stage.bench);
}
