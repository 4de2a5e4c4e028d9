/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions from the surest down: left out, flag, number, tags, and text for what remains. */
#include "tools/cli/csv/infer_column.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "server/feature/number_text.h"
#include "server/feature/span_text.h"
#include "tools/cli/csv/infer_census.h"
#include "tools/cli/csv/infer_form.h"
#include "tools/cli/csv/infer_note.h"

/* Shares that decide, in twentieths: enough that a few slips do not hide what a column is. */
#define MOST(part, whole) ((part)*20 >= (whole)*19)
/* From this many distinct values on, and only if nearly all differ, text is free text or an id. */
#define FREE_TEXT_DISTINCT_MIN 20

enum feature_family infer_family(const char *name)
{
    static const struct {
        enum feature_family family;
        const char *word;
    } words[] = {
#define W(FAMILY, word) {FEATURE_##FAMILY, word},
#include "tools/cli/csv/family.def"
#undef W
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasestr(name, words[i].word) != NULL) {
            return words[i].family;
        }
    }
    return FEATURE_FIRMOGRAPHIC;
}

/* Decisions, the surest first. Each returns whether it has decided. */

static bool leave_out(struct infer_column *column, const char *why)
{
    column->role = INFER_LEFT_OUT;
    infer_say(column, "%s", why);
    return true;
}

/* Beyond the distinct values that were looked at, what was seen speaks for the rest. */
static bool is_dates(const struct infer_census *census)
{
    return census->seen > 0 && MOST(census->dates, census->seen);
}

/* Dates of which some could be two are no use, and worse if they are guessed. */
static bool date_left_out(struct infer_column *column)
{
    char shown[FEATURE_SHOWN_BYTES];
    if (column->dates != CSV_DAY_OPEN || column->date_votes.either == 0) {
        return false;
    }
    for (size_t i = 0; i < column->texts.count; i++) {
        const struct text_entry *entry = &column->texts.entries[i];
        int64_t ms;
        if (csv_date_read(CSV_DAY_OPEN, entry->text, &ms) == CSV_DATE_EITHER) {
            column->role = INFER_LEFT_OUT;
            infer_say(
                column,
                "dates that could be two each, first line %zu: '%s'; --dates dmy or mdy says which",
                entry->line, feature_text_show(entry->text, shown, sizeof shown));
            return true;
        }
    }
    return false;
}

/* How dates that are not plain were understood. */
static bool decide_date(struct infer_column *column, const struct infer_census *census)
{
    char shown[FEATURE_SHOWN_BYTES];
    char date[FEATURE_DATE_TEXT_BYTES];
    bool open = column->dates == CSV_DAY_OPEN && column->date_votes.either > 0;
    if (!is_dates(census) || open) {
        return false;
    }
    column->type = FEATURE_DATE;
    for (size_t i = 0; i < column->texts.count && column->why[0] == '\0'; i++) {
        const struct text_entry *entry = &column->texts.entries[i];
        int64_t ms = 0;
        bool told = column->date_votes.either > 0;
        enum csv_date_outcome outcome = csv_date_read(column->dates, entry->text, &ms);
        bool is_date = outcome == CSV_DATE_READ;
        /* Where the order matters, a date that shows it. */
        bool shows = !told || csv_date_read(CSV_DAY_OPEN, entry->text, &ms) == CSV_DATE_EITHER;
        if (!is_date || !shows || infer_is_missing(column, entry->text)) {
            continue;
        }
        (void)csv_date_read(column->dates, entry->text, &ms);
        (void)feature_date_print(ms, date);
        if (!proto_span_is(entry->text, date)) {
            infer_say(column, "'%s' is read as %s%s",
                      feature_text_show(entry->text, shown, sizeof shown), date,
                      told && csv_date_is_open(&column->date_votes)
                          ? ", as the rest of the file is or as told"
                          : "");
        }
    }
    return true;
}

