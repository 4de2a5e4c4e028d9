/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of a block of events (event_block.h): varints of 7 bits a byte, the shortest alone;
 * zigzag for signed ones, round ones as how many of their unit; differences of time in the largest
 * unit that they are whole in. Shapes: at most EVENT_NUMBER_BYTES_MAX bytes. Ownership: borrows.
 * Errors: 0 bytes, or false. Threads: pure. Cost: a nanosecond a byte. Source: LEB128. */
#ifndef EVENT_EVENT_NUMBER_H
#define EVENT_EVENT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENT_NUMBER_BYTES_MAX 10u

static inline size_t event_number_put(uint8_t *out, uint64_t number)
{
    size_t at = 0;
    for (; number >= 128; number >>= 7) {
        out[at++] = (uint8_t)(number | 128);
    }
    out[at++] = (uint8_t)number;
    return at;
}

/* Returns how many bytes it took; 0: they end early, go on for too long, or are not the shortest.
 */
static inline size_t event_number_get(const uint8_t *from, size_t left, uint64_t *number)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < left && i < EVENT_NUMBER_BYTES_MAX; i++) {
        uint64_t low = from[i] & 127;
        if (i == EVENT_NUMBER_BYTES_MAX - 1 && from[i] > 1) {
            return 0;
        }
        sum |= low << (7 * i);
        if (from[i] < 128) {
            *number = sum;
            return i > 0 && from[i] == 0 ? 0 : i + 1;
        }
    }
    return 0;
}

static inline uint64_t event_zigzag(int64_t number)
{
    return ((uint64_t)number << 1) ^ (number < 0 ? UINT64_MAX : 0);
}

static inline int64_t event_unzigzag(uint64_t number)
{
    return (int64_t)((number >> 1) ^ ((number & 1) != 0 ? UINT64_MAX : 0));
}

/* A number that is whole in hundreds, thousands, tens of thousands or millions as how many of them:
 * an amount without cents, a quantity in thousandths. 2 · zigzag, or 8 · zigzag + 2 · unit + 1.
 * |number| < 2^60. */
static inline uint64_t event_round(int64_t number)
{
    if (number == 0 || number % 100 != 0) {
        return event_zigzag(number) << 1;
    }
    unsigned unit = number % 1000000 == 0 ? 3
                    : number % 10000 == 0 ? 2
                    : number % 1000 == 0  ? 1
                                          : 0;
    int64_t size = unit == 3 ? 1000000 : unit == 2 ? 10000 : unit == 1 ? 1000 : 100;
    return event_zigzag(number / size) << 3 | unit << 1 | 1;
}

/* False: it is of 2^60 or more. */
static inline bool event_round_open(uint64_t code, int64_t *number)
{
    static const int64_t sizes[] = {100, 1000, 10000, 1000000};
    bool whole = (code & 1) != 0;
    int64_t count = event_unzigzag(whole ? code >> 3 : code >> 1);
    int64_t size = whole ? sizes[code >> 1 & 3] : 1;
    int64_t most = (INT64_C(1) << 60) / size;
    if (count > most || count < -most) {
        return false;
    }
    *number = count * size;
    return true;
}

/* |difference| < 2^60. */
static inline uint64_t event_moment(int64_t difference)
{
    unsigned unit = difference % 86400000 == 0 ? 3
                    : difference % 60000 == 0  ? 2
                    : difference % 1000 == 0   ? 1
                                               : 0;
    int64_t ms = unit == 3 ? 86400000 : unit == 2 ? 60000 : unit == 1 ? 1000 : 1;
    return event_zigzag(difference / ms) << 2 | unit;
}

static inline bool event_moment_open(uint64_t code, int64_t *difference)
{
    static const int64_t units[] = {1, 1000, 60000, 86400000};
    int64_t count = event_unzigzag(code >> 2);
    int64_t unit = units[code & 3];
    int64_t most = INT64_C(1) << 60;
    if (count > most / unit || count < -(most / unit)) {
        return false;
    }
    *difference = count * unit;
    return true;
}

#endif
