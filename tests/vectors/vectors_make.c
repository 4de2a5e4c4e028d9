/* SPDX-License-Identifier: Apache-2.0 */
/* vectors-make: prints the test vectors, one a line. Same build, same text. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/vectors/vectors.h"

int main(void)
{
    json_t *vectors = json_array();
    vectors_from_tables(vectors);
    vectors_from_lists(vectors);
    (void)printf(
        "{\"format\": \"icpd test vectors\", \"protocol\": %d, \"count\": %zu,\n"
        " \"made_by\": \"vectors-make, from proto/*.def and tests/vectors/vectors_list.c\",\n"
        " \"described_in\": \"docs/protocol.md\",\n \"vectors\": [\n",
        PROTO_VERSION, json_array_size(vectors));
    for (size_t i = 0; i < json_array_size(vectors); i++) {
        (void)printf("%s", i > 0 ? ",\n" : "");
        (void)json_dumpf(json_array_get(vectors, i), stdout,
                         JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(17));
    }
    (void)printf("\n]}\n");
    json_decref(vectors);
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
