/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench-trees: a model file of XGBoost scored here and by XGBoost's own C API, in alternation.
 *
 *   icp-bench-trees SCHEMA.json MODEL.json ROWS.f32 COUNT OUT.f64 [LIBXGBOOST]
 *
 * ROWS has COUNT rows of floats, a feature each, NaN missing. OUT receives of every row the margin
 * and the contribution of each feature. What is timed goes from values in memory to a margin: here
 * the codes of the row and the sum; there XGBoosterPredictFromDense, the call without a copy, with
 * one thread. A line of JSON: nanoseconds a row, of single rows and in batches of 1,000, the median
 * of rounds that take turns. Without a library icpd is measured alone. */
#include <dlfcn.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/foreign/foreign_bind.h"
#include "server/math/order.h"

enum { ROUNDS = 15, BATCH = 1000 };

struct bench {
    struct foreign_model *model;
    struct foreign_use *uses;
    struct foreign_bound bound;
    struct feature_schema *schema;
    const float *rows;
    size_t count, features;
    struct feature_value *values;
    uint8_t *codes;
    int64_t *raws;
    double sink;
};

/* The part of XGBoost's C API that is asked. */
struct peer {
    void *booster;
    int (*create)(void *const *matrices, uint64_t count, void **booster);
    int (*load)(void *booster, const char *path);
    int (*set)(void *booster, const char *name, const char *value);
    int (*predict)(void *booster, const char *values, const char *settings, void *matrix,
                   const uint64_t **shape, uint64_t *dims, const float **result);
    const char *(*error)(void);
};

static void end(const char *what, const char *why)
{
    (void)fprintf(stderr, "icp-bench-trees: %s: %s\n", what, why);
    exit(1);
}

static double now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return 1e9 * (double)at.tv_sec + (double)at.tv_nsec;
}

static struct proto_span file_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        end(path, "it cannot be read");
    }
    long size = ftell(file);
    rewind(file);
    uint8_t *data = malloc((size_t)size + 1);
    if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) {
        end(path, "it cannot be read");
    }
    (void)fclose(file);
    return (struct proto_span){data, (size_t)size};
}

static void bench_open(struct bench *bench, char **argv)
{
    struct proto_fault fault = {.code = PROTO_OK};
    bench->schema = feature_schema_parse(file_read(argv[1]), 1, NULL, &fault);
    bench->model = bench->schema ? foreign_model_read(file_read(argv[2]), &fault) : NULL;
    bench->uses =
        bench->model ? calloc(bench->model->feature_count + 1, sizeof *bench->uses) : NULL;
    if (bench->uses == NULL ||
        !foreign_map_read(NULL, bench->model, bench->schema, bench->uses, &fault) ||
        !foreign_bind(bench->model, bench->uses, bench->schema, &bench->bound, &fault)) {
        end(argv[2], fault.message);
    }
    bench->rows = (const float *)(const void *)file_read(argv[3]).data;
    bench->count = strtoul(argv[4], NULL, 10);
    bench->features = bench->model->feature_count;
    size_t stride = bench->bound.codebook->row_bytes;
    bench->values = calloc(bench->schema->id_count + 1, sizeof *bench->values);
    bench->codes = aligned_alloc(64, (BATCH + 1) * stride);
    bench->raws = calloc(BATCH, sizeof *bench->raws);
    for (size_t i = 0; i < bench->schema->id_count; i++) {
        bench->values[i].type = FEATURE_NUMBER;
    }
}

static void row_code(struct bench *bench, size_t row, uint8_t *codes)
{
    const float *values = bench->rows + row * bench->features;
    for (size_t f = 0; f < bench->features; f++) {
        if (bench->uses[f].field != NULL) {
            struct feature_value *value = &bench->values[bench->uses[f].field->id];
            value->present = !isnan(values[f]);
            value->number = (double)values[f];
        }
    }
    feature_codebook_encode(bench->bound.codebook, bench->values, bench->schema->id_count, codes);
}

static void results_write(struct bench *bench, const char *path)
{
    FILE *file = fopen(path, "wb");
    double *out = calloc(bench->features + 1, sizeof *out);
    double *phi = calloc(bench->features + 1, sizeof *phi);
    if (file == NULL || out == NULL || phi == NULL) {
        end(path, "it cannot be written");
    }
    double ns = 0;
    for (size_t i = 0; i < bench->count; i++) {
        row_code(bench, i, bench->codes);
        double began = now_ns();
        model_trees_shap(bench->bound.trees, bench->codes, phi);
        ns += now_ns() - began;
        out[0] = 1e-6 * (double)model_trees_raw(bench->bound.trees, bench->codes);
        memset(out + 1, 0, bench->features * sizeof *out);
        for (size_t c = 0; c < bench->bound.trees->column_count; c++) {
            size_t f = 0;
            uint16_t id = bench->bound.codebook->columns[bench->bound.trees->columns[c]].field_id;
            while (bench->uses[f].field == NULL || bench->uses[f].field->id != id) {
                f++;
            }
            out[1 + f] = 1e-9 * phi[c];
        }
        (void)fwrite(out, sizeof *out, bench->features + 1, file);
    }
    if (fclose(file) != 0) {
        end(path, "it cannot be written");
    }
    printf("{\"contributions_ns\": %.0f, \"lines\": %s", ns / (double)bench->count,
           model_trees_has_lines(bench->bound.trees) ? "true" : "false");
    free(phi);
    free(out);
}

