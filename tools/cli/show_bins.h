/* SPDX-License-Identifier: Apache-2.0 */
/* The bins of one column with their points, for people. Neighbouring bins of a number are joined
 * where their points differ least, until at most `most` lines are left; of categories the strongest
 * of both signs are kept. Shapes: table has bin_count entries in millionths of a logit; points are
 * hundredths of one. Threads: pure but for the output. */
#ifndef CLI_SHOW_BINS_H
#define CLI_SHOW_BINS_H

#include "server/feature/codebook.h"

void bins_print(const struct feature_column *column, const int32_t *table, size_t most);

#endif
