/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench-lookalike: look-alike search against its targets, one thread. */
#include "bench/lookalike/lookalike_rows.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

const char *argp_program_version = "icp-bench-lookalike 0.1.0";

static const struct argp_option options_known[] = {
    {"count", 'n', "VECTORS", 0, "Vectors in the sets A and M (1000000)", 0},
    {"dim", 'd', "DIMENSIONS", 0, "Dimensions of A and M (128)", 0},
    {"queries", 'q', "QUERIES", 0, "Queries a pass (1000)", 0},
    {"sets", 's', "LETTERS", 0, "Which sets: A clusters, M manifold, F fashion-mnist (AMF)", 0},
    {"cache", 'c', "DIRECTORY", 0, "Keep the peers' indexes here between runs", 0},
    {"no-peers", 'p', NULL, 0, "Measure icpd alone", 0},
    {"no-faiss", 'f', NULL, 0, "Leave faiss out: it takes minutes on an untuned BLAS", 0},
    {0},
};

static error_t number_parse(struct argp_state *state, const char *text, uint32_t *number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*end != '\0' || value == 0 || value > 100000000) {
        argp_error(state, "'%s' is not a number from 1 to 100000000", text);
        return EINVAL;
    }
    *number = (uint32_t)value;
    return 0;
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
        options->sets = argument;
        return 0;
    case 'c':
        options->cache = argument;
        return 0;
    case 'p':
        options->peers = false;
        return 0;
    case 'f':
        options->faiss = false;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argument_count, char **arguments)
{
    static const struct argp parser = {
        .options = options_known,
        .parser = option_parse,
        .doc = "Measures look-alike search beside hnswlib and faiss. Each row has a target; the "
               "exit status is 1 when any falls short. Pin it to one idle core.",
    };
    struct lookalike_options options = {.count = 1000000,
                                        .dim = 128,
                                        .query_count = 1000,
                                        .sets = "AMF",
                                        .peers = true,
                                        .faiss = true};
    if (argp_parse(&parser, argument_count, arguments, 0, NULL, &options) != 0) {
        return 2;
    }
    uint32_t short_count = lookalike_rows(&options);
    printf("%u rows fall short\n", short_count);
    return short_count == 0 ? 0 : 1;
}
