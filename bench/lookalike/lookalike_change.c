/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changes since the build cost on the graph, at recall 0.99: the rate of a set that was
 * changed over that of a set of the very same vectors that was built at once, both tuned, asked in
 * alternating rounds. A third inserted: three quarters are built, the others follow one by one. A
 * third removed: all are built, and every third goes. The upkeep that a server does between
 * requests is done, and told apart.
 */
#include <stdio.h>
#include <string.h>

#include "bench/lookalike/lookalike_contend.h"
#include "bench/lookalike/lookalike_gate.h"

#define RECALL 0.99

/* The rows of a set. */
static const struct change_rows {
    char name;
    enum lookalike_row build, insert, grown, shrunk;
    enum lookalike_row rates[2]; /* over the partitions: lookalike_sets.c; at one recall or two */
} sets[] = {{'A',
             LOOKALIKE_A_GRAPH_BUILD,
             LOOKALIKE_A_GRAPH_INSERT,
             LOOKALIKE_A_GROWN,
             LOOKALIKE_A_SHRUNK,
             {LOOKALIKE_A_GRAPH_99, LOOKALIKE_A_GRAPH_99}},
            {'M',
             LOOKALIKE_M_GRAPH_BUILD,
             LOOKALIKE_M_GRAPH_INSERT,
             LOOKALIKE_M_GROWN,
             LOOKALIKE_M_SHRUNK,
             {LOOKALIKE_M_GRAPH_99, LOOKALIKE_M_GRAPH_975}}};

static void rows_skip(struct lookalike_gate *gate, const struct change_rows *rows)
{
    const enum lookalike_row all[] = {rows->build,  rows->insert,   rows->grown,
                                      rows->shrunk, rows->rates[0], rows->rates[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        lookalike_figure_skip(gate, all[i], "without a graph (--graph)");
    }
}

static void spent_print(const char *what, const struct lookalike_spent *spent)
{
    printf("  %-48s %8.1f us, upkeep %.1f us\n", what, spent->change * 1e6, spent->upkeep * 1e6);
    fflush(stdout);
}

static struct lookalike_contender *side_enter(struct lookalike_case *what,
                                              struct lookalike_ours *side, const char *name)
{
    struct lookalike_contender *contender = NULL;
    if (lookalike_graph_enter(what, side, RECALL)) {
        contender = &what->contenders[what->count - 1];
        snprintf(contender->name, sizeof contender->name, "%s", name);
    }
    return contender;
}

/* The changed set over the one that was built. */
static void sides_measure(struct lookalike_gate *gate, enum lookalike_row row, const char *change,
                          struct lookalike_bench *built, struct lookalike_bench *changed)
{
    struct lookalike_case what = {.answers = LOOKALIKE_K};
    struct lookalike_ours ours[2] = {{.bench = built}, {.bench = changed}};
    snprintf(what.name, sizeof what.name, "%c, graph, recall at least %g, %s", built->data.name,
             RECALL, change);
    lookalike_bench_tune(built);
    lookalike_bench_tune(changed);
    const struct lookalike_contender *one = side_enter(&what, &ours[0], "all built");
    const struct lookalike_contender *two = side_enter(&what, &ours[1], change);
    if (one == NULL || two == NULL) {
        lookalike_figure_miss(gate, row, "the graph does not reach the recall");
        return;
    }
    lookalike_bench_measure(built);
    lookalike_bench_measure(changed);
    lookalike_case_run(&what, gate->options->rounds);
    lookalike_gate_keep(gate, &what);
    lookalike_figure_set(gate, row, lookalike_case_ratio(&what, two, one));
}

static void grown_measure(struct lookalike_gate *gate, const struct change_rows *rows,
                          struct lookalike_bench *built)
{
    struct lookalike_bench grown;
    struct lookalike_spent spent;
    uint32_t first = built->data.count - built->data.count / 4;
    if (lookalike_bench_share(&grown, built, 0, first) && lookalike_bench_graph(&grown) &&
        lookalike_bench_grow(&grown, &spent)) {
        spent_print("insert beside the graph", &spent);
        lookalike_figure_number(gate, rows->insert, spent.change * 1e6);
        sides_measure(gate, rows->grown, "a third inserted since", built, &grown);
    } else {
        lookalike_figure_miss(gate, rows->grown, "no memory");
        lookalike_figure_miss(gate, rows->insert, "no memory");
    }
    lookalike_bench_fini(&grown);
}

/* Which third goes is no matter: the vectors of A and M are drawn one like another. */
static void shrunk_measure(struct lookalike_gate *gate, const struct change_rows *rows,
                           const struct lookalike_bench *of)
{
    struct lookalike_bench built = {0};
    struct lookalike_bench shrunk;
    struct lookalike_spent spent;
    uint32_t count = of->data.count;
    if (lookalike_bench_share(&shrunk, of, 0, count) && lookalike_bench_graph(&shrunk) &&
        lookalike_bench_shrink(&shrunk, count / 3, &spent) &&
        lookalike_bench_share(&built, of, count / 3, count) && lookalike_bench_graph(&built)) {
        spent_print("remove beside the graph", &spent);
        sides_measure(gate, rows->shrunk, "a third removed since", &built, &shrunk);
    } else {
        lookalike_figure_miss(gate, rows->shrunk, "no memory");
    }
    lookalike_bench_fini(&built);
    lookalike_bench_fini(&shrunk);
}

void lookalike_change_measure(struct lookalike_gate *gate, struct lookalike_bench *bench)
{
    const struct change_rows *rows = NULL;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        rows = sets[i].name == bench->data.name ? &sets[i] : rows;
    }
    if (rows == NULL) {
        return;
    }
    if (!(bench->graph_seconds > 0)) {
        rows_skip(gate, rows);
        return;
    }
    lookalike_figure_number(gate, rows->build, bench->build_seconds + bench->graph_seconds);
    grown_measure(gate, rows, bench);
    shrunk_measure(gate, rows, bench);
}
