/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of text to values: what people and spreadsheets write, and nothing that could be read in
 * two ways. */
#include <math.h>

#include "proto/reader.h"
#include "server/feature/bytes.h"
#include "server/feature/date_text.h"
#include "server/feature/number_text.h"
#include "server/feature/schema.h"
#include "server/feature/span_text.h"

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Three runs of digits with the same sign between them, perhaps with a time behind. */
static bool looks_like_date(struct proto_span text)
{
    size_t at = 0;
    uint8_t between = 0;
    for (unsigned run = 0; run < 3; run++) {
        size_t digits = 0;
        for (; at < text.bytes && is_digit(text.data[at]); at++) {
            digits++;
        }
        if (digits == 0 || digits > 4) {
            return false;
        }
        if (run == 2) {
            return at == text.bytes || text.data[at] == ' ' || text.data[at] == 'T';
        }
        if (at == text.bytes ||
            (text.data[at] != '-' && text.data[at] != '/' && text.data[at] != '.') ||
            (run == 1 && text.data[at] != between)) {
            return false;
        }
        between = text.data[at++];
    }
    return false;
}

static bool number_refuse(const struct feature_field *field, struct proto_span text,
                          struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    feature_text_show(text, shown, sizeof shown);
    if (looks_like_date(text)) {
        return proto_fault_set(
            fault, PROTO_BAD_FIELD, field->name,
            "'%s' looks like a date, and this field is a number; make the field a "
            "date, or give days or years as a number",
            shown);
    }
    bool comma = memchr(text.data, ',', text.bytes) != NULL;
    return proto_fault_set(fault, PROTO_BAD_FIELD, field->name, "'%s' is not a number%s; %s", shown,
                           comma ? " (a comma separates thousands, a point decimals)" : "",
                           "write it like 1234.5 or 1,234.5, or name it as a missing word");
}

static bool flag_from_text(struct proto_span text, bool *flag)
{
    static const struct {
        const char *text;
        bool flag;
    } words[] = {{"1", true},         {"0", false},     {"yes", true},         {"no", false},
                 {"true", true},      {"false", false}, {"y", true},           {"n", false},
                 {"t", true},         {"f", false},     {"on", true},          {"off", false},
                 {"1.0", true},       {"0.0", false},   {"x", true},           {"ja", true},
                 {"nein", false},     {"wahr", true},   {"falsch", false},     {"oui", true},
                 {"non", false},      {"vrai", true},   {"faux", false},       {"si", true},
                 {"s\xC3\xAD", true}, {"sim", true},    {"n\xC3\xA3o", false}, {"nee", false},
                 {"vero", true},      {"falso", false}, {"verdadero", true}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (feature_text_same(text, proto_span_text(words[i].text))) {
            *flag = words[i].flag;
            return true;
        }
    }
    return false;
}

static bool date_from_text(const struct feature_field *field, struct proto_span text,
                           struct feature_value *value, struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    int64_t ms = 0;
    bool whole_day;
    value->present = feature_date_read(text, &ms, &whole_day);
    value->number = (double)ms;
    return value->present ||
           proto_fault_set(fault, PROTO_BAD_FIELD, field->name,
                           "'%s' is not a date; write it like 2023-01-31 or 2023-01-31T10:00:00Z",
                           feature_text_show(text, shown, sizeof shown));
}

/* Splits at ';' and '|'; blanks around a tag and empty tags are dropped. */
static bool tags_from_text(const struct feature_field *field, struct proto_span text,
                           uint8_t *scratch, size_t scratch_bytes, struct feature_value *value,
                           struct proto_fault *fault)
{
    struct proto_span tags[PROTO_TAGS_MAX];
    size_t count = 0;
    for (size_t start = 0, at = 0; at <= text.bytes; at++) {
        if (at < text.bytes && text.data[at] != ';' && text.data[at] != '|') {
            continue;
        }
        struct proto_span tag =
            feature_text_trim((struct proto_span){text.data + start, at - start});
        start = at + 1;
        if (tag.bytes == 0) {
            continue;
        }
        if (count == PROTO_TAGS_MAX) {
            return proto_fault_set(fault, PROTO_TOO_LARGE, field->name,
                                   "the cell holds more than %d tags", PROTO_TAGS_MAX);
        }
        tags[count++] = tag;
    }
    if (count == 0) {
        return true;
    }
    size_t bytes = feature_tags_pack(tags, count, scratch, scratch_bytes, fault);
    if (bytes == 0) {
        return proto_fault_within(fault, "%s", field->name);
    }
    value->present = true;
    value->tags = (struct proto_span){scratch, bytes};
    return true;
}

