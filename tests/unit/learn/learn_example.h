/* SPDX-License-Identifier: Apache-2.0 */
/* A made-up population with a planted ICP, for tests of learning. Fields, by id:
 *   0 employees  number    +1.2 from 50 to 500, −0.6 outside, 0 where missing (10 %)
 *   1 industry   category  Software +1.1, Retail −0.9, four others 0
 *   2 country    category  eight, of no effect
 *   3 public     flag      of no effect
 *   4 stack      tags      Salesforce +0.8; SAP of no effect
 *   5 noise      number    of no effect
 *   6 won        flag      the outcome, drawn with logit −0.7 + the sum of the above
 *   7 status     category  typed in afterwards: "customer" for most wins, "rejected" for most
 * losses 8 serial     number    counts the rows from 1000 9 token      category  different in each
 * row 10 source     category  one value 11 day        number    when, 0 … 364 Ownership:
 * example_destroy frees all. Same seed, same population. */
#ifndef ICP_EXAMPLE_H
#define ICP_EXAMPLE_H

#include "server/learn/learn.h"

enum example_field {
    EXAMPLE_EMPLOYEES,
    EXAMPLE_INDUSTRY,
    EXAMPLE_COUNTRY,
    EXAMPLE_PUBLIC,
    EXAMPLE_STACK,
    EXAMPLE_NOISE,
    EXAMPLE_WON,
    EXAMPLE_STATUS,
    EXAMPLE_SERIAL,
    EXAMPLE_TOKEN,
    EXAMPLE_SOURCE,
    EXAMPLE_DAY,
    EXAMPLE_FIELDS,
};

struct example {
    struct feature_schema *schema;
    struct filter *label;
    struct feature_value *values; /* row · EXAMPLE_FIELDS + field */
    char (*tokens)[24];
    double *logits; /* the true ones */
    size_t rows;
    size_t copies; /* rows in a run that share the values of fields 0 … 5 */
    struct learn_population population;
    struct learn_options options; /* fields 0 … 5, no time, seed 1 */
};

struct example_options {
    size_t rows;
    uint64_t seed;
    bool noise;        /* outcomes have nothing to do with the fields */
    size_t copies;     /* 0 or 1: every row its own */
    bool same_outcome; /* rows in a run share the outcome too */
};

struct example *example_create(const struct example_options *options);
void example_destroy(struct example *example);

#endif
