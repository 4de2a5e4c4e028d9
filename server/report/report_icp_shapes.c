/* SPDX-License-Identifier: Apache-2.0 */
/* What fields add: their importance, of the strongest each bin with its points and the accounts
 * that speak for them, and pairs by their range. Of trees importance alone, since a bin adds what
 * others let it add. */
#include <math.h>
#include <string.h>

#include "server/draw/draw_page.h"
#include "server/draw/draw_rows.h"
#include "server/math/accuracy.h"
#include "server/report/report_icp_parts.h"

#define SHAPES_MAX 8 /* fields that are drawn; the table of importance has all */
#define BINS_SHOWN 40

/* The counts of a column; NULL: the document has none. */
static const json_t *support_of(const struct report_icp *report, uint16_t column)
{
    const json_t *list = json_object_get(json_object_get(report->document, "evidence"), "support");
    size_t index;
    const json_t *entry;
    json_array_foreach((json_t *)(uintptr_t)list, index, entry)
    {
        const json_t *columns = json_object_get(entry, "columns");
        if (json_array_size(columns) == 1 &&
            json_integer_value(json_array_get(columns, 0)) == column) {
            return entry;
        }
    }
    return NULL;
}

static double count_at(const json_t *support, const char *name, size_t bin)
{
    return json_number_value(json_array_get(json_object_get(support, name), bin));
}

static void bin_cells(struct draw_table *table, const json_t *support, size_t bin)
{
    double low = 0;
    double high = 1;
    double n = count_at(support, "n", bin);
    double positives = count_at(support, "positives", bin);
    if (support == NULL) {
        for (int i = 0; i < 4; i++) {
            draw_table_gap(table);
        }
        return;
    }
    report_icp_count(table, n);
    report_icp_count(table, positives);
    report_icp_rate(table, positives, n);
    if (n > 0) {
        math_wilson((uint64_t)positives, (uint64_t)n, &low, &high);
        report_icp_interval(table, low, high);
    } else {
        draw_table_gap(table);
    }
}

static void shape_draw(FILE *out, const struct report_icp *report, const struct model_term *term,
                       size_t place)
{
    const struct feature_column *column = &report->codebook->columns[term->column_a];
    const int32_t *points = report->scorecard->tables + term->table_offset;
    struct draw_row rows[BINS_SHOWN];
    char names[BINS_SHOWN][ICP_TEXT_BYTES];
    char figures[BINS_SHOWN][32];
    char id[64];
    char table[64];
    char caption[ICP_TEXT_BYTES * 2];
    size_t count = 0;
    for (size_t bin = 0; bin < term->bins_a && count < BINS_SHOWN; bin++) {
        feature_bin_text(column, (uint8_t)bin, names[count], sizeof names[count]);
        (void)snprintf(figures[count], sizeof figures[count], "%+.0f", (double)points[bin] / 1e4);
        rows[count] = (struct draw_row){.name = names[count],
                                        .figure = figures[count],
                                        .from = 0,
                                        .to = (double)points[bin] / 1e4,
                                        .low = (double)NAN,
                                        .high = (double)NAN,
                                        .tone = points[bin] < 0 ? DRAW_DOWN : DRAW_UP};
        count++;
    }
    (void)snprintf(id, sizeof id, "shape-%zu", place);
    (void)snprintf(table, sizeof table, "shape-%zu-table", place);
    (void)snprintf(caption, sizeof caption, "Points of %.127s%s", column->field_name,
                   count < term->bins_a ? ", the first bins" : "");
    draw_rows(out,
              &(struct draw_rows){.id = id,
                                  .table = table,
                                  .caption = caption,
                                  .sentence = "A bar for each bin, to the right where it adds; "
                                              "figures in the table",
                                  .rows = rows,
                                  .count = count,
                                  .mark = 0});
}

static void shape_table(FILE *out, const struct report_icp *report, const struct model_term *term,
                        size_t place)
{
    static const struct draw_column heads[] = {{"Bin", DRAW_TEXT},        {"Points", DRAW_FIGURE},
                                               {"Accounts", DRAW_FIGURE}, {"Outcomes", DRAW_FIGURE},
                                               {"Rate", DRAW_FIGURE},     {"95 %", DRAW_FIGURE}};
    const struct feature_column *column = &report->codebook->columns[term->column_a];
    const json_t *support = support_of(report, term->column_a);
    struct draw_table table;
    char id[64];
    char text[ICP_TEXT_BYTES * 2];
    (void)snprintf(id, sizeof id, "shape-%zu-table", place);
    (void)snprintf(text, sizeof text, "%.127s%s%.127s: points, and the accounts behind them",
                   column->field_name, column->tag != NULL ? ", " : "",
                   column->tag != NULL ? column->tag : "");
    draw_table_open(&table, out, id, text, heads, 6);
    for (size_t bin = 0; bin < term->bins_a; bin++) {
        feature_bin_text(column, (uint8_t)bin, text, sizeof text);
        draw_table_cell(&table, text);
        report_icp_points(&table, report->scorecard->tables[term->table_offset + bin]);
        bin_cells(&table, support, bin);
    }
    draw_table_close(&table);
}

