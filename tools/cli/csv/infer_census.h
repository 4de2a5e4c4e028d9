/* SPDX-License-Identifier: Apache-2.0 */
/* What the values of a column look like, counted; infer_column.c decides by it. Ownership: points
 * into the column. Threads: pure. */
#ifndef CLI_INFER_CENSUS_H
#define CLI_INFER_CENSUS_H

#include "tools/cli/csv/infer.h"

/* What the distinct values of a column are, counted in cells. */
struct infer_census {
    size_t cells;    /* that are not missing */
    size_t seen;     /* of them, whose text was looked at: beyond INFER_DISTINCT_MAX none is */
    size_t distinct; /* texts that are not missing */
    size_t numbers;
    size_t whole;        /* numbers that are digits alone */
    size_t leading_zero; /* digits that begin with a zero: a code, not a quantity */
    size_t flags;
    size_t flag_yes;
    size_t flag_no;
    size_t dates;
    size_t codes;                    /* digits in a form of codes */
    size_t ranges;                   /* "11-50" */
    const struct text_entry *spoilt; /* "Feb-10", the first */
    size_t websites;
    size_t emails;
    size_t lists;       /* cells with ';' or '|' between texts */
    size_t long_texts;  /* more than 100 bytes */
    size_t other_words; /* distinct texts that are neither numbers nor have a digit */
    size_t supported;   /* cells whose text occurs often enough to learn from */
    const struct text_entry *not_number; /* the first that is none */
    size_t not_numbers;                  /* cells */
};

struct infer_census infer_census_take(const struct infer_column *column,
                                      const struct feature_schema *probe, size_t rows);
/* The schema that texts are tried on; NULL: no memory. */
struct feature_schema *infer_probe(void);
/* A word that usually means missing, in this column. */
bool infer_is_missing(const struct infer_column *column, struct proto_span text);
bool infer_has_digit(struct proto_span text);
/* Whether a word for a flag is the one for yes. */
bool infer_flag_is_yes(const struct feature_schema *probe, struct proto_span text);
/* The same reading that import will use. */
bool infer_reads_as_number(const struct infer_column *column, const struct feature_schema *probe,
                           struct proto_span text, struct feature_value *value);

#endif
