/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of every gate: rows with a target each, judged, printed as a table, kept as JSON. A
 * gate measures and fills lines; what a verdict is stands here alone.
 *
 * Verdicts. A row holds or falls short. What the caller left out is skipped and does not count;
 * what was asked for and could not be measured counts as falling short. A row of which only the
 * sight is wanted (a quick run's times) is not judged.
 *
 * Busy machines. A rate says how fast the program is only while it has its processors to itself. A
 * line knows in which share of its time what it measures stood ready and another program had the
 * processor (`busy`), and where it is a ratio of rates, the same ratio by processor time. From
 * GATE_BUSY on such a line is judged by processor time, whichever way that falls, and says so; one
 * without a figure by processor time is judged as it is, and says that the machine was busy.
 *
 * Ownership: texts are borrowed; the caller owns JSON. Errors: none. Threads: pure but for
 * printing. */
#ifndef BENCH_GATE_FRAME_H
#define BENCH_GATE_FRAME_H

#include <stdio.h>

#include <jansson.h>

#include "bench/report/report_median.h"

/* A share of the time. On two cores with nothing else on them runs of the gate "serving" show below
 * 0.01; a build beside it, 0.2 to 0.5. */
#define GATE_BUSY 0.05

enum gate_limit { GATE_LEAST, GATE_MOST };
enum gate_state { GATE_UNASKED, GATE_SKIPPED, GATE_MISSING, GATE_MEASURED };
enum gate_verdict {
    GATE_HOLDS,
    GATE_FALLS_SHORT,
    GATE_NOT_MEASURED,
    GATE_NOT_JUDGED,
    GATE_LEFT_OUT
};

struct gate_line {
    const char *name; /* "" where rows are not called by name */
    const char *text;
    const char *unit;
    enum gate_limit limit;
    double target;
    enum gate_state state;
    bool shown_only; /* not judged */
    struct report_spread measured;
    struct report_spread by_cpu; /* count 0: there is none */
    double busy;                 /* of the time, as above; NAN: not known */
    char why[128];               /* it is skipped, missing, or cannot hold; "" */
};

enum gate_verdict gate_line_verdict(const struct gate_line *line);
/* Whether the verdict came by processor time. */
bool gate_line_by_cpu(const struct gate_line *line);
/* Falls short or was not measured. */
bool gate_line_is_short(const struct gate_line *line);
/* "holds", "falls short" …, as in JSON. */
const char *gate_verdict_name(enum gate_verdict verdict);

/* Prints the table and a sentence below it; returns how many rows are short. Lines that nobody
 * asked for are only counted. */
unsigned gate_lines_print(FILE *out, const struct gate_line *lines, size_t count);
json_t *gate_lines_json(const struct gate_line *lines, size_t count);

#endif
