/* SPDX-License-Identifier: Apache-2.0 */
/* The profile in force: what it was learned from, how well it did on accounts that it had not seen,
 * which fields carry it and which were refused, what each value is worth; then all versions. ?icp=N
 * shows another version. */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "server/console/console_card.h"
#include "server/console/console_pages.h"
#include "server/draw/draw_svg.h"

enum { RELIABILITY_MAX = 64 };

static double number_at(const json_t *json, const char *name)
{
    return json_number_value(json_object_get(json, name));
}

static const char *text_at(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text != NULL ? text : "";
}

/* A line of the head: a name and a text, passed over where that is empty. */
static void line(FILE *out, const char *name, const char *text)
{
    if (text[0] != '\0') {
        (void)fprintf(out, "<tr><th scope=\"row\">%s</th><td>", name);
        console_text(out, text);
        (void)fputs("</td></tr>\n", out);
    }
}

static void head(FILE *out, const json_t *document)
{
    const json_t *label = json_object_get(document, "label");
    char population[128];
    snprintf(population, sizeof population, "%.0f accounts, %.0f of them positive (%.1f %%)",
             number_at(label, "population"), number_at(label, "positives"),
             100 * number_at(label, "base_rate"));
    (void)fputs("<div class=\"wrap\" role=\"region\" tabindex=\"0\" aria-label=\"What it is\">"
                "<table><caption>What it is</caption><tbody>\n",
                out);
    line(out, "name", text_at(document, "name"));
    line(out, "learned", text_at(document, "created"));
    line(out, "outcome", text_at(label, "expression"));
    line(out, "learned from accounts where", text_at(label, "where"));
    line(out, "population", population);
    (void)fputs("</tbody></table></div>\n", out);
}

static void reliability(FILE *out, const json_t *bins)
{
    double x[RELIABILITY_MAX];
    double y[RELIABILITY_MAX];
    const double ends[] = {0, 1};
    size_t count = 0;
    size_t index;
    json_t *bin;
    json_array_foreach(bins, index, bin)
    {
        double n = number_at(bin, "n");
        if (count < RELIABILITY_MAX && n > 0) {
            x[count] = number_at(bin, "p");
            y[count++] = number_at(bin, "positives") / n;
        }
    }
    const struct draw_svg_series series[] = {
        {.name = "accounts held out, by what was said of them", .x = x, .y = y, .count = count},
        {.name = "as it would be if every probability were right",
         .x = ends,
         .y = ends,
         .count = 2},
    };
    const struct draw_svg_chart chart = {
        .title = "What was said, and what came of it",
        .x = {.title = "probability said", .low = 0, .high = 1},
        .y = {.title = "share that came true", .low = 0, .high = 1},
        .series = series,
        .series_count = 2,
    };
    if (count > 1) {
        draw_svg_lines(out, &chart);
    }
}

static void holdout(FILE *out, const json_t *evidence)
{
    const json_t *held = json_object_get(evidence, "holdout");
    double n = number_at(held, "n");
    if (n <= 0) {
        console_note(out, "It says nothing of accounts that were held out.");
        return;
    }
    (void)fprintf(out,
                  "<p>On %.0f accounts that it had not seen, %.0f of them positive (split: ", n,
                  number_at(held, "positives"));
    console_text(out, text_at(held, "split"));
    (void)fprintf(
        out,
        "), it puts a positive above a negative in <strong>%.1f %%</strong> of all pairs "
        "(AUC %.3f, 95 %% interval %.3f to %.3f). Its top tenth holds <strong>%.1f times</strong> "
        "as many positives as the average. Its probabilities have a squared error of %.4f against "
        "%.4f for the base rate alone, and are off by %.1f points on average.</p>\n",
        100 * number_at(held, "auc"), number_at(held, "auc"), number_at(held, "auc_low"),
        number_at(held, "auc_high"), number_at(held, "lift_top_decile"), number_at(held, "brier"),
        number_at(held, "brier_reference"), 100 * number_at(held, "ece"));
    reliability(out, json_object_get(held, "reliability"));
}

static void fields(FILE *out, const json_t *list)
{
    static const char *const columns[] = {"field", "#importance", "share", "#AUC alone"};
    struct console_table table;
    double most = number_at(json_array_get(list, 0), "importance");
    size_t index;
    json_t *field;
    if (json_array_size(list) == 0) {
        return;
    }
    console_table_open(&table, out, "Fields that carry it, the most important first", columns, 4);
    json_array_foreach(list, index, field)
    {
        console_cell(&table, text_at(field, "field"));
        console_cell_number(&table, "%.3f", number_at(field, "importance"));
        console_cell_bar(&table, number_at(field, "importance"), most);
        console_cell_number(&table, "%.3f", number_at(field, "auc_alone"));
    }
    console_table_close(&table);
}