static bool decide_left_out(struct infer_column *column, const struct infer_census *census,
                            size_t rows)
{
    if (census->cells == 0) {
        return leave_out(column, "every cell is missing");
    }
    if (census->distinct == 1 && column->texts.overflow == 0 && census->cells == rows) {
        return leave_out(column, "constant: the same value in every row");
    }
    if (is_dates(census)) {
        return date_left_out(column);
    }
    if (MOST(census->emails, census->seen)) {
        return leave_out(column, "email addresses");
    }
    if (MOST(census->websites, census->seen)) {
        column->is_website = true;
        return leave_out(column, "websites");
    }
    bool all_differ =
        census->distinct * 50 >= census->cells * 49 && census->distinct >= FREE_TEXT_DISTINCT_MIN;
    column->is_unique = census->distinct == census->cells && census->cells == rows &&
                        column->texts.overflow == 0 && rows > 1;
    if (column->texts.overflow > 0) {
        all_differ = true;
    }
    bool is_quantity = census->numbers > census->whole;
    if (all_differ && !is_quantity && MOST(census->whole, census->seen) &&
        infer_name_is_id(column->name)) {
        return leave_out(column, "identifier: nearly every value differs");
    }
    return false;
}

static bool decide_flag(struct infer_column *column, const struct feature_schema *probe,
                        const struct infer_census *census)
{
    if (census->flags != census->cells || column->texts.overflow > 0) {
        return false;
    }
    column->type = FEATURE_FLAG;
    infer_note_flag(column, probe);
    if (census->flag_yes == 0 || census->flag_no == 0) {
        infer_say(column, "only %s and missing", census->flag_yes > 0 ? "yes" : "no");
    }
    return true;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Skewed and not negative: the 95th percentile is 20 times the median. Over the distinct values,
 * for those are what bins and scales have to tell apart. */
static bool is_skewed(const struct infer_column *column, const struct feature_schema *probe)
{
    double *numbers = calloc(column->texts.count, sizeof *numbers);
    size_t count = 0;
    for (size_t i = 0; numbers != NULL && i < column->texts.count; i++) {
        struct feature_value value;
        if (!infer_is_missing(column, column->texts.entries[i].text) &&
            infer_reads_as_number(column, probe, column->texts.entries[i].text, &value)) {
            numbers[count++] = value.number;
        }
    }
    bool skewed = false;
    if (count >= 20) {
        qsort(numbers, count, sizeof *numbers, compare_doubles);
        double median = numbers[count / 2];
        skewed = numbers[0] >= 0 && median > 0 && numbers[count * 19 / 20] > 20 * median;
    }
    free(numbers);
    return skewed;
}

static bool decide_number(struct infer_column *column, const struct feature_schema *probe,
                          const struct infer_census *census)
{
    bool words_only =
        census->numbers * 2 >= census->seen && census->other_words > 0 && census->other_words <= 3;
    if (census->leading_zero > 0 || (!MOST(census->numbers, census->seen) && !words_only)) {
        return false;
    }
    column->type = FEATURE_NUMBER;
    column->transform = is_skewed(column, probe) ? FEATURE_TRANSFORM_LOG : FEATURE_TRANSFORM_NONE;
    size_t slips = census->not_numbers;
    const struct text_entry *slip = NULL;
    for (size_t i = 0; i < column->texts.count; i++) {
        const struct text_entry *entry = &column->texts.entries[i];
        struct feature_value value;
        if (infer_is_missing(column, entry->text) ||
            infer_reads_as_number(column, probe, entry->text, &value)) {
            continue;
        }
        /* A few words among numbers mean that there is none; "12 (1980)" is a slip of somebody. */
        if (words_only && !infer_has_digit(entry->text) && column->word_count < INFER_WORDS_MAX) {
            column->words[column->word_count++] = entry->text;
            slips -= entry->count;
        } else if (slip == NULL) {
            slip = entry;
        }
    }
    char shown[FEATURE_SHOWN_BYTES];
    if (slip != NULL && slips > 0) {
        infer_say(column, "%zu cells are no numbers, first line %zu: '%s'", slips, slip->line,
                  feature_text_show(slip->text, shown, sizeof shown));
    } else if (column->decimal == CSV_DECIMAL_COMMA) {
        infer_say(column,
                  column->decimal_open
                      ? "read with a decimal comma, as the rest of the file is (--decimal point "
                        "if not)"
                      : "numbers have a decimal comma");
    } else if (column->decimal_open) {
        infer_say(column,
                  "line %zu could be a number with a decimal comma; read with a point (--decimal "
                  "comma if not)",
                  column->open_line);
    } else if (column->word_count > 0) {
        infer_say(column, "'%s' among the numbers means missing",
                  feature_text_show(column->words[0], shown, sizeof shown));
    }
    infer_note_number(column, probe);
    return true;
}

/* Tags must repeat from cell to cell, or the signs are mere punctuation. */
static bool decide_tags(struct infer_column *column, const struct infer_census *census)
{
    if (census->lists * 20 < census->seen) {
        return false;
    }
    struct text_count tags;
    size_t cells = 0;
    text_count_init(&tags, INFER_DISTINCT_MAX);
    for (size_t i = 0; i < column->texts.count; i++) {
        struct proto_span rest = column->texts.entries[i].text;
        while (rest.bytes > 0) {
            size_t bytes = 0;
            while (bytes < rest.bytes && rest.data[bytes] != ';' && rest.data[bytes] != '|') {
                bytes++;
            }
            struct proto_span tag = feature_text_trim((struct proto_span){rest.data, bytes});
            if (tag.bytes > 0) {
                (void)text_count_add(&tags, tag, 0, NULL);
            }
            cells += tag.bytes > 0 ? column->texts.entries[i].count : 0;
            rest.data += bytes < rest.bytes ? bytes + 1 : bytes;
            rest.bytes -= bytes < rest.bytes ? bytes + 1 : bytes;
        }
    }
    size_t distinct = tags.count;
    text_count_fini(&tags);
    if (distinct * 2 >= cells || distinct >= census->distinct * 2) {
        return false;
    }
    column->type = FEATURE_TAGS;
    infer_say(column, "%zu different tags between ';' or '|'", distinct);
    return true;
}

/* Digits that name something are no quantities: half of them more is nothing. */
static bool decide_code(const struct infer_column *column, const struct infer_census *census)
{
    size_t digits = census->whole + census->codes;
    bool by_form = census->codes > 0 && MOST(digits, census->seen);
    return by_form || (infer_name_is_code(column->name) && MOST(digits, census->seen));
}

static void decide_text(struct infer_column *column, const struct infer_census *census,
                        bool is_code)
{
    column->type = FEATURE_CATEGORY;
    column->is_text = !is_code;
    bool repeats = census->supported * 5 >= census->cells;
    bool is_long = census->long_texts * 2 >= census->seen;
    char shown[FEATURE_SHOWN_BYTES];
    if (!repeats && census->distinct >= FREE_TEXT_DISTINCT_MIN) {
        (void)leave_out(column, is_code
                                    ? "codes, such as telephone numbers: hardly any occurs again"
                                : column->is_unique && !is_long && infer_name_is_id(column->name)
                                    ? "identifier: every value differs"
                                    : "free text: hardly any value occurs again");
    } else if (infer_note_text(column, census, is_code)) {
        return;
    } else if (census->leading_zero > 0) {
        infer_say(column, "digits with leading zeros are codes");
    } else if (census->numbers * 2 >= census->seen && census->not_number != NULL) {
        infer_say(column, "%zu of %zu cells are no numbers, first line %zu: '%s'",
                  census->not_numbers, census->cells, census->not_number->line,
                  feature_text_show(census->not_number->text, shown, sizeof shown));
    } else if (census->supported < census->cells) {
        infer_say(column, "%zu of %zu cells hold a value that is rare",
                  census->cells - census->supported, census->cells);
    }
}

void infer_column_decide(struct infer_column *column, const struct feature_schema *probe,
                         size_t rows, bool keep_all)
{
    struct infer_census census = infer_census_take(column, probe, rows);
    column->missing = rows - census.cells;
    column->distinct = census.distinct;
    column->family = column->is_label ? FEATURE_LIFECYCLE : infer_family(column->name);
    if (column->told) {
        return;
    }
    column->role = INFER_FIELD;
    column->why[0] = '\0';
    bool out = decide_left_out(column, &census, rows);
    if (out && !column->is_label && !keep_all) {
        return;
    }
    column->role = INFER_FIELD;
    column->why[0] = '\0';
    bool is_code = decide_code(column, &census);
    if (census.cells == 0 || is_code ||
        (!decide_date(column, &census) && !decide_flag(column, probe, &census) &&
         !decide_number(column, probe, &census) && !decide_tags(column, &census))) {
        decide_text(column, &census, is_code);
    }
    if (column->is_label || keep_all) {
        column->role = INFER_FIELD;
    }
    if (column->is_label && column->why[0] == '\0') {
        infer_say(column, "label, as told");
    }
}
