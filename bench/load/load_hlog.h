/* SPDX-License-Identifier: Apache-2.0 */
/* Latencies second by second in HdrHistogram's log format (.hlog, version 1.3), each line with the
 * histogram of its interval in the V2 encoding: counts as ZigZag LEB128 with runs of zeros, zlib,
 * base64. HistogramLogAnalyzer, hdr-histogram-js and the like read it.
 * Units: nanoseconds; the column Interval_Max is in milliseconds, as readers expect. Two
 * significant digits; a value is the end of its bucket, at most 3.2 % above what was measured, as
 * everywhere in these results. zlib's data is stored and not deflated: any inflater reads it, and a
 * second takes a kilobyte or two. Ownership: borrows. Errors: those of the stream are the caller's
 * to check. Threads: one. Source: the description of the format in HdrHistogram (G. Tene), and RFC
 * 1950, 1951. */
#ifndef BENCH_LOAD_HLOG_H
#define BENCH_LOAD_HLOG_H

#include <stdio.h>

#include "server/base/histogram.h"

/* The head of a log that starts at a time of the wall clock. */
void load_hlog_begin(FILE *out, int64_t start_ms);
/* One interval, in seconds from the start; tag "" for none. */
void load_hlog_line(FILE *out, const struct base_histogram *histogram, double from_s,
                    double length_s, const char *tag);

#endif
