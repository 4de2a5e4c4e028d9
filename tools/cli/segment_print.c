/* SPDX-License-Identifier: Apache-2.0 */
/* The evidence of a segment is one sentence or two, wherever it is told: how many are in it, how
 * often they had the outcome beside the others, and what the accounts say that no search has seen.
 */
#include "tools/cli/segment_print.h"

#include <string.h>

#include "tools/cli/member.h"
#include "tools/cli/out/out_number.h"

static uint64_t count_in(const struct icp_value *map, const char *name)
{
    return (uint64_t)member_number(map, name);
}

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static void evidence_print(const struct cli *cli, const struct icp_value *evidence)
{
    char numbers[4][OUT_NUMBER_BYTES];
    struct icp_value known;
    double size = member_number(evidence, "size");
    double base = member_number(evidence, "base");
    cli_print(cli, "  %s of %s accounts (%.1f %%)\n", out_count((uint64_t)size, numbers[0]),
              out_count((uint64_t)base, numbers[1]), percent(size, base));
    if (!icp_value_get(evidence, "accounts", &known)) {
        cli_print(cli,
                  "  nobody says what the outcome is, so nothing is known of it (--outcome)\n");
        return;
    }
    double accounts = member_number(evidence, "accounts");
    double others = member_number(evidence, "others");
    struct icp_text outcome = member_text(evidence, "outcome");
    cli_print(cli,
              "  outcome %.*s: %.1f %% of %s (95 %% interval %.1f to %.1f), beside %.1f %% of the "
              "%s others\n",
              (int)outcome.bytes, outcome.data,
              percent(member_number(evidence, "outcomes"), accounts),
              out_count((uint64_t)accounts, numbers[0]), 100 * member_number(evidence, "rate_low"),
              100 * member_number(evidence, "rate_high"),
              percent(member_number(evidence, "others_outcomes"), others),
              out_count((uint64_t)others, numbers[1]));
    double held = member_number(evidence, "held");
    cli_print(cli,
              "  of those that no search has seen: %.1f %% of %s (%.1f to %.1f), chance %.2g\n",
              percent(member_number(evidence, "held_outcomes"), held),
              out_count((uint64_t)held, numbers[2]), 100 * member_number(evidence, "held_low"),
              100 * member_number(evidence, "held_high"), member_number(evidence, "chance"));
}

void segment_put_print(const struct cli *cli, const struct icp_reply *reply, bool dry)
{
    struct icp_value segment = {.count = 0};
    struct icp_value evidence;
    struct icp_value value;
    (void)icp_reply_get(reply, "segment", &segment);
    struct icp_text name = member_text(&segment, "name");
    struct icp_text filter = member_text(&segment, "filter");
    long long version = (long long)member_number(&segment, "version");
    if (icp_reply_get(reply, "unchanged", &value) && value.flag) {
        cli_print(cli, "%.*s@%lld says the same and is in force: nothing %s stored\n",
                  (int)name.bytes, name.data, version, dry ? "would be" : "was");
        return;
    }
    if (member_flag(&segment, "dropped")) {
        cli_print(cli, "%.*s %s dropped; its versions can be read: icp segment show '%.*s@%lld'\n",
                  (int)name.bytes, name.data, dry ? "would be" : "is", (int)name.bytes, name.data,
                  (long long)icp_reply_int(reply, "before", version - 1));
        return;
    }
    cli_print(cli, "%.*s@%lld %s in force: %.*s\n", (int)name.bytes, name.data, version,
              dry ? "would be" : "is", (int)filter.bytes, filter.data);
    if (icp_value_get(&segment, "evidence", &evidence)) {
        evidence_print(cli, &evidence);
    }
}

