/* SPDX-License-Identifier: Apache-2.0 */
/* A number of the command line; where there is none, how much is done in CI, or with ICP_LONG=1.
 * Ownership: borrows. Errors: what is no number is 0. Threads: one. */
#ifndef TESTS_DAMAGE_DAMAGE_ARGUMENT_H
#define TESTS_DAMAGE_DAMAGE_ARGUMENT_H

#include <stdlib.h>
#include <string.h>

static inline long damage_argument(int argc, char **argv, int index, long brief, long extended)
{
    const char *text = getenv("ICP_LONG");
    long otherwise = text != NULL && strcmp(text, "1") == 0 ? extended : brief;
    return argc > index ? strtol(argv[index], NULL, 10) : otherwise;
}

#endif
