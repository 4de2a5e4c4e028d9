/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a version: its head, a section for each question, and at its foot what it was learned
 * from. */
#include "server/report/report_icp_parts.h"

#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/report/report_fact.h"

static const struct {
    const char *id;
    const char *name;
    void (*write)(FILE *out, const struct report_icp *report);
} sections[] = {
    {"evidence", "Does it predict", report_icp_evidence},
    {"reliability", "Whether its chances hold", report_icp_reliability},
    {"gains", "What the best of the list hold", report_icp_gains},
    {"grades", "Outcomes by grade", report_icp_grades},
    {"shapes", "What each field adds", report_icp_shapes},
    {"segments", "Segments", report_icp_segments},
    {"disputes", "What was disputed", report_icp_disputes},
    {"drift", "Whether it still holds", report_icp_drift},
    {"hand", "Written by hand against learned", report_icp_hand},
    {"refused", "What was not learned from", report_icp_refused},
};
#define SECTIONS (sizeof sections / sizeof *sections)

static void tiles_write(FILE *out, const struct report_icp *report)
{
    char text[ICP_TEXT_BYTES];
    const json_t *holdout =
        json_object_get(json_object_get(report->document, "evidence"), "holdout");
    const json_t *label = json_object_get(report->document, "label");
    fputs("<dl class=\"tiles\">\n", out);
    if (report_icp_number(holdout, "n") > 0) {
        (void)snprintf(text, sizeof text, "%.3f", report_icp_number(holdout, "auc"));
        report_tile(out, "AUC", text);
        (void)snprintf(text, sizeof text, "%.1f ×", report_icp_number(holdout, "lift_top_decile"));
        report_tile(out, "Outcomes in its top tenth", text);
    }
    draw_number_grouped((int64_t)report_icp_number(label, "population"), 0, 0, text, sizeof text);
    report_tile(out, "Accounts behind it", text);
    draw_number_share(report_icp_number(label, "base_rate"), text, sizeof text);
    report_tile(out, "Rate of the outcome", text);
    (void)snprintf(text, sizeof text, "%zu", json_array_size(report->challenges));
    report_tile(out, "Times disputed", text);
    fputs("</dl>\n", out);
}

static void ground_write(FILE *out, const struct report_icp *report)
{
    char text[ICP_TEXT_BYTES];
    const json_t *label = json_object_get(report->document, "label");
    const json_t *settings = json_object_get(report->document, "settings");
    char all[32];
    char some[32];
    draw_section_open(out, "ground", "What the figures rest on");
    fputs("<dl class=\"facts\">\n", out);
    report_fact(out, "Outcome", report_icp_text(label, "expression"));
    report_fact(out, "Accounts where", report_icp_text(label, "where"));
    draw_number_grouped((int64_t)report_icp_number(label, "population"), 0, 0, all, sizeof all);
    draw_number_grouped((int64_t)report_icp_number(label, "positives"), 0, 0, some, sizeof some);
    (void)snprintf(text, sizeof text, "%s; %s with the outcome", all, some);
    report_fact(out, "Accounts", text);
    report_fact(out, "Made", report_icp_text(report->document, "created"));
    const char *version = report_icp_text(settings, "version");
    (void)snprintf(text, sizeof text, "%.80s%s%.40s", report_icp_text(settings, "trainer"),
                   version[0] != '\0' ? " " : "", version);
    report_fact(out, "Trainer", text);
    if (report->scorecard->trees == NULL) {
        draw_number_counted((int64_t)report_icp_number(settings, "pairs"), "pair", some,
                            sizeof some);
        (void)snprintf(text, sizeof text, "%.0f; %s of fields", report_icp_number(settings, "seed"),
                       some);
        report_fact(out, "Seed", text);
    } else {
        report_fact(out, "File", report_icp_text(settings, "file"));
    }
    const struct model_grades *grades = &report->scorecard->grades;
    (void)snprintf(text, sizeof text,
                   "A is better than %g %% of the accounts, B than %g %%, C than %g %%",
                   grades->a_min, grades->b_min, grades->c_min);
    report_fact(out, "Grades", text);
    fputs("</dl>\n", out);
    draw_section_close(out);
}

static void contents_write(FILE *out)
{
    fputs("<nav aria-label=\"Sections\"><ol>\n", out);
    for (size_t i = 0; i < SECTIONS; i++) {
        report_link(out, sections[i].id, sections[i].name);
    }
    report_link(out, "ground", "What the figures rest on");
    fputs("</ol></nav>\n", out);
}

void report_icp(FILE *out, const struct report_icp *report)
{
    char title[ICP_TEXT_BYTES * 2];
    const char *name = report_icp_text(report->document, "name");
    (void)snprintf(title, sizeof title, "ICP version %llu%s%.120s%s%s",
                   (unsigned long long)report->version, name[0] != '\0' ? ", " : "", name,
                   report->active ? ", in force" : "",
                   report->scorecard->trees != NULL ? ", a model from elsewhere" : "");
    draw_page_open(out, title);
    tiles_write(out, report);
    contents_write(out);
    for (size_t i = 0; i < SECTIONS; i++) {
        draw_section_open(out, sections[i].id, sections[i].name);
        sections[i].write(out, report);
        draw_section_close(out);
    }
    ground_write(out, report);
    draw_page_close(out);
}