static void row_print(struct out_table *table, const struct icp_value *segment, bool all)
{
    char time[OUT_TIME_BYTES];
    struct icp_value evidence = {.count = 0};
    struct icp_value value;
    bool told = icp_value_get(segment, "evidence", &evidence);
    out_cell_text_n(table, member_text(segment, "name"));
    out_cell_number(table, "%.0f", member_number(segment, "version"));
    if (all) {
        out_cell_text(table, "%s",
                      member_flag(segment, "dropped")    ? "dropped"
                      : member_flag(segment, "in_force") ? "yes"
                                                         : "");
    }
    out_cell_text_n(table, member_text(segment, "filter"));
    if (told) {
        out_cell_number(table, "%.0f", member_number(&evidence, "size"));
        out_cell_number(
            table, "%.1f",
            percent(member_number(&evidence, "size"), member_number(&evidence, "base")));
    } else {
        out_cell_text(table, "%s", "");
        out_cell_text(table, "%s", "");
    }
    if (told && icp_value_get(&evidence, "accounts", &value)) {
        out_cell_number(
            table, "%.1f",
            percent(member_number(&evidence, "outcomes"), member_number(&evidence, "accounts")));
        out_cell_number(table, "%.1f", 100 * member_number(&evidence, "held_low"));
        out_cell_number(table, "%.1f", 100 * member_number(&evidence, "held_high"));
    } else {
        for (int i = 0; i < 3; i++) {
            out_cell_text(table, "%s", "");
        }
    }
    out_cell_text(table, "%s", out_time((int64_t)member_number(segment, "time"), time));
    out_cell_text_n(table, member_text(segment, "by"));
    out_cell_text_n(table, member_text(segment, "note"));
}

static int kept_print(const struct cli *cli, const struct icp_value *list, bool all)
{
    static const char *const some[] = {"name",     "version", "filter",    "accounts",
                                       "of all %", "won %",   "held from", "to",
                                       "put",      "by",      "note"};
    static const char *const every[] = {"name",     "version",  "in force", "filter",
                                        "accounts", "of all %", "won %",    "held from",
                                        "to",       "put",      "by",       "note"};
    struct out_table table;
    struct icp_value segment;
    out_table_init(&table, all ? every : some,
                   all ? sizeof every / sizeof *every : sizeof some / sizeof *some);
    struct icp_walk walk = icp_walk_over(list);
    while (icp_next(&walk, NULL, &segment)) {
        row_print(&table, &segment, all);
    }
    int status = cli_table(cli, &table);
    out_table_fini(&table);
    return status;
}

static int frontier_print(const struct cli *cli, const struct icp_reply *reply,
                          const struct icp_value *frontier)
{
    static const char *const headers[] = {"segments", "accounts", "of all %",    "won %",
                                          "from",     "to",       "of all it %", "added"};
    double accounts = (double)icp_reply_int(reply, "accounts", 0);
    double outcomes = (double)icp_reply_int(reply, "outcomes", 0);
    struct out_table table;
    struct icp_value step;
    struct icp_value names = {.count = 0};
    struct icp_value name;
    out_table_init(&table, headers, sizeof headers / sizeof *headers);
    struct icp_walk walk = icp_walk_over(frontier);
    while (icp_next(&walk, NULL, &step)) {
        char together[512] = "";
        (void)icp_value_get(&step, "names", &names);
        struct icp_walk inner = icp_walk_over(&names);
        while (icp_next(&inner, NULL, &name)) {
            size_t used = strlen(together);
            (void)snprintf(together + used, sizeof together - used, "%s%.*s", used > 0 ? " + " : "",
                           (int)name.text.bytes, name.text.data);
        }
        out_cell_text(&table, "%s", together);
        out_cell_number(&table, "%.0f", member_number(&step, "accounts"));
        out_cell_number(&table, "%.1f", percent(member_number(&step, "accounts"), accounts));
        out_cell_number(
            &table, "%.1f",
            percent(member_number(&step, "outcomes"), member_number(&step, "accounts")));
        out_cell_number(&table, "%.1f", 100 * member_number(&step, "rate_low"));
        out_cell_number(&table, "%.1f", 100 * member_number(&step, "rate_high"));
        out_cell_number(&table, "%.1f", percent(member_number(&step, "outcomes"), outcomes));
        out_cell_number(&table, "%.1f", member_number(&step, "quality"));
    }
    int status = cli_table(cli, &table);
    out_table_fini(&table);
    return status;
}

int segment_list_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value list = {.count = 0};
    struct icp_value frontier = {.count = 0};
    bool all = cli_has(cli, CLI_SEGMENT_LIST_ALL);
    bool stepped = icp_reply_get(reply, "frontier", &frontier);
    long long damaged = (long long)icp_reply_int(reply, "damaged", 0);
    (void)icp_reply_get(reply, "segments", &list);
    if (damaged > 0) {
        cli_say(cli, "%lld segment%s damaged and cannot be read, of whatever name", damaged,
                damaged == 1 ? " is" : "s are");
    }
    if (list.count == 0 && damaged == 0) {
        cli_say(cli, "no segment is kept; 'icp segment put' and 'icp segments --keep' keep one");
    }
    if (!stepped) {
        return kept_print(cli, &list, all);
    }
    if (frontier.count == 0) {
        cli_say(cli, "no segment, and no two of them, have more outcomes than as many accounts");
    }
    return frontier_print(cli, reply, &frontier);
}

