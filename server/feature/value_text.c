/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of text to values: what people and spreadsheets write, and nothing that could be read in
 * two ways. */
#include <math.h>

#include "proto/reader.h"
#include "server/feature/bytes.h"
#include "server/feature/date_text.h"
#include "server/feature/schema.h"
#include "server/feature/span_text.h"

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static struct proto_span from(struct proto_span text, size_t bytes)
{
    return feature_text_trim((struct proto_span){text.data + bytes, text.bytes - bytes});
}

static bool begins(struct proto_span text, const char *with)
{
    size_t bytes = strlen(with);
    return text.bytes >= bytes && memcmp(text.data, with, bytes) == 0;
}

static bool ends(struct proto_span text, const char *with)
{
    size_t bytes = strlen(with);
    return text.bytes >= bytes && memcmp(text.data + text.bytes - bytes, with, bytes) == 0;
}

/* Signs and codes of currencies, before or behind an amount. */
static const char *const currencies[] = {
    "$",   "\xE2\x82\xAC", "\xC2\xA3", "\xC2\xA5", "\xE2\x82\xB9", /* dollar euro pound yen rupee */
    "USD", "EUR",          "GBP",      "CHF",      "JPY",          "CNY", "INR", "SEK",
    "NOK", "DKK",          "PLN",      "CAD",      "AUD",          "BRL", "kr"};

/* Drops one currency and the blanks beside it; *dropped tells. */
static struct proto_span currency_drop(struct proto_span text, bool *dropped)
{
    *dropped = true;
    for (size_t i = 0; i < sizeof currencies / sizeof currencies[0]; i++) {
        size_t bytes = strlen(currencies[i]);
        if (begins(text, currencies[i])) {
            return from(text, bytes);
        }
        if (ends(text, currencies[i])) {
            return feature_text_trim((struct proto_span){text.data, text.bytes - bytes});
        }
    }
    *dropped = false;
    return text;
}

/* Drops a word for a thousand or a million behind the number. A small m is one only behind money:
 * elsewhere it is a metre or a minute. */
static struct proto_span unit_drop(struct proto_span text, bool is_money, double *times)
{
    static const struct {
        const char *word;
        double times;
        bool money;
    } units[] = {{"Mio.", 1e6, false}, {"Mio", 1e6, false}, {"mio", 1e6, false},
                 {"Mrd.", 1e9, false}, {"Mrd", 1e9, false}, {"mrd", 1e9, false},
                 {"mn", 1e6, false},   {"bn", 1e9, false},  {"k", 1e3, false},
                 {"K", 1e3, false},    {"M", 1e6, false},   {"B", 1e9, false},
                 {"m", 1e6, true},     {"b", 1e9, true}};
    *times = 1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t bytes = strlen(units[i].word);
        if ((units[i].money && !is_money) || text.bytes <= bytes || !ends(text, units[i].word)) {
            continue;
        }
        struct proto_span rest =
            feature_text_trim((struct proto_span){text.data, text.bytes - bytes});
        if (rest.bytes == 0 ||
            (!is_digit(rest.data[rest.bytes - 1]) && rest.data[rest.bytes - 1] != '.')) {
            continue;
        }
        *times = units[i].times;
        return rest;
    }
    return text;
}

/* Bytes of a separator of thousands at a place: a comma, an apostrophe straight or round, a blank,
 * one that does not break, a narrow or a thin one; else 0. */
static size_t separator_at(struct proto_span text, size_t at)
{
    static const char *const signs[] = {
        ",", "'", " ", "\xC2\xA0", "\xE2\x80\x99", "\xE2\x80\xAF", "\xE2\x80\x89"};
    struct proto_span rest = {text.data + at, text.bytes - at};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (begins(rest, signs[i])) {
            return strlen(signs[i]);
        }
    }
    return 0;
}

