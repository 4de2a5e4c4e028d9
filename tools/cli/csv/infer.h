/* SPDX-License-Identifier: Apache-2.0 */
/* Guesses a schema from the columns of a CSV file. A pure core: cells in, decisions out.
 *
 * Each column is decided by its distinct values and how often each occurs:
 *   missing words   those that people's files use (feature_default_missing_words) and that occur
 *   flag            two values of yes/no, true/false, 1/0, y/n
 *   number          19 of 20 cells are numbers; or half of them, and the rest is at most three
 *                   words, which become missing words of the field. Log scale if skewed.
 *   tags            one cell in 20 holds several texts between ';' or '|', and they repeat
 *   category        codes of digits (by name, such as zip, or by form, such as 12345-6789); or
 *                   values repeat: one cell in five holds a value that has support
 *   date            19 of 20 cells are dates, and day and month can be told apart
 *   left out        constant, identifier (every value differs, and the name or form says so), free
 *                   text, dates that could be two, websites and email addresses that are no
 * name Of the columns that are called so (name, company, account name …) the first whose texts
 * differ in half of the rows names the accounts: it is a field though its values do not repeat.
 * key Columns named as id, key or label are taken as told. Shapes: at most INFER_DISTINCT_MAX
 * distinct values of a column are looked at. Ownership: an inference owns all it shows. Errors: no
 * memory. Threads: one. Cost: a hash per cell, then one look per distinct value. */
#ifndef CLI_INFER_H
#define CLI_INFER_H

#include <jansson.h>

#include "server/feature/schema.h"
#include "tools/cli/csv/csv_form.h"
#include "tools/cli/csv/text_count.h"

#define INFER_DISTINCT_MAX 65536
#define INFER_WORDS_MAX 8

enum infer_role { INFER_FIELD, INFER_ID, INFER_KEY, INFER_LEFT_OUT };

struct infer_column {
    const char *name; /* borrowed from the caller */
    struct text_count texts;
    /* decided */
    enum infer_role role;
    bool told;       /* role given by an option, not guessed */
    bool is_label;   /* told: always a field, of the family lifecycle */
    bool is_unique;  /* found: every row has a value of its own */
    bool is_website; /* found */
    bool is_text;    /* found: neither numbers, dates, flags nor codes */
    bool is_name;    /* names the accounts */
    char key_space[FEATURE_NAMESPACE_BYTES_MAX + 1];
    enum feature_type type;
    enum feature_family family;
    enum feature_transform transform;
    size_t missing;  /* cells */
    size_t distinct; /* values that are not missing; INFER_DISTINCT_MAX: that many or more */
    struct proto_span
        words[INFER_WORDS_MAX]; /* missing words of this field beside the usual ones */
    size_t word_count;
    enum csv_decimal decimal; /* of its numbers */
    bool decimal_open;        /* the file decided that, not the column */
    enum csv_day_order dates; /* of its dates; CSV_DAY_OPEN: nothing decides */
    struct csv_date_votes date_votes;
    size_t open_line; /* of a cell that could be read both ways */
    bool keeps_na;    /* NA is one of its codes */
    char why[160];    /* what spoke for the decision, or is to be known of it */
};

struct infer {
    struct infer_column *columns;
    size_t column_count;
    size_t rows;
    struct feature_schema *probe; /* a number and a flag, to try texts on */
    bool keep_all;                /* leave nothing out: for labels over any column */
    char separator;               /* of the file; 0: not known */
    enum csv_decimal decimal;     /* told for all columns */
    enum csv_day_order dates;     /* likewise */
    bool failed;
};

bool infer_init(struct infer *infer, const char *const *names, size_t count);
void infer_fini(struct infer *infer);
void infer_row(struct infer *infer, size_t line, const struct proto_span *cells, size_t count);
/* Before or after the rows: what the user says of a column. False if there is no such column. */
bool infer_tell(struct infer *infer, const char *name, enum infer_role role, const char *key_space);
bool infer_tell_label(struct infer *infer, const char *name);
/* Decides all columns. An id is guessed only if none was told. */
void infer_decide(struct infer *infer);
/* The schema document; NULL: no memory. */
json_t *infer_schema(const struct infer *infer);
const char *infer_role_name(enum infer_role role);

#endif
