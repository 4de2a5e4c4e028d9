/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/infer_column.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "server/feature/domain.h"
#include "server/feature/span_text.h"

/* Shares that decide, in twentieths: enough that a few slips do not hide what a column is. */
#define MOST(part, whole) ((part)*20 >= (whole)*19)
/* From this many distinct values on, and only if nearly all differ, text is free text or an id. */
#define FREE_TEXT_DISTINCT_MIN 20

/* What the distinct values of a column are, counted in cells. */
struct census {
    size_t cells;    /* that are not missing */
    size_t distinct; /* texts that are not missing */
    size_t numbers;
    size_t whole;        /* numbers that are digits alone */
    size_t leading_zero; /* digits that begin with a zero: a code, not a quantity */
    size_t flags;
    size_t flag_yes;
    size_t flag_no;
    size_t dates;
    size_t websites;
    size_t emails;
    size_t lists;       /* cells with ';' or '|' between texts */
    size_t long_texts;  /* more than 100 bytes */
    size_t other_words; /* distinct texts that are neither numbers nor have a digit */
    size_t supported;   /* cells whose text occurs often enough to learn from */
    const struct text_entry *not_number; /* the first that is none */
    size_t not_numbers;                  /* cells */
};

static bool is_missing(struct proto_span text)
{
    size_t count = 0;
    const char *const *words = feature_default_missing_words(&count);
    if (text.bytes == 0)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (feature_text_same(text, proto_span_text(words[i])))
            return true;
    }
    return false;
}

/* The fields of the probe, by position. */
enum probe { PROBE_NUMBER, PROBE_FLAG };

struct feature_schema *infer_probe(void)
{
    struct proto_fault fault = {.code = PROTO_OK};
    return feature_schema_parse(
        proto_span_text("{\"fields\": [{\"name\": \"number\", \"type\": \"number\"},"
                        " {\"name\": \"flag\", \"type\": \"flag\"}]}"),
        1, NULL, &fault);
}

/* The same reading that import will use. */
static bool reads_as(const struct feature_schema *probe, enum probe field, struct proto_span text,
                     struct feature_value *value)
{
    struct proto_fault fault = {.code = PROTO_OK};
    return feature_value_from_text(probe, &probe->fields[field], text, NULL, 0, value, &fault) &&
           value->present;
}

static bool is_digits(struct proto_span text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        if (!isdigit(text.data[i]))
            return false;
    }
    return text.bytes > 0;
}

static bool has_digit(struct proto_span text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        if (isdigit(text.data[i]))
            return true;
    }
    return false;
}

/* Three runs of digits with the same sign between, perhaps a time behind. */
static bool is_date(struct proto_span text)
{
    char copy[40];
    unsigned first;
    unsigned second;
    unsigned third;
    char sign;
    char again;
    if (text.bytes < 6 || text.bytes >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.bytes);
    copy[text.bytes] = '\0';
    return sscanf(copy, "%4u%c%2u%c%4u", &first, &sign, &second, &again, &third) == 5 &&
           sign == again && strchr("-/.", sign) != NULL;
}

static bool is_website(struct proto_span text)
{
    struct feature_domain domain;
    bool has_scheme = memmem(text.data, text.bytes, "://", 3) != NULL;
    bool is_bare = memchr(text.data, ' ', text.bytes) == NULL &&
                   memchr(text.data, '@', text.bytes) == NULL &&
                   memchr(text.data, '.', text.bytes) != NULL;
    return (has_scheme || is_bare) &&
           (has_scheme || feature_domain_from_url(text, &domain) != FEATURE_DOMAIN_NONE);
}

static bool is_email(struct proto_span text)
{
    struct feature_domain domain;
    return memchr(text.data, '@', text.bytes) != NULL &&
           feature_domain_from_email(text, &domain) != FEATURE_DOMAIN_NONE;
}

static bool is_list(struct proto_span text)
{
    for (size_t i = 1; i + 1 < text.bytes; i++) {
        if (text.data[i] == ';' || text.data[i] == '|')
            return true;
    }
    return false;
}

static void census_number(struct census *census, const struct feature_schema *probe,
                          const struct text_entry *entry)
{
    struct feature_value value;
    if (reads_as(probe, PROBE_NUMBER, entry->text, &value)) {
        census->numbers += entry->count;
        if (is_digits(entry->text)) {
            census->whole += entry->count;
            if (entry->text.bytes > 1 && entry->text.data[0] == '0')
                census->leading_zero += entry->count;
        }
        return;
    }
    census->not_numbers += entry->count;
    census->other_words += !has_digit(entry->text);
    if (census->not_number == NULL)
        census->not_number = entry;
}

