/* SPDX-License-Identifier: Apache-2.0 */
/* What is measured on the sets A, M and F. */
#include <stdio.h>

#include "bench/lookalike/lookalike_contend.h"
#include "bench/lookalike/lookalike_gate.h"
#include "bench/lookalike/lookalike_scan.h"

enum { RIVALS_MAX = 7, EXACT_ASKED = 20, FILTER_PERMILLE = 10, INSERTS = 1000 };

/* A set with everybody who can be asked for neighbours in it. */
struct arena {
    struct lookalike_gate *gate;
    struct lookalike_bench bench;
    struct lookalike_rival rivals[RIVALS_MAX];
    uint32_t rival_count;
};

static void build_keep(struct arena *arena, const char *who, double seconds)
{
    printf("  build %-42s %8.1f s\n", who, seconds);
    fflush(stdout);
    json_array_append_new(arena->gate->builds,
                          json_pack("{s:s%, s:s, s:f}", "set", &arena->bench.data.name, (size_t)1,
                                    "contender", who, "seconds", seconds));
}

static void rival_add(struct arena *arena, const struct peer_kind *kind, bool filtered)
{
    const struct lookalike_options *options = arena->gate->options;
    struct lookalike_rival *rival = &arena->rivals[arena->rival_count];
    *rival = (struct lookalike_rival){.bench = &arena->bench, .kind = kind, .filtered = filtered};
    if (!lookalike_rival_build(rival, options->cache, options->patient)) {
        printf("  %s is left out%s\n", kind->name,
               kind->takes_minutes ? ": its build takes minutes (--patient)" : "");
        return;
    }
    arena->rival_count++;
    if (kind->file != NULL && !filtered) {
        build_keep(arena, kind->name, rival->build_seconds);
    }
}

static void rivals_leave(struct arena *arena)
{
    for (uint32_t i = 0; i < arena->rival_count; i++) {
        lookalike_rival_leave(&arena->rivals[i]);
    }
    arena->rival_count = 0;
}

/* Who is installed, in which kind of search; NULL ends it. */
static const struct {
    const struct peer_kind *kind;
    bool filtered;
    bool faiss;
} installed[] = {
#if LOOKALIKE_HNSWLIB
    {&peer_hnswlib, false, false},
    {&peer_hnswlib_fetch, true, false},
    {&peer_hnswlib_brute, true, false},
#endif
#if LOOKALIKE_FAISS
    {&peer_faiss_pq, false, true},
    {&peer_faiss_ivf, false, true},
    {&peer_faiss_hnsw, false, true},
    {&peer_faiss_flat, false, true},
    {&peer_faiss_ivf, true, true},
    {&peer_faiss_flat, true, true},
#endif
    {NULL, false, false}};

static void rivals_build(struct arena *arena, bool filtered)
{
    const struct lookalike_options *options = arena->gate->options;
    for (size_t i = 0; installed[i].kind != NULL; i++) {
        bool wanted = options->peers && (options->faiss || !installed[i].faiss);
        if (wanted && installed[i].filtered == filtered) {
            rival_add(arena, installed[i].kind, filtered);
        }
    }
}

/* icpd over the peer of that name. */
static void ratio_set(struct arena *arena, enum lookalike_row row,
                      const struct lookalike_case *what, const char *peer)
{
    const struct lookalike_contender *ours = lookalike_contender_find(what, LOOKALIKE_ICPD);
    const struct lookalike_contender *theirs = lookalike_contender_find(what, peer);
    if (!arena->gate->options->peers) {
        lookalike_figure_skip(arena->gate, row, "without peers");
    } else if (theirs == NULL) {
        lookalike_figure_miss(arena->gate, row, "hnswlib is not installed (tools/setup bench)");
    } else if (ours != NULL) {
        lookalike_figure_set(arena->gate, row, lookalike_case_ratio(what, ours, theirs));
    }
}

