/* SPDX-License-Identifier: Apache-2.0 */
/* A list grows as its numbers come, up to what its reader allows; what must be whole is looked at
 * when it is asked for, at its own place. A number that is none, or one too many, is told there;
 * where memory runs out nothing is told, and the reader's caller says so. */
#include "server/foreign/foreign_line.h"

#include <math.h>
#include <stdlib.h>

#include "server/feature/span_text.h"

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

static bool whole_take(struct foreign_reader *reader, size_t at, const char *what, double number,
                       int64_t low, int64_t high, int64_t *value)
{
    if (!(number >= (double)low && number <= (double)high) || number != trunc(number)) {
        return foreign_fail(reader, at, "%s: a whole number from %lld to %lld is wanted", what,
                            (long long)low, (long long)high);
    }
    *value = (int64_t)number;
    return true;
}

bool foreign_numbers_whole(struct foreign_reader *reader, const struct foreign_numbers *numbers,
                           const char *what, size_t i, int64_t low, int64_t high, int64_t *value)
{
    return whole_take(reader, numbers->places[i], what, numbers->values[i], low, high, value);
}

bool foreign_whole_read(struct foreign_reader *reader, const char *what, struct proto_span text,
                        int64_t low, int64_t high, int64_t *value)
{
    double number = 0;
    if (!feature_number_read(text, &number)) {
        number = (double)NAN; /* which is no whole number either */
    }
    return whole_take(reader, foreign_place_of(reader, text), what, number, low, high, value);
}

bool foreign_word_next(struct proto_span *line, struct proto_span *word)
{
    while (line->bytes > 0 && line->data[0] == ' ') {
        line->data++;
        line->bytes--;
    }
    *word = (struct proto_span){line->data, 0};
    while (word->bytes < line->bytes && line->data[word->bytes] != ' ') {
        word->bytes++;
    }
    line->data += word->bytes;
    line->bytes -= word->bytes;
    return word->bytes > 0;
}

size_t foreign_place_of(const struct foreign_reader *reader, struct proto_span text)
{
    return (size_t)(text.data - reader->data);
}

bool foreign_numbers_split(struct foreign_reader *reader, const char *what, size_t most,
                           struct proto_span line, struct foreign_numbers *numbers)
{
    struct proto_span word;
    foreign_numbers_clear(numbers);
    numbers->place = foreign_place_of(reader, line);
    while (foreign_word_next(&line, &word)) {
        size_t at = foreign_place_of(reader, word);
        double number = 0;
        if (!feature_number_read(word, &number)) {
            return foreign_fail(reader, at, "%s: a number is wanted here", what);
        }
        if (!foreign_numbers_add(numbers, most, reader, at, number)) {
            return false;
        }
    }
    return true;
}
