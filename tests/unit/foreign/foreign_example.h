/* SPDX-License-Identifier: Apache-2.0 */
/* Models and rows for the tests of server/foreign: files of the folder models, bound to a schema,
 * and rows coded as accounts would be. Faults of what must succeed end the test. */
#ifndef FOREIGN_EXAMPLE_H
#define FOREIGN_EXAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include "server/foreign/foreign_bind.h"

#define EXAMPLE_CELLS 64

struct example {
    struct feature_schema *schema;
    struct foreign_model *model;
    struct foreign_use *uses;
    struct foreign_bound bound;
    json_t *map;
};

/* The bytes of a file of the folder; the caller frees data. */
struct proto_span example_file(const char *name);
/* map may be NULL. */
void example_open(struct example *example, struct proto_span bytes, const char *schema,
                  const char *map);
void example_close(struct example *example);
/* Codes of a row of values by feature, NaN missing, for fields that are numbers of their own name.
 */
void example_encode(const struct example *example, const double *values, uint8_t *row);
/* A line of numbers, "-" for missing, into cells; how many. */
size_t example_cells(const char *line, double *cells);
/* The fault of a model that must be refused holds this text. */
void example_refused(struct proto_span bytes, const char *message);
/* The same of a text in which `from` is replaced by `to`. */
void example_refused_with(struct proto_span bytes, const char *from, const char *to,
                          const char *message);

#endif
