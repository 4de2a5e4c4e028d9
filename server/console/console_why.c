/* SPDX-License-Identifier: Apache-2.0 */
/* First the answer in three figures, then how it came about. */
#include "server/console/console_why.h"

#include <math.h>

#include "server/console/console_write.h"

/* Millionths of a logit to points. */
static double points(int64_t raw)
{
    return (double)raw / 1e4;
}

static void tiles(FILE *out, const struct icp_reply *reply)
{
    double low = icp_reply_number(reply, "fit_low", (double)NAN);
    double high = icp_reply_number(reply, "fit_high", (double)NAN);
    (void)fprintf(out, "<dl class=\"tiles\"><div><dt>Fit, 0 to 100</dt><dd>%.0f</dd></div>",
                  icp_reply_number(reply, "fit", 0));
    (void)fputs("<div><dt>Grade</dt><dd>", out);
    console_said(out, icp_reply_text(reply, "grade"));
    (void)fprintf(out, "</dd></div><div><dt>Probability</dt><dd>%.1f %%</dd></div>",
                  100 * icp_reply_number(reply, "p", 0));
    if (!isnan(low) && !isnan(high)) {
        (void)fprintf(out, "<div><dt>Fit, were nothing missing</dt><dd>%.0f to %.0f</dd></div>",
                      low, high);
    }
    (void)fprintf(out,
                  "<div><dt>Scored by version</dt><dd>%lld</dd></div><div><dt>On a target account "
                  "list</dt><dd>%s</dd></div></dl>\n",
                  (long long)icp_reply_int(reply, "icp", 0),
                  icp_reply_flag(reply, "tal", false)          ? "yes"
                  : icp_reply_flag(reply, "tal_unsure", false) ? "unsure, a list is damaged"
                                                               : "no");
}

static double strongest(const struct icp_value *reasons, double most)
{
    struct icp_walk walk = icp_walk_over(reasons);
    struct icp_value reason;
    while (icp_next(&walk, NULL, &reason)) {
        most = fmax(most, fabs(points(console_whole_of(&reason, "contribution"))));
    }
    return most;
}

static void part(struct console_table *table, const char *name, double value, double most)
{
    console_cell(table, name);
    console_cell(table, "");
    console_cell_number(table, "%+.0f", value);
    console_cell_bar(table, value, most);
}

static void reasons(FILE *out, const struct icp_reply *reply)
{
    static const char *const columns[] = {"field", "value", "#points", "for or against"};
    double start = points(icp_reply_int(reply, "intercept", 0));
    double rest = points(icp_reply_int(reply, "rest", 0));
    struct console_table table;
    struct icp_value list;
    struct icp_value reason;
    if (!icp_reply_get(reply, "reasons", &list)) {
        return;
    }
    double most = strongest(&list, fmax(fabs(start), fabs(rest)));
    console_table_open(
        &table, out, "What the score is made of; 100 points multiply the odds by 2.7", columns, 4);
    struct icp_walk walk = icp_walk_over(&list);
    part(&table, "where every account starts", start, most);
    while (icp_next(&walk, NULL, &reason)) {
        double value = points(console_whole_of(&reason, "contribution"));
        console_cell_said(&table, console_text_of(&reason, "field"));
        console_cell_said(&table, console_text_of(&reason, "value"));
        console_cell_number(&table, "%+.0f", value);
        console_cell_bar(&table, value, most);
    }
    part(&table, "all other fields together", rest, most);
    console_cell(&table, "the whole");
    console_cell(&table, "");
    console_cell_number(&table, "%+.0f", points(icp_reply_int(reply, "raw", 0)));
    console_cell(&table, "");
    console_table_close(&table);
}

/* A sentence with a list of names; nothing where the list is empty. */
static void names(FILE *out, const struct icp_reply *reply, const char *member, const char *what)
{
    struct icp_value list;
    struct icp_value name;
    const char *between = " ";
    if (!icp_reply_get(reply, member, &list) || list.count == 0) {
        return;
    }
    (void)fprintf(out, "<p>%s", what);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &name)) {
        (void)fputs(between, out);
        console_said(out, name.text);
        between = ", ";
    }
    (void)fputs("</p>\n", out);
}

void console_why(FILE *out, const struct icp_reply *reply)
{
    tiles(out, reply);
    reasons(out, reply);
    names(out, reply, "missing", "Not known:");
    names(out, reply, "stale", "Older than the schema allows:");
    names(out, reply, "unknown", "Not in the schema, and not counted:");
}
