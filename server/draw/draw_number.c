/* SPDX-License-Identifier: Apache-2.0 */
/* The unit is the largest one that the number reaches; three digits are what a reader keeps. */
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
