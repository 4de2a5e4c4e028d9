/* SPDX-License-Identifier: Apache-2.0 */
/* Rates are told in per cent, differences in points of a hundred. */
#include "tools/cli/challenge_print.h"
#include "tools/cli/member.h"
#include "tools/cli/out/out_number.h"

/* What is disputed: the condition, the field, or the slice and period themselves. */
static struct icp_text subject_of(const struct icp_value *challenge)
{
    static const char *const names[] = {"condition", "field", "slice", "period"};
    struct icp_text text = {"", 0};
    for (size_t i = 0; i < 4 && text.bytes == 0; i++) {
        text = member_text(challenge, names[i]);
    }
    return text;
}

/* What "holds" means, of this claim. */
static const char *claim_words(const struct icp_value *challenge)
{
    struct icp_text claim = member_text(challenge, "claim");
    if (member_there(challenge, "field")) {
        return "a bin of it does not do as the version says";
    }
    if (!member_there(challenge, "condition")) {
        return "the version fails there";
    }
    return member_text_is(claim, "in")    ? "these accounts do better than the version says"
           : member_text_is(claim, "out") ? "these accounts do worse than the version says"
                                          : "these accounts do not do as the version says";
}

static void verdict_print(const struct cli *cli, const struct icp_value *challenge)
{
    struct icp_text verdict = member_text(challenge, "verdict");
    struct icp_text subject = subject_of(challenge);
    double needed = member_number(challenge, "needed");
    const char *negative = member_text_is(verdict, "does not hold") ? "it is not so that " : "";
    if (!member_text_is(verdict, "too little evidence")) {
        cli_print(cli, "%.*s: %s%s\n", (int)verdict.bytes, verdict.data, negative,
                  claim_words(challenge));
    } else if (needed > 0) {
        char number[OUT_NUMBER_BYTES];
        cli_print(cli,
                  "too little evidence that %s, or that it is not so: some %s accounts %s would "
                  "do, if they go on as they began\n",
                  claim_words(challenge), out_count((uint64_t)needed, number),
                  member_there(challenge, "condition") ? "that match"
                  : member_there(challenge, "field")   ? "in the largest bin that is open"
                                                       : "in it");
    } else {
        cli_print(cli, "too little evidence that %s, or that it is not so\n",
                  claim_words(challenge));
    }
    cli_print(cli, "  disputed: %.*s, version %.0f\n", (int)subject.bytes, subject.data,
              member_number(challenge, "icp"));
}

/* "with it: 512 of 620 accounts (82.6 %, 79.4 to 85.4); the version says 79.9 %" */
static void side_print(const struct cli *cli, const char *who, const struct icp_value *challenge)
{
    double accounts = member_number(challenge, "accounts");
    double outcomes = member_number(challenge, "outcomes");
    char numbers[2][OUT_NUMBER_BYTES];
    if (accounts <= 0) {
        cli_print(cli, "  %s: no account with an outcome\n", who);
        return;
    }
    cli_print(
        cli,
        "  %s: %s of %s accounts (%.1f %%, 95 %% interval %.1f to %.1f); the version says "
        "%.1f %%\n",
        who, out_count((uint64_t)outcomes, numbers[0]), out_count((uint64_t)accounts, numbers[1]),
        100 * outcomes / accounts, 100 * member_number(challenge, "rate_low"),
        100 * member_number(challenge, "rate_high"), 100 * member_number(challenge, "expected"));
}

static void others_print(const struct cli *cli, const struct icp_value *challenge)
{
    double others = member_number(challenge, "others");
    if (others > 0) {
        double outcomes = member_number(challenge, "others_outcomes");
        char numbers[2][OUT_NUMBER_BYTES];
        cli_print(cli, "  others: %s of %s accounts (%.1f %%); the version says %.1f %%\n",
                  out_count((uint64_t)outcomes, numbers[0]),
                  out_count((uint64_t)others, numbers[1]), 100 * outcomes / others,
                  100 * member_number(challenge, "others_expected"));
    }
}

/* The bin whose gap is told as that of the whole challenge; empty: it is not of a field. */
static struct icp_text farthest_bin(const struct icp_value *challenge)
{
    struct icp_value bins;
    struct icp_value bin;
    if (icp_value_get(challenge, "bins", &bins)) {
        struct icp_walk walk = icp_walk_over(&bins);
        while (icp_next(&walk, NULL, &bin)) {
            if (member_number(&bin, "gap") == member_number(challenge, "gap")) {
                return member_text(&bin, "bin");
            }
        }
    }
    return (struct icp_text){.data = "", .bytes = 0};
}

static void gap_print(const struct cli *cli, const struct icp_value *challenge)
{
    struct icp_text bin = farthest_bin(challenge);
    if (bin.bytes > 0) {
        cli_print(cli, "  the bin that is farthest off, %.*s, is", (int)bin.bytes, bin.data);
    } else {
        cli_print(cli, "  that is");
    }
    cli_print(cli,
              " %+.1f points of a hundred off what the version says, interval %+.1f to %+.1f; %.1f "
              "matter\n",
              out_signed(100 * member_number(challenge, "gap"), 1),
              out_signed(100 * member_number(challenge, "gap_low"), 1),
              out_signed(100 * member_number(challenge, "gap_high"), 1),
              100 * member_number(challenge, "margin"));
}

