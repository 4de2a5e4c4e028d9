/* SPDX-License-Identifier: Apache-2.0 */
/* First the two raw scores at which the grade turns are searched for; then each column is asked for
 * the nearest bin that gets there. Where the grade is the best or the worst there is, or no bin
 * suffices, nothing is said. */
#include "server/engine/explain_change.h"

#include <stdlib.h>

#define RAW_END (INT64_C(1) << 43) /* beyond every raw score (scorecard.h) */

/* How a grade turns on the way from the account's raw score. */
struct turn {
    bool up;
    bool exists;
    int64_t raw; /* the nearest raw score that has another grade */
};

static bool has_turned(const struct model_scorecard *scorecard, char grade, int64_t raw, bool up)
{
    char other = model_grade(scorecard, model_fit(scorecard, raw));
    return up ? other < grade : other > grade;
}

/* fit does not fall as raw rises, so that halves can be left aside. */
static struct turn turn_find(const struct engine_explanation *explanation, bool up)
{
    const struct model_scorecard *scorecard = explanation->document->scorecard;
    char grade = explanation->answer.grade;
    int64_t here = explanation->answer.raw; /* has not turned */
    int64_t there = up ? RAW_END : -RAW_END;
    if (!has_turned(scorecard, grade, there, up)) {
        return (struct turn){.up = up};
    }
    while (there - here > 1 || here - there > 1) {
        int64_t middle = here + (there - here) / 2;
        if (has_turned(scorecard, grade, middle, up)) {
            there = middle;
        } else {
            here = middle;
        }
    }
    return (struct turn){up, true, there};
}

/* What each code of a column would add to the raw score. */
static void moves_fill(const struct engine_explanation *explanation, uint16_t column,
                       int64_t *moves)
{
    size_t bins = explanation->document->codebook->columns[column].bin_count;
    model_moved(explanation->document->scorecard, explanation->codes, column, bins, moves);
    for (size_t code = 0; code < bins; code++) {
        moves[code] -= explanation->answer.raw;
    }
}

static uint64_t size_of(int64_t moves)
{
    return moves < 0 ? (uint64_t)-moves : (uint64_t)moves;
}

/* How far a code is from the account's: in bins where they have an order, else alike. */
static uint64_t steps_to(const struct feature_column *column, uint8_t from, size_t to)
{
    if (!feature_type_is_number(column->type) || from == 0) {
        return 0;
    }
    return to > from ? to - from : from - to;
}

/* The nearest code of a column that turns the grade; false if none does. */
static bool column_change(const struct engine_explanation *explanation, uint16_t column,
                          const int64_t *moves, const struct turn *turn,
                          struct engine_change *change)
{
    const struct feature_column *of = &explanation->document->codebook->columns[column];
    uint8_t from = explanation->codes[column];
    bool any = false;
    uint64_t nearest = 0;
    if (of->type == FEATURE_TAGS && from == 0) {
        return false; /* to know one tag is to know them all: that is no single change */
    }
    for (size_t to = of->type == FEATURE_CATEGORY ? 2 : 1; to < of->bin_count; to++) {
        int64_t raw = explanation->answer.raw + moves[to];
        if (to == from || (turn->up ? raw < turn->raw : raw > turn->raw)) {
            continue;
        }
        uint64_t steps = steps_to(of, from, to);
        if (!any || steps < nearest ||
            (steps == nearest && size_of(moves[to]) < size_of(change->moves))) {
            any = true;
            nearest = steps;
            *change = (struct engine_change){
                .column = column, .from = from, .to = (uint8_t)to, .moves = moves[to]};
        }
    }
    return any;
}

static int by_size(const void *a, const void *b)
{
    const struct engine_change *x = a;
    const struct engine_change *y = b;
    uint64_t sizes[2] = {size_of(x->moves), size_of(y->moves)};
    if (sizes[0] != sizes[1]) {
        return sizes[0] < sizes[1] ? -1 : 1;
    }
    return (x->column > y->column) - (x->column < y->column);
}

/* The best of all, with what comes of them. */
static size_t changes_end(const struct engine_explanation *explanation,
                          struct engine_change *changes, size_t count, size_t most)
{
    const struct model_scorecard *scorecard = explanation->document->scorecard;
    qsort(changes, count, sizeof *changes, by_size);
    count = count < most ? count : most;
    for (size_t i = 0; i < count; i++) {
        changes[i].fit = model_fit(scorecard, explanation->answer.raw + changes[i].moves);
        changes[i].grade = model_grade(scorecard, changes[i].fit);
    }
    return count;
}

bool engine_changes_find(struct engine_explanation *explanation, size_t most,
                         struct base_arena *arena, struct proto_fault *fault)
{
    size_t columns = explanation->document->codebook->column_count;
    struct turn up = turn_find(explanation, true);
    struct turn down = turn_find(explanation, false);
    int64_t moves[256];
    explanation->up = base_arena_array(arena, columns + 1, sizeof *explanation->up);
    explanation->down = base_arena_array(arena, columns + 1, sizeof *explanation->down);
    if (!explanation->up || !explanation->down) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to explain a score");
    }
    for (size_t c = 0; most > 0 && c < columns; c++) {
        moves_fill(explanation, (uint16_t)c, moves);
        if (up.exists && column_change(explanation, (uint16_t)c, moves, &up,
                                       &explanation->up[explanation->up_count])) {
            explanation->up_count++;
        }
        if (down.exists && column_change(explanation, (uint16_t)c, moves, &down,
                                         &explanation->down[explanation->down_count])) {
            explanation->down_count++;
        }
    }
    explanation->up_count = changes_end(explanation, explanation->up, explanation->up_count, most);
    explanation->down_count =
        changes_end(explanation, explanation->down, explanation->down_count, most);
    return true;
}
