/* SPDX-License-Identifier: Apache-2.0 */
/* Counting over bitmaps, for the files of this folder. Threads: pure. Cost: 1 ns a word. */
#ifndef SEGMENT_SEGMENT_PARTS_H
#define SEGMENT_SEGMENT_PARTS_H

#include "server/segment/segment_mine.h"

/* into = a ∧ b, with how many rows and outcomes it has. */
struct segment_counts segment_and(const struct segment_data *data, const uint64_t *a,
                                  const uint64_t *b, uint64_t *into);
struct segment_counts segment_count(const struct segment_data *data, const uint64_t *rows);
/* The rows of `base` that meet those conditions of the segment whose bits are set in `which`. */
struct segment_counts segment_gather(const struct segment_data *data, const uint64_t *base,
                                     const struct segment_found *segment, unsigned which,
                                     uint64_t *into);
/* The candidates that add most, and their confirmation. */
bool segment_cover(const struct segment_data *data, const struct segment_options *options,
                   const struct segment_found *candidates, size_t count,
                   struct segment_result *result, struct proto_fault *fault);
bool segment_confirm(const struct segment_data *data, struct segment_result *result,
                     struct proto_fault *fault);

#endif