static void within_print(const struct cli *cli, const struct icp_value *challenge)
{
    bool apart = member_there(challenge, "condition") || member_there(challenge, "field");
    struct icp_text slice = member_text(challenge, "slice");
    struct icp_text period = member_text(challenge, "period");
    if (slice.bytes > 0 && apart) {
        cli_print(cli, "  among accounts with %.*s\n", (int)slice.bytes, slice.data);
    }
    if (period.bytes > 0 && (apart || slice.bytes > 0)) {
        cli_print(cli, "  in the period %.*s\n", (int)period.bytes, period.data);
    }
}

static void finding_print(const struct cli *cli, const struct icp_value *challenge)
{
    const char *who = member_there(challenge, "condition") ? "that match"
                      : member_there(challenge, "field")   ? "in all"
                                                           : "there";
    struct icp_text by = member_text(challenge, "by");
    struct icp_text note = member_text(challenge, "note");
    within_print(cli, challenge);
    side_print(cli, who, challenge);
    others_print(cli, challenge);
    if (member_number(challenge, "accounts") > 0) {
        gap_print(cli, challenge);
    }
    if (member_there(challenge, "auc")) {
        cli_print(cli, "  AUC there %.3f, 95 %% interval %.3f to %.3f\n",
                  member_number(challenge, "auc"), member_number(challenge, "auc_low"),
                  member_number(challenge, "auc_high"));
    }
    if (member_number(challenge, "blanks") > 0) {
        char number[OUT_NUMBER_BYTES];
        cli_print(cli, "  %s accounts have no outcome and are left out\n",
                  out_count((uint64_t)member_number(challenge, "blanks"), number));
    }
    if (member_number(challenge, "number") > 0) {
        char time[OUT_TIME_BYTES];
        cli_print(cli, "  challenge %.0f, %s%s%.*s\n", member_number(challenge, "number"),
                  out_time((int64_t)member_number(challenge, "time"), time),
                  by.bytes > 0 ? ", by " : "", (int)by.bytes, by.data);
    }
    if (note.bytes > 0) {
        cli_print(cli, "  %.*s\n", (int)note.bytes, note.data);
    }
}

static int bins_print(const struct cli *cli, const struct icp_value *bins)
{
    static const char *const headers[] = {"bin",    "accounts", "%",   "from", "to",
                                          "says %", "off",      "low", "high", "verdict"};
    static const char *const names[] = {"rate_low", "rate_high", "expected"};
    static const char *const gaps[] = {"gap", "gap_low", "gap_high"};
    struct out_table table;
    struct icp_value bin;
    out_table_init(&table, headers, sizeof headers / sizeof *headers);
    struct icp_walk walk = icp_walk_over(bins);
    while (icp_next(&walk, NULL, &bin)) {
        double accounts = member_number(&bin, "accounts");
        out_cell_text_n(&table, member_text(&bin, "bin"));
        out_cell_number(&table, "%.0f", accounts);
        out_cell_number(&table, "%.1f", 100 * member_number(&bin, "outcomes") / accounts);
        for (size_t i = 0; i < 3; i++) {
            out_cell_number(&table, "%.1f", 100 * member_number(&bin, names[i]));
        }
        for (size_t i = 0; i < 3; i++) {
            out_cell_number(&table, "%+.1f", out_signed(100 * member_number(&bin, gaps[i]), 1));
        }
        out_cell_text_n(&table, member_text(&bin, "verdict"));
    }
    return cli_table(cli, &table);
}

int challenge_print(const struct cli *cli, const struct icp_value *challenge)
{
    struct icp_value bins;
    verdict_print(cli, challenge);
    finding_print(cli, challenge);
    if (!icp_value_get(challenge, "bins", &bins) || bins.count == 0) {
        return EX_OK;
    }
    cli_print(cli, "\n");
    return bins_print(cli, &bins);
}

int challenge_list_print(const struct cli *cli, const struct icp_value *list)
{
    static const char *const headers[] = {"number", "time",    "by",  "version", "disputed",
                                          "claim",  "verdict", "off", "low",     "high"};
    static const char *const gaps[] = {"gap", "gap_low", "gap_high"};
    struct out_table table;
    struct icp_value one;
    out_table_init(&table, headers, sizeof headers / sizeof *headers);
    struct icp_walk walk = icp_walk_over(list);
    while (icp_next(&walk, NULL, &one)) {
        char time[OUT_TIME_BYTES];
        out_cell_number(&table, "%.0f", member_number(&one, "number"));
        out_cell_text(&table, "%s", out_time((int64_t)member_number(&one, "time"), time));
        out_cell_text_n(&table, member_text(&one, "by"));
        out_cell_number(&table, "%.0f", member_number(&one, "icp"));
        out_cell_text_n(&table, subject_of(&one));
        out_cell_text_n(&table, member_text(&one, "claim"));
        out_cell_text_n(&table, member_text(&one, "verdict"));
        for (size_t i = 0; i < 3; i++) {
            out_cell_number(&table, "%+.1f", out_signed(100 * member_number(&one, gaps[i]), 1));
        }
    }
    return cli_table(cli, &table);
}