static double ours_single(struct bench *bench)
{
    double began = now_ns();
    for (size_t i = 0; i < bench->count; i++) {
        row_code(bench, i, bench->codes);
        bench->sink += (double)model_trees_raw(bench->bound.trees, bench->codes);
    }
    return (now_ns() - began) / (double)bench->count;
}

static double ours_batch(struct bench *bench)
{
    size_t stride = bench->bound.codebook->row_bytes;
    double began = now_ns();
    for (size_t at = 0; at + BATCH <= bench->count; at += BATCH) {
        for (size_t i = 0; i < BATCH; i++) {
            row_code(bench, at + i, bench->codes + i * stride);
        }
        model_trees_raw_many(bench->bound.trees, bench->codes, stride, BATCH, bench->raws);
        bench->sink += (double)bench->raws[0];
    }
    size_t rows = bench->count - bench->count % BATCH;
    return (now_ns() - began) / (double)rows;
}

static double theirs(struct bench *bench, const struct peer *peer, size_t rows, size_t calls)
{
    static const char settings[] =
        "{\"type\":1,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"
        "\"strict_shape\":false,\"missing\":NaN,\"cache_id\":0}";
    double began = now_ns();
    for (size_t i = 0; i < calls; i++) {
        char values[256];
        const uint64_t *shape;
        uint64_t dims;
        const float *result;
        (void)snprintf(values, sizeof values,
                       "{\"data\":[%" PRIuPTR ",true],\"shape\":[%zu,%zu],\"typestr\":\"<f4\","
                       "\"version\":3}",
                       (uintptr_t)(bench->rows + i * rows * bench->features), rows,
                       bench->features);
        if (peer->predict(peer->booster, values, settings, NULL, &shape, &dims, &result) != 0) {
            end("XGBoost", peer->error());
        }
        bench->sink += (double)result[0];
    }
    return (now_ns() - began) / (double)(calls * rows);
}

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (found == NULL) {
        end(name, "the library does not have it");
    }
    return found;
}

static void peer_open(struct peer *peer, const char *library, const char *model)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        end(library, dlerror());
    }
    *(void **)&peer->create = symbol(handle, "XGBoosterCreate");
    *(void **)&peer->load = symbol(handle, "XGBoosterLoadModel");
    *(void **)&peer->set = symbol(handle, "XGBoosterSetParam");
    *(void **)&peer->predict = symbol(handle, "XGBoosterPredictFromDense");
    *(void **)&peer->error = symbol(handle, "XGBGetLastError");
    if (peer->create(NULL, 0, &peer->booster) != 0 || peer->load(peer->booster, model) != 0 ||
        peer->set(peer->booster, "nthread", "1") != 0) {
        end("XGBoost", peer->error());
    }
}

static double middle(double *figures)
{
    qsort(figures, ROUNDS, sizeof *figures, math_ascending);
    return figures[ROUNDS / 2];
}

int main(int argc, char **argv)
{
    struct bench bench = {.sink = 0};
    struct peer peer = {.booster = NULL};
    double figures[4][ROUNDS];
    if (argc != 6 && argc != 7) {
        end("usage", "SCHEMA.json MODEL.json ROWS.f32 COUNT OUT.f64 [LIBXGBOOST]");
    }
    bench_open(&bench, argv);
    results_write(&bench, argv[5]);
    if (argc == 7) {
        peer_open(&peer, argv[6], argv[2]);
    }
    for (size_t r = 0; r < ROUNDS; r++) {
        figures[0][r] = ours_single(&bench);
        figures[1][r] = ours_batch(&bench);
        if (argc == 7) {
            figures[2][r] = theirs(&bench, &peer, 1, 1000);
            figures[3][r] = theirs(&bench, &peer, BATCH, bench.count / BATCH);
        }
    }
    printf(", \"single_ns\": %.0f, \"batch_ns\": %.0f", middle(figures[0]), middle(figures[1]));
    if (argc == 7) {
        printf(", \"peer_single_ns\": %.0f, \"peer_batch_ns\": %.0f", middle(figures[2]),
               middle(figures[3]));
    }
    printf(", \"sink\": %d}\n", bench.sink > 0);
    return 0;
}