static int grades_print(const struct cli *cli, const struct icp_value *grades)
{
    static const char *const headers[] = {"grade", "accounts", "%", "of all %"};
    double within = 0;
    double base = 0;
    struct out_table table;
    struct icp_value grade;
    struct icp_walk walk = icp_walk_over(grades);
    while (icp_next(&walk, NULL, &grade)) {
        within += member_number(&grade, "accounts");
        base += member_number(&grade, "base");
    }
    out_table_init(&table, headers, 4);
    walk = icp_walk_over(grades);
    while (icp_next(&walk, NULL, &grade)) {
        out_cell_text_n(&table, member_text(&grade, "grade"));
        out_cell_number(&table, "%.0f", member_number(&grade, "accounts"));
        out_cell_number(&table, "%.1f", percent(member_number(&grade, "accounts"), within));
        out_cell_number(&table, "%.1f", percent(member_number(&grade, "base"), base));
    }
    cli_print(cli, "\n");
    int status = cli_table(cli, &table);
    out_table_fini(&table);
    return status;
}

static int apart_print(const struct cli *cli, const struct icp_value *apart)
{
    static const char *const headers[] = {"sets it apart", "",       "%",     "others %",
                                          "distance",      "chance", "itself"};
    struct out_table table;
    struct icp_value field;
    if (apart->count == 0) {
        cli_print(cli, "\nno field is spread otherwise than outside, by more than chance\n");
        return EX_OK;
    }
    out_table_init(&table, headers, sizeof headers / sizeof *headers);
    struct icp_walk walk = icp_walk_over(apart);
    while (icp_next(&walk, NULL, &field)) {
        out_cell_text_n(&table, member_text(&field, "field"));
        out_cell_text_n(&table, member_text(&field, "bin"));
        out_cell_number(&table, "%.1f", 100 * member_number(&field, "share"));
        out_cell_number(&table, "%.1f", 100 * member_number(&field, "others"));
        out_cell_number(&table, "%.3f", member_number(&field, "distance"));
        out_cell_number(&table, "%.2g", member_number(&field, "chance"));
        out_cell_text(&table, "%s", member_flag(&field, "own") ? "yes" : "");
    }
    cli_print(cli, "\n");
    int status = cli_table(cli, &table);
    out_table_fini(&table);
    return status;
}

static void head_print(const struct cli *cli, const struct icp_value *segment)
{
    char time[OUT_TIME_BYTES];
    struct icp_text name = member_text(segment, "name");
    struct icp_text by = member_text(segment, "by");
    struct icp_text note = member_text(segment, "note");
    bool dropped = member_flag(segment, "dropped");
    cli_print(cli, "%.*s, version %lld%s: %s %s%s%.*s%s%.*s\n", (int)name.bytes, name.data,
              (long long)count_in(segment, "version"),
              dropped || member_flag(segment, "in_force") ? "" : " (not in force)",
              dropped ? "dropped" : "put", out_time((int64_t)member_number(segment, "time"), time),
              by.bytes > 0 ? " by " : "", (int)by.bytes, by.data, note.bytes > 0 ? ": " : "",
              (int)note.bytes, note.data);
}

int segment_show_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value segment = {.count = 0};
    struct icp_value evidence;
    struct icp_value now;
    struct icp_value list = {.count = 0};
    int status = EX_OK;
    (void)icp_reply_get(reply, "segment", &segment);
    struct icp_text filter = member_text(&segment, "filter");
    head_print(cli, &segment);
    if (!icp_reply_get(reply, "now", &now)) {
        return EX_OK;
    }
    cli_print(cli, "  %.*s\n", (int)filter.bytes, filter.data);
    if (icp_value_get(&segment, "evidence", &evidence)) {
        cli_print(cli, "then:\n");
        evidence_print(cli, &evidence);
    }
    cli_print(cli, "now:\n");
    evidence_print(cli, &now);
    if (icp_reply_get(reply, "grades", &list)) {
        status = grades_print(cli, &list);
    }
    if (status == EX_OK && icp_reply_get(reply, "apart", &list)) {
        status = apart_print(cli, &list);
    }
    return status;
}
