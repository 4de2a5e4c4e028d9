/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are read in order; people, segments, statements and accounts are numbered as they come. */
#include "tools/cli/align_answers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/feature/span_text.h"
#include "server/math/special.h"
#include "tools/cli/csv/csv_input.h"

enum { COLUMN_PERSON, COLUMN_FUNCTION, COLUMN_QUESTION, COLUMN_ITEM, COLUMN_ANSWER, COLUMNS };
#define NAME_NONE UINT32_MAX

struct reading {
    struct csv_input *input;
    struct csv_row row; /* under way */
    size_t columns[COLUMNS];
    struct align_answers *answers;
    struct proto_fault *fault;
};

/* The cell is at fault. */
static bool refuse(const struct reading *reading, int column, const char *what)
{
    size_t line = reading->row.line;
    size_t at = 1;
    csv_cell_place(reading->input, &reading->row, reading->columns[column], &line, &at);
    return proto_fault_set(reading->fault, PROTO_BAD_PAYLOAD, "", "%s, line %zu, column %zu: %s",
                           csv_name(reading->input), line, at, what);
}

static bool memory_out(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the answers");
}

static struct proto_span cell_of(const struct reading *reading, int column)
{
    return feature_text_trim(reading->row.cells[reading->columns[column]]);
}

/* The number of a word, new at the end; SIZE_MAX where there are too many, or no memory. */
static size_t word_number(struct align_words *words, struct proto_span text, size_t most)
{
    for (size_t i = 0; i < words->count; i++) {
        if (strlen(words->words[i]) == text.bytes &&
            strncasecmp(words->words[i], (const char *)text.data, text.bytes) == 0) {
            return i;
        }
    }
    char **grown =
        words->count < most ? realloc(words->words, (words->count + 1) * sizeof *grown) : NULL;
    if (grown == NULL) {
        return SIZE_MAX;
    }
    words->words = grown;
    grown[words->count] = feature_text_copy(text);
    return grown[words->count] != NULL ? words->count++ : SIZE_MAX;
}

static bool person_find(const struct reading *reading, size_t *person)
{
    struct align_answers *answers = reading->answers;
    struct proto_span name = cell_of(reading, COLUMN_PERSON);
    if (name.bytes == 0) {
        return refuse(reading, COLUMN_PERSON, "a person is missing");
    }
    size_t before = answers->people.count;
    *person = word_number(&answers->people, name, MEASURE_PEOPLE_MAX);
    if (*person == SIZE_MAX) {
        return refuse(reading, COLUMN_PERSON, "more than 100 people, or no memory");
    }
    if (*person < before) {
        return true;
    }
    char **functions =
        realloc(answers->functions.words, (before + 1) * sizeof *answers->functions.words);
    if (functions == NULL) {
        return memory_out(reading->fault);
    }
    answers->functions.words = functions;
    functions[before] = feature_text_copy(cell_of(reading, COLUMN_FUNCTION));
    answers->functions.count += functions[before] != NULL;
    return functions[before] != NULL || memory_out(reading->fault);
}

static bool number_take(const struct reading *reading, struct align_words *items, double *numbers,
                        size_t person, double high)
{
    double number = 0;
    struct proto_span item = cell_of(reading, COLUMN_ITEM);
    if (item.bytes == 0) {
        return refuse(reading, COLUMN_ITEM, "what the answer is of is missing");
    }
    size_t place = word_number(items, item, MEASURE_ITEMS_MAX);
    if (place == SIZE_MAX) {
        return refuse(reading, COLUMN_ITEM, "more than 100 of them, or no memory");
    }
    if (cell_of(reading, COLUMN_ANSWER).bytes == 0) {
        return true;
    }
    if (!feature_number_read(cell_of(reading, COLUMN_ANSWER), &number) || number < 1 ||
        number > high) {
        return refuse(reading, COLUMN_ANSWER,
                      high == 5 ? "a number from 1 (no) to 5 (yes) is wanted"
                                : "a rank is wanted, 1 for the first");
    }
    double *cell = &numbers[person * MEASURE_ITEMS_MAX + place];
    if (!isnan(*cell)) {
        return refuse(reading, COLUMN_ITEM, "this person has answered that already");
    }
    *cell = number;
    return true;
}

