/* SPDX-License-Identifier: Apache-2.0 */
/* What one line of a file of rules may hold: names, numbers, lists, and options NAME=VALUE out of a
 * table. Read by router_file.c.
 *
 * Ownership: texts that are kept are copies. Errors: false with the fault of the reading set, at
 * the word. Threads: pure. */
#ifndef ROUTER_READING_H
#define ROUTER_READING_H

#include "client/router/router_words.h"

struct router_reading {
    struct router_rules *rules;
    struct router_line *line;
    struct router_fault *fault;
};

struct router_option {
    const char *name;
    /* Says itself what is wrong with the value of the word. */
    bool (*take)(const struct router_reading *reading, size_t word, void *into);
};

/* Sets the fault at the word, behind the line if it has not so many; of an option, by its name. */
bool router_refuse_word(const struct router_reading *reading, size_t word, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool router_memory_out(const struct router_reading *reading);

/* Room for one more of so many bytes; NULL: no memory, and items stay the caller's. */
void *router_grown(const struct router_reading *reading, void *items, size_t count, size_t *room,
                   size_t bytes);
bool router_text_add(const struct router_reading *reading, struct router_texts *list,
                     const char *text);
/* In the place of what was there, NULL or freed. */
bool router_text_put(const struct router_reading *reading, char **place, const char *text);

/* "a,b" of an option. */
bool router_texts_read(const struct router_reading *reading, size_t word,
                       struct router_texts *list);
/* Of an option, or of a word that is one. */
bool router_number_read(const struct router_reading *reading, size_t word, double low, double high,
                        double *number);
bool router_whole_read(const struct router_reading *reading, size_t word, unsigned low,
                       unsigned high, unsigned *number);
/* A word that is no option; *name is borrowed of the line. */
bool router_name_read(const struct router_reading *reading, size_t word, const char **name);
/* The line has no more words than so many. */
bool router_line_done(const struct router_reading *reading, size_t words);
/* The place of the person. */
bool router_person_named(const struct router_reading *reading, size_t word, const char *name,
                         uint32_t *person);
/* Every word from there on is one of the options; one that is not is told with all there are. */
bool router_line_options(const struct router_reading *reading, size_t from,
                         const struct router_option *options, size_t count, void *into);

#endif
