/* SPDX-License-Identifier: Apache-2.0 */
/* What a row could come to if what is missing were known. Terms of one column each have a least and
 * a most. A missing column that also stands in pairs with known ones has one value in all of them,
 * so it is gone through value by value with all its tables at once; a pair that misses both columns
 * is taken at its least and most, which no single row may reach. */
#include "server/model/scorecard.h"
#include "server/model/scorecard_range.h"

/* The column of a pair that is missing while the other is known; MODEL_NO_COLUMN if there is none.
 */
static uint16_t half_missing(const struct model_term *term, const uint8_t *row)
{
    bool a = row[term->column_a] == 0;
    bool b = row[term->column_b] == 0;
    return a == b ? MODEL_NO_COLUMN : a ? term->column_a : term->column_b;
}

static bool done_before(const struct model_scorecard *scorecard, size_t first_pair, size_t t,
                        uint16_t column, const uint8_t *row)
{
    for (size_t u = first_pair; u < t; u++) {
        if (half_missing(&scorecard->terms[u], row) == column) {
            return true;
        }
    }
    return false;
}

/* The term of one column; term_count if the column has none. */
static size_t single_find(const struct model_scorecard *scorecard, size_t first_pair,
                          uint16_t column)
{
    for (size_t t = 0; t < first_pair && scorecard->terms[t].column_a <= column; t++) {
        if (scorecard->terms[t].column_a == column) {
            return t;
        }
    }
    return scorecard->term_count;
}

/* Adds to parts[code] how far the pair's entry moves if its missing column had that code. */
static void pair_add(const struct model_scorecard *scorecard, const struct model_term *term,
                     uint16_t column, const uint8_t *row, int64_t *parts)
{
    const int32_t *table = scorecard->tables + term->table_offset;
    bool first = term->column_a == column;
    size_t at = first ? row[term->column_b] : (size_t)row[term->column_a] * term->bins_b;
    size_t step = first ? term->bins_b : 1;
    size_t bins = first ? term->bins_a : term->bins_b;
    for (size_t code = 0; code < bins; code++) {
        parts[code] += (int64_t)table[at + code * step] - table[at];
    }
}

/* Replaces what the column could do alone by what it could do with its pairs, from `from` on. */
static void column_widen(const struct model_scorecard *scorecard, size_t first_pair, size_t from,
                         uint16_t column, const uint8_t *row, int64_t *low, int64_t *high)
{
    int64_t parts[256] = {0};
    size_t single = single_find(scorecard, first_pair, column);
    const struct model_term *pair = &scorecard->terms[from];
    size_t bins = pair->column_a == column ? pair->bins_a : pair->bins_b;
    if (single < scorecard->term_count) {
        const int32_t *table = scorecard->tables + scorecard->terms[single].table_offset;
        for (size_t code = 0; code < bins; code++) {
            parts[code] = (int64_t)table[code] - table[0];
        }
        *low -= (int64_t)scorecard->lows[single] - table[0];
        *high -= (int64_t)scorecard->highs[single] - table[0];
    }
    for (size_t t = from; t < scorecard->term_count; t++) {
        if (half_missing(&scorecard->terms[t], row) == column) {
            pair_add(scorecard, &scorecard->terms[t], column, row, parts);
        }
    }
    int64_t least = parts[0];
    int64_t most = parts[0];
    for (size_t code = 1; code < bins; code++) {
        least = parts[code] < least ? parts[code] : least;
        most = parts[code] > most ? parts[code] : most;
    }
    *low += least;
    *high += most;
}

void model_interval_pairs(const struct model_scorecard *scorecard, size_t first_pair,
                          const uint8_t *row, int64_t *low, int64_t *high)
{
    for (size_t t = first_pair; t < scorecard->term_count; t++) {
        const struct model_term *term = &scorecard->terms[t];
        uint16_t column = half_missing(term, row);
        if (column != MODEL_NO_COLUMN && !done_before(scorecard, first_pair, t, column, row)) {
            column_widen(scorecard, first_pair, t, column, row, low, high);
        } else if (row[term->column_a] == 0 && row[term->column_b] == 0) {
            *low += (int64_t)scorecard->lows[t] - scorecard->tables[term->table_offset];
            *high += (int64_t)scorecard->highs[t] - scorecard->tables[term->table_offset];
        }
    }
}

void model_interval(const struct model_scorecard *scorecard, const uint8_t *row, int64_t *low,
                    int64_t *high)
{
    size_t first_pair = 0;
    if (scorecard->trees != NULL) {
        model_trees_interval(scorecard->trees, row, low, high);
        return;
    }
    *low = model_raw(scorecard, row);
    *high = *low;
    for (; first_pair < scorecard->term_count; first_pair++) {
        const struct model_term *term = &scorecard->terms[first_pair];
        if (term->column_b != MODEL_NO_COLUMN) {
            break;
        }
        if (row[term->column_a] == 0) {
            int64_t missing = scorecard->tables[term->table_offset];
            *low += scorecard->lows[first_pair] - missing;
            *high += scorecard->highs[first_pair] - missing;
        }
    }
    model_interval_pairs(scorecard, first_pair, row, low, high);
}
