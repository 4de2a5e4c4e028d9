/* SPDX-License-Identifier: Apache-2.0 */
/* Each form is a short walk over the text; what has more or less than it is something else. */
#include "tools/cli/csv/infer_form.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define DATE_BYTES_MAX 40

static bool all_digits(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (!isdigit((unsigned char)text[i])) {
            return false;
        }
    }
    return bytes > 0;
}

/* 1 to 12 for the first three letters of a month in English or German; 0 for none. */
static int month_at(const char *text)
{
    static const struct {
        const char *name;
        int month;
    } names[] = {{"jan", 1},  {"feb", 2},  {"mar", 3},  {"m\xc3\xa4r", 3}, {"apr", 4}, {"may", 5},
                 {"mai", 5},  {"jun", 6},  {"jul", 7},  {"aug", 8},        {"sep", 9}, {"oct", 10},
                 {"okt", 10}, {"nov", 11}, {"dec", 12}, {"dez", 12}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strncasecmp(text, names[i].name, strlen(names[i].name)) == 0) {
            return names[i].month;
        }
    }
    return 0;
}

/* Three runs of digits with the same sign between, perhaps a time behind. */
static bool is_three_runs(const char *text)
{
    unsigned first;
    unsigned second;
    unsigned third;
    char sign;
    char again;
    return sscanf(text, "%4u%c%2u%c%4u", &first, &sign, &second, &again, &third) == 5 &&
           sign == again && strchr("-/.", sign) != NULL;
}

static bool is_year(unsigned year)
{
    return year >= 1900 && year < 2100;
}

/* A month by name, with a day and a year, or a year, beside it. */
static bool has_month(const char *text)
{
    size_t numbers = 0;
    size_t months = 0;
    for (size_t i = 0; text[i] != '\0';) {
        unsigned char byte = (unsigned char)text[i];
        size_t run = 1;
        if (isdigit(byte)) {
            while (isdigit((unsigned char)text[i + run])) {
                run++;
            }
            numbers++;
        } else if (isalpha(byte) || byte >= 0x80) {
            while (isalpha((unsigned char)text[i + run]) || (unsigned char)text[i + run] >= 0x80) {
                run++;
            }
            bool named = month_at(text + i) > 0;
            bool other = run <= 3; /* Sun, th, AM, GMT */
            if (!named && !other && strncasecmp(text + i, "day", 3) != 0) {
                return false;
            }
            months += named;
        } else if (strchr(" ,.-/:+", byte) == NULL) {
            return false;
        }
        i += run;
    }
    return months == 1 && numbers >= 2;
}

static bool is_period(const char *text, size_t bytes)
{
    unsigned year = 0;
    unsigned part = 0;
    char sign = 0;
    int used = 0;
    if (sscanf(text, "%4u%c%3u%n", &year, &sign, &part, &used) == 3 && sign == '-' &&
        (size_t)used == bytes && is_year(year) && (bytes == 7 || bytes == 8)) {
        return bytes == 7 ? part >= 1 && part <= 12 : part >= 1 && part <= 366;
    }
    used = 0;
    if (sscanf(text, "Q%1u %4u%n", &part, &year, &used) == 2 && (size_t)used == bytes) {
        return part >= 1 && part <= 4 && is_year(year);
    }
    used = 0;
    if (sscanf(text, "%4u%*1[- ]Q%1u%n", &year, &part, &used) == 2 && (size_t)used == bytes) {
        return part >= 1 && part <= 4 && is_year(year);
    }
    return false;
}

static bool is_stamp(const char *text, size_t bytes)
{
    if (!all_digits(text, bytes)) {
        return false;
    }
    unsigned year;
    unsigned month;
    unsigned day;
    if (bytes == 8 && sscanf(text, "%4u%2u%2u", &year, &month, &day) == 3) {
        return is_year(year) && month >= 1 && month <= 12 && day >= 1 && day <= 31;
    }
    /* 2001 to 2065 */
    return bytes == 13 && strtoull(text, NULL, 10) >= 1000000000000 &&
           strtoull(text, NULL, 10) < 3000000000000;
}

