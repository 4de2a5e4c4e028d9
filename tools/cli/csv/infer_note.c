/* SPDX-License-Identifier: Apache-2.0 */
/* One sentence a column, of what its owner may want to mend or would read otherwise. */
#include "tools/cli/csv/infer_note.h"

#include <stdarg.h>
#include <stdio.h>

#include "server/feature/number_text.h"
#include "server/feature/span_text.h"
#include "tools/cli/csv/infer_form.h"

void infer_say(struct infer_column *column, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(column->why, sizeof column->why, format, list);
    va_end(list);
}

/* Which word is yes, where it is not one of the plain ones. */
void infer_note_flag(struct infer_column *column, const struct feature_schema *probe)
{
    static const char *const plain[] = {"yes", "no", "true", "false", "1", "0", "y", "n"};
    for (size_t i = 0; i < column->texts.count; i++) {
        struct proto_span text = column->texts.entries[i].text;
        char shown[FEATURE_SHOWN_BYTES];
        bool is_plain = infer_is_missing(column, text);
        for (size_t w = 0; w < sizeof plain / sizeof *plain; w++) {
            is_plain |= feature_text_same(text, proto_span_text(plain[w]));
        }
        if (is_plain) {
            continue;
        }
        infer_say(column, "'%s' is %s", feature_text_show(text, shown, sizeof shown),
                  infer_flag_is_yes(probe, text) ? "yes" : "no");
        return;
    }
}

/* How a form that is not plain was understood: the reader may know better. */
static void number_note(struct infer_column *column, const struct feature_schema *probe)
{
    char shown[FEATURE_SHOWN_BYTES];
    char number[FEATURE_NUMBER_TEXT_BYTES];
    for (size_t i = 0; i < column->texts.count && column->why[0] == '\0'; i++) {
        const struct text_entry *entry = &column->texts.entries[i];
        struct feature_value value;
        double plain;
        if (infer_is_missing(column, entry->text) || feature_number_read(entry->text, &plain) ||
            !infer_reads_as_number(column, probe, entry->text, &value)) {
            continue;
        }
        (void)feature_number_print(value.number, number);
        infer_say(column, "'%s' is read as %s", feature_text_show(entry->text, shown, sizeof shown),
                  number);
    }
}

/* Amounts of two currencies are not one quantity, and nothing converts them. */
static void currency_note(struct infer_column *column)
{
    const char *first = NULL;
    for (size_t i = 0; i < column->texts.count; i++) {
        const struct text_entry *entry = &column->texts.entries[i];
        const char *code =
            infer_is_missing(column, entry->text) ? NULL : feature_currency_of(entry->text);
        if (first != NULL && code != NULL && strcmp(first, code) != 0) {
            infer_say(
                column,
                "amounts in %s and, line %zu, in %s: they are read as numbers and not converted",
                first, entry->line, code);
            return;
        }
        first = code != NULL ? code : first;
    }
}

/* "1.23457E+12" in a column of ids: a spreadsheet kept six digits of them, and several may be one
 * now. */
static void rewritten_note(struct infer_column *column)
{
    char shown[FEATURE_SHOWN_BYTES];
    for (size_t i = 0; i < column->texts.count && infer_name_is_id(column->name); i++) {
        const struct text_entry *entry = &column->texts.entries[i];
        double number;
        bool is_short = memmem(entry->text.data, entry->text.bytes, "E+", 2) != NULL;
        if (is_short && feature_number_read(entry->text, &number) && number >= 1e6) {
            infer_say(
                column,
                "ids that a spreadsheet cut short, first line %zu: '%s' stands %zu times; export "
                "them as text",
                entry->line, feature_text_show(entry->text, shown, sizeof shown), entry->count);
            return;
        }
    }
}

/* Where some cells have a percent sign and others none, one may be a hundred times the other. */
static void percent_note(struct infer_column *column, const struct feature_schema *probe)
{
    const struct text_entry *found[2] = {NULL, NULL}; /* without, with */
    double numbers[2] = {0, 0};
    char shown[2][FEATURE_SHOWN_BYTES];
    for (size_t i = 0; i < column->texts.count; i++) {
        const struct text_entry *entry = &column->texts.entries[i];
        struct feature_value value;
        if (!infer_is_missing(column, entry->text) &&
            infer_reads_as_number(column, probe, entry->text, &value) && value.number != 0) {
            bool sign = entry->text.data[entry->text.bytes - 1] == '%';
            found[sign] = found[sign] != NULL ? found[sign] : entry;
            numbers[sign] = found[sign] == entry ? value.number : numbers[sign];
        }
    }
    if (found[0] != NULL && found[1] != NULL) {
        infer_say(column,
                  "some cells have a percent sign: '%s' is read as %g, and '%s' on line %zu as %g",
                  feature_text_show(found[1]->text, shown[1], sizeof shown[1]), numbers[1],
                  feature_text_show(found[0]->text, shown[0], sizeof shown[0]), found[0]->line,
                  numbers[0]);
    }
}

void infer_note_number(struct infer_column *column, const struct feature_schema *probe)
{
    percent_note(column, probe);
    currency_note(column);
    number_note(column, probe);
    rewritten_note(column);
}

/* Most are dates, and these are not: one that cannot be, a word. */
static bool not_dates_note(struct infer_column *column, const struct infer_census *census)
{
    char shown[FEATURE_SHOWN_BYTES];
    for (size_t i = 0; i < column->texts.count && census->dates * 2 >= census->seen; i++) {
        const struct text_entry *entry = &column->texts.entries[i];
        int64_t ms;
        if (!infer_is_missing(column, entry->text) &&
            csv_date_read(column->dates, entry->text, &ms) == CSV_DATE_NONE) {
            infer_say(column, "%zu of %zu cells are no dates, first line %zu: '%s'",
                      census->seen - census->dates, census->cells, entry->line,
                      feature_text_show(entry->text, shown, sizeof shown));
            return true;
        }
    }
    return false;
}

/* What of the values is to be known, though they are text for certain. */
bool infer_note_text(struct infer_column *column, const struct infer_census *census, bool is_code)
{
    char shown[FEATURE_SHOWN_BYTES];
    if (is_code) {
        infer_say(column, "digits here are codes, not quantities");
    } else if (column->keeps_na) {
        infer_say(column, "'NA' is one of its codes here, not a missing value");
    } else if (census->spoilt != NULL && census->ranges * 2 >= census->seen) {
        infer_say(column, "'%s' on line %zu is a range that a spreadsheet turned into a date",
                  feature_text_show(census->spoilt->text, shown, sizeof shown),
                  census->spoilt->line);
    } else {
        return not_dates_note(column, census);
    }
    return true;
}
