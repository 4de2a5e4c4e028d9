/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are made from what the reply says and from nothing else; what a version does not say, such
 * as the accounts behind a bin, is left out and not guessed. */
#include "tools/cli/explain_print.h"
#include "tools/cli/member.h"
#include "tools/cli/out/out_number.h"

#include <stdlib.h>

#define WORDS_BYTES 320

static double points_of(const struct icp_value *map)
{
    return member_number(map, "contribution") / 1e4;
}

/* "+312 points" and, where the version says it, the accounts behind them. */
static const char *support_words(const struct icp_value *part, char *words)
{
    struct icp_value accounts;
    if (!icp_value_get(part, "accounts", &accounts)) {
        (void)snprintf(words, WORDS_BYTES, "%+.0f points", out_signed(points_of(part), 0));
    } else if (accounts.number == 0) {
        (void)snprintf(words, WORDS_BYTES, "%+.0f points; no account was there to learn from",
                       out_signed(points_of(part), 0));
    } else {
        (void)snprintf(
            words, WORDS_BYTES, "%+.0f points; %.0f of %.0f accounts there had it, %.0f to %.0f %%",
            out_signed(points_of(part), 0), member_number(part, "outcomes"), accounts.number,
            100 * member_number(part, "rate_low"), 100 * member_number(part, "rate_high"));
    }
    return words;
}

static const char *name_words(const struct icp_value *part, char *words)
{
    struct icp_text field = member_text(part, "field");
    struct icp_text with = member_text(part, "second");
    (void)snprintf(words, WORDS_BYTES, "%.*s%s%.*s", (int)field.bytes, field.data,
                   with.bytes > 0 ? " × " : "", (int)with.bytes, with.data);
    return words;
}

/* What the account has, of a pair both; "missing" where it has nothing. */
static const char *value_words(const struct icp_value *part, char *words)
{
    struct icp_value value;
    char text[WORDS_BYTES / 2] = "missing";
    char with[WORDS_BYTES / 2 - 8] = "missing";
    if (icp_value_get(part, "value", &value)) {
        (void)icp_value_print(&value, text, sizeof text);
    }
    if (icp_value_get(part, "second_value", &value)) {
        (void)icp_value_print(&value, with, sizeof with);
    }
    bool pair = member_text(part, "second").bytes > 0;
    (void)snprintf(words, WORDS_BYTES, "%s%s%s", text, pair ? " × " : "", pair ? with : "");
    return words;
}

/* The first `most` contributions of a sign. */
static void strongest_print(const struct cli *cli, const struct icp_value *parts, bool positive,
                            unsigned most)
{
    struct icp_value part;
    unsigned shown = 0;
    struct icp_walk walk = icp_walk_over(parts);
    while (shown < most && icp_next(&walk, NULL, &part)) {
        char name[WORDS_BYTES];
        char value[WORDS_BYTES];
        char support[WORDS_BYTES];
        double points = points_of(&part);
        if (positive ? points < 0.5 : points > -0.5) {
            continue;
        }
        cli_print(cli, "%s %s: %s (%s)\n",
                  positive ? "for it:    " : "against it:", name_words(&part, name),
                  value_words(&part, value), support_words(&part, support));
        shown++;
    }
}

/* The least change of a list. */
static void change_print(const struct cli *cli, const struct icp_reply *reply, const char *list)
{
    struct icp_value changes;
    struct icp_value change;
    (void)icp_reply_get(reply, list, &changes);
    struct icp_walk walk = icp_walk_over(&changes);
    if (icp_next(&walk, NULL, &change)) {
        struct icp_text grade = member_text(&change, "grade");
        struct icp_text field = member_text(&change, "field");
        struct icp_text from = member_text(&change, "now");
        struct icp_text to = member_text(&change, "then");
        cli_print(cli, "grade %.*s with %.*s: %.*s instead of %.*s (%+.0f points)\n",
                  (int)grade.bytes, grade.data, (int)field.bytes, field.data, (int)to.bytes,
                  to.data, (int)from.bytes, from.data, out_signed(points_of(&change), 0));
    }
}

static void names_print(const struct cli *cli, const char *what, const struct icp_reply *reply,
                        const char *list, const char *behind)
{
    struct icp_value names;
    char text[2048];
    if (icp_reply_get(reply, list, &names) && names.count > 0) {
        cli_print(cli, "%s: %s%s\n", what, icp_value_print(&names, text, sizeof text), behind);
    }
}