static void census_entry(struct census *census, const struct feature_schema *probe,
                         const struct text_entry *entry, size_t support)
{
    struct feature_value value;
    census->cells += entry->count;
    census->distinct++;
    census_number(census, probe, entry);
    if (reads_as(probe, PROBE_FLAG, entry->text, &value)) {
        census->flags += entry->count;
        census->flag_yes += value.flag;
        census->flag_no += !value.flag;
    }
    census->dates += is_date(entry->text) ? entry->count : 0;
    census->websites += is_website(entry->text) ? entry->count : 0;
    census->emails += is_email(entry->text) ? entry->count : 0;
    census->lists += is_list(entry->text) ? entry->count : 0;
    census->long_texts += entry->text.bytes > 100 ? entry->count : 0;
    census->supported += entry->count >= support ? entry->count : 0;
}

static struct census census_take(const struct infer_column *column,
                                 const struct feature_schema *probe, size_t rows)
{
    struct census census = {0};
    /* A category needs some rows to say anything; in a small file two must do. */
    size_t support = rows / 100 < 2 ? 2 : rows / 100 > 5 ? 5 : rows / 100;
    for (size_t i = 0; i < column->texts.count; i++) {
        if (!is_missing(column->texts.entries[i].text))
            census_entry(&census, probe, &column->texts.entries[i], support);
    }
    census.cells += column->texts.overflow;
    return census;
}

/* Names of columns. */

static bool name_has_word(const char *name, const char *word)
{
    size_t bytes = strlen(word);
    for (const char *at = name; (at = strcasestr(at, word)) != NULL; at++) {
        /* "paid" holds "id" but is no identifier; "leadId" and "lead_id" are. */
        bool starts = at == name || !isalpha((unsigned char)at[-1]) ||
                      (islower((unsigned char)at[-1]) && isupper((unsigned char)at[0]));
        bool ends = !isalpha((unsigned char)at[bytes]);
        if (starts && ends)
            return true;
    }
    return false;
}

bool infer_name_is_id(const char *name)
{
    static const char *const words[] = {"id",   "number", "no",  "nr",     "code",   "key", "uuid",
                                        "guid", "cik",    "ref", "symbol", "ticker", "isin"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (name_has_word(name, words[i]))
            return true;
    }
    return false;
}

enum feature_family infer_family(const char *name)
{
    static const struct {
        enum feature_family family;
        const char *word;
    } words[] = {
#define W(FAMILY, word) {FEATURE_##FAMILY, word},
#include "tools/cli/family.def"
#undef W
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasestr(name, words[i].word) != NULL)
            return words[i].family;
    }
    return FEATURE_FIRMOGRAPHIC;
}

/* Decisions, the surest first. Each returns whether it has decided. */

static void __attribute__((format(printf, 2, 3)))
say(struct infer_column *column, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(column->why, sizeof column->why, format, list);
    va_end(list);
}

static bool leave_out(struct infer_column *column, const char *why)
{
    column->role = INFER_LEFT_OUT;
    say(column, "%s", why);
    return true;
}

static bool decide_left_out(struct infer_column *column, const struct census *census, size_t rows)
{
    if (census->cells == 0)
        return leave_out(column, "every cell is missing");
    if (census->distinct == 1 && column->texts.overflow == 0 && census->cells == rows)
        return leave_out(column, "constant: the same value in every row");
    if (MOST(census->dates, census->cells))
        return leave_out(column,
                         "dates; make numbers of them, such as year or days, to learn from");
    if (MOST(census->emails, census->cells))
        return leave_out(column, "email addresses");
    if (MOST(census->websites, census->cells)) {
        column->is_website = true;
        return leave_out(column, "websites");
    }
    bool all_differ =
        census->distinct * 50 >= census->cells * 49 && census->distinct >= FREE_TEXT_DISTINCT_MIN;
    column->is_unique = census->distinct == census->cells && census->cells == rows &&
                        column->texts.overflow == 0 && rows > 1;
    if (column->texts.overflow > 0)
        all_differ = true;
    bool is_quantity = census->numbers > census->whole;
    if (all_differ && !is_quantity && MOST(census->whole, census->cells) &&
        infer_name_is_id(column->name))
        return leave_out(column, "identifier: nearly every value differs");
    return false;
}

