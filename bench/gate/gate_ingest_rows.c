/* SPDX-License-Identifier: Apache-2.0 */
/* What the series of storing records say against ingest_row.def. A row whose size of batches was
 * not asked for is not there; one whose peer is missing counts as short in a run that is judged.
 * What is waited for is a disk, so a busy machine is judged by its rate like any other, and said.
 */
#include <math.h>

#include "bench/gate/gate_ingest.h"

static const struct {
    enum gate_ingest_mode mode;
    unsigned batch;
    enum gate_ingest_who against;
    double target;
    const char *text;
} rows[] = {
#define R(MODE, batch, AGAINST, target, text)                                                      \
    {GATE_INGEST_##MODE, batch, GATE_INGEST_##AGAINST, target, text},
#include "bench/gate/ingest_row.def"
#undef R
};

static void line_measure(const struct gate_ingest_series *ours,
                         const struct gate_ingest_series *theirs, struct gate_line *line)
{
    size_t count = ours->count < theirs->count ? ours->count : theirs->count;
    line->measured = report_spread_ratio(ours->records, theirs->records, count);
    line->state = line->measured.count > 0 ? GATE_MEASURED
                  : line->shown_only       ? GATE_SKIPPED
                                           : GATE_MISSING;
    line->busy = fmax(report_spread_of(ours->busy, ours->count).median,
                      report_spread_of(theirs->busy, theirs->count).median);
}

size_t gate_ingest_rows(const struct gate_ingest *ingest, const struct gate_ingest_options *options,
                        struct gate_line *lines, size_t lines_max)
{
    size_t count = 0;
    for (; count < sizeof rows / sizeof *rows && count < lines_max; count++) {
        struct gate_line *line = &lines[count];
        *line = (struct gate_line){.name = "",
                                   .text = rows[count].text,
                                   .unit = "x",
                                   .limit = GATE_LEAST,
                                   .target = rows[count].target,
                                   .shown_only = options->rounds < GATE_INGEST_ROUNDS ||
                                                 options->accounts < GATE_INGEST_ACCOUNTS,
                                   .busy = (double)NAN};
        for (unsigned b = 0; options->peers && b < options->batch_count; b++) {
            if (options->batches[b] == rows[count].batch) {
                line_measure(gate_ingest_series(ingest, rows[count].mode, b, GATE_INGEST_ICP),
                             gate_ingest_series(ingest, rows[count].mode, b, rows[count].against),
                             line);
            }
        }
    }
    return count;
}