bool infer_is_date(struct proto_span text)
{
    char copy[DATE_BYTES_MAX];
    if (text.bytes < 6 || text.bytes >= sizeof copy) {
        return false;
    }
    memcpy(copy, text.data, text.bytes);
    copy[text.bytes] = '\0';
    return is_three_runs(copy) || has_month(copy) || is_period(copy, text.bytes) ||
           is_stamp(copy, text.bytes);
}

bool infer_is_code(struct proto_span text)
{
    size_t digits = 0;
    size_t signs = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        if (isdigit(text.data[i])) {
            digits++;
        } else if (memchr("-+() /.", text.data[i], 7) != NULL) {
            signs++;
        } else {
            return false;
        }
    }
    bool phone = digits >= 7 && digits <= 15 && text.data[0] == '+';
    bool plus_four = text.bytes == 10 && digits == 9 && text.data[5] == '-';
    return phone || plus_four || (digits >= 7 && signs >= 2 && text.data[0] == '(');
}

bool infer_is_range(struct proto_span text)
{
    size_t numbers = 0;
    bool inside = false;
    for (size_t i = 0; i < text.bytes; i++) {
        bool part = isdigit(text.data[i]) || (inside && text.data[i] == ',');
        numbers += part && !inside;
        inside = part;
        bool between = text.data[i] == '-' || text.data[i] == ' ' || text.data[i] == '+' ||
                       text.data[i] >= 0x80; /* the long dash */
        if (!part && !between) {
            return false;
        }
    }
    return numbers == 2 || (numbers == 1 && text.bytes > 1 && text.data[text.bytes - 1] == '+');
}

bool infer_is_spoilt_range(struct proto_span text)
{
    char copy[12];
    if (text.bytes < 5 || text.bytes > 6) {
        return false;
    }
    memcpy(copy, text.data, text.bytes);
    copy[text.bytes] = '\0';
    bool month_first = month_at(copy) > 0 && copy[3] == '-' && all_digits(copy + 4, text.bytes - 4);
    const char *dash = strchr(copy, '-');
    bool day_first = dash != NULL && all_digits(copy, (size_t)(dash - copy)) &&
                     strlen(dash + 1) == 3 && month_at(dash + 1) > 0;
    return month_first || day_first;
}

bool infer_is_short_code(struct proto_span text, size_t letters_max)
{
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.data[i] < 'A' || text.data[i] > 'Z') {
            return false;
        }
    }
    return text.bytes >= 2 && text.bytes <= letters_max;
}

bool infer_name_has_word(const char *name, const char *word)
{
    size_t bytes = strlen(word);
    for (const char *at = name; (at = strcasestr(at, word)) != NULL; at++) {
        /* "paid" holds "id" but is no identifier; "leadId" and "lead_id" are. */
        bool starts = at == name || !isalpha((unsigned char)at[-1]) ||
                      (islower((unsigned char)at[-1]) && isupper((unsigned char)at[0]));
        bool ends = !isalpha((unsigned char)at[bytes]);
        if (starts && ends) {
            return true;
        }
    }
    return false;
}

static bool name_has_any(const char *name, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (infer_name_has_word(name, *words)) {
            return true;
        }
    }
    return false;
}

bool infer_name_is_code(const char *name)
{
    static const char *const words[] = {
        "zip", "zipcode",   "postcode", "postal", "plz",  "naics", "sic",  "nace", "phone",
        "tel", "telephone", "mobile",   "fax",    "iban", "vat",   "duns", NULL};
    return name_has_any(name, words);
}

bool infer_name_is_region(const char *name)
{
    static const char *const words[] = {"region",    "market",  "area", "geo", "territory",
                                        "continent", "country", "land", NULL};
    return name_has_any(name, words);
}
