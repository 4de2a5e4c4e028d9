/* SPDX-License-Identifier: Apache-2.0 */
/* A progress line on standard error, only on a terminal: drawn at most ten times a second, gone
 * when ended. Ownership: a value that starts as zeros. Errors: none. Threads: one. */
#ifndef OUT_OUT_PROGRESS_H
#define OUT_OUT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct out_progress {
    bool shown;
    int64_t drawn_ms;
};

/* done from 0 to 1. */
void out_progress_draw(struct out_progress *progress, double done, const char *text);
void out_progress_end(struct out_progress *progress);

#endif
