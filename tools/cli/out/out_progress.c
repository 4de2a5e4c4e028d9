/* SPDX-License-Identifier: Apache-2.0 */
/* The line is drawn over itself, cut to the screen: one that wrapped could not be taken back. */
#include "tools/cli/out/out_progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/cli/out/out_sink.h"
#include "tools/cli/out/out_text.h"

#define BAR_COLUMNS 30
#define REDRAW_MS 100

void out_progress_draw(struct out_progress *progress, double done, const char *text)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (now_ms - progress->drawn_ms < REDRAW_MS) {
        return;
    }
    struct out_sink sink = out_sink_of(stderr);
    progress->drawn_ms = now_ms;
    if (sink.columns == 0) {
        return;
    }
    int bar = sink.columns >= 60 ? BAR_COLUMNS : 10;
    int filled = (int)(done * bar);
    char line[256];
    snprintf(line, sizeof line, "[%.*s%*s] %3.0f %% %s", filled, "##############################",
             bar - filled, "", done * 100, text);
    size_t bytes = strlen(line);
    fprintf(stderr, "\r\033[K%.*s", (int)out_fit(line, bytes, sink.columns - 1), line);
    progress->shown = true;
}

void out_progress_end(struct out_progress *progress)
{
    if (progress->shown) {
        fprintf(stderr, "\r\033[K");
    }
    progress->shown = false;
}
