/* SPDX-License-Identifier: Apache-2.0 */
#include "server/foreign/foreign_line.h"

#include <math.h>
#include <stdlib.h>

void foreign_numbers_clear(struct foreign_numbers *numbers)
{
    numbers->count = 0;
}

void foreign_numbers_fini(struct foreign_numbers *numbers)
{
    free(numbers->values);
    free(numbers->places);
    *numbers = (struct foreign_numbers){0};
}

bool foreign_numbers_add(struct foreign_numbers *numbers, size_t most,
                         struct foreign_reader *reader, size_t at, double value)
{
    if (numbers->count == most) {
        return foreign_fail(reader, at, "more than %zu numbers in one list", most);
    }
    if (numbers->count == numbers->room) {
        size_t room = numbers->room == 0 ? 256 : numbers->room * 2;
        double *values = realloc(numbers->values, room * sizeof *values);
        numbers->values = values != NULL ? values : numbers->values;
        uint32_t *places = realloc(numbers->places, room * sizeof *places);
        numbers->places = places != NULL ? places : numbers->places;
        if (values == NULL || places == NULL) {
            return false;
        }
        numbers->room = room;
    }
    numbers->values[numbers->count] = value;
    numbers->places[numbers->count++] = (uint32_t)at;
    return true;
}

bool foreign_numbers_read(struct foreign_reader *reader, const char *what, size_t most,
                          struct foreign_numbers *numbers)
{
    foreign_numbers_clear(numbers);
    if (!foreign_want(reader, FOREIGN_ARRAY, what)) {
        return false;
    }
    numbers->place = reader->start;
    for (;;) {
        enum foreign_token token = foreign_next(reader);
        if (token == FOREIGN_ARRAY_END) {
            return true;
        }
        if (token != FOREIGN_NUMBER && token != FOREIGN_TRUE && token != FOREIGN_FALSE) {
            return foreign_fail(reader, reader->start, "a number is wanted here, of %s", what);
        }
        double value = token == FOREIGN_NUMBER ? reader->number : token == FOREIGN_TRUE;
        if (!foreign_numbers_add(numbers, most, reader, reader->start, value)) {
            return false;
        }
    }
}

bool foreign_numbers_whole(struct foreign_reader *reader, const struct foreign_numbers *numbers,
                           const char *what, size_t i, int64_t low, int64_t high, int64_t *value)
{
    double number = numbers->values[i];
    if (!(number >= (double)low && number <= (double)high) || number != trunc(number)) {
        return foreign_fail(reader, numbers->places[i],
                            "%s: a whole number from %lld to %lld is wanted", what, (long long)low,
                            (long long)high);
    }
    *value = (int64_t)number;
    return true;
}
