/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers first, field by field; then categories, all against all, by hashes of their values.
 * Memory is all that can fail. */
#include "server/learn/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct feature_field *field_of(const struct learn_sample *sample,
                                            const struct learn_field_report *report)
{
    return feature_schema_by_id(sample->options->schema, report->field_id);
}

/* Numbers that count rows (lead numbers, serial ids) order them by arrival and pass for signal, as
 * do times. */
static bool numbers_check(struct learn_sample *sample, const struct learn_subset *accounts,
                          struct learn_field_report *reports, size_t count)
{
    double *numbers = malloc(LEARN_NUMBERED_ROWS_MAX * sizeof *numbers);
    for (size_t f = 0; numbers != NULL && f < count; f++) {
        struct learn_field_report *report = &reports[f];
        const struct feature_field *field = field_of(sample, report);
        if (field == NULL || field->type != FEATURE_NUMBER ||
            report->verdict == LEARN_FIELD_CONSTANT) {
            continue;
        }
        size_t read = learn_sample_numbers(sample, accounts, report->field_id,
                                           LEARN_NUMBERED_ROWS_MAX, numbers);
        if (learn_leakage_numbered(numbers, read)) {
            report->verdict = LEARN_FIELD_IDENTIFIER;
        } else if (learn_leakage_times(numbers, read)) {
            report->verdict = LEARN_FIELD_TIME;
        }
    }
    free(numbers);
    return numbers != NULL;
}

/* Categories by place among the reports, and the rows that are compared. */
struct compared {
    size_t *places;
    size_t *rows; /* of the sample */
    uint64_t *hashes;
    uint8_t *labels;
    struct learn_overwritten *found;
    struct learn_overwritten_cells cells;
};

static void compared_fini(struct compared *compared)
{
    free(compared->places);
    free(compared->rows);
    free(compared->hashes);
    free(compared->labels);
    free(compared->found);
}

static bool compared_init(struct compared *compared, const struct learn_sample *sample,
                          const struct learn_subset *accounts,
                          const struct learn_field_report *reports, size_t count)
{
    size_t rows =
        accounts->count < LEARN_OVERWRITTEN_ROWS_MAX ? accounts->count : LEARN_OVERWRITTEN_ROWS_MAX;
    size_t fields = 0;
    *compared = (struct compared){.places = calloc(count + 1, sizeof *compared->places),
                                  .rows = calloc(rows + 1, sizeof *compared->rows),
                                  .labels = calloc(rows + 1, 1),
                                  .found = calloc(count + 1, sizeof *compared->found)};
    if (compared->places == NULL || compared->rows == NULL || compared->labels == NULL ||
        compared->found == NULL) {
        return false;
    }
    for (size_t f = 0; f < count; f++) {
        const struct feature_field *field = field_of(sample, &reports[f]);
        if (field != NULL && field->type == FEATURE_CATEGORY &&
            reports[f].verdict != LEARN_FIELD_CONSTANT &&
            reports[f].verdict != LEARN_FIELD_IDENTIFIER) {
            compared->places[fields++] = f;
        }
    }
    compared->hashes = calloc(fields * rows + 1, sizeof *compared->hashes);
    compared->cells =
        (struct learn_overwritten_cells){fields, rows, compared->hashes, compared->labels};
    return compared->hashes != NULL;
}

static bool compared_fill(struct compared *compared, struct learn_sample *sample,
                          const struct learn_subset *accounts,
                          const struct learn_field_report *reports)
{
    size_t rows = compared->cells.rows;
    for (size_t i = 0; i < rows; i++) {
        size_t at = (size_t)((double)i * ((double)accounts->count / (double)rows));
        compared->rows[i] = accounts->rows[at];
        if (!learn_sample_fetch(sample, compared->rows[i])) {
            return false;
        }
        compared->labels[i] = sample->labels[compared->rows[i]];
        for (size_t f = 0; f < compared->cells.fields; f++) {
            const struct feature_value *value =
                &sample->values[reports[compared->places[f]].field_id];
            compared->hashes[f * rows + i] =
                value->present ? learn_value_hash(value, 0) : LEARN_OVERWRITTEN_NONE;
        }
    }
    return true;
}

/* What was found of one field, with names, in its report. */
static void found_tell(const struct compared *compared, size_t f, struct learn_sample *sample,
                       struct learn_field_report *reports)
{
    struct learn_field_report *report = &reports[compared->places[f]];
    struct learn_overwritten *found = &compared->found[f];
    found->other = field_of(sample, &reports[compared->places[found->field]])->name;
    if (learn_sample_fetch(sample, compared->rows[found->row])) {
        struct proto_span text = sample->values[report->field_id].text;
        (void)snprintf(found->value, sizeof found->value, "%.*s", (int)text.bytes,
                       (const char *)text.data);
    }
    report->overwritten = *found;
    report->verdict = LEARN_FIELD_LEAK_OVERWRITTEN;
}

static bool overwritten_check(struct learn_sample *sample, const struct learn_subset *accounts,
                              struct learn_field_report *reports, size_t count)
{
    struct compared compared;
    bool ok = compared_init(&compared, sample, accounts, reports, count) &&
              compared_fill(&compared, sample, accounts, reports) &&
              learn_leakage_overwritten(&compared.cells, compared.found);
    for (size_t f = 0; ok && f < compared.cells.fields; f++) {
        if (compared.found[f].rows > 0 &&
            !learn_verdict_is_leak(reports[compared.places[f]].verdict)) {
            found_tell(&compared, f, sample, reports);
        }
    }
    compared_fini(&compared);
    return ok;
}

bool learn_guard_values(struct learn_sample *sample, const struct learn_subset *accounts,
                        struct learn_field_report *reports, size_t count, struct proto_fault *fault)
{
    return (numbers_check(sample, accounts, reports, count) &&
            overwritten_check(sample, accounts, reports, count)) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to check the fields");
}
