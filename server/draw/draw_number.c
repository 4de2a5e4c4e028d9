/* SPDX-License-Identifier: Apache-2.0 */
/* The unit is the largest one that the number reaches; three digits are what a reader keeps.
 * What is exact is shown whole, in groups. */
#include "server/draw/draw_number.h"

#include <math.h>
#include <stdio.h>

void draw_number(double value, char *text, size_t text_bytes)
{
    static const struct {
        double from;
        const char *unit;
    } units[] = {{1e9, " G"}, {1e6, " M"}, {1e3, " k"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (fabs(value) >= units[i].from) {
            snprintf(text, text_bytes, "%.3g%s", value / units[i].from, units[i].unit);
            return;
        }
    }
    snprintf(text, text_bytes, "%.3g", value);
}

void draw_number_us(double value, char *text, size_t text_bytes)
{
    if (value >= 1e6) {
        snprintf(text, text_bytes, "%g s", value / 1e6);
    } else if (value >= 1e3) {
        snprintf(text, text_bytes, "%g ms", value / 1e3);
    } else {
        snprintf(text, text_bytes, "%g µs", value);
    }
}

void draw_number_grouped(int64_t number, unsigned digits, unsigned behind, char *text,
                         size_t text_bytes)
{
    uint64_t size = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    uint64_t unit = 1;
    for (; digits > behind; digits--) {
        size = size / 10 + (size % 10 >= 5 && digits == behind + 1);
    }
    for (unsigned i = 0; i < digits; i++) {
        unit *= 10;
    }
    char plain[24];
    char grouped[40];
    size_t used = 0;
    int length = snprintf(plain, sizeof plain, "%llu", (unsigned long long)(size / unit));
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            grouped[used++] = ',';
        }
        grouped[used++] = plain[i];
    }
    grouped[used] = '\0';
    const char *sign = number < 0 && size > 0 ? "-" : "";
    if (digits > 0) {
        snprintf(text, text_bytes, "%s%s.%0*llu", sign, grouped, (int)digits,
                 (unsigned long long)(size % unit));
    } else {
        snprintf(text, text_bytes, "%s%s", sign, grouped);
    }
}

void draw_number_counted(int64_t count, const char *noun, char *text, size_t text_bytes)
{
    char number[32];
    draw_number_grouped(count, 0, 0, number, sizeof number);
    snprintf(text, text_bytes, "%s %s%s", number, noun, count == 1 ? "" : "s");
}

void draw_number_share(double share, char *text, size_t text_bytes)
{
    if (isfinite(share)) {
        snprintf(text, text_bytes, "%.1f %%", share * 100);
    } else {
        snprintf(text, text_bytes, "–");
    }
}
