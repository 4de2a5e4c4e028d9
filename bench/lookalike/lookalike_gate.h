/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: every claim about look-alike search as a row with a target (lookalike_row.def). The
 * files that measure set figures; the frame of all gates (gate_frame.h) judges and prints.
 *
 * Ownership: options are borrowed. Errors: as stated. Threads: one.
 */
#ifndef ICP_BENCH_LOOKALIKE_GATE_H
#define ICP_BENCH_LOOKALIKE_GATE_H

#include "bench/gate/gate_frame.h"
#include "bench/lookalike/lookalike_case.h"

enum lookalike_row {
#define R(ID, name, text, unit, LIMIT, target, KIND) LOOKALIKE_##ID,
#include "bench/lookalike/lookalike_row.def"
#undef R
    LOOKALIKE_ROWS
};

struct lookalike_options {
    uint32_t count; /* vectors in A and M */
    uint32_t dim;
    uint32_t query_count;
    uint32_t rounds;
    bool quick;         /* rows of speed are shown, not judged */
    bool peers, faiss;  /* hnswlib and faiss; faiss */
    bool graph;         /* the graph beside the partitions */
    bool patient;       /* also what takes minutes to build and is not kept */
    const char *sets;   /* of "AMFWS"; S: through the server */
    const char *cache;  /* folder of the peers' indexes; NULL: none is kept */
    const char *data;   /* folder of the files of F */
    const char *words;  /* file of W */
    const char *icpd;   /* program; NULL: nothing goes through the server */
    const char *folder; /* bases of the server are filled below it, and kept */
    uint32_t large;     /* accounts of the largest base of growth; 0: growth is not measured */
    uint32_t small;     /* of the smallest */
    double seconds;     /* of each run through the server */
    const char *json;   /* file for the result; NULL: none */
    bool target_given[LOOKALIKE_ROWS];
    double targets[LOOKALIKE_ROWS]; /* where given */
};

struct lookalike_gate {
    const struct lookalike_options *options;
    struct gate_line lines[LOOKALIKE_ROWS]; /* state, measure, why; the rest by judging */
    json_t *cases;
    json_t *builds;
    json_t *growth;
    json_t *server;
    double busy; /* share of the whole run, load_result_busy; NAN: not known */
};

void lookalike_figure_set(struct lookalike_gate *gate, enum lookalike_row row,
                          struct report_spread spread);
void lookalike_figure_number(struct lookalike_gate *gate, enum lookalike_row row, double value);
/* Asked for, but not to be had. */
void lookalike_figure_miss(struct lookalike_gate *gate, enum lookalike_row row, const char *why);
/* Left out by the caller, or not to be had here and optional. */
void lookalike_figure_skip(struct lookalike_gate *gate, enum lookalike_row row, const char *why);
/* Prints a case that was run and keeps it for the JSON. */
void lookalike_gate_keep(struct lookalike_gate *gate, const struct lookalike_case *what);

/* The row of that name, LOOKALIKE_ROWS if there is none. */
enum lookalike_row lookalike_row_find(const char *name);
/* The row as the frame judges it: text and target from the tables, the figure from the gate. */
struct gate_line lookalike_row_line(const struct lookalike_gate *gate, enum lookalike_row row);

/* Prints the table; returns how many rows fall short. */
uint32_t lookalike_gate_judge(const struct lookalike_gate *gate);
/* Measures everything that the options ask for. Returns how many rows fall short. */
uint32_t lookalike_gate_run(const struct lookalike_options *options);

struct lookalike_bench;
/* The parts: lookalike_sets.c, lookalike_change.c, lookalike_server.c, lookalike_growth.c. */
/* What changes since the build cost on the graph, on the data of a bench: A or M. */
void lookalike_change_measure(struct lookalike_gate *gate, struct lookalike_bench *bench);
void lookalike_set_measure(struct lookalike_gate *gate, char name);
void lookalike_server_measure(struct lookalike_gate *gate);
void lookalike_growth_measure(struct lookalike_gate *gate);

#endif