static bool decide_flag(struct infer_column *column, const struct census *census)
{
    if (census->flags != census->cells || column->texts.overflow > 0)
        return false;
    column->type = FEATURE_FLAG;
    if (census->flag_yes == 0 || census->flag_no == 0)
        say(column, "only %s and missing", census->flag_yes > 0 ? "yes" : "no");
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
        if (!is_missing(column->texts.entries[i].text) &&
            reads_as(probe, PROBE_NUMBER, column->texts.entries[i].text, &value))
            numbers[count++] = value.number;
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
                          const struct census *census)
{
    bool words_only =
        census->numbers * 2 >= census->cells && census->other_words > 0 && census->other_words <= 3;
    if (census->leading_zero > 0 || (!MOST(census->numbers, census->cells) && !words_only))
        return false;
    column->type = FEATURE_NUMBER;
    column->transform = is_skewed(column, probe) ? FEATURE_TRANSFORM_LOG : FEATURE_TRANSFORM_NONE;
    size_t slips = census->not_numbers;
    const struct text_entry *slip = NULL;
    for (size_t i = 0; i < column->texts.count; i++) {
        const struct text_entry *entry = &column->texts.entries[i];
        struct feature_value value;
        if (is_missing(entry->text) || reads_as(probe, PROBE_NUMBER, entry->text, &value))
            continue;
        /* A few words among numbers mean that there is none; "12 (1980)" is a slip of somebody. */
        if (words_only && !has_digit(entry->text) && column->word_count < INFER_WORDS_MAX) {
            column->words[column->word_count++] = entry->text;
            slips -= entry->count;
        } else if (slip == NULL) {
            slip = entry;
        }
    }
    char shown[FEATURE_SHOWN_BYTES];
    if (slip != NULL && slips > 0)
        say(column, "%zu cells are no numbers, first line %zu: '%s'", slips, slip->line,
            feature_text_show(slip->text, shown, sizeof shown));
    else if (column->word_count > 0)
        say(column, "'%s' among the numbers means missing",
            feature_text_show(column->words[0], shown, sizeof shown));
    return true;
}

/* Tags must repeat from cell to cell, or the signs are mere punctuation. */
static bool decide_tags(struct infer_column *column, const struct census *census)
{
    if (census->lists * 20 < census->cells)
        return false;
    struct text_count tags;
    size_t cells = 0;
    text_count_init(&tags, INFER_DISTINCT_MAX);
    for (size_t i = 0; i < column->texts.count; i++) {
        struct proto_span rest = column->texts.entries[i].text;
        while (rest.bytes > 0) {
            size_t bytes = 0;
            while (bytes < rest.bytes && rest.data[bytes] != ';' && rest.data[bytes] != '|')
                bytes++;
            struct proto_span tag = feature_text_trim((struct proto_span){rest.data, bytes});
            if (tag.bytes > 0)
                (void)text_count_add(&tags, tag, 0, NULL);
            cells += tag.bytes > 0 ? column->texts.entries[i].count : 0;
            rest.data += bytes < rest.bytes ? bytes + 1 : bytes;
            rest.bytes -= bytes < rest.bytes ? bytes + 1 : bytes;
        }
    }
    size_t distinct = tags.count;
    text_count_fini(&tags);
    if (distinct * 2 >= cells || distinct >= census->distinct * 2)
        return false;
    column->type = FEATURE_TAGS;
    say(column, "%zu different tags between ';' or '|'", distinct);
    return true;
}

static void decide_text(struct infer_column *column, const struct census *census)
{
    column->type = FEATURE_CATEGORY;
    bool repeats = census->supported * 5 >= census->cells;
    bool is_long = census->long_texts * 2 >= census->cells;
    char shown[FEATURE_SHOWN_BYTES];
    if (!repeats && census->distinct >= FREE_TEXT_DISTINCT_MIN)
        (void)leave_out(column, column->is_unique && !is_long && infer_name_is_id(column->name)
                                    ? "identifier: every value differs"
                                    : "free text: hardly any value occurs again");
    else if (census->leading_zero > 0)
        say(column, "digits with leading zeros are codes");
    else if (census->numbers * 2 >= census->cells && census->not_number != NULL)
        say(column, "%zu of %zu cells are no numbers, first line %zu: '%s'", census->not_numbers,
            census->cells, census->not_number->line,
            feature_text_show(census->not_number->text, shown, sizeof shown));
    else if (census->supported < census->cells)
        say(column, "%zu of %zu cells hold a value that is rare", census->cells - census->supported,
            census->cells);
}

void infer_column_decide(struct infer_column *column, const struct feature_schema *probe,
                         size_t rows, bool keep_all)
{
    struct census census = census_take(column, probe, rows);
    column->missing = rows - census.cells;
    column->distinct = census.distinct;
    column->family = column->is_label ? FEATURE_LIFECYCLE : infer_family(column->name);
    if (column->told)
        return;
    column->role = INFER_FIELD;
    column->why[0] = '\0';
    bool out = decide_left_out(column, &census, rows);
    if (out && !column->is_label && !keep_all)
        return;
    column->role = INFER_FIELD;
    column->why[0] = '\0';
    if (census.cells == 0 ||
        (!decide_flag(column, &census) && !decide_number(column, probe, &census) &&
         !decide_tags(column, &census)))
        decide_text(column, &census);
    if (column->is_label || keep_all)
        column->role = INFER_FIELD;
    if (column->is_label && column->why[0] == '\0')
        say(column, "label, as told");
}
