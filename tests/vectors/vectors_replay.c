/* SPDX-License-Identifier: Apache-2.0 */
/* vectors-replay FILE: checks every vector of the file against proto/.
 * vectors-replay --accept: for replayers in other languages. Reads lines of "direction op hex", a
 * frame that they made, and answers each with "ok" and the payload as JSON, or with error and
 * field. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/vectors/vectors.h"

/* Fewer vectors than the project promises mean that the file is not what it should be. */
#define VECTORS_MIN 200

static int file_replay(const char *path)
{
    json_error_t error;
    json_t *root = json_load_file(path, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    const json_t *vectors = json_object_get(root, "vectors");
    size_t failed = 0;
    for (size_t i = 0; i < json_array_size(vectors); i++) {
        const json_t *vector = json_array_get(vectors, i);
        char why[1024] = "";
        if (!vector_check(vector, why, sizeof(why))) {
            const char *name = json_string_value(json_object_get(vector, "name"));
            (void)printf("%s: %s\n", name != NULL ? name : "a vector without name", why);
            failed++;
        }
    }
    size_t count = json_array_size(vectors);
    if (root == NULL) {
        (void)printf("%s:%d: %s\n", path, error.line, error.text);
    }
    (void)printf("%zu vectors replayed by C, %zu failed\n", count, failed);
    json_decref(root);
    return failed == 0 && count >= VECTORS_MIN ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void line_accept(const char *direction, const char *op, const char *hex)
{
    uint8_t data[VECTOR_BYTES_MAX];
    size_t bytes = 0;
    if (!vector_hex_decode(hex, data, sizeof(data), &bytes)) {
        (void)printf("usage hex\n");
        return;
    }
    struct vector_verdict verdict;
    vector_judge((struct proto_span){data, bytes}, strcmp(direction, "reply") == 0,
                 proto_op_find_name(op), &verdict);
    if (!verdict.good) {
        (void)printf("%s %s\n", proto_error_find((unsigned)verdict.fault.code)->name,
                     verdict.fault.field);
        return;
    }
    json_t *payload = verdict.payload.bytes > 0 ? vector_json_of(verdict.payload) : json_object();
    (void)printf("ok ");
    (void)json_dumpf(payload, stdout, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(17));
    (void)printf("\n");
    json_decref(payload);
}

static int lines_accept(void)
{
    static char line[2 * VECTOR_BYTES_MAX + 128];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *rest = NULL;
        const char *direction = strtok_r(line, " \n", &rest);
        const char *op = strtok_r(NULL, " \n", &rest);
        const char *hex = strtok_r(NULL, " \n", &rest);
        if (hex == NULL) {
            return EXIT_FAILURE;
        }
        line_accept(direction, op, hex);
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: vectors-replay FILE | --accept\n");
        return EXIT_FAILURE;
    }
    return strcmp(argv[1], "--accept") == 0 ? lines_accept() : file_replay(argv[1]);
}