/* The graph over the partitions, where a recall has a row for it. */
static void graph_ratio_set(struct arena *arena, enum lookalike_row recall,
                            const struct lookalike_case *what)
{
    static const struct {
        enum lookalike_row recall, graph;
    } rows[] = {{LOOKALIKE_A_99, LOOKALIKE_A_GRAPH_99},
                {LOOKALIKE_M_99, LOOKALIKE_M_GRAPH_99},
                {LOOKALIKE_F_99, LOOKALIKE_F_GRAPH_99},
                {LOOKALIKE_W_99, LOOKALIKE_W_GRAPH_99},
                {LOOKALIKE_M_975, LOOKALIKE_M_GRAPH_975}};
    const struct lookalike_contender *graph = lookalike_contender_find(what, LOOKALIKE_GRAPH);
    const struct lookalike_contender *lists = lookalike_contender_find(what, LOOKALIKE_PARTITIONS);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].recall == recall && graph != NULL && lists != NULL) {
            lookalike_figure_set(arena->gate, rows[i].graph,
                                 lookalike_case_ratio(what, graph, lists));
        }
    }
}

/* One comparison at a recall, of icpd and all who are here. */
static void recall_measure(struct arena *arena, enum lookalike_row row, double recall,
                           bool filtered)
{
    struct lookalike_case what = {.answers = LOOKALIKE_K};
    struct lookalike_ours ours = {.bench = &arena->bench, .filtered = filtered};
    struct lookalike_ours partitions = {
        .bench = &arena->bench, .filtered = filtered, .partitions = true};
    struct lookalike_ours graph = {.bench = &arena->bench, .filtered = filtered};
    lookalike_bench_tune(&arena->bench);
    snprintf(what.name, sizeof what.name, "%c, recall at least %g%s", arena->bench.data.name,
             recall, filtered ? ", filter of 1 %" : "");
    if (!lookalike_ours_enter(&what, &ours, recall)) {
        lookalike_figure_miss(arena->gate, row, "icpd does not reach the recall");
        return;
    }
    if (lookalike_graph_enter(&what, &graph, recall)) {
        (void)lookalike_ours_enter(&what, &partitions, recall);
    }
    for (uint32_t i = 0; i < arena->rival_count; i++) {
        lookalike_rival_enter(&what, &arena->rivals[i], recall);
    }
    lookalike_bench_measure(&arena->bench);
    lookalike_case_run(&what, arena->gate->options->rounds);
    lookalike_gate_keep(arena->gate, &what);
    graph_ratio_set(arena, row, &what);
    ratio_set(arena, row, &what, filtered ? "hnswlib, fetch and filter" : "hnswlib");
}

static void scan_measure(struct arena *arena)
{
    struct lookalike_case what = {.name = "exact scan"};
    struct lookalike_scan scan;
    if (lookalike_scan_enter(&what, &scan, &arena->bench)) {
        lookalike_case_run(&what, arena->gate->options->rounds);
        lookalike_gate_keep(arena->gate, &what);
        const struct lookalike_contender *one = lookalike_contender_find(&what, LOOKALIKE_SCAN_ONE);
        const struct lookalike_contender *many = lookalike_contender_find(&what, LOOKALIKE_SCAN_16);
        const struct lookalike_contender *read =
            lookalike_contender_find(&what, LOOKALIKE_SCAN_READ);
        lookalike_figure_set(arena->gate, LOOKALIKE_READ_ONE,
                             lookalike_case_ratio(&what, read, one));
        lookalike_figure_set(arena->gate, LOOKALIKE_READ_16,
                             lookalike_case_ratio(&what, many, one));
    } else {
        lookalike_figure_miss(arena->gate, LOOKALIKE_READ_ONE, "no memory");
        lookalike_figure_miss(arena->gate, LOOKALIKE_READ_16, "no memory");
    }
    lookalike_scan_leave(&scan);
}

static void build_measure(struct arena *arena)
{
    if (!arena->gate->options->peers) {
        lookalike_figure_skip(arena->gate, LOOKALIKE_A_BUILD, "without peers");
        return;
    }
    lookalike_figure_miss(arena->gate, LOOKALIKE_A_BUILD, "hnswlib is not installed");
    for (uint32_t i = 0; i < arena->rival_count; i++) {
        if (arena->rivals[i].kind->insert != NULL) {
            lookalike_figure_number(arena->gate, LOOKALIKE_A_BUILD,
                                    arena->rivals[i].build_seconds / arena->bench.build_seconds);
        }
    }
}

/* Before there is a graph, whose own inserts are measured by lookalike_change.c. */
static void insert_measure(struct arena *arena)
{
    double spent[REPORT_RUNS_MAX];
    uint32_t rounds = arena->gate->options->rounds;
    for (uint32_t round = 0; round < rounds; round++) {
        spent[round] = lookalike_insert_seconds(&arena->bench, INSERTS) * 1e6;
    }
    lookalike_figure_set(arena->gate, LOOKALIKE_A_INSERT, report_spread_of(spent, rounds));
}

