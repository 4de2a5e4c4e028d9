/* SPDX-License-Identifier: Apache-2.0 */
/* Bases of ten times as many vectors of 64 each time: what a query, the memory, the file and a
 * start come to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load/load_usage.h"
#include "bench/lookalike/lookalike_base.h"
#include "bench/lookalike/lookalike_bench.h"
#include "bench/lookalike/lookalike_gate.h"
#include "server/math/order.h"

enum { DIM = 64, QUERIES = 1000, PROBES = 500, SCANS = 15, SIZES_MAX = 8 };
#define RECALL 0.975

/* One base. */
struct size_figures {
    uint32_t count;
    double probe_ms, scan_ms; /* medians, as a client sees them */
    double start_seconds;
    struct load_memory memory;
    uint64_t file_bytes;
};

static const enum lookalike_row rows[] = {LOOKALIKE_GROWTH_TIME, LOOKALIKE_GROWTH_MEMORY,
                                          LOOKALIKE_GROWTH_FILE, LOOKALIKE_GROWTH_START};

/* The median time of `count` queries, one after another. */
static bool query_time(struct lookalike_base *base, const struct lookalike_data *data,
                       double recall, unsigned count, double *ms, struct proto_fault *fault)
{
    double times[PROBES];
    struct icp_reply reply = {0};
    struct icp_payload *payload = icp_payload_create();
    bool good = payload != NULL;
    for (unsigned i = 0; good && i < count; i++) {
        lookalike_request(payload, data->queries + (size_t)(i % data->query_count) * data->dim,
                          data->dim, recall);
        double start = lookalike_wall();
        good = lookalike_ask(base, payload, &reply, fault);
        times[i] = (lookalike_wall() - start) * 1e3;
    }
    icp_payload_destroy(payload);
    icp_reply_fini(&reply);
    if (good) {
        qsort(times, count, sizeof *times, math_ascending);
        *ms = times[count / 2];
    }
    return good;
}

static bool size_measure(const struct lookalike_options *options, struct size_figures *figures,
                         struct proto_fault *fault)
{
    const struct lookalike_data_options wanted = {
        .count = figures->count, .dim = DIM, .query_count = QUERIES};
    const struct lookalike_base_options how = {.icpd = options->icpd, .folder = options->folder};
    struct lookalike_data data;
    struct lookalike_base base = {0};
    if (!lookalike_data_load(&data, 'A', &wanted)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the set");
    }
    bool good = lookalike_base_start(&base, &how, &data, fault) &&
                query_time(&base, &data, RECALL, PROBES, &figures->probe_ms, fault) &&
                query_time(&base, &data, 1, SCANS, &figures->scan_ms, fault);
    if (good) {
        figures->start_seconds = base.start_seconds;
        figures->file_bytes = lookalike_base_bytes(&base);
        good = load_memory_read(base.process.pid, &figures->memory) ||
               proto_fault_set(fault, PROTO_IO, "", "the server's memory cannot be read");
    }
    lookalike_base_stop(&base);
    lookalike_data_free(&data);
    return good;
}

static void size_keep(struct lookalike_gate *gate, const struct size_figures *figures)
{
    double count = figures->count;
    printf("  %9u x %d: query %.3f ms, exact %.2f ms, start %.2f s, memory %.0f and file %.0f "
           "bytes an account\n",
           figures->count, DIM, figures->probe_ms, figures->scan_ms, figures->start_seconds,
           (double)figures->memory.anonymous / count, (double)figures->file_bytes / count);
    fflush(stdout);
    json_array_append_new(gate->growth,
                          json_pack("{s:I, s:f, s:f, s:f, s:I, s:I, s:I}", "accounts",
                                    (json_int_t)figures->count, "query_ms", figures->probe_ms,
                                    "exact_ms", figures->scan_ms, "start_s", figures->start_seconds,
                                    "anonymous_bytes", (json_int_t)figures->memory.anonymous,
                                    "mapped_bytes", (json_int_t)figures->memory.file, "file_bytes",
                                    (json_int_t)figures->file_bytes));
}

void lookalike_growth_measure(struct lookalike_gate *gate)
{
    const struct lookalike_options *options = gate->options;
    struct size_figures sizes[SIZES_MAX];
    struct proto_fault fault = {0};
    size_t count = 0;
    bool good = true;
    if (options->large == 0) {
        return;
    }
    if (options->icpd == NULL) {
        for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
            lookalike_figure_skip(gate, rows[i], "without --icpd");
        }
        return;
    }
    printf("growth: A, %u to %u x %d\n", options->small, options->large, DIM);
    for (uint64_t n = options->small; good && n <= options->large && count < SIZES_MAX; n *= 10) {
        sizes[count] = (struct size_figures){.count = (uint32_t)n};
        good = size_measure(options, &sizes[count], &fault);
        if (good) {
            size_keep(gate, &sizes[count++]);
        }
    }
    for (unsigned i = 0; (!good || count < 2) && i < sizeof rows / sizeof *rows; i++) {
        lookalike_figure_miss(gate, rows[i], good ? "one size alone" : fault.message);
    }
    if (!good || count < 2) {
        return;
    }
    const struct size_figures *first = &sizes[0];
    const struct size_figures *last = &sizes[count - 1];
    double times = (double)last->count / first->count;
    lookalike_figure_number(gate, LOOKALIKE_GROWTH_TIME, last->probe_ms / first->probe_ms);
    lookalike_figure_number(gate, LOOKALIKE_GROWTH_MEMORY,
                            (double)last->memory.anonymous / (double)first->memory.anonymous /
                                times);
    lookalike_figure_number(gate, LOOKALIKE_GROWTH_FILE,
                            (double)last->file_bytes / (double)first->file_bytes / times);
    lookalike_figure_number(gate, LOOKALIKE_GROWTH_START, last->start_seconds * 1e6 / last->count);
}
