/* SPDX-License-Identifier: Apache-2.0 */
/* Each number is written with as many figures as a person can use, three at most. */
#include "tools/cli/out/out_number.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GROUPED_DIGITS_LEAST 5

double out_signed(double number, int decimals)
{
    char digits[512]; /* 309 before the point at most */
    (void)snprintf(digits, sizeof digits, "%.*f", decimals, number);
    return strpbrk(digits, "123456789") == NULL && strpbrk(digits, "ni") == NULL ? 0 : number;
}

char *out_grouped(const char *text)
{
    size_t sign = text[0] == '-' || text[0] == '+';
    size_t digits = 0;
    while (isdigit((unsigned char)text[sign + digits])) {
        digits++;
    }
    size_t bytes = strlen(text);
    char *grouped = malloc(bytes + digits / 3 + 1);
    if (grouped == NULL) {
        return NULL;
    }
    char after = text[sign + digits];
    if (digits < GROUPED_DIGITS_LEAST || (after != '\0' && after != '.' && after != ' ')) {
        memcpy(grouped, text, bytes + 1);
        return grouped;
    }
    size_t used = 0;
    for (size_t i = 0; i < sign + digits; i++) {
        size_t left = sign + digits - i;
        if (i > sign && left % 3 == 0) {
            grouped[used++] = ',';
        }
        grouped[used++] = text[i];
    }
    memcpy(grouped + used, text + sign + digits, bytes - sign - digits + 1);
    return grouped;
}

const char *out_count(uint64_t count, char text[OUT_NUMBER_BYTES])
{
    char digits[24];
    int bytes = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    size_t used = 0;
    for (int i = 0; i < bytes; i++) {
        if (i > 0 && (bytes - i) % 3 == 0) {
            text[used++] = ',';
        }
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
}

/* Three figures: "1.25", "12.5", "125"; a whole number has no point. */
static void figures(double value, const char *unit, char text[OUT_NUMBER_BYTES])
{
    int places = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    char number[OUT_NUMBER_BYTES];
    snprintf(number, sizeof number, "%.*f", places, value);
    if (places > 0) {
        size_t end = strlen(number);
        while (number[end - 1] == '0') {
            end--;
        }
        number[number[end - 1] == '.' ? end - 1 : end] = '\0';
    }
    snprintf(text, OUT_NUMBER_BYTES, "%.20s %.8s", number, unit);
}

const char *out_size(double bytes, char text[OUT_NUMBER_BYTES])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    for (; bytes >= 1023.5 && unit + 1 < sizeof units / sizeof *units; unit++) {
        bytes /= 1024;
    }
    figures(bytes, units[unit], text);
    return text;
}

const char *out_duration(double us, char text[OUT_NUMBER_BYTES])
{
    double seconds = us / 1e6;
    if (us < 999.5) {
        figures(us, "µs", text);
    } else if (us < 999500) {
        figures(us / 1e3, "ms", text);
    } else if (seconds < 120) {
        figures(seconds, "s", text);
    } else if (seconds < 7200) {
        figures(seconds / 60, "min", text);
    } else if (seconds < 2 * 86400.0) {
        snprintf(text, OUT_NUMBER_BYTES, "%d h %d min", (int)(seconds / 3600),
                 (int)(seconds / 60) % 60);
    } else {
        figures(seconds / 86400, "days", text);
    }
    return text;
}

static const char *time_print(int64_t time_ms, bool with_seconds, char text[OUT_TIME_BYTES])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    text[0] = '\0';
    if (time_ms != 0 && gmtime_r(&seconds, &parts) != NULL) {
        strftime(text, OUT_TIME_BYTES, with_seconds ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M",
                 &parts);
    }
    return text;
}

const char *out_time(int64_t time_ms, char text[OUT_TIME_BYTES])
{
    return time_print(time_ms, false, text);
}

const char *out_moment(int64_t time_ms, char text[OUT_TIME_BYTES])
{
    return time_print(time_ms, true, text);
}
