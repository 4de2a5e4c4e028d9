/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that are no quantities: those that number rows, and those that are times. Both are told
 * from the sorted values alone. */
#include <math.h>
#include <stdlib.h>

#include "server/learn/leakage.h"

#define NUMBERED_PAIRS_MIN 20.0
#define NUMBERED_PAIRS_SHARE 0.1
#define TIMES_MIN 20
#define TIMES_DISTINCT_MIN 5
#define SECONDS_2000 946684800.0
#define SECONDS_2100 4102444800.0

static int number_order(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

bool learn_leakage_numbered(double *numbers, size_t count)
{
    if (count < 2) {
        return false;
    }
    qsort(numbers, count, sizeof *numbers, number_order);
    double coincide = 0.0;
    double same = 0.0; /* before this one, of the same value */
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] != floor(numbers[i])) {
            return false;
        }
        same = i > 0 && numbers[i] == numbers[i - 1] ? same + 1.0 : 0.0;
        coincide += same;
    }
    double range = numbers[count - 1] - numbers[0] + 1.0;
    double expected = (double)count * (double)count / (2.0 * range);
    return expected >= NUMBERED_PAIRS_MIN && coincide <= NUMBERED_PAIRS_SHARE * expected;
}

static bool is_day(double number)
{
    if (!(number >= 19000101.0 && number <= 20991231.0)) {
        return false;
    }
    unsigned day = (unsigned)number;
    return day / 100 % 100 >= 1 && day / 100 % 100 <= 12 && day % 100 >= 1 && day % 100 <= 31;
}

bool learn_leakage_times(const double *ascending, size_t count)
{
    bool days = count >= TIMES_MIN;
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        if (ascending[i] != floor(ascending[i])) {
            return false;
        }
        distinct += i == 0 || ascending[i] != ascending[i - 1];
        days = days && is_day(ascending[i]);
    }
    if (count < TIMES_MIN || distinct < TIMES_DISTINCT_MIN) {
        return false;
    }
    double first = ascending[0];
    double last = ascending[count - 1];
    bool seconds = first >= SECONDS_2000 && last < SECONDS_2100;
    bool milliseconds = first >= 1e3 * SECONDS_2000 && last < 1e3 * SECONDS_2100;
    return days || seconds || milliseconds;
}