/* Last of all: a peer's index is not what it was after it. */
static void rivals_insert(struct arena *arena)
{
    for (uint32_t i = 0; i < arena->rival_count; i++) {
        struct lookalike_rival *rival = &arena->rivals[i];
        if (rival->kind->insert != NULL) {
            uint32_t count = arena->bench.data.query_count;
            printf("  insert %-41s %8.1f us\n", rival->kind->name,
                   rival->kind->insert(rival->peer, arena->bench.data.queries, count) * 1e6);
        }
    }
}

static void set_a_measure(struct arena *arena)
{
    if (lookalike_bench_filter(&arena->bench, FILTER_PERMILLE)) {
        lookalike_figure_number(arena->gate, LOOKALIKE_A_WRONG_FILTER,
                                lookalike_inexact(&arena->bench, EXACT_ASKED, true));
        rivals_build(arena, true);
        recall_measure(arena, LOOKALIKE_A_FILTER, 0.95, true);
        rivals_leave(arena);
    } else {
        lookalike_figure_miss(arena->gate, LOOKALIKE_A_FILTER, "no memory for a filter");
    }
    scan_measure(arena);
    rivals_build(arena, false);
    recall_measure(arena, LOOKALIKE_A_99, 0.99, false);
    recall_measure(arena, LOOKALIKE_A_975, 0.975, false);
    build_measure(arena);
    rivals_insert(arena);
}

static const struct set {
    char name;
    enum lookalike_row wrong, recall;
} sets[] = {{'A', LOOKALIKE_A_WRONG, LOOKALIKE_A_99},
            {'M', LOOKALIKE_M_WRONG, LOOKALIKE_M_99},
            {'F', LOOKALIKE_F_WRONG, LOOKALIKE_F_99},
            {'W', LOOKALIKE_W_WRONG, LOOKALIKE_W_99}};

static const struct set *set_find(char name)
{
    const struct set *set = sets;
    while (set->name != name) {
        set++;
    }
    return set;
}

static void graph_build(struct arena *arena)
{
    const struct lookalike_options *options = arena->gate->options;
    if (options->graph && lookalike_bench_graph(&arena->bench)) {
        build_keep(arena, LOOKALIKE_GRAPH, arena->bench.graph_seconds);
    }
}

void lookalike_set_measure(struct lookalike_gate *gate, char name)
{
    const struct lookalike_options *options = gate->options;
    struct arena arena = {.gate = gate};
    struct lookalike_data data;
    const struct set *set = set_find(name);
    const struct lookalike_data_options wanted = {.count = options->count,
                                                  .dim = options->dim,
                                                  .query_count = options->query_count,
                                                  .folder = options->data,
                                                  .words = options->words};
    if (!lookalike_data_load(&data, name, &wanted)) {
        bool files = name == 'F' || name == 'W';
        const char *why = files ? "its files are not there (see --data and --words)" : "no memory";
        (files ? lookalike_figure_skip : lookalike_figure_miss)(gate, set->wrong, why);
        (files ? lookalike_figure_skip : lookalike_figure_miss)(gate, set->recall, why);
        return;
    }
    printf("set %c: %u x %u, %u queries\n", name, data.count, data.dim, data.query_count);
    fflush(stdout);
    if (lookalike_bench_init(&arena.bench, &data, SIMILAR_L2)) {
        printf("  %u lists, kernels %s\n", similar_list_count(arena.bench.set),
               similar_kernel_name());
        build_keep(&arena, LOOKALIKE_ICPD, arena.bench.build_seconds);
        if (name == 'A') {
            insert_measure(&arena);
        }
        graph_build(&arena);
        lookalike_figure_number(gate, set->wrong,
                                lookalike_inexact(&arena.bench, EXACT_ASKED, false));
        if (name == 'A') {
            set_a_measure(&arena);
        } else {
            rivals_build(&arena, false);
            recall_measure(&arena, set->recall, 0.99, false);
            if (name == 'M') {
                recall_measure(&arena, LOOKALIKE_M_975, 0.975, false);
            }
        }
    } else {
        lookalike_figure_miss(gate, set->wrong, "no memory");
        lookalike_figure_miss(gate, set->recall, "no memory");
    }
    rivals_leave(&arena);
    lookalike_change_measure(gate, &arena.bench);
    lookalike_bench_fini(&arena.bench);
}
