/* SPDX-License-Identifier: Apache-2.0 */
/* The bins of one column with their points, for people. Neighbouring bins of a number are joined
 * where their points differ least, until at most `most` lines are left; of categories the strongest
 * of both signs are kept. Shapes: table has bin_count entries in millionths of a logit; points are
 * hundredths of one. Threads: pure but for the output. */
#ifndef CLI_SHOW_BINS_H
#define CLI_SHOW_BINS_H

#include "server/feature/codebook.h"
#include "tools/cli/out/out_sink.h"

/* A field of tags has a column for each tag: they are shown together, strongest first. */
struct show_tag {
    const char *tag;
    double has; /* points of an account that has the tag */
    double lacks;
    double missing; /* points where no tags are known */
};
void tags_print(const struct out_sink *sink, struct show_tag *tags, size_t count, size_t most);

void bins_print(const struct out_sink *sink, const struct feature_column *column,
                const int32_t *table, size_t most);

#endif
