/* SPDX-License-Identifier: Apache-2.0 */
/* Words become names, numbers, lists and options. What is none is refused where it stands, by the
 * name of its option; a list that does not fit into memory leaves what was there. */
#include "client/router/router_reading.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t column_of(const struct router_line *line, size_t word)
{
    return word < line->count ? line->words[word].column : line->bytes + 1;
}

bool router_refuse_word(const struct router_reading *reading, size_t word, const char *format, ...)
{
    const struct router_line *line = reading->line;
    bool option = word < line->count && line->words[word].value != NULL;
    char what[224];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return router_refuse(reading->fault, line->number, column_of(line, word), "%.24s%s%s",
                         option ? line->words[word].name : "", option ? ": " : "", what);
}

bool router_memory_out(const struct router_reading *reading)
{
    return router_refuse(reading->fault, 0, 0, "no memory for the rules");
}

void *router_grown(const struct router_reading *reading, void *items, size_t count, size_t *room,
                   size_t bytes)
{
    if (count < *room) {
        return items;
    }
    size_t wanted = 2 * *room + 8;
    void *more = realloc(items, wanted * bytes);
    if (more == NULL) {
        (void)router_memory_out(reading);
        return NULL;
    }
    *room = wanted;
    return more;
}

bool router_text_add(const struct router_reading *reading, struct router_texts *list,
                     const char *text)
{
    char **texts =
        router_grown(reading, list->texts, list->count, &list->room, sizeof *list->texts);
    if (texts == NULL) {
        return false;
    }
    list->texts = texts;
    texts[list->count] = strdup(text);
    return texts[list->count++] != NULL || router_memory_out(reading);
}

bool router_text_put(const struct router_reading *reading, char **place, const char *text)
{
    free(*place);
    *place = strdup(text);
    return *place != NULL || router_memory_out(reading);
}

bool router_texts_read(const struct router_reading *reading, size_t word, struct router_texts *list)
{
    char *at = reading->line->words[word].value;
    char *rest = NULL;
    for (char *one = strtok_r(at, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
        if (!router_text_add(reading, list, one)) {
            return false;
        }
    }
    return list->count > 0 ||
           router_refuse_word(reading, word, "a list with commas between is missing");
}

bool router_number_read(const struct router_reading *reading, size_t word, double low, double high,
                        double *number)
{
    const struct router_word *read = &reading->line->words[word];
    const char *text = read->value != NULL ? read->value : read->name;
    char *end = NULL;
    errno = 0;
    *number = strtod(text, &end);
    return (errno == 0 && end != text && *end == '\0' && *number >= low && *number <= high) ||
           router_refuse_word(reading, word, "must be a number of %g to %g, not '%.64s'", low, high,
                              text);
}

bool router_whole_read(const struct router_reading *reading, size_t word, unsigned low,
                       unsigned high, unsigned *number)
{
    double read = 0;
    bool good =
        router_number_read(reading, word, low, high, &read) &&
        (read == floor(read) || router_refuse_word(reading, word, "must be a whole number"));
    *number = good ? (unsigned)read : 0;
    return good;
}

bool router_name_read(const struct router_reading *reading, size_t word, const char **name)
{
    const struct router_line *line = reading->line;
    if (word >= line->count || line->words[word].value != NULL) {
        return router_refuse_word(reading, word, "a name is missing");
    }
    *name = line->words[word].name;
    size_t bytes = strlen(*name);
    return (bytes > 0 && bytes <= ROUTER_NAME_BYTES_MAX) ||
           router_refuse_word(reading, word, "a name has 1 to %d bytes", ROUTER_NAME_BYTES_MAX);
}

bool router_line_done(const struct router_reading *reading, size_t words)
{
    return reading->line->count <= words ||
           router_refuse_word(reading, words, "a word too many; blanks stand in double quotes");
}

bool router_person_named(const struct router_reading *reading, size_t word, const char *name,
                         uint32_t *person)
{
    size_t place = router_person_find(reading->rules, name);
    *person = (uint32_t)place;
    return place < reading->rules->person_count ||
           router_refuse(reading->fault, reading->line->number, column_of(reading->line, word),
                         "'%.100s' is nobody: a line 'person %.60s' must stand before", name, name);
}

/* "a, b and c" of all there are. */
static void options_list(const struct router_option *options, size_t count, char text[128])
{
    size_t used = 0;
    for (size_t i = 0; i < count && used < 128; i++) {
        const char *between = i == 0 ? "" : i + 1 == count ? " and " : ", ";
        used += (size_t)snprintf(text + used, 128 - used, "%s%s", between, options[i].name);
    }
}

bool router_line_options(const struct router_reading *reading, size_t from,
                         const struct router_option *options, size_t count, void *into)
{
    for (size_t word = from; word < reading->line->count; word++) {
        const struct router_word *read = &reading->line->words[word];
        size_t i = 0;
        while (i < count && (read->value == NULL || strcmp(options[i].name, read->name) != 0)) {
            i++;
        }
        if (i == count) {
            char there[128] = "";
            options_list(options, count, there);
            return router_refuse(reading->fault, reading->line->number, read->column,
                                 "'%.64s' is none of %s", read->name, there);
        }
        if (!options[i].take(reading, word, into)) {
            return false;
        }
    }
    return true;
}
