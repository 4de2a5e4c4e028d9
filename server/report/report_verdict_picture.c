/* SPDX-License-Identifier: Apache-2.0 */
/* The weeks of a comparison are rows of the lift; one without a day is none, and says that no week
 * was matured. Where a bound is not known it is drawn at the edge, and so is what lies beyond. */
#include "server/report/report_verdict_picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/draw/draw_page.h"
#include "server/draw/draw_svg.h"
#include "server/report/report_sections.h"

/* Odds ratios beyond these are drawn at the edge. */
static const double odds_low = 0.1;
static const double odds_high = 10;

/* The weeks of one comparison. */
struct weeks {
    double *x, *ratio, *low, *high, *one;
    size_t count;
};

bool report_verdict_is_of(const struct measure_table *lift, size_t row, const char *against)
{
    return strcmp(report_text(lift, row, "against"), against) == 0 &&
           strcmp(report_text(lift, row, "outcome"), report_text(lift, 0, "outcome")) == 0;
}

bool report_verdict_has_week(const struct measure_table *lift, size_t row)
{
    return measure_cell_find(lift, row, "as_of")->kind == MEASURE_KIND_TIME;
}

static double within(double value, double otherwise)
{
    double at = isnan(value) != 0 ? otherwise : value;
    return at < odds_low ? odds_low : at > odds_high ? odds_high : at;
}

static bool weeks_take(const struct measure_table *lift, const char *against, struct weeks *weeks)
{
    size_t room = measure_table_rows(lift) + 1;
    double *all = calloc(5 * room, sizeof *all);
    *weeks = (struct weeks){.x = all};
    if (all == NULL) {
        return false;
    }
    weeks->ratio = all + room;
    weeks->low = all + 2 * room;
    weeks->high = all + 3 * room;
    weeks->one = all + 4 * room;
    for (size_t row = 0; row < measure_table_rows(lift); row++) {
        if (report_verdict_is_of(lift, row, against) && report_verdict_has_week(lift, row)) {
            size_t at = weeks->count++;
            weeks->x[at] = (double)weeks->count;
            bool endless =
                report_value(lift, row, "won_on") > 0 && report_value(lift, row, "off") > 0;
            weeks->ratio[at] = within(report_value(lift, row, "ratio"), endless ? odds_high : 1);
            weeks->low[at] = within(report_value(lift, row, "rule_low"), odds_low);
            weeks->high[at] = within(report_value(lift, row, "rule_high"), odds_high);
            weeks->one[at] = 1;
        }
    }
    return true;
}

static void odds_label(double value, char *text, size_t text_bytes)
{
    snprintf(text, text_bytes, "%g×", value);
}

static void week_label(double value, char *text, size_t text_bytes)
{
    snprintf(text, text_bytes, "%.0f", value);
}

static const char *others_of(const char *against)
{
    return strcmp(against, "hold-out") == 0 ? "those held out" : "others worked as much";
}

static void too_few_write(FILE *out, const struct weeks *weeks, const char *against)
{
    fputs("<p class=\"answer\">", out);
    draw_format(out,
                "%s matured in which the list can be held against %s: an answer narrows from "
                "the second on.",
                weeks->count == 1 ? "One week is" : "No week is", others_of(against));
    fputs("</p>\n", out);
}

void report_verdict_picture(FILE *out, const struct measure_table *lift, const char *against)
{
    struct weeks weeks;
    char title[160];
    if (!weeks_take(lift, against, &weeks) || weeks.count < 2) {
        too_few_write(out, &weeks, against);
        free(weeks.x);
        return;
    }
    const struct draw_svg_series series[] = {
        {.name = "what the odds ratio may be",
         .x = weeks.x,
         .y = weeks.high,
         .count = weeks.count,
         .below = weeks.low},
        {.name = "no difference", .x = weeks.x, .y = weeks.one, .count = weeks.count},
        {.name = "odds ratio", .x = weeks.x, .y = weeks.ratio, .count = weeks.count},
    };
    snprintf(title, sizeof title,
             "Odds of winning on the list against %s, as it was known week by week",
             others_of(against));
    draw_svg_lines(out,
                   &(struct draw_svg_chart){
                       .title = title,
                       .table = "week-table",
                       .x = {.title = "weeks of creation that were matured", .label = week_label},
                       .y = {.title = "times the odds",
                             .log = true,
                             .low = odds_low,
                             .high = odds_high,
                             .label = odds_label},
                       .series = series,
                       .series_count = 3});
    free(weeks.x);
}
