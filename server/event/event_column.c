/* SPDX-License-Identifier: Apache-2.0 */
/* Distances to the least number are unsigned and wrap around nothing: the largest is below 2^64.
 * Nothing can fail. */
#include "server/event/event_column.h"

#include <string.h>

static uint64_t divisor_of(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

size_t event_column_plan(struct event_column *column, const int64_t *numbers, size_t count)
{
    int64_t least = count > 0 ? numbers[0] : 0;
    int64_t most = least;
    uint64_t unit = 0;
    for (size_t i = 1; i < count; i++) {
        least = numbers[i] < least ? numbers[i] : least;
        most = numbers[i] > most ? numbers[i] : most;
    }
    for (size_t i = 0; i < count && unit != 1; i++) {
        uint64_t distance = (uint64_t)numbers[i] - (uint64_t)least;
        if (unit == 0 || distance % unit != 0) {
            unit = divisor_of(distance, unit);
        }
    }
    unit = unit == 0 ? 1 : unit;
    uint64_t last = ((uint64_t)most - (uint64_t)least) / unit;
    unsigned width = last == 0            ? 0
                     : last <= UINT8_MAX  ? 1
                     : last <= UINT16_MAX ? 2
                     : last <= UINT32_MAX ? 4
                                          : 8;
    *column = (struct event_column){.base = least, .unit = unit, .width = width};
    return width * count;
}

void event_column_write(struct event_column *column, const int64_t *numbers, size_t count,
                        uint8_t *out)
{
    column->data = out;
    for (size_t i = 0; i < count && column->width > 0; i++) {
        uint64_t n = ((uint64_t)numbers[i] - (uint64_t)column->base) / column->unit;
        memcpy(out + i * column->width, &n, column->width);
    }
}

/* One loop for each width, so that none looks at it. */
#define READ(type)                                                                                 \
    for (size_t i = 0; i < count; i++) {                                                           \
        type n;                                                                                    \
        memcpy(&n, data + i * sizeof n, sizeof n);                                                 \
        numbers[i] = (int64_t)((uint64_t)column->base + column->unit * n);                         \
    }

void event_column_read(const struct event_column *column, size_t from, size_t count,
                       int64_t *numbers)
{
    const uint8_t *data = column->width > 0 ? column->data + from * column->width : NULL;
    switch (column->width) {
    case 0:
        for (size_t i = 0; i < count; i++) {
            numbers[i] = column->base;
        }
        break;
    case 1:
        READ(uint8_t)
        break;
    case 2:
        READ(uint16_t)
        break;
    case 4:
        READ(uint32_t)
        break;
    default:
        READ(uint64_t)
    }
}