/* The answer. */
static void head_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_text id = icp_reply_text(reply, "id");
    struct icp_text grade = icp_reply_text(reply, "grade");
    struct icp_text outcome = icp_reply_text(reply, "outcome");
    struct icp_value parts;
    double accounts = icp_reply_number(reply, "accounts", 0);
    double outcomes = icp_reply_number(reply, "outcomes", 0);
    double low = icp_reply_number(reply, "fit_low", 0);
    double high = icp_reply_number(reply, "fit_high", 0);
    cli_print(cli,
              "%.*s%sgrade %.*s: better than %.0f %% of your accounts  (ICP version %lld, sequence "
              "%lld)\n",
              (int)id.bytes, id.data, id.bytes > 0 ? ": " : "", (int)grade.bytes, grade.data,
              icp_reply_number(reply, "fit", 0), (long long)icp_reply_int(reply, "icp", 0),
              (long long)icp_reply_int(reply, "seq", 0));
    cli_print(cli, "of 100 such accounts %.1f have the outcome%s%.*s",
              100 * icp_reply_number(reply, "p", 0), outcome.bytes > 0 ? " " : "",
              (int)outcome.bytes, outcome.data);
    if (accounts > 0) {
        cli_print(cli, "; of all %.0f learned from, %.1f", accounts, 100 * outcomes / accounts);
    }
    cli_print(cli, "\n");
    (void)icp_reply_get(reply, "contributions", &parts);
    strongest_print(cli, &parts, true, 2);
    strongest_print(cli, &parts, false, 2);
    change_print(cli, reply, "up");
    change_print(cli, reply, "down");
    char open[96];
    (void)snprintf(open, sizeof open, " (known, they could make it better than %.0f to %.0f %%)",
                   low, high);
    names_print(cli, "missing", reply, "missing", open);
    names_print(cli, "never met, or too seldom to learn from", reply, "unseen", "");
    names_print(cli, "stale", reply, "stale", "");
    names_print(cli, "not counted, the schema has no field of this name", reply, "unknown", "");
}

static void support_cells(struct out_table *table, const struct icp_value *part)
{
    struct icp_value accounts;
    if (!icp_value_get(part, "accounts", &accounts)) {
        for (unsigned i = 0; i < 5; i++) {
            out_cell_text(table, "%s", "");
        }
        return;
    }
    double outcomes = member_number(part, "outcomes");
    out_cell_number(table, "%.0f", accounts.number);
    out_cell_number(table, "%.0f", outcomes);
    if (accounts.number == 0) {
        for (unsigned i = 0; i < 3; i++) {
            out_cell_text(table, "%s", "");
        }
        return;
    }
    out_cell_number(table, "%.1f", 100 * outcomes / accounts.number);
    out_cell_number(table, "%.1f", 100 * member_number(part, "rate_low"));
    out_cell_number(table, "%.1f", 100 * member_number(part, "rate_high"));
}

static int parts_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"points",   "field",    "value",  "bin",    "state",
                                          "accounts", "outcomes", "rate %", "from %", "to %"};
    struct out_table table;
    struct icp_value parts;
    struct icp_value part;
    (void)icp_reply_get(reply, "contributions", &parts);
    out_table_init(&table, headers, sizeof headers / sizeof *headers);
    struct icp_walk walk = icp_walk_over(&parts);
    while (icp_next(&walk, NULL, &part)) {
        char words[WORDS_BYTES];
        out_cell_number(&table, "%+.1f", out_signed(points_of(&part), 1));
        out_cell_text(&table, "%s", name_words(&part, words));
        out_cell_text(&table, "%s", value_words(&part, words));
        out_cell_text_n(&table, member_text(&part, "bin"));
        out_cell_text_n(&table, member_text(&part, "state"));
        support_cells(&table, &part);
    }
    return cli_table(cli, &table);
}

static void families_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value families;
    struct icp_value family;
    (void)icp_reply_get(reply, "families", &families);
    struct icp_walk walk = icp_walk_over(&families);
    cli_print(cli, "%+.1f points where every account starts",
              out_signed(icp_reply_number(reply, "intercept", 0) / 1e4, 1));
    while (icp_next(&walk, NULL, &family)) {
        struct icp_text name = member_text(&family, "family");
        cli_print(cli, ", %+.1f %.*s", out_signed(points_of(&family), 1), (int)name.bytes,
                  name.data);
    }
    cli_print(cli, ": %+.1f in all; 100 points multiply the odds by 2.7\n",
              out_signed(icp_reply_number(reply, "raw", 0) / 1e4, 1));
}

