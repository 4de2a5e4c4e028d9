/* SPDX-License-Identifier: Apache-2.0 */
/* The page: what it is of, a section for each row of report_journey.def whose measure there is, the
 * path of an account if one was named, and what all of it rests on. */
#include "server/report/report_journey.h"

#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_table.h"
#include "server/report/report_fact.h"
#include "server/report/report_journey_parts.h"

static const struct report_journey_section sections[REPORT_JOURNEY_PARTS] = {
#define J(ID, id, measure, parameter, value, by, heading, says, picture)                           \
    {id, measure, parameter, value, REPORT_BY_##by, heading, says},
#include "server/report/report_journey.def"
#undef J
};

static void (*const pictures[REPORT_JOURNEY_PARTS])(const struct report_scene *scene) = {
#define J(ID, id, measure, parameter, value, by, heading, says, picture) picture,
#include "server/report/report_journey.def"
#undef J
};

const struct report_journey_section *report_journey_section(enum report_journey_id id)
{
    return &sections[id];
}

static bool there(const struct report_journey *report, int part)
{
    return report->parts[part].table != NULL || report->parts[part].why != NULL;
}

static void section_write(FILE *out, const struct report_journey *report, int part)
{
    struct report_scene scene = {.out = out,
                                 .report = report,
                                 .section = &sections[part],
                                 .table = report->parts[part].table};
    (void)snprintf(scene.picture, sizeof scene.picture, "%s-picture", scene.section->id);
    (void)snprintf(scene.table_id, sizeof scene.table_id, "%s-table", scene.section->id);
    draw_section_open(out, scene.section->id, scene.section->heading);
    if (report_part_there(out, &report->parts[part])) {
        pictures[part](&scene);
        fputs("<p>", out);
        draw_text(out, scene.section->says);
        fputs("</p>\n", out);
        report_journey_table(&scene);
    }
    draw_section_close(out);
}

static void ground_write(FILE *out, const struct report_journey *report)
{
    const struct report_ground *ground = &report->ground;
    char text[REPORT_TEXT_BYTES * 3];
    char count[REPORT_TEXT_BYTES / 2];
    char day[REPORT_TEXT_BYTES] = "";
    if (ground->newest_ms != INT64_MIN) {
        report_day(ground->newest_ms, day);
    }
    draw_section_open(out, "ground", "What the figures rest on");
    fputs("<p class=\"answer\">The same events and sequence give the same page.</p>\n<dl>\n", out);
    report_fact(out, "Journeys created from", report->from != NULL ? report->from : "any day");
    report_fact(out, "and before", report->to != NULL ? report->to : "any day");
    report_fact(out, "As of", report->as_of != NULL ? report->as_of : "the moment of asking");
    draw_number_grouped((int64_t)ground->events, 0, 0, count, sizeof count);
    snprintf(text, sizeof text, "%s%s%s", count,
             day[0] != '\0' ? "; the newest became known on " : "", day);
    report_fact(out, "Events", text);
    report_fact_number(out, "Sequence of the log", ground->seq);
    report_fact_count(out, "Accounts looked at", ground->accounts);
    if (ground->filter != NULL) {
        report_fact(out, "Of them only", ground->filter);
    }
    if (report->segment != NULL) {
        report_fact(out, "Segments by", report->segment);
    }
    report_fact(out, "Currency", ground->currency[0] != '\0' ? ground->currency : "not told");
    fputs("</dl>\n<p>Intervals are at 95 %. What each measure assumes, how it is counted and what "
          "it is read with: icp measure list NAME.</p>\n",
          out);
    draw_section_close(out);
}

void report_journey(FILE *out, const struct report_journey *report)
{
    draw_page_open(out, "Journeys: from the first touch to the outcome");
    fputs("<p>Every figure stands in a table beside its picture. Too little data is called "
          "insufficient, and how much is needed.</p>\n<nav aria-label=\"Sections\"><ul>\n",
          out);
    for (int part = 0; part < REPORT_JOURNEY_PARTS; part++) {
        if (there(report, part)) {
            report_link(out, sections[part].id, sections[part].heading);
        }
    }
    if (report->account != NULL) {
        report_link(out, "path", "The path of an account");
    }
    report_link(out, "ground", "What the figures rest on");
    fputs("</ul></nav>\n", out);
    for (int part = 0; part < REPORT_JOURNEY_PARTS; part++) {
        if (there(report, part)) {
            section_write(out, report, part);
        }
    }
    if (report->account != NULL) {
        report_journey_path(out, report);
    }
    ground_write(out, report);
    draw_page_close(out);
}