static bool account_take(const struct reading *reading, size_t person)
{
    double place = 0;
    uint32_t *named = reading->answers->named + person * MEASURE_NAMES_MAX;
    struct proto_span name = cell_of(reading, COLUMN_ANSWER);
    if (!feature_number_read(cell_of(reading, COLUMN_ITEM), &place) || place < 1 ||
        place > MEASURE_NAMES_MAX || place != floor(place)) {
        return refuse(reading, COLUMN_ITEM, "a place from 1 to 100 is wanted");
    }
    if (name.bytes == 0) {
        return true;
    }
    size_t number = word_number(&reading->answers->accounts, name, 10000);
    if (number == SIZE_MAX) {
        return refuse(reading, COLUMN_ANSWER, "more than 10000 accounts, or no memory");
    }
    for (size_t i = 0; i < MEASURE_NAMES_MAX; i++) {
        if (named[i] == number) {
            return refuse(reading, COLUMN_ANSWER, "this person names the account twice");
        }
    }
    uint32_t *cell = &named[(size_t)place - 1];
    if (*cell != NAME_NONE) {
        return refuse(reading, COLUMN_ITEM, "this person has named another there");
    }
    *cell = (uint32_t)number;
    return true;
}

/* Two who state the same filter stated one each. */
static bool filter_take(const struct reading *reading, size_t person)
{
    struct align_answers *answers = reading->answers;
    size_t count = answers->filters.count;
    struct proto_span text = cell_of(reading, COLUMN_ANSWER);
    if (text.bytes == 0) {
        return true;
    }
    if (count == MEASURE_ITEMS_MAX) {
        return refuse(reading, COLUMN_ANSWER, "more than 100 filters");
    }
    char **words = realloc(answers->filters.words, (count + 1) * sizeof *words);
    answers->filters.words = words != NULL ? words : answers->filters.words;
    size_t *people = realloc(answers->filter_people, (count + 1) * sizeof *people);
    answers->filter_people = people != NULL ? people : answers->filter_people;
    if (words == NULL || people == NULL || (words[count] = feature_text_copy(text)) == NULL) {
        return memory_out(reading->fault);
    }
    people[count] = person;
    answers->filters.count++;
    return true;
}

static bool answer_take(const struct reading *reading)
{
    size_t person = 0;
    struct align_answers *answers = reading->answers;
    struct proto_span question = cell_of(reading, COLUMN_QUESTION);
    if (!person_find(reading, &person)) {
        return false;
    }
    if (proto_span_is(question, "segment")) {
        return number_take(reading, &answers->segments, answers->ranks, person, MEASURE_ITEMS_MAX);
    }
    if (proto_span_is(question, "statement")) {
        return number_take(reading, &answers->statements, answers->ratings, person, 5);
    }
    if (proto_span_is(question, "account")) {
        return account_take(reading, person);
    }
    if (proto_span_is(question, "filter")) {
        return filter_take(reading, person);
    }
    return refuse(reading, COLUMN_QUESTION, "segment, account, statement or filter is wanted");
}

static bool rows_read(struct reading *reading, bool (*take)(const struct reading *reading))
{
    char place[CSV_PLACE_BYTES];
    struct csv_row *row = &reading->row;
    reading->fault->code = PROTO_OK;
    while (csv_next(reading->input, row, reading->fault)) {
        if (row->bad) {
            return proto_fault_set(reading->fault, PROTO_BAD_PAYLOAD, "", "%s: %s",
                                   csv_row_place(reading->input, row, place, sizeof place),
                                   row->message);
        }
        if (!take(reading)) {
            return false;
        }
    }
    return reading->fault->code == PROTO_OK;
}

static bool columns_find(struct reading *reading)
{
    static const char *const names[COLUMNS] = {"person", "function", "question", "item", "answer"};
    for (int i = 0; i < COLUMNS; i++) {
        reading->columns[i] = csv_column_find(reading->input, names[i]);
        if (reading->columns[i] == SIZE_MAX) {
            return proto_fault_set(
                reading->fault, PROTO_BAD_PAYLOAD, "",
                "%s, line 1: there is no column '%s'; person, function, question, "
                "item and answer are wanted ('icp align form --sheet' writes such a "
                "file)",
                csv_name(reading->input), names[i]);
        }
    }
    return true;
}