static void importance_table(FILE *out, const json_t *fields)
{
    static const struct draw_column heads[] = {{"Field", DRAW_TEXT},
                                               {"± points for the average account", DRAW_FIGURE},
                                               {"AUC alone", DRAW_FIGURE}};
    struct draw_table table;
    size_t index;
    const json_t *field;
    draw_table_open(&table, out, "importance-table", "Fields, the strongest first", heads, 3);
    json_array_foreach((json_t *)(uintptr_t)fields, index, field)
    {
        char text[32];
        (void)snprintf(text, sizeof text, "%.1f", 100 * report_icp_number(field, "importance"));
        draw_table_cell(&table, report_icp_text(field, "field"));
        draw_table_cell(&table, text);
        if (json_object_get(field, "auc_alone") != NULL) {
            report_icp_figure(&table, report_icp_number(field, "auc_alone"));
        } else {
            draw_table_gap(&table);
        }
    }
    draw_table_close(&table);
}

static void pairs_table(FILE *out, const struct report_icp *report)
{
    static const struct draw_column heads[] = {
        {"Pair", DRAW_TEXT}, {"Least points", DRAW_FIGURE}, {"Most points", DRAW_FIGURE}};
    const struct model_scorecard *scorecard = report->scorecard;
    struct draw_table table;
    bool open = false;
    for (size_t t = 0; t < scorecard->term_count; t++) {
        const struct model_term *term = &scorecard->terms[t];
        char text[ICP_TEXT_BYTES * 2];
        if (term->column_b == MODEL_NO_COLUMN) {
            continue;
        }
        if (!open) {
            draw_table_open(&table, out, "pairs-table", "Pairs of fields, and how far they go",
                            heads, 3);
            open = true;
        }
        (void)snprintf(text, sizeof text, "%.127s × %.127s",
                       report->codebook->columns[term->column_a].field_name,
                       report->codebook->columns[term->column_b].field_name);
        draw_table_cell(&table, text);
        report_icp_points(&table, scorecard->lows[t]);
        report_icp_points(&table, scorecard->highs[t]);
    }
    if (open) {
        draw_table_close(&table);
    }
}

/* Every term of one column of the strongest fields. */
static void shapes_write(FILE *out, const struct report_icp *report, const json_t *fields)
{
    const struct model_scorecard *scorecard = report->scorecard;
    size_t place = 0;
    for (size_t f = 0; f < json_array_size(fields) && f < SHAPES_MAX; f++) {
        const char *name = report_icp_text(json_array_get(fields, f), "field");
        for (size_t t = 0; t < scorecard->term_count; t++) {
            const struct model_term *term = &scorecard->terms[t];
            const struct feature_column *column = &report->codebook->columns[term->column_a];
            if (term->column_b == MODEL_NO_COLUMN && strcmp(column->field_name, name) == 0) {
                if (column->type != FEATURE_TAGS) {
                    shape_draw(out, report, term, place);
                }
                shape_table(out, report, term, place++);
            }
        }
    }
}

void report_icp_shapes(FILE *out, const struct report_icp *report)
{
    const json_t *fields = json_object_get(json_object_get(report->document, "evidence"), "fields");
    if (json_array_size(fields) == 0) {
        report_icp_answer(out, "No field adds anything: every account scores the same.");
        return;
    }
    report_icp_answer(
        out,
        "%s weighs most: it moves the average account by %.0f points, and 100 points multiply the "
        "odds by 2.7. Every account starts at %+.0f points.%s",
        report_icp_text(json_array_get(fields, 0), "field"),
        100 * report_icp_number(json_array_get(fields, 0), "importance"),
        (double)report->scorecard->intercept / 1e4,
        report->scorecard->trees != NULL ? " This is a model of trees: what a bin adds depends on "
                                           "the other fields, so bins have "
                                           "no points of their own."
                                         : "");
    importance_table(out, fields);
    if (report->scorecard->trees == NULL) {
        shapes_write(out, report, fields);
        pairs_table(out, report);
    }
}