static bool is_between(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == ',' || byte == ';';
}

/* Numbers between blanks, commas or semicolons, with or without square brackets around. */
static bool vector_from_text(const struct feature_field *field, struct proto_span text,
                             uint8_t *scratch, size_t scratch_bytes, struct feature_value *value,
                             struct proto_fault *fault)
{
    size_t count = 0;
    size_t at = 0;
    if (text.bytes >= 2 && text.data[0] == '[' && text.data[text.bytes - 1] == ']') {
        text = (struct proto_span){text.data + 1, text.bytes - 2};
    }
    while (at < text.bytes) {
        size_t start = at;
        double number = 0;
        if (is_between(text.data[at])) {
            at++;
            continue;
        }
        while (at < text.bytes && !is_between(text.data[at])) {
            at++;
        }
        struct proto_span part = {text.data + start, at - start};
        if (!feature_number_read(part, &number) || !isfinite((float)number)) {
            char shown[FEATURE_SHOWN_BYTES];
            return proto_fault_set(fault, PROTO_BAD_FIELD, field->name,
                                   "'%s' at place %zu of the vector is not a number in range",
                                   feature_text_show(part, shown, sizeof shown), count + 1);
        }
        if (count < field->dims && 4 * count + 4 <= scratch_bytes) {
            feature_put_f32(scratch + 4 * count, (float)number);
        }
        count++;
    }
    if (count != field->dims) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, field->name,
                               "a vector of %zu numbers; this field has %u", count,
                               (unsigned)field->dims);
    }
    if (scratch_bytes < 4 * count) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, field->name,
                               "the vector does not fit %zu bytes", scratch_bytes);
    }
    value->present = true;
    value->vector = (struct proto_span){scratch, 4 * count};
    return true;
}

/* What categories and tags share: text that may be stored. */
static bool text_check(const struct feature_field *field, struct proto_span text,
                       struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    if (!proto_utf8_valid(text)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, field->name, "'%s' is not UTF-8 text",
                               feature_text_show(text, shown, sizeof shown));
    }
    if (memchr(text.data, 0, text.bytes) != NULL) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, field->name, "'%s' holds a zero byte",
                               feature_text_show(text, shown, sizeof shown));
    }
    if (field->type == FEATURE_CATEGORY && text.bytes > PROTO_CATEGORY_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, field->name,
                               "a text of %zu bytes; a category has at most %d", text.bytes,
                               PROTO_CATEGORY_BYTES_MAX);
    }
    return true;
}

bool feature_value_from_text(const struct feature_schema *schema, const struct feature_field *field,
                             struct proto_span text, uint8_t *scratch, size_t scratch_bytes,
                             struct feature_value *value, struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    *value = (struct feature_value){.type = field->type};
    text = feature_text_trim(text);
    if (feature_is_missing_word(schema, field, text)) {
        return true;
    }
    switch (field->type) {
    case FEATURE_NUMBER:
        value->present = feature_number_from_text(text, &value->number);
        return value->present || number_refuse(field, text, fault);
    case FEATURE_CATEGORY:
        if (!text_check(field, text, fault)) {
            return false;
        }
        value->present = true;
        value->text = text;
        return true;
    case FEATURE_FLAG:
        value->present = flag_from_text(text, &value->flag);
        return value->present ||
               proto_fault_set(fault, PROTO_BAD_FIELD, field->name,
                               "'%s' is not a flag; write yes or no, true or false, 1 or 0",
                               feature_text_show(text, shown, sizeof shown));
    case FEATURE_TAGS:
        return text_check(field, text, fault) &&
               tags_from_text(field, text, scratch, scratch_bytes, value, fault);
    case FEATURE_DATE:
        return date_from_text(field, text, value, fault);
    case FEATURE_VECTOR:
        return vector_from_text(field, text, scratch, scratch_bytes, value, fault);
    }
    return proto_fault_set(fault, PROTO_INTERNAL, field->name, "a field of an unknown type");
}
