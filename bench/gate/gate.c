/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/gate/gate.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/gate/gate_parts.h"
#include "bench/report/report_json.h"

static const struct gate_case_info cases[GATE_CASES] = {
#define C(ID, name, workload, depth, loop, writes, scores, text)                                   \
    [GATE_##ID] = {name, workload, depth, GATE_LOOP_##loop, writes, scores, text},
#include "bench/gate/gate_case.def"
#undef C
    [GATE_WHOLE] = {.name = "whole-base"},
    [GATE_MEMORY] = {.name = "memory"},
    [GATE_SWEEP] = {.name = "sweep",
                    .workload = "score_id",
                    .depth = 1,
                    .loop = GATE_LOOP_OPEN,
                    .scores = 1,
                    .text = "score by id, open loop, one rate after another"},
};

static const struct gate_entry entries[] = {
#define E(CASE, CONTENDER) {GATE_##CASE, GATE_BY_##CONTENDER},
#include "bench/gate/gate_entry.def"
#undef E
};

const struct gate_case_info *gate_case_info(enum gate_case what)
{
    return &cases[what];
}

const char *gate_case_name(enum gate_case what)
{
    return cases[what].name;
}

const char *gate_contender_name(enum gate_contender who)
{
    static const char *const own[] = {"echo", "icp", "icp-small", "icp-large"};
    if (who < GATE_BY_ECHO) {
        return peer_ask_info((enum peer_ask)who)->name;
    }
    return who < GATE_BY_NONE ? own[who - GATE_BY_ECHO] : "";
}

const struct gate_series *gate_series(const struct gate *gate, enum gate_case what,
                                      enum gate_contender who)
{
    return &gate->series[what][who];
}

static void say(const char *text, const char *more)
{
    fprintf(stderr, "icp-bench: %s%s\n", text, more);
}

static bool takes_part(const struct gate *gate, const struct gate_entry *entry)
{
    const struct gate_options *options = &gate->options;
    if (options->smoke && entry->who != GATE_BY_ECHO && entry->who != GATE_BY_ICP) {
        return false;
    }
    if (entry->who == GATE_BY_SMALL) {
        return options->small > 0;
    }
    if (entry->who == GATE_BY_LARGE) {
        return options->large > 0;
    }
    return entry->who >= GATE_BY_ECHO ||
           gate->peers[peer_ask_info((enum peer_ask)entry->who)->peer].process.pid > 0;
}

static bool peers_start(struct gate *gate, struct proto_fault *fault)
{
    for (unsigned i = 0; gate->options.peers && i < PEER_COUNT; i++) {
        const struct peer_info *info = peer_info((enum peer_id)i);
        if (peer_missing((enum peer_id)i)) {
            say(info->name, " is not installed and is left out");
            continue;
        }
        say("starting and filling ", info->name);
        if (!peer_start(&gate->peers[i], (enum peer_id)i, gate->work, gate->options.server_cpu,
                        gate->options.accounts, fault)) {
            say(info->name, " is left out:");
            say("  ", fault->message);
        }
    }
    return true;
}

static bool bases_start(struct gate *gate, struct proto_fault *fault)
{
    const struct gate_options *options = &gate->options;
    const uint64_t accounts[GATE_BASES] = {options->accounts, options->small, options->large};
    for (unsigned i = 0; i < GATE_BASES; i++) {
        if (accounts[i] > 0 && !(options->smoke && i > 0) &&
            !peer_base_start(&gate->bases[i], options->icpd, options->folder, accounts[i],
                             options->server_cpu, fault)) {
            return false;
        }
    }
    return true;
}

/* Memory of its own, before anything was asked for: what an account costs beside the map. */
static void memory_read(struct gate *gate)
{
    struct gate_series *series = &gate->series[GATE_MEMORY][GATE_BY_ICP];
    struct load_memory memory;
    if (!load_memory_read(gate->bases[0].process.pid, &memory)) {
        return;
    }
    series->values[GATE_BYTES][0] = (double)memory.anonymous / (double)gate->options.accounts;
    series->count = 1;
}

struct gate *gate_create(const struct gate_options *options, struct proto_fault *fault)
{
    struct gate *gate = calloc(1, sizeof *gate);
    if (gate == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a gate");
        return NULL;
    }
    gate->options = *options;
    gate->options.rounds =
        options->rounds < REPORT_RUNS_MAX ? options->rounds : (unsigned)REPORT_RUNS_MAX;
    snprintf(gate->work, sizeof gate->work, "/tmp/icp-bench-XXXXXX");
    bool made = (mkdir(options->folder, 0755) == 0 || errno == EEXIST) && mkdtemp(gate->work);
    if (!made) {
        proto_fault_set(fault, PROTO_IO, "", "%s: %s", options->folder, strerror(errno));
    }
    if (!made || !bases_start(gate, fault) || !peers_start(gate, fault)) {
        gate_destroy(gate);
        return NULL;
    }
    memory_read(gate);
    return gate;
}

void gate_destroy(struct gate *gate)
{
    for (unsigned i = 0; i < GATE_BASES; i++) {
        peer_base_stop(&gate->bases[i]);
    }
    for (unsigned i = 0; i < PEER_COUNT; i++) {
        peer_stop(&gate->peers[i]);
    }
    for (unsigned i = 0; i < GATE_CASES; i++) {
        peer_process_stop(&gate->echoes[i].process);
    }
    for (unsigned i = 0; i < gate->traffic_count; i++) {
        load_traffic_fini(&gate->traffics[i].traffic);
    }
    for (unsigned i = 0; i < GATE_CASES; i++) {
        for (unsigned j = 0; j < GATE_CONTENDERS; j++) {
            json_decref(gate->series[i][j].runs);
        }
    }
    if (gate->work[0] != '\0') {
        peer_folder_remove(gate->work);
    }
    free(gate);
}

static void result_keep(struct gate *gate, const struct gate_entry *entry,
                        const struct load_result *result)
{
    struct gate_series *series = &gate->series[entry->what][entry->who];
    double done = result->completed > 0 ? (double)result->completed : 1;
    if (series->count == REPORT_RUNS_MAX) {
        return;
    }
    size_t at = series->count++;
    series->values[GATE_RATE][at] = result->rate;
    series->values[GATE_SCORES][at] = result->rate * cases[entry->what].scores;
    series->values[GATE_P50][at] = (double)base_histogram_percentile(&result->latency, 0.5) / 1e3;
    series->values[GATE_P99][at] = (double)base_histogram_percentile(&result->latency, 0.99) / 1e3;
    series->values[GATE_CPU][at] = (double)result->server.cpu_ns / done / cases[entry->what].scores;
    series->values[GATE_SHARE_BUSY][at] = load_result_busy(result);
    series->wrong += load_result_errors(result) + result->misplaced;
    if (series->runs == NULL) {
        series->runs = json_array();
    }
    json_array_append_new(series->runs, report_json_result(result));
}

static void whole_run(struct gate *gate)
{
    struct gate_series *series = &gate->series[GATE_WHOLE][GATE_BY_ICP];
    struct proto_fault fault = {0};
    double took = peer_base_scan(&gate->bases[0], &fault);
    if (took > 0 && series->count < REPORT_RUNS_MAX) {
        series->values[GATE_SCORES][series->count++] = (double)gate->options.accounts / took;
    } else {
        say("the whole base was not measured: ", fault.message);
    }
}

static bool round_run(struct gate *gate, unsigned round, struct proto_fault *fault)
{
    size_t count = sizeof entries / sizeof *entries;
    for (size_t first = 0; first < count;) {
        size_t end = first; /* of the entries of one case */
        while (end < count && entries[end].what == entries[first].what) {
            end++;
        }
        for (size_t i = 0; i < end - first; i++) {
            /* Another one begins in each round, so that no contender always follows the same. */
            const struct gate_entry *entry = &entries[first + (i + round) % (end - first)];
            struct load_result results[LOAD_STREAMS_MAX];
            if (!takes_part(gate, entry)) {
                continue;
            }
            if (!gate_run(gate, entry, results, fault)) {
                return false;
            }
            result_keep(gate, entry, &results[0]);
            for (unsigned j = 0; j < LOAD_STREAMS_MAX; j++) {
                load_result_fini(&results[j]);
            }
        }
        first = end;
    }
    return true;
}

/* From a tenth of what the echo reached at depth 1 to three times that. */
static bool sweep_run(struct gate *gate, struct proto_fault *fault)
{
    static const double shares[] = {0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0};
    static const struct gate_entry swept[] = {{GATE_SWEEP, GATE_BY_ECHO},
                                              {GATE_SWEEP, GATE_BY_ICP}};
    double half = gate->open_rate;
    bool ok = gate_prepare(gate, &swept[0], fault) && gate_prepare(gate, &swept[1], fault);
    for (size_t i = 0; ok && i < sizeof shares / sizeof *shares; i++) {
        gate->open_rate = 2 * half * shares[i];
        for (size_t j = 0; ok && j < 2; j++) {
            struct load_result results[LOAD_STREAMS_MAX];
            ok = gate_run(gate, &swept[j], results, fault);
            if (ok) {
                result_keep(gate, &swept[j], &results[0]);
            }
            for (unsigned k = 0; k < LOAD_STREAMS_MAX; k++) {
                load_result_fini(&results[k]);
            }
        }
    }
    gate->open_rate = half;
    return ok;
}

bool gate_measure(struct gate *gate, struct proto_fault *fault)
{
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (takes_part(gate, &entries[i]) && !gate_prepare(gate, &entries[i], fault)) {
            return false;
        }
    }
    if (!gate_calibrate(gate, fault)) {
        return false;
    }
    for (unsigned round = 0; round < gate->options.rounds; round++) {
        fprintf(stderr, "icp-bench: round %u of %u\n", round + 1, gate->options.rounds);
        if (!round_run(gate, round, fault)) {
            return false;
        }
        if (!gate->options.smoke) {
            whole_run(gate);
        }
    }
    return gate->options.smoke || sweep_run(gate, fault);
}