static bool room_make(struct align_answers *answers, struct proto_fault *fault)
{
    const size_t cells = (size_t)MEASURE_PEOPLE_MAX * MEASURE_ITEMS_MAX;
    answers->ranks = calloc(cells, sizeof *answers->ranks);
    answers->ratings = calloc(cells, sizeof *answers->ratings);
    answers->figures = calloc(cells, sizeof *answers->figures);
    answers->named = calloc((size_t)MEASURE_PEOPLE_MAX * MEASURE_NAMES_MAX, sizeof *answers->named);
    if (answers->ranks == NULL || answers->ratings == NULL || answers->figures == NULL ||
        answers->named == NULL) {
        return memory_out(fault);
    }
    for (size_t i = 0; i < cells; i++) {
        answers->ranks[i] = answers->ratings[i] = answers->figures[i] = MATH_NAN;
    }
    for (size_t i = 0; i < (size_t)MEASURE_PEOPLE_MAX * MEASURE_NAMES_MAX; i++) {
        answers->named[i] = NAME_NONE;
    }
    return true;
}

bool align_answers_read(const char *path, struct align_answers *answers, struct proto_fault *fault)
{
    *answers = (struct align_answers){.ranks = NULL};
    struct reading reading = {.answers = answers, .fault = fault};
    reading.input = csv_open(path, NULL, fault);
    bool good = reading.input != NULL && room_make(answers, fault) && columns_find(&reading) &&
                rows_read(&reading, answer_take);
    if (good && answers->people.count < 2) {
        good = proto_fault_set(fault, PROTO_BAD_PAYLOAD, "",
                               "%s has answers of %zu people; two are needed at least", path,
                               answers->people.count);
    }
    csv_close(reading.input);
    return good;
}

static bool figure_take(const struct reading *reading)
{
    struct align_answers *answers = reading->answers;
    struct proto_span name = cell_of(reading, COLUMN_PERSON); /* the column segment */
    size_t before = answers->segments.count;
    size_t segment = word_number(&answers->segments, name, before);
    for (size_t i = 0, k = 0; segment < before && i < csv_column_count(reading->input); i++) {
        double number = MATH_NAN;
        struct proto_span cell = feature_text_trim(reading->row.cells[i]);
        if (i == reading->columns[COLUMN_PERSON]) {
            continue;
        }
        struct reading at = *reading;
        at.columns[COLUMN_ANSWER] = i;
        if (cell.bytes > 0 && !feature_number_read(cell, &number)) {
            return refuse(&at, COLUMN_ANSWER, "a number is wanted");
        }
        answers->figures[segment * MEASURE_ITEMS_MAX + k++] = number;
    }
    return true;
}

bool align_figures_read(const char *path, struct align_answers *answers, struct proto_fault *fault)
{
    struct reading reading = {.answers = answers, .fault = fault};
    reading.input = csv_open(path, NULL, fault);
    if (reading.input == NULL) {
        return false;
    }
    size_t columns = csv_column_count(reading.input);
    reading.columns[COLUMN_PERSON] = csv_column_find(reading.input, "segment");
    bool good = true;
    if (reading.columns[COLUMN_PERSON] == SIZE_MAX || columns < 2 || columns > MEASURE_ITEMS_MAX) {
        good = proto_fault_set(fault, PROTO_BAD_PAYLOAD, "",
                               "%s, line 1: a column 'segment' and 1 to 99 of measures are wanted",
                               path);
    }
    for (size_t i = 0; good && i < columns; i++) {
        if (i != reading.columns[COLUMN_PERSON]) {
            good = word_number(&answers->measures, proto_span_text(csv_column(reading.input, i)),
                               MEASURE_ITEMS_MAX) != SIZE_MAX ||
                   memory_out(fault);
        }
    }
    good = good && rows_read(&reading, figure_take);
    csv_close(reading.input);
    return good;
}

void align_answers_fini(struct align_answers *answers)
{
    struct align_words *const all[] = {
        &answers->people,   &answers->functions, &answers->segments, &answers->statements,
        &answers->accounts, &answers->measures,  &answers->filters};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (size_t k = 0; k < all[i]->count; k++) {
            free(all[i]->words[k]);
        }
        free(all[i]->words);
    }
    free(answers->filter_people);
    free(answers->ranks);
    free(answers->ratings);
    free(answers->named);
    free(answers->figures);
    *answers = (struct align_answers){.ranks = NULL};
}