/* Copies the text without its separators of thousands. They must stand where they mean thousands:
 * after one to three digits, then groups of three (or two between commas, as in India), the last
 * one of three, and all be the same sign. "1,23" is a decimal comma or a slip, and refused. */
static bool groups_join(struct proto_span text, uint8_t *out, size_t *bytes)
{
    size_t groups = 0;
    size_t run = 0; /* digits since the start or the last separator */
    size_t at = 0;
    size_t sign_at = 0; /* the first separator */
    *bytes = 0;
    while (at < text.bytes) {
        size_t sign = separator_at(text, at);
        if (sign == 0 && !is_digit(text.data[at])) {
            break;
        }
        if (sign == 0) {
            out[(*bytes)++] = text.data[at++];
            run++;
            continue;
        }
        bool comma = text.data[at] == ',';
        bool right = groups == 0 ? run >= 1 && run <= 3 : run == 3 || (comma && run == 2);
        if (groups == 0) {
            sign_at = at;
        } else {
            right &= memcmp(text.data + at, text.data + sign_at, sign) == 0;
        }
        if (!right) {
            return false;
        }
        groups++;
        run = 0;
        at += sign;
    }
    if (groups > 0 && run != 3) {
        return false;
    }
    for (; at < text.bytes; at++) {
        if (text.data[at] == ',' || text.data[at] == '\'' || text.data[at] == ' ') {
            return false;
        }
        out[(*bytes)++] = text.data[at];
    }
    return true;
}

/* Longer cells are no numbers; what feature_number_read takes at most. */
#define CELL_BYTES_MAX 400
#define MINUS "\xE2\x88\x92" /* the sign of typesetters, U+2212 */

/* Takes a sign, straight or typeset, from the front. */
static bool sign_take(struct proto_span *text, bool *negative)
{
    bool typeset = begins(*text, MINUS);
    if (!typeset && !begins(*text, "-") && !begins(*text, "+")) {
        return false;
    }
    *negative = typeset || text->data[0] == '-';
    size_t bytes = typeset ? strlen(MINUS) : 1;
    text->data += bytes;
    text->bytes -= bytes;
    return true;
}

static bool number_from_text(struct proto_span text, double *number)
{
    uint8_t digits[CELL_BYTES_MAX];
    struct proto_span rest = text;
    bool negative = false;
    bool is_money = false;
    double times = 1;
    if (text.bytes > CELL_BYTES_MAX) {
        return false;
    }
    /* "(1,234)" is how accounts write a negative amount; "~5" is five as well as anybody knew. */
    bool brackets = rest.bytes > 2 && rest.data[0] == '(' && rest.data[rest.bytes - 1] == ')';
    if (brackets) {
        rest = feature_text_trim((struct proto_span){rest.data + 1, rest.bytes - 2});
    } else if (begins(rest, "~") || begins(rest, "\xE2\x89\x88")) {
        rest = from(rest, rest.data[0] == '~' ? 1 : 3);
    }
    struct proto_span bare = currency_drop(rest, &is_money);
    const uint8_t *start = bare.data;
    if (sign_take(&bare, &negative)) {
        if (brackets) {
            return false;
        }
        if (start == rest.data && !is_money) { /* "-$5"; but not "$-$5" */
            bare = currency_drop(bare, &is_money);
        }
    }
    negative |= brackets;
    if (bare.bytes > 1 && bare.data[bare.bytes - 1] == '%') {
        bare.bytes--;
        bare = feature_text_trim(bare);
    } else {
        bare = unit_drop(bare, is_money, &times);
    }
    size_t bytes = 0;
    if (bare.bytes == 0 || (!is_digit(bare.data[0]) && bare.data[0] != '.') ||
        !groups_join(bare, digits, &bytes) ||
        !feature_number_read((struct proto_span){digits, bytes}, number)) {
        return false;
    }
    *number *= negative ? -times : times;
    return isfinite(*number);
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
        value->present = number_from_text(text, &value->number);
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
