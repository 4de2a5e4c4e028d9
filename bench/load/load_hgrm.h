/* SPDX-License-Identifier: Apache-2.0 */
/* Latencies as the percentile text (.hgrm) of HdrHistogram, which its plotters read: value,
 * percentile, count up to it, 1 / (1 − percentile); values in microseconds.
 * Ownership: borrows. Errors: a fault if the file cannot be written. Source: HdrHistogram,
 * AbstractHistogram.outputPercentileDistribution. */
#ifndef BENCH_LOAD_HGRM_H
#define BENCH_LOAD_HGRM_H

#include "proto/fault.h"
#include "server/base/histogram.h"

/* Steps up to the next halving of the distance to 100 %. */
#define LOAD_HGRM_TICKS 5

bool load_hgrm_write(const struct base_histogram *histogram, const char *path,
                     struct proto_fault *fault);

/* The percentiles (0 … 1) that are worth printing for so many values, ascending, the last 1.
 * Returns how many were put into shares[count_max]. */
size_t load_hgrm_shares(uint64_t total, double *shares, size_t count_max);

#endif
