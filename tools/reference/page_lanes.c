/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "proto/table.h"
#include "tools/reference/reference.h"

struct lane {
    const char *name;
    unsigned threads;
    size_t queued_max, bytes_max, past_max;
    int nice;
    unsigned together_max;
    const char *help;
};

static const struct lane lanes[] = {
#define X(NAME, name, threads, queued_max, bytes_max, past_max, nice, together_max, view, help)    \
    {name, threads, queued_max, bytes_max, past_max, nice, together_max, help},
#include "server/engine/lane.def"
#undef X
};

void reference_page_lanes(FILE *out)
{
    reference_title(out, "Lanes", "server/engine/lane.def");
    (void)fputs(
        "Work that no event loop does itself, and how each kind of it is run. What goes over a "
        "bound is answered `busy`. Connections take turns.\n\n"
        "| Lane | Threads | May wait | Bytes | Remembered | Nice | Run together | What for |\n"
        "|---|---:|---:|---:|---:|---:|---:|---|\n",
        out);
    for (size_t i = 0; i < sizeof lanes / sizeof *lanes; i++) {
        const struct lane *lane = &lanes[i];
        (void)fprintf(out, "| `%s` | %u | %zu | %zu | %zu | %d | %u | ", lane->name, lane->threads,
                      lane->queued_max, lane->bytes_max, lane->past_max, lane->nice,
                      lane->together_max);
        reference_cell(out, lane->help);
        (void)fputs(" |\n", out);
    }
}
