/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench-lookalike: look-alike search against its targets. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "bench/lookalike/lookalike_data.h"
#include "bench/lookalike/lookalike_gate.h"
#include "bench/lookalike/lookalike_words.h"

const char *argp_program_version = "icp-bench-lookalike 0.1.0";

enum {
    KEY_ROUNDS = 256,
    KEY_QUICK,
    KEY_NO_PEERS,
    KEY_NO_FAISS,
    KEY_PATIENT,
    KEY_GRAPH,
    KEY_DATA,
    KEY_WORDS,
    KEY_ICPD,
    KEY_FOLDER,
    KEY_LARGE,
    KEY_SMALL,
    KEY_SECONDS,
    KEY_JSON,
    KEY_TARGET
};

#define NUMBER_MAX 100000000u

static const struct argp_option options_known[] = {
    {"count", 'n', "VECTORS", 0, "vectors in the sets A and M (1000000)", 0},
    {"dim", 'd', "DIMENSIONS", 0, "dimensions of A and M (128)", 0},
    {"queries", 'q', "QUERIES", 0, "queries: tuned on one half, measured on the other (2000)", 0},
    {"rounds", KEY_ROUNDS, "N", 0, "alternating rounds (7)", 0},
    {"sets", 's', "LETTERS", 0,
     "what is measured: A clusters, M manifold, F fashion-mnist, W words, S through the server "
     "(AMFWS)",
     0},
    {"quick", KEY_QUICK, NULL, 0,
     "small sets and few rounds: does everything work; speed is shown, not judged", 0},
    {"cache", 'c', "FOLDER", 0, "keep the indexes of hnswlib and faiss here between runs", 0},
    {"data", KEY_DATA, "FOLDER", 0,
     "where fashion-mnist lies (" LOOKALIKE_DATA_FOLDER ", or ICP_BENCH_DATA)", 0},
    {"words", KEY_WORDS, "FILE", 0,
     "the embeddings of words (below build/bench/words, or ICP_BENCH_WORDS)", 0},
    {"no-peers", KEY_NO_PEERS, NULL, 0, "measure icpd alone", 0},
    {"no-faiss", KEY_NO_FAISS, NULL, 0, "leave faiss out", 0},
    {"patient", KEY_PATIENT, NULL, 0, "also build what takes minutes beside hnswlib: HNSW of faiss",
     0},
    {"graph", KEY_GRAPH, NULL, 0, "also build the graph beside the partitions, 1 kB a vector", 0},
    {"icpd", KEY_ICPD, "PATH", 0, "the server, for S and for growth", 0},
    {"folder", KEY_FOLDER, "FOLDER", 0, "where filled bases are kept (build/bench)", 0},
    {"large", KEY_LARGE, "N", 0, "also measure growth, from --small to so many accounts", 0},
    {"small", KEY_SMALL, "N", 0, "accounts of the smallest base of growth (100000)", 0},
    {"seconds", KEY_SECONDS, "S", 0, "counted in each run through the server (2)", 0},
    {"json", KEY_JSON, "FILE", 0, "write the result to this file", 0},
    {"target", KEY_TARGET, "ROW=NUMBER", 0,
     "another target for a row, which is then judged in any case; may stand several times", 0},
    {0},
};

static error_t number_parse(struct argp_state *state, const char *text, uint32_t *number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || value == 0 || value > NUMBER_MAX) {
        argp_error(state, "'%s' is not a number from 1 to %u", text, NUMBER_MAX);
        return EINVAL;
    }
    *number = (uint32_t)value;
    return 0;
}

static error_t real_parse(struct argp_state *state, const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    if (end == text || *end != '\0') {
        argp_error(state, "'%s' is not a number", text);
        return EINVAL;
    }
    return 0;
}

