/* SPDX-License-Identifier: Apache-2.0 */
/* The bins of one column with their points, for people. Neighbouring bins of a number are joined
 * where their points differ least, until at most `most` lines are left; of categories the strongest
 * of both signs are kept. Where the version says what stands behind its bins, each line shows it:
 * accounts, those with the outcome, their share and its 95 % interval (Wilson). Shapes: table, and
 * what stands behind it, have bin_count entries, table in millionths of a logit; points are
 * hundredths of one. Threads: pure but for the output. */
#ifndef CLI_SHOW_BINS_H
#define CLI_SHOW_BINS_H

#include "server/feature/codebook.h"
#include "tools/cli/out/out_sink.h"

/* What stands behind a line; accounts is -1 where nothing is known. */
struct show_support {
    int64_t accounts, outcomes;
};
#define SHOW_SUPPORT_NONE ((struct show_support){-1, 0})

/* The names of the columns that lines have. */
void bins_head_print(const struct out_sink *sink);

/* A field of tags has a column for each tag: they are shown together, strongest first. */
struct show_tag {
    const char *tag;
    double has; /* points of an account that has the tag */
    double lacks;
    double missing;                             /* points where no tags are known */
    struct show_support with, without, unknown; /* behind each of the three */
};
void tags_print(const struct out_sink *sink, struct show_tag *tags, size_t count, size_t most);

/* accounts and outcomes may be NULL: not known. */
void bins_print(const struct out_sink *sink, const struct feature_column *column,
                const int32_t *table, const uint32_t *accounts, const uint32_t *outcomes,
                size_t most);

#endif