static void refused(FILE *out, const json_t *list)
{
    static const char *const columns[] = {"field", "why it is not used"};
    struct console_table table;
    size_t index;
    json_t *field;
    if (json_array_size(list) == 0) {
        return;
    }
    console_table_open(&table, out, "Fields that were refused", columns, 2);
    json_array_foreach(list, index, field)
    {
        console_cell(&table, text_at(field, "field"));
        console_cell(&table, text_at(field, "reason"));
    }
    console_table_close(&table);
}

static void warnings(FILE *out, const json_t *list)
{
    size_t index;
    json_t *entry;
    if (json_array_size(list) == 0) {
        return;
    }
    (void)fputs("<h3>To be known</h3>\n<ul>", out);
    json_array_foreach(list, index, entry)
    {
        const char *text = json_string_value(entry);
        (void)fputs("<li>", out);
        console_text(out, text != NULL ? text : "");
        (void)fputs("</li>", out);
    }
    (void)fputs("</ul>\n", out);
}

static void version(struct console_view *view, const struct icp_reply *reply)
{
    FILE *out = view->out;
    struct icp_text text = icp_reply_text(reply, "document");
    json_t *document = json_loadb(text.data, text.bytes, 0, NULL);
    const json_t *evidence = json_object_get(document, "evidence");
    (void)fprintf(out, "<h2>Version %lld%s</h2>\n", (long long)icp_reply_int(reply, "icp", 0),
                  icp_reply_flag(reply, "active", false) ? ", in force" : "");
    if (document == NULL) {
        const struct icp_fault fault = {.code = ICP_NO_MEMORY,
                                        .message = "the document cannot be read into memory"};
        console_failed(view, &fault);
        return;
    }
    head(out, document);
    (void)fputs("<h3>Evidence</h3>\n", out);
    holdout(out, evidence);
    fields(out, json_object_get(evidence, "fields"));
    refused(out, json_object_get(evidence, "refused"));
    warnings(out, json_object_get(evidence, "warnings"));
    console_card(view, document);
    json_decref(document);
}

static void version_row(struct console_table *table, const struct icp_value *version)
{
    char number[32];
    snprintf(number, sizeof number, "%lld", (long long)console_whole_of(version, "icp"));
    console_cell_open(table);
    console_link_to(table->out, "/profile", "icp", console_words(number), console_words(number));
    console_cell_close(table);
    console_cell(table, console_flag_of(version, "active") ? "in force" : "");
    console_cell_said(table, console_text_of(version, "name"));
    console_cell_said(table, console_text_of(version, "label"));
    console_cell_said(table, console_text_of(version, "created"));
    console_cell_count(table, console_number_of(version, "accounts"));
    console_cell_number(table, "%.3f", console_number_of(version, "auc"));
}

static void versions(struct console_view *view)
{
    static const char *const columns[] = {"version", "state",     "name", "outcome",
                                          "learned", "#accounts", "#AUC"};
    static const char *const switched[] = {"when", "#version", "why"};
    struct icp_reply reply = {0};
    struct icp_value list;
    struct icp_value entry;
    struct console_table table;
    console_question(view->link);
    if (console_get(view, ICP_OP_ICP_LIST, &reply) && icp_reply_get(&reply, "icps", &list) &&
        list.count > 0) {
        console_heading(view->out, "All versions");
        console_table_open(&table, view->out, "Versions, the oldest first", columns, 7);
        struct icp_walk walk = icp_walk_over(&list);
        while (icp_next(&walk, NULL, &entry)) {
            version_row(&table, &entry);
        }
        console_table_close(&table);
    }
    if (icp_reply_get(&reply, "switches", &list) && list.count > 0) {
        console_table_open(&table, view->out, "Switches, the oldest first", switched, 3);
        struct icp_walk walk = icp_walk_over(&list);
        while (icp_next(&walk, NULL, &entry)) {
            console_cell_time(&table, console_whole_of(&entry, "time"));
            console_cell_count(&table, console_number_of(&entry, "icp"));
            console_cell_said(&table, console_text_of(&entry, "reason"));
        }
        console_table_close(&table);
    }
    icp_reply_fini(&reply);
}

void console_profile(struct console_view *view)
{
    struct icp_reply reply = {0};
    uint64_t asked = console_asked_number(view, "icp", 0);
    struct icp_payload *payload = console_question(view->link);
    if (asked > 0) {
        icp_payload_uint(payload, "icp", asked);
    }
    if (console_get(view, ICP_OP_ICP_GET, &reply)) {
        version(view, &reply);
    }
    icp_reply_fini(&reply);
    versions(view);
}
