/* SPDX-License-Identifier: Apache-2.0 */
/* Values that nearly always win and values that nearly always lose are counted with their rows; if
 * they are half of all, and both kinds hold beyond chance, the field sorts rows by their end. */
#include <math.h>

#include "server/learn/leakage.h"
#include "server/math/auc.h"
#include "server/math/portable.h"

#define SORTED_VALUES_MIN 3
#define SORTED_SHARE_MIN 0.5
#define SORTED_ROWS_MIN 10 /* that win, and that lose */
#define SORTED_ODDS 2.0

double learn_leakage_odds_low(double rows, double positives, double all_rows, double all_positives)
{
    double a = positives;
    double b = rows - positives;
    double c = all_positives - a;
    double d = all_rows - all_positives - b;
    double odds = math_log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5)));
    double error = sqrt(1.0 / (a + 0.5) + 1.0 / (b + 0.5) + 1.0 / (c + 0.5) + 1.0 / (d + 0.5));
    return fabs(odds) - MATH_Z_95 * error;
}

bool learn_leakage_sorts(const double *rows, const double *positives, size_t bins, double all_rows,
                         double all_positives, struct learn_sorted *sorted)
{
    *sorted = (struct learn_sorted){0};
    for (size_t b = 1; b < bins; b++) {
        if (rows[b] < LEARN_LEAK_SIDE_ROWS) {
            continue;
        }
        sorted->values++;
        if (positives[b] >= LEARN_LEAK_WIN * rows[b]) {
            sorted->winning++;
            sorted->won_positives += positives[b];
            sorted->won_negatives += rows[b] - positives[b];
        } else if (positives[b] <= LEARN_LEAK_LOSS * rows[b]) {
            sorted->losing++;
            sorted->lost_positives += positives[b];
            sorted->lost_negatives += rows[b] - positives[b];
        }
    }
    double won = sorted->won_positives + sorted->won_negatives;
    double lost = sorted->lost_positives + sorted->lost_negatives;
    double proof = math_log(SORTED_ODDS);
    return sorted->values >= SORTED_VALUES_MIN &&
           (double)(sorted->winning + sorted->losing) >=
               SORTED_SHARE_MIN * (double)sorted->values &&
           won >= SORTED_ROWS_MIN && lost >= SORTED_ROWS_MIN &&
           learn_leakage_odds_low(won, sorted->won_positives, all_rows, all_positives) >= proof &&
           learn_leakage_odds_low(lost, sorted->lost_positives, all_rows, all_positives) >= proof;
}
