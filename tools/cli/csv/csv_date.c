/* SPDX-License-Identifier: Apache-2.0 */
/* The forms are tried one after the other, the plain ones first; in one of them the order of day
 * and month matters. */
#include "tools/cli/csv/csv_date.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/feature/span_text.h"

#define CELL_BYTES_MAX 48
#define SPREADSHEET_DAY_0 INT64_C(-25569) /* 1899-12-30 */

/* What a cell could be. */
struct reading {
    bool day_first;
    bool month_first;
    int64_t as_day_first; /* ms */
    int64_t as_month_first;
};

static bool is_year(int year)
{
    return year >= 1000 && year <= 9999;
}

/* Two digits as POSIX reads them. */
static int century(int year)
{
    return year + (year < 69 ? 2000 : 1900);
}

static size_t digits_at(const char *text)
{
    size_t digits = 0;
    while (isdigit((unsigned char)text[digits])) {
        digits++;
    }
    return digits;
}

/* What stands behind the day: nothing, or T, blanks or a comma and a time of day. */
static bool rest_read(const char *rest, int64_t *ms)
{
    *ms = 0;
    if (*rest == '\0') {
        return true;
    }
    if (*rest != ' ' && *rest != 'T' && *rest != ',') {
        return false;
    }
    while (*rest == ' ' || *rest == 'T' || *rest == ',') {
        rest++;
    }
    return *rest != '\0' && feature_time_read(proto_span_text(rest), ms);
}

/* "8.1.23", "01/08/2023 10:00", "2023.01.08". */
static bool runs_read(const char *text, struct reading *reading)
{
    int part[3];
    size_t digits[3];
    char sign = '\0';
    int64_t of_day = 0;
    for (int i = 0; i < 3; i++) {
        digits[i] = digits_at(text);
        if (digits[i] == 0 || digits[i] > 4 || digits[i] == 3) {
            return false;
        }
        part[i] = atoi(text);
        text += digits[i];
        if (i < 2 && (*text == '\0' || strchr("/.-", *text) == NULL || (i == 1 && *text != sign))) {
            return false;
        }
        sign = i == 0 ? *text : sign;
        text += i < 2;
    }
    if (!rest_read(text, &of_day)) {
        return false;
    }
    *reading = (struct reading){0};
    if (digits[0] == 4) {
        reading->day_first = reading->month_first =
            digits[1] <= 2 && digits[2] <= 2 &&
            feature_date_of(part[0], part[1], part[2], &reading->as_day_first);
        reading->as_day_first += of_day;
        reading->as_month_first = reading->as_day_first;
        return reading->day_first;
    }
    if (digits[0] > 2 || digits[1] > 2 || (digits[2] == 4 && !is_year(part[2])) || digits[2] == 1) {
        return false;
    }
    int year = digits[2] == 2 ? century(part[2]) : part[2];
    reading->day_first = feature_date_of(year, part[1], part[0], &reading->as_day_first);
    reading->month_first =
        sign != '.' && feature_date_of(year, part[0], part[1], &reading->as_month_first);
    reading->as_day_first += of_day;
    reading->as_month_first += of_day;
    return reading->day_first || reading->month_first;
}

/* "08-Jan-23", "Jan 8, 23": the year is written out, and the plain reading tried again. */
static bool short_year_read(const char *text, int64_t *ms)
{
    char longer[CELL_BYTES_MAX + 4];
    bool whole_day;
    size_t end = strlen(text);
    size_t clock = strcspn(text, ":");
    if (text[clock] == ':') { /* the year is the last number before the time of day */
        end = clock;
        while (end > 0 && isdigit((unsigned char)text[end - 1])) {
            end--;
        }
        while (end > 0 && strchr(" ,T", text[end - 1]) != NULL) {
            end--;
        }
    }
    bool fits = end > 3 && isdigit((unsigned char)text[end - 1]) &&
                isdigit((unsigned char)text[end - 2]) && !isdigit((unsigned char)text[end - 3]);
    if (!fits) {
        return false;
    }
    snprintf(longer, sizeof longer, "%.*s%04d%s", (int)(end - 2), text,
             century(atoi(text + end - 2)), text + end);
    return feature_date_read(proto_span_text(longer), ms, &whole_day);
}

/* Months, quarters, days of the year. */
static bool period_read(const char *text, int64_t *ms)
{
    int year = 0;
    int part = 0;
    int used = 0;
    size_t bytes = strlen(text);
    if (digits_at(text) == 4 && text[4] == '-' && digits_at(text + 5) + 5 == bytes &&
        (bytes == 7 || bytes == 8)) {
        year = atoi(text);
        part = atoi(text + 5);
        if (bytes == 7) {
            return is_year(year) && feature_date_of(year, part, 1, ms);
        }
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        bool found = part >= 1 && part <= 365 + leap && feature_date_of(year, 1, 1, ms);
        *ms += (part - 1) * FEATURE_DAY_MS;
        return found;
    }
    bool quarter =
        (sscanf(text, "Q%1d %4d%n", &part, &year, &used) == 2 && (size_t)used == bytes) ||
        (sscanf(text, "Q%1d-%4d%n", &part, &year, &used) == 2 && (size_t)used == bytes) ||
        (sscanf(text, "%4d%*1[- ]Q%1d%n", &year, &part, &used) == 2 && (size_t)used == bytes);
    return quarter && is_year(year) && part >= 1 && part <= 4 &&
           feature_date_of(year, part * 3 - 2, 1, ms);
}

