/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lookalike/lookalike_data.h"

#include "bench/lookalike/lookalike_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if LOOKALIKE_ZLIB
#include <zlib.h>
#endif

/* SplitMix64 and Box-Muller. */
struct source {
    uint64_t state;
    bool spare_full;
    double spare;
};

static uint64_t source_next(struct source *source)
{
    uint64_t z = (source->state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

static double source_uniform(struct source *source)
{
    return ((double)(source_next(source) >> 11) + 0.5) * 0x1p-53;
}

static double source_normal(struct source *source)
{
    if (source->spare_full) {
        source->spare_full = false;
        return source->spare;
    }
    double radius = sqrt(-2 * log(source_uniform(source)));
    double angle = 6.283185307179586 * source_uniform(source);
    source->spare = radius * sin(angle);
    source->spare_full = true;
    return radius * cos(angle);
}

static void scale_to_one(float *x, uint32_t dim)
{
    double square = 0;
    for (uint32_t i = 0; i < dim; i++) {
        square += (double)x[i] * (double)x[i];
    }
    float shrink = (float)(1 / sqrt(square));
    for (uint32_t i = 0; i < dim; i++) {
        x[i] *= shrink;
    }
}

enum { CLUSTERS = 1000, RANK = 24, LATENT = 20, HIDDEN = 256 };
enum { PICTURES = 60000, PICTURE_DIM = 28 * 28 };

/* Set A: centre + shape * z + noise. */
struct clusters {
    float *centres;
    float *shapes; /* RANK directions a cluster */
    double spread[CLUSTERS];
    double share[CLUSTERS]; /* cumulated */
};

static bool clusters_init(struct clusters *clusters, struct source *source, uint32_t dim)
{
    double sum = 0;
    clusters->centres = calloc((size_t)CLUSTERS * dim, sizeof(float));
    clusters->shapes = calloc((size_t)CLUSTERS * RANK * dim, sizeof(float));
    if (clusters->centres == NULL || clusters->shapes == NULL) {
        return false;
    }
    for (size_t c = 0; c < CLUSTERS; c++) {
        for (uint32_t i = 0; i < dim; i++) {
            clusters->centres[c * dim + i] = (float)(0.6 * source_normal(source));
        }
        for (size_t r = 0; r < RANK; r++) {
            double weight = 0.30 / sqrt(1 + (double)r * 0.35);
            for (uint32_t i = 0; i < dim; i++) {
                clusters->shapes[(c * RANK + r) * dim + i] =
                    (float)(weight * source_normal(source));
            }
        }
        clusters->spread[c] = 0.5 + source_uniform(source);
        sum += 1 / pow(1 + (double)c, 0.6);
        clusters->share[c] = sum;
    }
    return true;
}

static void clusters_draw(const struct clusters *clusters, struct source *source, uint32_t dim,
                          float *x)
{
    double pick = source_uniform(source) * clusters->share[CLUSTERS - 1];
    size_t c = 0;
    while (clusters->share[c] < pick) {
        c++;
    }
    bool background = source_uniform(source) < 0.05;
    double noise = background ? 0.30 : 0.15;
    for (uint32_t i = 0; i < dim; i++) {
        x[i] = clusters->centres[c * dim + i] + (float)(noise * source_normal(source));
    }
    for (size_t r = 0; r < RANK; r++) {
        float z = (float)(source_normal(source) * clusters->spread[c] * (background ? 2 : 1));
        const float *direction = clusters->shapes + (c * RANK + r) * dim;
        for (uint32_t i = 0; i < dim; i++) {
            x[i] += z * direction[i];
        }
    }
    scale_to_one(x, dim);
}

static bool make_clusters(struct lookalike_data *data, struct source *source)
{
    struct clusters clusters = {0};
    bool ready = clusters_init(&clusters, source, data->dim);
    for (uint32_t i = 0; ready && i < data->count + data->query_count; i++) {
        float *x = i < data->count ? data->vectors + (size_t)i * data->dim
                                   : data->queries + (size_t)(i - data->count) * data->dim;
        clusters_draw(&clusters, source, data->dim, x);
    }
    free(clusters.centres);
    free(clusters.shapes);
    return ready;
}

/* Set M: W2 tanh(W1 z) + noise. `second` is W2 transposed, so that the inner loop is long. */
static void manifold_draw(const float *first, const float *second, struct source *source,
                          uint32_t dim, float *x)
{
    float z[LATENT];
    for (uint32_t k = 0; k < LATENT; k++) {
        z[k] = (float)source_normal(source);
    }
    for (uint32_t i = 0; i < dim; i++) {
        x[i] = (float)(0.05 * source_normal(source));
    }
    for (size_t j = 0; j < HIDDEN; j++) {
        float sum = 0;
        for (uint32_t k = 0; k < LATENT; k++) {
            sum += first[j * LATENT + k] * z[k];
        }
        float unit = tanhf(sum);
        for (uint32_t i = 0; i < dim; i++) {
            x[i] += unit * second[j * dim + i];
        }
    }
    scale_to_one(x, dim);
}

static bool make_manifold(struct lookalike_data *data, struct source *source)
{
    float *first = calloc((size_t)HIDDEN * LATENT, sizeof *first);
    float *second = calloc((size_t)HIDDEN * data->dim, sizeof *second);
    bool ready = first != NULL && second != NULL;
    for (size_t i = 0; ready && i < (size_t)HIDDEN * LATENT; i++) {
        first[i] = (float)(source_normal(source) * 1.2 / sqrt(LATENT));
    }
    for (size_t i = 0; ready && i < (size_t)HIDDEN * data->dim; i++) {
        second[i] = (float)(source_normal(source) / sqrt(HIDDEN));
    }
    for (uint32_t i = 0; ready && i < data->count + data->query_count; i++) {
        float *x = i < data->count ? data->vectors + (size_t)i * data->dim
                                   : data->queries + (size_t)(i - data->count) * data->dim;
        manifold_draw(first, second, source, data->dim, x);
    }
    free(first);
    free(second);
    return ready;
}

#if LOOKALIKE_ZLIB
/* An IDX file: 16 bytes of header, then one byte a pixel. */
static bool pictures_read(const char *path, uint32_t count, uint32_t dim, float *out)
{
    gzFile file = gzopen(path, "rb");
    uint8_t *row = malloc(dim);
    bool good = file != NULL && row != NULL && gzread(file, row, 16) == 16;
    for (uint32_t i = 0; good && i < count; i++) {
        good = gzread(file, row, dim) == (int)dim;
        for (uint32_t k = 0; k < dim; k++) {
            out[(size_t)i * dim + k] = row[k];
        }
    }
    free(row);
    if (file != NULL) {
        gzclose(file);
    }
    return good;
}

static bool read_pictures(struct lookalike_data *data, const char *folder)
{
    char train[512];
    char test[512];
    snprintf(train, sizeof train, "%s/train-images-idx3-ubyte.gz", folder);
    snprintf(test, sizeof test, "%s/t10k-images-idx3-ubyte.gz", folder);
    return pictures_read(train, data->count, data->dim, data->vectors) &&
           pictures_read(test, data->query_count, data->dim, data->queries);
}
#else
static bool read_pictures(struct lookalike_data *data, const char *folder)
{
    (void)data;
    (void)folder;
    return false;
}
#endif

bool lookalike_data_load(struct lookalike_data *data, char name,
                         const struct lookalike_data_options *options)
{
    struct source source = {.state = 20240601u + (uint64_t)(unsigned char)name};
    *data = (struct lookalike_data){.name = name,
                                    .dim = options->dim,
                                    .count = options->count,
                                    .query_count = options->query_count};
    if (name == 'F') {
        data->dim = PICTURE_DIM;
        data->count = options->count < PICTURES ? options->count : (uint32_t)PICTURES;
    } else if (name == 'W') {
        uint32_t words = LOOKALIKE_WORDS - options->query_count;
        data->dim = LOOKALIKE_WORDS_DIM;
        data->count = options->count < words ? options->count : words;
    }
    data->vectors = calloc((size_t)data->count * data->dim, sizeof(float));
    data->queries = calloc((size_t)data->query_count * data->dim, sizeof(float));
    bool ready = data->vectors != NULL && data->queries != NULL;
    if (ready && name == 'A') {
        ready = make_clusters(data, &source);
    } else if (ready && name == 'M') {
        ready = make_manifold(data, &source);
    } else if (ready && name == 'W') {
        ready = lookalike_words_read(data, options->words);
    } else if (ready) {
        ready = read_pictures(data, options->folder);
    }
    if (!ready) {
        lookalike_data_free(data);
    }
    return ready;
}

void lookalike_data_free(struct lookalike_data *data)
{
    free(data->vectors);
    free(data->queries);
    *data = (struct lookalike_data){0};
}