/* The bins around the values, of the contributions that have them. */
static int shapes_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"",         "bin",    "points", "accounts",
                                          "outcomes", "rate %", "from %", "to %"};
    struct icp_value parts;
    struct icp_value part;
    int status = EX_OK;
    (void)icp_reply_get(reply, "contributions", &parts);
    struct icp_walk walk = icp_walk_over(&parts);
    while (status == EX_OK && icp_next(&walk, NULL, &part)) {
        struct icp_value shape;
        struct icp_value bin;
        struct icp_value here;
        struct out_table table;
        char words[WORDS_BYTES];
        if (!icp_value_get(&part, "shape", &shape)) {
            continue;
        }
        cli_print(cli, "\naround %s\n", name_words(&part, words));
        out_table_init(&table, headers, sizeof headers / sizeof *headers);
        struct icp_walk bins = icp_walk_over(&shape);
        while (icp_next(&bins, NULL, &bin)) {
            (void)icp_value_get(&bin, "here", &here);
            out_cell_text(&table, "%s", here.flag ? ">" : "");
            out_cell_text_n(&table, member_text(&bin, "bin"));
            out_cell_number(&table, "%+.1f", out_signed(points_of(&bin), 1));
            support_cells(&table, &bin);
        }
        status = cli_table(cli, &table);
    }
    return status;
}

static int changes_print(const struct cli *cli, const struct icp_reply *reply, const char *list,
                         const char *title)
{
    static const char *const headers[] = {"grade", "field",  "instead of",
                                          "with",  "points", "better than %"};
    struct out_table table;
    struct icp_value changes;
    struct icp_value change;
    (void)icp_reply_get(reply, list, &changes);
    if (changes.count == 0) {
        return EX_OK;
    }
    cli_print(cli, "\n%s\n", title);
    out_table_init(&table, headers, sizeof headers / sizeof *headers);
    struct icp_walk walk = icp_walk_over(&changes);
    while (icp_next(&walk, NULL, &change)) {
        out_cell_text_n(&table, member_text(&change, "grade"));
        out_cell_text_n(&table, member_text(&change, "field"));
        out_cell_text_n(&table, member_text(&change, "now"));
        out_cell_text_n(&table, member_text(&change, "then"));
        out_cell_number(&table, "%+.1f", out_signed(points_of(&change), 1));
        out_cell_number(&table, "%.1f", member_number(&change, "fit"));
    }
    return cli_table(cli, &table);
}

static void worth_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value value;
    if (icp_reply_get(reply, "value", &value)) {
        cli_print(
            cli,
            "worth %.6g if it has the outcome (8 of 10: %.6g to %.6g); p times that %.6g (%.6g "
            "to %.6g)\n",
            value.number, icp_reply_number(reply, "value_low", 0),
            icp_reply_number(reply, "value_high", 0), icp_reply_number(reply, "expected", 0),
            icp_reply_number(reply, "expected_low", 0),
            icp_reply_number(reply, "expected_high", 0));
    }
}

/* What it did lately, apart from how it fits. */
static void engagement_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value engagement;
    struct icp_value parts;
    struct icp_value part;
    struct icp_text type;
    if (!icp_reply_get(reply, "engagement", &engagement)) {
        return;
    }
    struct icp_text band = member_text(&engagement, "band");
    struct icp_text name = member_text(&engagement, "definition");
    cli_print(cli, "engagement %.1f, %.*s, of %.0f events", member_number(&engagement, "score"),
              (int)band.bytes, band.data, member_number(&engagement, "events"));
    (void)icp_value_get(&engagement, "parts", &parts);
    struct icp_walk walk = icp_walk_over(&parts);
    for (const char *sign = ": "; icp_next(&walk, &type, &part); sign = ", ") {
        cli_print(cli, "%s%.*s %.1f", sign, (int)type.bytes, type.data, part.number);
    }
    cli_print(cli, "; by %.*s@%.0f\n", (int)name.bytes, name.data,
              member_number(&engagement, "version"));
}

int explain_print(const struct cli *cli, const struct icp_reply *reply)
{
    if (cli->style.form == OUT_CSV) {
        return parts_print(cli, reply);
    }
    head_print(cli, reply);
    worth_print(cli, reply);
    engagement_print(cli, reply);
    cli_print(cli, "\n");
    int status = parts_print(cli, reply);
    if (status == EX_OK) {
        families_print(cli, reply);
        status = changes_print(cli, reply, "up", "one change that would give a better grade");
    }
    if (status == EX_OK) {
        status = changes_print(cli, reply, "down", "one change that would give a worse grade");
    }
    return status == EX_OK ? shapes_print(cli, reply) : status;
}
