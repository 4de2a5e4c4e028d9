/* SPDX-License-Identifier: Apache-2.0 */
/* Not a fuzzer of anything: a property that no input has, to show that the replayer reports it. It
 * ends by exit, since CTest takes a signal for a failure even where a failure is wanted. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    (void)data;
    (void)fprintf(stderr, "the control refuses %zu bytes\n", bytes);
    exit(EXIT_FAILURE);
}
