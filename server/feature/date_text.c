/* SPDX-License-Identifier: Apache-2.0 */
/* A text is walked once: the day in one of three shapes, then a time of day, then a zone. Anything
 * else before, between or behind makes it no date. */
#include "server/feature/date_text.h"

#include <stdio.h>

#include "server/feature/span_text.h"

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Takes a run of `least` to `most` digits from the front. */
static bool digits_take(struct proto_span *text, size_t least, size_t most, int *number)
{
    size_t at = 0;
    *number = 0;
    while (at < text->bytes && at < most && is_digit(text->data[at])) {
        *number = *number * 10 + (text->data[at++] - '0');
    }
    text->data += at;
    text->bytes -= at;
    return at >= least && (text->bytes == 0 || !is_digit(text->data[0]));
}

static bool byte_take(struct proto_span *text, const char *any)
{
    if (text->bytes == 0 || text->data[0] == 0 || strchr(any, text->data[0]) == NULL) {
        return false;
    }
    text->data++;
    text->bytes--;
    return true;
}

static void blanks_skip(struct proto_span *text)
{
    while (byte_take(text, " ")) {
    }
}

bool feature_date_of(int year, int month, int day, int64_t *ms)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        day > days[month - 1] + (month == 2 && leap)) {
        return false;
    }
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t count = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
    *ms = count * FEATURE_DAY_MS;
    return true;
}

int feature_month_of(struct proto_span word)
{
    static const struct {
        const char *name;
        int month;
    } names[] = {{"january", 1},    {"february", 2}, {"march", 3},       {"april", 4},
                 {"may", 5},        {"june", 6},     {"july", 7},        {"august", 8},
                 {"september", 9},  {"october", 10}, {"november", 11},   {"december", 12},
                 {"januar", 1},     {"februar", 2},  {"m\xc3\xa4rz", 3}, {"mai", 5},
                 {"juni", 6},       {"juli", 7},     {"oktober", 10},    {"dezember", 12},
                 {"m\xc3\xa4r", 3}, {"sept", 9}};
    while (word.bytes > 0 && word.data[word.bytes - 1] == '.') {
        word.bytes--;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct proto_span name = proto_span_text(names[i].name);
        struct proto_span three = {name.data, name.bytes < 3 ? name.bytes : 3};
        bool short_form = (name.data[1] & 0x80) == 0 && feature_text_same(word, three);
        if (feature_text_same(word, name) || short_form) {
            return names[i].month;
        }
    }
    return 0;
}

static bool word_take(struct proto_span *text, struct proto_span *word)
{
    size_t at = 0;
    while (at < text->bytes && ((feature_text_lower(text->data[at]) >= 'a' &&
                                 feature_text_lower(text->data[at]) <= 'z') ||
                                text->data[at] >= 0x80)) {
        at++;
    }
    *word = (struct proto_span){text->data, at};
    text->data += at;
    text->bytes -= at;
    return at > 0;
}

/* "Z", "+02:00", "-0530", "GMT", perhaps after a blank; minutes to take away. */
static bool zone_take(struct proto_span *text, int *minutes)
{
    int hour = 0;
    int minute = 0;
    *minutes = 0;
    blanks_skip(text);
    struct proto_span word;
    if (text->bytes == 0) {
        return true;
    }
    if (word_take(text, &word)) {
        return feature_text_same(word, proto_span_text("z")) ||
               feature_text_same(word, proto_span_text("utc")) ||
               feature_text_same(word, proto_span_text("gmt"));
    }
    bool west = text->data[0] == '-';
    if (!byte_take(text, "+-") || text->bytes < 2 || !is_digit(text->data[0]) ||
        !is_digit(text->data[1])) {
        return false;
    }
    hour = (text->data[0] - '0') * 10 + (text->data[1] - '0');
    text->data += 2;
    text->bytes -= 2;
    (void)byte_take(text, ":");
    if (text->bytes > 0 && !digits_take(text, 2, 2, &minute)) {
        return false;
    }
    *minutes = (west ? -1 : 1) * (hour * 60 + minute);
    return hour <= 23 && minute <= 59;
}

/* ".5" to 500; digits beyond the third are dropped. */
static bool fraction_take(struct proto_span *text, int *ms)
{
    int place = 100;
    *ms = 0;
    if (!byte_take(text, ".,")) {
        return true;
    }
    if (text->bytes == 0 || !is_digit(text->data[0])) {
        return false;
    }
    for (; text->bytes > 0 && is_digit(text->data[0]); text->data++, text->bytes--) {
        *ms += (text->data[0] - '0') * place;
        place /= 10;
    }
    return true;
}

/* "AM" and "PM" of a clock of twelve hours. */
static bool half_take(struct proto_span *text, int *hour)
{
    struct proto_span rest = *text;
    struct proto_span word;
    blanks_skip(&rest);
    if (!word_take(&rest, &word)) {
        return true;
    }
    bool morning = feature_text_same(word, proto_span_text("am"));
    if (!morning && !feature_text_same(word, proto_span_text("pm"))) {
        return true; /* a zone, perhaps */
    }
    if (*hour < 1 || *hour > 12) {
        return false;
    }
    *hour = *hour % 12 + (morning ? 0 : 12);
    *text = rest;
    return true;
}

