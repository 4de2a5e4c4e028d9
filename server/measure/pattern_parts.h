/* SPDX-License-Identifier: Apache-2.0 */
/* The patterns of one sequence, each once, by number; and what is known of each that is tested.
 * Within this folder.
 *
 * Steps are coded 0 … seen − 1; a code that is none (MEASURE_STEP_RARE) takes its place and makes
 * no pattern. Patterns are numbered: single, adjacent two, adjacent three, gapped two, gapped
 * three. Ownership: measure_grams_fini. Errors: NO_MEMORY. Threads: one. Cost: some 3 ns a place of
 * an adjacent pattern, and for gapped ones a step times the pairs before it. */
#ifndef MEASURE_PATTERN_PARTS_H
#define MEASURE_PATTERN_PARTS_H

#include "server/measure/odds.h"
#include "server/measure/pattern.h"

#define MEASURE_STEP_RARE UINT8_MAX
#define MEASURE_GRAM_NONE UINT32_MAX

struct measure_grams {
    const struct measure_pattern_options *options;
    uint8_t *code_of; /* by number of a name, MEASURE_STEPS_NAMED_MAX */
    uint16_t named[MEASURE_STEPS_SEEN];
    uint32_t seen;
    uint32_t bases[5]; /* number of the first pattern of each form */
    uint32_t total;
    uint32_t *mark; /* by pattern: the sequence that had it last */
    uint32_t run;
    uint32_t *found; /* patterns of the sequence under way, each once */
    uint32_t found_count;
    uint64_t *times;  /* by pattern that is adjacent: how often it is there; NULL: not counted */
    uint16_t *pairs;  /* gapped pairs of the sequence under way, each once */
    uint8_t *singles; /* and steps */
    uint32_t pair_count, single_count;
    uint64_t work; /* places looked at */
};

/* Codes for the names that most cases have. */
bool measure_grams_make(const struct measure_patterns *patterns, struct measure_grams *grams,
                        struct proto_fault *fault);
void measure_grams_fini(struct measure_grams *grams);
/* Leaves the patterns of a case in `found`. */
void measure_grams_of(struct measure_grams *grams, const uint16_t *steps, size_t count);

/* What a pattern is made of. */
struct measure_gram {
    unsigned length;
    bool gapped;
    uint8_t steps[MEASURE_GRAM_MAX];
};
struct measure_gram measure_gram_read(const struct measure_grams *grams, uint32_t pattern);
uint32_t measure_gram_number(const struct measure_grams *grams, const struct measure_gram *gram);

/* A pattern that is tested: early and late. */
struct measure_candidate {
    uint32_t pattern;
    uint64_t times;
    uint64_t n, won; /* of all journeys that have it */
    struct measure_odds odds[2];
};
struct measure_search {
    struct measure_patterns *patterns;
    struct measure_grams grams;
    uint32_t *strata;   /* by case: 2 · stratum + later */
    uint32_t *order;    /* cases by that */
    uint32_t *sizes;    /* by pattern: earlier cases that have it */
    uint32_t *place_of; /* by pattern: its candidate; MEASURE_GRAM_NONE */
    struct measure_candidate *candidates;
    size_t count;
    uint32_t stratum_count;
    size_t cases[2], won[2]; /* earlier, later */
    int64_t cut_ms;          /* the first moment of the later */
};
/* pattern_search.c: candidates with their odds. pattern_strata.c: strata and their order. */
bool measure_search_make(struct measure_patterns *patterns, struct measure_search *search,
                         struct proto_fault *fault);
void measure_search_fini(struct measure_search *search);
bool measure_strata_make(struct measure_search *search, struct proto_fault *fault);
/* What is told of a candidate. */
struct measure_finding {
    double z[2];   /* early, late; NAN: not tested */
    double p[2];   /* early by Yekutieli, late by Holm */
    bool found;    /* early */
    bool held;     /* and late */
    bool told;     /* among the rows */
    uint32_t part; /* place of the candidate that says as much; MEASURE_GRAM_NONE: none */
};
/* pattern_part.c: fills `part` of those that are told. */
bool measure_parts_find(struct measure_search *search, struct measure_finding *findings,
                        struct proto_fault *fault);
/* Whether whoever has `whole` has `part`; none is its own part. */
bool measure_gram_within(const struct measure_gram *part, const struct measure_gram *whole);
/* Whether to go on, asked once in so many places looked at. */
bool measure_search_goes_on(struct measure_search *search, struct proto_fault *fault);

#endif
