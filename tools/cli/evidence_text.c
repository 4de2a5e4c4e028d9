/* SPDX-License-Identifier: Apache-2.0 */
/* What was measured on accounts that were held out first, then the fields that carry it, then what
 * was refused and what is to be known. */
#include "tools/cli/evidence_text.h"

static double number_at(const json_t *json, const char *name)
{
    return json_number_value(json_object_get(json, name));
}

static const char *text_at(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text != NULL ? text : "";
}

static void holdout_print(const struct cli *cli, const json_t *holdout)
{
    double n = number_at(holdout, "n");
    double positives = number_at(holdout, "positives");
    if (holdout == NULL || n <= 0) {
        return;
    }
    if (strcmp(text_at(holdout, "split"), "imported") == 0) {
        cli_print(cli, "On the %.0f accounts that are stored (%.0f positive, %.1f %%):\n", n,
                  positives, 100 * positives / n);
    } else {
        cli_print(cli,
                  "On %.0f accounts that it had not seen (%s split, %.0f positive, %.1f %%):\n", n,
                  text_at(holdout, "split"), positives, 100 * positives / n);
    }
    cli_print(
        cli,
        "  it puts a positive above a negative in %.1f %% of all pairs: AUC %.3f, 95 %% interval "
        "%.3f to %.3f\n",
        100 * number_at(holdout, "auc"), number_at(holdout, "auc"), number_at(holdout, "auc_low"),
        number_at(holdout, "auc_high"));
    cli_print(cli, "  its top tenth holds %.1f times as many positives as the average\n",
              number_at(holdout, "lift_top_decile"));
    double reference = number_at(holdout, "brier_reference");
    cli_print(
        cli,
        "  probabilities: squared error %.4f against %.4f for the base rate alone; off by %.1f "
        "points on average\n",
        number_at(holdout, "brier"), reference, 100 * number_at(holdout, "ece"));
}

/* How each grade did on them. */
static int grades_print(const struct cli *cli, const json_t *grades)
{
    static const char *const headers[] = {"grade", "accounts", "outcomes", "%", "from %", "to %"};
    struct out_table table;
    size_t index;
    json_t *grade;
    if (json_array_size(grades) == 0) {
        return EX_OK;
    }
    out_table_init(&table, headers, 6);
    json_array_foreach(grades, index, grade)
    {
        double n = number_at(grade, "n");
        out_cell_text(&table, "%s", text_at(grade, "grade"));
        out_cell_number(&table, "%.0f", n);
        out_cell_number(&table, "%.0f", number_at(grade, "positives"));
        if (n > 0) {
            out_cell_number(&table, "%.1f", 100 * number_at(grade, "positives") / n);
            out_cell_number(&table, "%.1f", 100 * number_at(grade, "rate_low"));
            out_cell_number(&table, "%.1f", 100 * number_at(grade, "rate_high"));
        } else {
            out_cell_text(&table, "%s", "");
            out_cell_text(&table, "%s", "");
            out_cell_text(&table, "%s", "");
        }
    }
    return cli_table(cli, &table);
}

static int fields_print(const struct cli *cli, const json_t *fields, size_t most)
{
    static const char *const headers[] = {"field", "± points", "AUC alone"};
    struct out_table table;
    size_t index;
    json_t *field;
    if (json_array_size(fields) == 0) {
        return EX_OK;
    }
    out_table_init(&table, headers, 3);
    json_array_foreach(fields, index, field)
    {
        if (index >= most) {
            break;
        }
        out_cell_text(&table, "%s", text_at(field, "field"));
        out_cell_number(&table, "%.1f", 100 * number_at(field, "importance"));
        if (json_object_get(field, "auc_alone") != NULL) {
            out_cell_number(&table, "%.3f", number_at(field, "auc_alone"));
        } else {
            out_cell_text(&table, "%s", "");
        }
    }
    cli_print(cli, "\n");
    int status = cli_table(cli, &table);
    if (json_array_size(fields) > most) {
        cli_print(cli, "… and %zu more fields\n", json_array_size(fields) - most);
    }
    return status;
}

int evidence_print(const struct cli *cli, const json_t *evidence, size_t fields_most)
{
    size_t index;
    json_t *entry;
    const json_t *holdout = json_object_get(evidence, "holdout");
    holdout_print(cli, holdout);
    int status = grades_print(cli, json_object_get(holdout, "grades"));
    if (status == EX_OK) {
        status = fields_print(cli, json_object_get(evidence, "fields"), fields_most);
    }
    json_array_foreach(json_object_get(evidence, "refused"), index, entry)
        cli_print(cli, "%snot used: %s, %s\n", index == 0 ? "\n" : "", text_at(entry, "field"),
                  text_at(entry, "reason"));
    json_array_foreach(json_object_get(evidence, "warnings"), index, entry)
        cli_print(cli, "%swarning: %s\n", index == 0 ? "\n" : "",
                  json_string_value(entry) != NULL ? json_string_value(entry) : "");
    return status;
}
