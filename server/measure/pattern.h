/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns that lead to the goal, and patterns that lose it: runs of up to three steps, one right
 * after the other (adjacent) or in this order with anything between (gapped), that journeys have
 * within a window at their beginning.
 *
 *   Sequence. Touches, stages and decisions, or both, from the first of them on, as many as
 *   `first`, for as long as `days`, and before the goal or the outcome: what happens at the very
 *   moment of the outcome is told by it and left out. The window is the same for all journeys, so
 *   that a longer one holds no more patterns for being long.
 *   Goal. The outcome won; or the entry into a stage, which is how patterns that lead to pipeline
 *   are found.
 *   Who counts. Journeys that were created `mature` before the moment of looking, however they
 *   went: of younger ones those that ended are not like the others.
 *   Comparison. A pattern is there or not. Journeys with and without it are compared within strata
 *   of equal length of the sequence and equal fit by one odds ratio (odds.h): longer sequences hold
 *   more patterns, and good accounts get more touches.
 *   Two times. The earlier 60 % by creation are searched: each pattern that `least` journeys have,
 *   and as many have not, is tested, at a rate of false discoveries of 5 % under any dependence
 *   (Benjamini and Yekutieli 2001). What is found is confirmed on the later 40 %, which were never
 *   looked at, one-sided in the same direction, by Holm at 5 %. Journeys of one moment stay on one
 *   side. Figures to rely on are the later ones: the earlier were chosen for being large.
 *   Wording. Of what was found, a pattern that says no more than one of its parts names it: among
 *   the journeys with the part, those with the whole do not differ by z ≥ 1.96.
 *
 * Assumption: journeys are independent; several of one account are less so (unit account). A
 * pattern goes with the goal; it need not lead there by itself.
 *
 * Shapes: names below MEASURE_STEPS_NAMED_MAX; the MEASURE_STEPS_SEEN that most journeys have make
 * patterns, others only take their places. Ownership: measure_patterns_fini frees; names are
 * borrowed. Errors: NO_EVIDENCE where no pattern can be tested, LIMIT for more names, NO_MEMORY,
 * what the pace says. Threads: pure. Cost: some 10 ns a pattern of a journey, twice. Memory: 24
 * bytes a journey, 2 a step, and up to 20 MB for counts. Source: Mantel and Haenszel 1959; Robins,
 * Breslow and Greenland 1986; docs/methods/patterns.md. */
#ifndef MEASURE_PATTERN_H
#define MEASURE_PATTERN_H

#include "server/measure/journey.h"
#include "server/measure/measure.h"

#define MEASURE_STEPS_NAMED_MAX 4096
#define MEASURE_STEPS_SEEN 64
#define MEASURE_WINDOW_MAX 100
#define MEASURE_GRAM_MAX 3

enum measure_pattern_of { MEASURE_OF_TOUCHES, MEASURE_OF_STAGES, MEASURE_OF_BOTH };

struct measure_pattern_options {
    enum measure_pattern_of of;
    int64_t window_ms;
    unsigned first;         /* steps of the window, up to MEASURE_WINDOW_MAX */
    unsigned longest;       /* 1 … MEASURE_GRAM_MAX */
    bool adjacent, gapped;  /* of the patterns of two and three */
    struct proto_span goal; /* a stage; empty: the outcome won */
    bool tenths;            /* fit is a score, else the number of a stratum */
    unsigned least;
    unsigned top; /* rows, beside the first */
    bool all;     /* tell what was not found too */
};

struct measure_case {
    int64_t created_ms;
    size_t first; /* of its steps in `steps` */
    uint8_t count;
    bool won;
};

struct measure_patterns {
    struct measure_pattern_options options;
    int64_t as_of_ms, mature_ms;
    const struct measure_pace *pace;
    /* The number of a step's name: of a touch what is asked for, of others their kind. */
    bool (*number)(void *context, const struct event *step, uint32_t *number,
                   struct proto_fault *fault);
    void *context;
    int64_t fit; /* of the account under way */
    uint16_t *steps;
    size_t step_count, step_room;
    struct measure_case *cases;
    int64_t *fits; /* by case */
    size_t count, room;
    size_t young, empty; /* too young; without a step in the window */
};

/* Adds a journey; a measure_journey_each over measure_patterns. */
bool measure_patterns_add(void *patterns, const struct measure_journey *journey,
                          struct proto_fault *fault);
/* Adds a sequence as it is, at most MEASURE_WINDOW_MAX steps, of a case that is old enough. */
bool measure_patterns_sequence(struct measure_patterns *patterns, const uint16_t *steps,
                               size_t count, int64_t created_ms, bool won,
                               struct proto_fault *fault);
void measure_patterns_fini(struct measure_patterns *patterns);
/* All journeys first, then what was found: confirmed ones that lead to the goal, those that lose
 * it, others. names by number. */
bool measure_patterns_table(struct measure_patterns *patterns, const char *const *names,
                            struct measure_table *table, struct proto_fault *fault);

#endif