/* 20230108, 1673137620000. */
static bool stamp_read(const char *text, int64_t *ms)
{
    size_t bytes = strlen(text);
    long long number = digits_at(text) == bytes ? atoll(text) : 0;
    if (bytes == 8) {
        int year = (int)(number / 10000);
        return year >= 1900 && year < 2100 &&
               feature_date_of(year, (int)(number / 100 % 100), (int)(number % 100), ms);
    }
    *ms = number;
    return bytes == 13 && number >= 1000000000000 && number < 3000000000000; /* 2001 to 2065 */
}

/* 45000, 45000.5: what is left of a date when a spreadsheet forgets that it is one. */
static bool spreadsheet_read(const char *text, int64_t *ms)
{
    double number;
    size_t digits = digits_at(text);
    if (digits != 5 || !feature_number_read(proto_span_text(text), &number) || number < 20000 ||
        number >= 70000) { /* 1954 to 2091 */
        return false;
    }
    *ms = SPREADSHEET_DAY_0 * FEATURE_DAY_MS + (int64_t)(number * (double)FEATURE_DAY_MS + 0.5);
    return true;
}

static bool cell_read(struct proto_span cell, bool count_days, struct reading *reading)
{
    char text[CELL_BYTES_MAX];
    int64_t ms = 0;
    bool whole_day;
    cell = feature_text_trim(cell);
    if (cell.bytes < 5 || cell.bytes >= sizeof text || memchr(cell.data, 0, cell.bytes) != NULL) {
        return false;
    }
    memcpy(text, cell.data, cell.bytes);
    text[cell.bytes] = '\0';
    if (feature_date_read(cell, &ms, &whole_day) || stamp_read(text, &ms) ||
        period_read(text, &ms) || short_year_read(text, &ms) ||
        (count_days && spreadsheet_read(text, &ms))) {
        *reading = (struct reading){true, true, ms, ms};
        return ms >= FEATURE_DATE_MS_MIN && ms <= FEATURE_DATE_MS_MAX;
    }
    return runs_read(text, reading);
}

bool csv_date_vote(struct csv_date_votes *votes, struct proto_span cell, size_t times, size_t line)
{
    struct reading reading;
    if (!cell_read(cell, false, &reading)) {
        return false;
    }
    votes->dates += times;
    if (reading.day_first != reading.month_first) {
        *(reading.day_first ? &votes->day_first : &votes->month_first) += times;
    } else if (reading.as_day_first != reading.as_month_first) {
        votes->either += times;
        votes->line = votes->line == 0 ? line : votes->line;
    }
    return true;
}

void csv_date_join(struct csv_date_votes *file, const struct csv_date_votes *column)
{
    file->dates += column->dates;
    file->day_first += column->day_first;
    file->month_first += column->month_first;
    file->either += column->either;
}

/* A few slips do not change what a column is. */
static enum csv_day_order order_of(const struct csv_date_votes *votes)
{
    if (votes->day_first > 20 * votes->month_first) {
        return CSV_DAY_FIRST;
    }
    return votes->month_first > 20 * votes->day_first ? CSV_MONTH_FIRST : CSV_DAY_OPEN;
}

bool csv_date_is_open(const struct csv_date_votes *column)
{
    return column->either > 0 && order_of(column) == CSV_DAY_OPEN;
}

enum csv_day_order csv_date_decide(const struct csv_date_votes *column,
                                   const struct csv_date_votes *file)
{
    enum csv_day_order own = order_of(column);
    bool mixed = column->day_first > 0 && column->month_first > 0;
    return own != CSV_DAY_OPEN || mixed ? own : order_of(file);
}

enum csv_date_outcome csv_date_read(enum csv_day_order order, struct proto_span cell, int64_t *ms)
{
    struct reading reading;
    if (!cell_read(cell, true, &reading)) {
        return CSV_DATE_NONE;
    }
    bool same = reading.as_day_first == reading.as_month_first;
    if (reading.day_first && reading.month_first && !same && order == CSV_DAY_OPEN) {
        return CSV_DATE_EITHER;
    }
    /* What has one reading only has that one, whatever the column. */
    bool day_first = reading.day_first && (!reading.month_first || order != CSV_MONTH_FIRST);
    *ms = day_first ? reading.as_day_first : reading.as_month_first;
    return CSV_DATE_READ;
}
