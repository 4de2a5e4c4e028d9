/* SPDX-License-Identifier: Apache-2.0 */
/* The sheet is counted into one line: how each row was linked, what is open, and the link rate. */
#include "tools/cli/match_review.h"

#include "tools/cli/match_pairs.h"

void tally_say(const struct cli *cli, const struct sheet *sheet)
{
    struct sheet_tally tally = sheet_count(sheet);
    char counts[6][OUT_NUMBER_BYTES];
    size_t linked = tally.by_key + tally.reviewed;
    if (match_pairs_are(sheet)) {
        cli_say(cli,
                "%s pairs: %s called one, %s called never, %s open with the same name, %s open "
                "maybe",
                out_count(tally.rows, counts[0]), out_count(tally.reviewed, counts[1]),
                out_count(tally.none, counts[2]), out_count(tally.same, counts[3]),
                out_count(tally.maybe, counts[4]));
        return;
    }
    cli_say(
        cli,
        "%s rows: %s by key, %s by name as reviewed, %s open with the same name, %s open maybe, "
        "%s without an account; link rate %.1f %%",
        out_count(tally.rows, counts[0]), out_count(tally.by_key, counts[1]),
        out_count(tally.reviewed, counts[2]), out_count(tally.same, counts[3]),
        out_count(tally.maybe, counts[4]), out_count(tally.none, counts[5]),
        tally.rows > 0 ? 100 * (double)linked / (double)tally.rows : 0);
}
