/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lookalike/lookalike_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The whole file with a zero behind it; NULL: it is not there, or there is no memory. */
static char *text_read(const char *path)
{
    struct stat about;
    FILE *file = fopen(path, "rbe");
    char *text = NULL;
    if (file != NULL && fstat(fileno(file), &about) == 0) {
        size_t bytes = (size_t)about.st_size;
        text = malloc(bytes + 1);
        if (text != NULL && fread(text, 1, bytes, file) != bytes) {
            free(text);
            text = NULL;
        }
        if (text != NULL) {
            text[bytes] = '\0';
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

/* Behind a quoted word; NULL: there is none. */
static const char *word_skip(const char *at)
{
    if (*at != '"') {
        return NULL;
    }
    for (at++; *at != '"'; at++) {
        at += *at == '\\';
        if (*at == '\0') {
            return NULL;
        }
    }
    return at + 1;
}

/* Reads a vector and skips what else the list has; returns what is behind it. */
static const char *vector_read(const char *at, float *vector)
{
    if (strncmp(at, ":[", 2) != 0) {
        return NULL;
    }
    at++;
    for (uint32_t i = 0; i < LOOKALIKE_WORDS_DIM; i++) {
        char *end;
        vector[i] = strtof(at + 1, &end); /* behind a bracket or a comma */
        if (end == at + 1 || *end != ',') {
            return NULL;
        }
        at = end;
    }
    at += strcspn(at, "]");
    return *at == ']' ? at + 1 : NULL;
}

/* False: a word without a direction. */
static bool scale_to_one(float *vector)
{
    double square = 0;
    for (uint32_t i = 0; i < LOOKALIKE_WORDS_DIM; i++) {
        square += (double)vector[i] * (double)vector[i];
    }
    for (uint32_t i = 0; square > 0 && i < LOOKALIKE_WORDS_DIM; i++) {
        vector[i] = (float)((double)vector[i] / sqrt(square));
    }
    return square > 0;
}

bool lookalike_words_read(struct lookalike_data *data, const char *path)
{
    static const char begin[] = "\"vectors\":{";
    char *text = text_read(path);
    const char *at = text != NULL ? strstr(text, begin) : NULL;
    uint32_t most = data->count;
    uint32_t every = (most + data->query_count) / data->query_count;
    uint32_t asked = 0;
    uint32_t seen = 0;
    data->count = 0;
    at = at != NULL ? at + sizeof begin - 1 : NULL;
    while (at != NULL && *at == '"' && (data->count < most || asked < data->query_count)) {
        float vector[LOOKALIKE_WORDS_DIM];
        at = word_skip(at);
        at = at != NULL ? vector_read(at, vector) : NULL;
        if (at == NULL || !scale_to_one(vector)) {
            at = at != NULL ? at + (*at == ',') : NULL;
            continue;
        }
        bool query = seen++ % every == 0 && asked < data->query_count;
        if (query) {
            memcpy(data->queries + (size_t)asked++ * LOOKALIKE_WORDS_DIM, vector, sizeof vector);
        } else if (data->count < most) {
            memcpy(data->vectors + (size_t)data->count++ * LOOKALIKE_WORDS_DIM, vector,
                   sizeof vector);
        }
        at += *at == ',';
    }
    free(text);
    return at != NULL && data->count > 0 && asked == data->query_count;
}
