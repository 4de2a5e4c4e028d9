/* SPDX-License-Identifier: Apache-2.0 */
/* The one function of a fuzzer, and what all of them use. A property that does not hold ends the
 * process, so that libFuzzer and the replayer alike report the input. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Called with each input, which it borrows; returns 0. Defined by each fuzz_<name>.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define FUZZ_HOLDS(property)                                                                       \
    do {                                                                                           \
        if (!(property)) {                                                                         \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property);    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