bool feature_time_read(struct proto_span text, int64_t *ms)
{
    int hour;
    int minute;
    int second = 0;
    int fraction = 0;
    int zone = 0;
    *ms = 0;
    if (text.bytes == 0) {
        return true;
    }
    if (!digits_take(&text, 1, 2, &hour) || !byte_take(&text, ":") ||
        !digits_take(&text, 2, 2, &minute)) {
        return false;
    }
    if (byte_take(&text, ":") &&
        (!digits_take(&text, 2, 2, &second) || !fraction_take(&text, &fraction))) {
        return false;
    }
    if (!half_take(&text, &hour) || !zone_take(&text, &zone) || text.bytes > 0 || hour > 23 ||
        minute > 59 || second > 60) {
        return false;
    }
    *ms = (((int64_t)hour * 60 + minute - zone) * 60 + second) * 1000 + fraction;
    return true;
}

/* "Sun, " before a date by name. */
static void weekday_skip(struct proto_span *text)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    struct proto_span rest = *text;
    struct proto_span word;
    if (!word_take(&rest, &word)) {
        return;
    }
    struct proto_span three = {word.data, word.bytes < 3 ? word.bytes : 3};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        if (feature_text_same(three, proto_span_text(days[i]))) {
            (void)byte_take(&rest, ",");
            blanks_skip(&rest);
            *text = rest;
        }
    }
}

static void between_skip(struct proto_span *text)
{
    while (byte_take(text, " ,.-/")) {
    }
}

/* "8 Jan 2023", "08-Jan-2023", "8. Januar 2023", "Jan 8, 2023". */
static bool named_day(struct proto_span *text, int64_t *ms)
{
    struct proto_span word = {0};
    int day = 0;
    int year = 0;
    weekday_skip(text);
    bool month_first = text->bytes > 0 && !is_digit(text->data[0]);
    if ((month_first && !word_take(text, &word)) || (month_first && feature_month_of(word) == 0)) {
        return false;
    }
    between_skip(text);
    if (!digits_take(text, 1, 2, &day)) {
        return false;
    }
    between_skip(text);
    if (!month_first && (!word_take(text, &word) || feature_month_of(word) == 0)) {
        return false;
    }
    between_skip(text);
    return digits_take(text, 4, 4, &year) && feature_date_of(year, feature_month_of(word), day, ms);
}

/* "2023-01-08", "2023/01/08". */
static bool numbered_day(struct proto_span *text, int64_t *ms)
{
    int year;
    int month;
    int day;
    if (!digits_take(text, 4, 4, &year) || text->bytes == 0) {
        return false;
    }
    char sign[] = {(char)text->data[0], '\0'};
    return byte_take(text, "-/") && digits_take(text, 1, 2, &month) && byte_take(text, sign) &&
           digits_take(text, 1, 2, &day) && feature_date_of(year, month, day, ms);
}

bool feature_date_read(struct proto_span text, int64_t *ms, bool *whole_day)
{
    int64_t of_day = 0;
    struct proto_span rest = text;
    if (!numbered_day(&rest, ms)) {
        rest = text;
        if (!named_day(&rest, ms)) {
            return false;
        }
    }
    *whole_day = rest.bytes == 0;
    if (*whole_day) {
        return true;
    }
    if (!byte_take(&rest, "Tt")) {
        (void)byte_take(&rest, ",");
        if (!byte_take(&rest, " ")) {
            return false;
        }
        blanks_skip(&rest);
    }
    if (rest.bytes == 0 || !feature_time_read(rest, &of_day)) {
        return false;
    }
    *ms += of_day;
    return *ms >= FEATURE_DATE_MS_MIN && *ms <= FEATURE_DATE_MS_MAX;
}

size_t feature_date_print(int64_t ms, char out[FEATURE_DATE_TEXT_BYTES])
{
    int64_t days = ms / FEATURE_DAY_MS - (ms % FEATURE_DAY_MS < 0);
    int64_t rest = ms - days * FEATURE_DAY_MS;
    int64_t z = days + 719468; /* from 0000-03-01; not negative from year 1 on */
    int64_t era = z / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t part = (5 * of_year + 2) / 153;
    int day = (int)(of_year - (153 * part + 2) / 5 + 1);
    int month = (int)(part < 10 ? part + 3 : part - 9);
    int year = (int)(year_of_era + era * 400 + (month <= 2));
    int used = snprintf(out, FEATURE_DATE_TEXT_BYTES, "%04d-%02d-%02d", year, month, day);
    if (rest != 0) {
        int second = (int)(rest / 1000);
        used += snprintf(out + used, FEATURE_DATE_TEXT_BYTES - (size_t)used, "T%02d:%02d:%02d",
                         second / 3600, second / 60 % 60, second % 60);
        if (rest % 1000 != 0) {
            used += snprintf(out + used, FEATURE_DATE_TEXT_BYTES - (size_t)used, ".%03d",
                             (int)(rest % 1000));
        }
        used += snprintf(out + used, FEATURE_DATE_TEXT_BYTES - (size_t)used, "Z");
    }
    return (size_t)used;
}