static error_t target_parse(struct argp_state *state, struct lookalike_options *options,
                            const char *text)
{
    char name[32] = "";
    size_t length = strcspn(text, "=");
    if (length < sizeof name) {
        memcpy(name, text, length);
    }
    enum lookalike_row row = lookalike_row_find(name);
    if (row == LOOKALIKE_ROWS || text[length] != '=') {
        argp_error(state, "'%s' names no row: a-99=6 does", text);
        return EINVAL;
    }
    options->target_given[row] = true;
    return real_parse(state, text + length + 1, &options->targets[row]);
}

static error_t sets_parse(struct argp_state *state, struct lookalike_options *options,
                          const char *text)
{
    if (text[strspn(text, "AMFWS")] != '\0') {
        argp_error(state, "'%s' names sets that are none: A, M, F, W and S are", text);
        return EINVAL;
    }
    options->sets = text;
    return 0;
}

/* Small enough that all of it takes seconds; what is given later on the line still counts. */
static void quick_set(struct lookalike_options *options)
{
    options->quick = true;
    options->count = 5000;
    options->dim = 64;
    options->query_count = 100;
    options->rounds = 2;
    options->seconds = 0.3;
    options->small = 1000;
}

static error_t switch_parse(int key, char *argument, struct lookalike_options *options)
{
    switch (key) {
    case KEY_QUICK:
        quick_set(options);
        return 0;
    case KEY_NO_PEERS:
        options->peers = false;
        return 0;
    case KEY_NO_FAISS:
        options->faiss = false;
        return 0;
    case KEY_PATIENT:
        options->patient = true;
        return 0;
    case KEY_GRAPH:
        options->graph = true;
        return 0;
    case KEY_DATA:
        options->data = argument;
        return 0;
    case KEY_WORDS:
        options->words = argument;
        return 0;
    case KEY_ICPD:
        options->icpd = argument;
        return 0;
    case KEY_FOLDER:
        options->folder = argument;
        return 0;
    case KEY_JSON:
        options->json = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct lookalike_options *options = state->input;
    switch (key) {
    case 'n':
        return number_parse(state, argument, &options->count);
    case 'd':
        return number_parse(state, argument, &options->dim);
    case 'q':
        return number_parse(state, argument, &options->query_count);
    case 's':
        return sets_parse(state, options, argument);
    case 'c':
        options->cache = argument;
        return 0;
    case KEY_ROUNDS:
        return number_parse(state, argument, &options->rounds);
    case KEY_LARGE:
        return number_parse(state, argument, &options->large);
    case KEY_SMALL:
        return number_parse(state, argument, &options->small);
    case KEY_SECONDS:
        return real_parse(state, argument, &options->seconds);
    case KEY_TARGET:
        return target_parse(state, options, argument);
    default:
        return switch_parse(key, argument, options);
    }
}

int main(int argument_count, char **arguments)
{
    static const struct argp parser = {
        .options = options_known,
        .parser = option_parse,
        .doc = "Measures look-alike search beside hnswlib and faiss, row by row against its "
               "targets; the exit status is 1 when any falls short.",
    };
    const char *data = getenv("ICP_BENCH_DATA");
    const char *words = getenv("ICP_BENCH_WORDS");
    struct lookalike_options options = {.count = 1000000,
                                        .dim = 128,
                                        .query_count = 2000,
                                        .rounds = 7,
                                        .sets = "AMFWS",
                                        .peers = true,
                                        .faiss = true,
                                        .data = data != NULL ? data : LOOKALIKE_DATA_FOLDER,
                                        .words = words != NULL ? words : LOOKALIKE_WORDS_FILE,
                                        .folder = "build/bench",
                                        .small = 100000,
                                        .seconds = 2};
    argp_err_exit_status = EX_USAGE;
    if (argp_parse(&parser, argument_count, arguments, 0, NULL, &options) != 0) {
        return EX_USAGE;
    }
    if (options.rounds > REPORT_RUNS_MAX) {
        options.rounds = REPORT_RUNS_MAX;
    }
    return lookalike_gate_run(&options) == 0 ? EX_OK : 1;
}
