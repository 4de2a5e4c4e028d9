/* SPDX-License-Identifier: Apache-2.0 */
/* The page: what it is of, a section for each row of report_journey.def whose measure there is, the
 * path of an account if one was named, and what all of it rests on. */
#include "server/report/report_journey.h"

#include <string.h>

#include "server/draw/draw_page.h"
#include "server/draw/draw_table.h"
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

static void fact(FILE *out, const char *name, const char *value)
{
    fputs("<dt>", out);
    draw_text(out, name);
    fputs("</dt><dd>", out);
    draw_format(out, "%s", value);
    fputs("</dd>\n", out);
}

static void ground_write(FILE *out, const struct report_journey *report)
{
    const struct report_ground *ground = &report->ground;
    char text[REPORT_TEXT_BYTES * 3];
    char day[REPORT_TEXT_BYTES] = "none";
    if (ground->newest_ms != INT64_MIN) {
        report_day(ground->newest_ms, day);
    }
    draw_section_open(out, "ground", "What the figures rest on");
    fputs("<p class=\"answer\">The same events and sequence give the same page.</p>\n<dl>\n", out);
    fact(out, "Journeys created from", report->from != NULL ? report->from : "any day");
    fact(out, "and before", report->to != NULL ? report->to : "any day");
    fact(out, "As of", report->as_of != NULL ? report->as_of : "the moment of asking");
    snprintf(text, sizeof text, "%llu; the newest became known on %s",
             (unsigned long long)ground->events, day);
    fact(out, "Events", text);
    snprintf(text, sizeof text, "%llu", (unsigned long long)ground->seq);
    fact(out, "Sequence of the log", text);
    snprintf(text, sizeof text, "%llu", (unsigned long long)ground->accounts);
    fact(out, "Accounts looked at", text);
    if (ground->filter != NULL) {
        fact(out, "Of them only", ground->filter);
    }
    if (report->segment != NULL) {
        fact(out, "Segments by", report->segment);
    }
    fact(out, "Currency", ground->currency[0] != '\0' ? ground->currency : "not told");
    fputs("</dl>\n<p>Intervals are at 95 %. What each measure assumes, how it is counted and what "
          "it is read with: icp measure list NAME.</p>\n",
          out);
    draw_section_close(out);
}

void report_journey(FILE *out, const struct report_journey *report)
{
    draw_page_open(out, "Journeys: from the first touch to the outcome");
    fputs("<main>\n<p>Every figure stands in a table beside its picture. Too little data is called "
          "insufficient, and how much is needed.</p>\n<nav aria-label=\"Sections\"><ul>\n",
          out);
    for (int part = 0; part < REPORT_JOURNEY_PARTS; part++) {
        if (there(report, part)) {
            fprintf(out, "<li><a href=\"#%s\">", sections[part].id);
            draw_text(out, sections[part].heading);
            fputs("</a></li>\n", out);
        }
    }
    if (report->account != NULL) {
        fputs("<li><a href=\"#path\">The path of an account</a></li>\n", out);
    }
    fputs("<li><a href=\"#ground\">What the figures rest on</a></li>\n</ul></nav>\n", out);
    for (int part = 0; part < REPORT_JOURNEY_PARTS; part++) {
        if (there(report, part)) {
            section_write(out, report, part);
        }
    }
    if (report->account != NULL) {
        report_journey_path(out, report);
    }
    ground_write(out, report);
    fputs("</main>\n", out);
    draw_page_close(out);
}
