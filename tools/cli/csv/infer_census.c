/* SPDX-License-Identifier: Apache-2.0 */
/* Each distinct value is tried as everything that it might be, once, and counted as often as it
 * occurs. */
#include "tools/cli/csv/infer_census.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "server/feature/span_text.h"
#include "server/identity/domain.h"
#include "tools/cli/csv/infer_form.h"

bool infer_is_missing(const struct infer_column *column, struct proto_span text)
{
    size_t count = 0;
    const char *const *words = feature_default_missing_words(&count);
    if (text.bytes == 0) {
        return true;
    }
    if (column->keeps_na && proto_span_is(text, "NA")) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (feature_text_same(text, proto_span_text(words[i]))) {
            return true;
        }
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

bool infer_reads_as_number(const struct infer_column *column, const struct feature_schema *probe,
                           struct proto_span text, struct feature_value *value)
{
    uint8_t plain[128];
    if (text.bytes <= sizeof plain) {
        text = csv_form_plain(column->decimal, text, plain);
    }
    return reads_as(probe, PROBE_NUMBER, text, value);
}

bool infer_flag_is_yes(const struct feature_schema *probe, struct proto_span text)
{
    struct feature_value value;
    return reads_as(probe, PROBE_FLAG, text, &value) && value.flag;
}

static bool is_digits(struct proto_span text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        if (!isdigit(text.data[i])) {
            return false;
        }
    }
    return text.bytes > 0;
}

bool infer_has_digit(struct proto_span text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        if (isdigit(text.data[i])) {
            return true;
        }
    }
    return false;
}

static bool is_website(struct proto_span text)
{
    struct identity_domain domain;
    bool has_scheme = memmem(text.data, text.bytes, "://", 3) != NULL;
    bool is_bare = memchr(text.data, ' ', text.bytes) == NULL &&
                   memchr(text.data, '@', text.bytes) == NULL &&
                   memchr(text.data, '.', text.bytes) != NULL;
    return (has_scheme || is_bare) &&
           (has_scheme || identity_domain_from_url(text, &domain) != IDENTITY_DOMAIN_NONE);
}

static bool is_email(struct proto_span text)
{
    struct identity_domain domain;
    return memchr(text.data, '@', text.bytes) != NULL &&
           identity_domain_from_email(text, &domain) != IDENTITY_DOMAIN_NONE;
}

static bool is_list(struct proto_span text)
{
    for (size_t i = 1; i + 1 < text.bytes; i++) {
        if (text.data[i] == ';' || text.data[i] == '|') {
            return true;
        }
    }
    return false;
}

static void census_number(struct infer_census *census, const struct infer_column *column,
                          const struct feature_schema *probe, const struct text_entry *entry)
{
    struct feature_value value;
    if (infer_reads_as_number(column, probe, entry->text, &value)) {
        census->numbers += entry->count;
        if (is_digits(entry->text)) {
            census->whole += entry->count;
            if (entry->text.bytes > 1 && entry->text.data[0] == '0') {
                census->leading_zero += entry->count;
            }
        }
        return;
    }
    census->not_numbers += entry->count;
    census->other_words += !infer_has_digit(entry->text);
    if (census->not_number == NULL) {
        census->not_number = entry;
    }
}

static void census_entry(struct infer_census *census, const struct infer_column *column,
                         const struct feature_schema *probe, const struct text_entry *entry,
                         size_t support)
{
    struct feature_value value;
    census->cells += entry->count;
    census->distinct++;
    census_number(census, column, probe, entry);
    if (reads_as(probe, PROBE_FLAG, entry->text, &value)) {
        census->flags += entry->count;
        census->flag_yes += value.flag;
        census->flag_no += !value.flag;
    }
    census->codes += infer_is_code(entry->text) ? entry->count : 0;
    census->ranges += infer_is_range(entry->text) ? entry->count : 0;
    if (census->spoilt == NULL && infer_is_spoilt_range(entry->text)) {
        census->spoilt = entry;
    }
    census->websites += is_website(entry->text) ? entry->count : 0;
    census->emails += is_email(entry->text) ? entry->count : 0;
    census->lists += is_list(entry->text) ? entry->count : 0;
    census->long_texts += entry->text.bytes > 100 ? entry->count : 0;
    census->supported += entry->count >= support ? entry->count : 0;
}

struct infer_census infer_census_take(const struct infer_column *column,
                                      const struct feature_schema *probe, size_t rows)
{
    struct infer_census census = {0};
    /* A category needs some rows to say anything; in a small file two must do. */
    size_t support = rows / 100 < 2 ? 2 : rows / 100 > 5 ? 5 : rows / 100;
    for (size_t i = 0; i < column->texts.count; i++) {
        if (!infer_is_missing(column, column->texts.entries[i].text)) {
            census_entry(&census, column, probe, &column->texts.entries[i], support);
        }
    }
    census.dates = column->date_votes.dates;
    census.seen = census.cells;
    census.cells += column->texts.overflow;
    return census;
}
