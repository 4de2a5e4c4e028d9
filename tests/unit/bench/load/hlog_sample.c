/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a log of three intervals: nothing, a few values of every size, very many of one. */
#include <stdlib.h>

#include "bench/load/load_hlog.h"

int main(void)
{
    struct base_histogram *histogram = calloc(1, sizeof *histogram);
    if (histogram == NULL) {
        return 1;
    }
    load_hlog_begin(stdout, 1700000000250);
    load_hlog_line(stdout, histogram, 0, 1, "");
    for (unsigned bits = 0; bits < 48; bits++) {
        base_histogram_record_many(histogram, UINT64_C(1) << bits, bits + 1);
    }
    base_histogram_record(histogram, 0);
    load_hlog_line(stdout, histogram, 1, 1, "stream-1");
    base_histogram_reset(histogram);
    base_histogram_record_many(histogram, 123456789, UINT64_C(1) << 60);
    load_hlog_line(stdout, histogram, 2, 0.5, "");
    free(histogram);
    return 0;
}
