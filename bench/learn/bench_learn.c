/* SPDX-License-Identifier: Apache-2.0 */
/* Learns from made-up rows and says what that took: icp-bench-learn ROWS FIELDS [option=value …]
 * threads=N  pairs=N  seed=N  folder=DIR (rows.f32, labels.u8 of all rows for another program, and
 * scores.f64 with p of the held-out ones).
 *
 * Three fields of four are numbers (normal, log-normal, whole; every third lacks a fifth of its
 * values), the fourth is a category of 4 to 60 values, some rare. Half of the fields have an effect
 * of their own, two have a joint one. The last 30 % of the rows are held out from learning and are
 * scored. One line of JSON comes out: seconds of the wall and of the processor, memory at its
 * highest, rounds, and AUC and log loss on the rows held out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "server/learn/document.h"
#include "server/learn/learn.h"
#include "server/math/accuracy.h"
#include "server/math/auc.h"
#include "server/math/order.h"
#include "server/math/portable.h"
#include "server/math/random.h"

#define VALUES_MAX 64
#define LEARNED_SHARE 0.7

struct options {
    size_t rows, fields;
    unsigned threads, pairs;
    uint64_t seed;
    const char *folder;
};

struct rows {
    size_t rows, fields;
    float *cells; /* row after row; NaN where missing; a category is its number */
    uint8_t *labels;
    char texts[VALUES_MAX][8];
};

static bool is_category(size_t field)
{
    return field % 4 == 3;
}

static size_t values_of(size_t field)
{
    return 4 + field * 7 % 57;
}

static float cell_draw(struct math_random *random, size_t field)
{
    if (field % 3 == 2 && math_random_unit(random) < 0.2) {
        return NAN;
    }
    if (is_category(field)) { /* the first values are frequent, the last rare */
        double u = math_random_unit(random);
        return (float)floor(u * u * (double)values_of(field));
    }
    double z = math_random_normal(random);
    return field % 4 == 0   ? (float)z
           : field % 4 == 1 ? (float)math_exp(3.0 + 1.5 * z)
                            : (float)floor(math_random_unit(random) * 50.0);
}

/* What a value of a field adds; fields of the upper half add nothing. */
static double effect(const struct rows *rows, const float *row, size_t field)
{
    float x = row[field];
    if (field >= (rows->fields + 1) / 2) {
        return 0.0;
    }
    if (isnan(x)) {
        return -0.3;
    }
    switch (field % 4) {
    case 0:
        return fabs((double)x) < 0.8 ? 0.6 : -0.2;
    case 1:
        return 0.3 * fmin(fmax(log((double)x) - 3.0, -2.0), 1.0);
    case 2:
        return x > 30.0F ? 0.4 : -0.1;
    default:
        return 0.8 * sin(2.4 * (double)x + (double)field);
    }
}

static void rows_make(struct rows *rows, uint64_t seed)
{
    struct math_random random;
    math_random_init(&random, seed);
    for (size_t v = 0; v < VALUES_MAX; v++) {
        (void)snprintf(rows->texts[v], sizeof rows->texts[v], "v%zu", v);
    }
    for (size_t i = 0; i < rows->rows; i++) {
        float *row = rows->cells + i * rows->fields;
        double logit = -1.2;
        for (size_t f = 0; f < rows->fields; f++) {
            row[f] = cell_draw(&random, f);
            logit += effect(rows, row, f);
        }
        if (rows->fields > 4) {
            logit += row[0] > 0.0F && row[4] > 0.0F ? 0.5 : 0.0;
        }
        rows->labels[i] = math_random_unit(&random) < math_logistic(logit);
    }
}

static bool on_values(void *context, size_t row, struct feature_value *values, size_t slots)
{
    const struct rows *rows = context;
    for (size_t f = 0; f < rows->fields && f < slots; f++) {
        float x = rows->cells[row * rows->fields + f];
        if (isnan(x)) {
            values[f] = (struct feature_value){0};
        } else if (is_category(f)) {
            values[f] = (struct feature_value){.present = true,
                                               .type = FEATURE_CATEGORY,
                                               .text = proto_span_text(rows->texts[(size_t)x])};
        } else {
            values[f] = (struct feature_value){
                .present = true, .type = FEATURE_NUMBER, .number = (double)x};
        }
    }
    return true;
}

static struct feature_schema *schema_make(size_t fields)
{
    struct proto_fault fault = {0};
    size_t bytes = 64 + fields * 64;
    char *text = malloc(bytes);
    if (text == NULL) {
        return NULL;
    }
    size_t at = (size_t)snprintf(text, bytes, "{\"fields\": [");
    for (size_t f = 0; f < fields; f++) {
        at += (size_t)snprintf(text + at, bytes - at, "%s{\"name\": \"f%zu\", \"type\": \"%s\"}",
                               f == 0 ? "" : ", ", f, is_category(f) ? "category" : "number");
    }
    (void)snprintf(text + at, bytes - at, "]}");
    struct feature_schema *schema = feature_schema_parse(proto_span_text(text), 1, NULL, &fault);
    free(text);
    return schema;
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool file_write(const struct options *options, const char *name, const void *data,
                       size_t bytes)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", options->folder, name);
    FILE *out = fopen(path, "wb");
    bool ok = out != NULL && fwrite(data, 1, bytes, out) == bytes;
    if (out != NULL) {
        ok = fclose(out) == 0 && ok;
    }
    if (!ok) {
        (void)fprintf(stderr, "icp-bench-learn: %s cannot be written\n", path);
    }
    return ok;
}

/* Scores the rows that were not learned from, and tells all. */
static int told(const struct options *options, struct rows *rows, struct feature_schema *schema,
                const char *text, const double *took)
{
    struct proto_fault fault = {0};
    struct learn_document *document =
        learn_document_parse(proto_span_text(text), 1, schema, &fault);
    size_t from = (size_t)((double)rows->rows * LEARNED_SHARE);
    size_t count = rows->rows - from;
    struct feature_value *values = calloc(rows->fields + 1, sizeof *values);
    double *p = calloc(count + 1, sizeof *p);
    uint8_t codes[4096] = {0};
    if (document == NULL || values == NULL || p == NULL ||
        document->codebook->row_bytes > sizeof codes) {
        (void)fprintf(stderr, "icp-bench-learn: %s\n", fault.message);
        free(p);
        free(values);
        learn_document_release(document);
        return 70;
    }
    for (size_t i = 0; i < count; i++) {
        (void)on_values(rows, from + i, values, rows->fields);
        feature_codebook_encode(document->codebook, values, rows->fields, codes);
        p[i] = model_p(document->scorecard, model_raw(document->scorecard, codes));
    }
    uint32_t *order = math_order_create(p, count);
    struct math_auc auc = {0};
    const json_t *settings = json_object_get(document->json, "settings");
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    int status = order != NULL && math_auc(p, rows->labels + from, order, count, &auc) ? 0 : 70;
    if (status == 0 && options->folder != NULL) {
        status = file_write(options, "scores.f64", p, count * sizeof *p) ? 0 : 74;
    }
    (void)printf("{\"wall\": %.3f, \"processor\": %.3f, \"megabytes\": %ld, \"rounds\": %lld, "
                 "\"pairs\": %lld, \"auc\": %.5f, \"log_loss\": %.5f}\n",
                 took[0], took[1], usage.ru_maxrss / 1024,
                 (long long)json_integer_value(json_object_get(settings, "rounds_mean")),
                 (long long)json_integer_value(json_object_get(settings, "pairs")), auc.auc,
                 math_log_loss(p, rows->labels + from, count));
    free(order);
    free(p);
    free(values);
    learn_document_release(document);
    return status;
}

static int run(const struct options *options, struct rows *rows, struct feature_schema *schema)
{
    struct proto_fault fault = {0};
    uint16_t *fields = calloc(rows->fields + 1, sizeof *fields);
    for (size_t f = 0; fields != NULL && f < rows->fields; f++) {
        fields[f] = (uint16_t)f;
    }
    struct learn_options learn = {.schema = schema,
                                  .label_text = "made up",
                                  .field_ids = fields,
                                  .field_count = rows->fields,
                                  .time_field_id = -1,
                                  .seed = options->seed,
                                  .pairs_max = options->pairs,
                                  .threads = options->threads};
    struct learn_population population = {.context = rows,
                                          .rows = (size_t)((double)rows->rows * LEARNED_SHARE),
                                          .values = on_values,
                                          .labels = rows->labels};
    double took[2] = {seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
    char *text = fields == NULL ? NULL : learn_run(&population, &learn, &fault);
    took[0] = seconds(CLOCK_MONOTONIC) - took[0];
    took[1] = seconds(CLOCK_PROCESS_CPUTIME_ID) - took[1];
    int status = 65;
    if (text == NULL) {
        (void)fprintf(stderr, "icp-bench-learn: %s\n", fault.message);
    } else {
        status = told(options, rows, schema, text, took);
    }
    free(text);
    free(fields);
    return status;
}

static bool options_read(int count, char **arguments, struct options *options)
{
    if (count < 3) {
        return false;
    }
    *options = (struct options){.rows = strtoull(arguments[1], NULL, 10),
                                .fields = strtoull(arguments[2], NULL, 10),
                                .threads = 1,
                                .seed = 1};
    for (int i = 3; i < count; i++) {
        const char *a = arguments[i];
        if (strncmp(a, "threads=", 8) == 0) {
            options->threads = (unsigned)strtoul(a + 8, NULL, 10);
        } else if (strncmp(a, "pairs=", 6) == 0) {
            options->pairs = (unsigned)strtoul(a + 6, NULL, 10);
        } else if (strncmp(a, "seed=", 5) == 0) {
            options->seed = strtoull(a + 5, NULL, 10);
        } else if (strncmp(a, "folder=", 7) == 0) {
            options->folder = a + 7;
        } else {
            return false;
        }
    }
    return options->rows >= 1000 && options->rows <= 100000000 && options->fields >= 1 &&
           options->fields <= 500;
}

int main(int argument_count, char **arguments)
{
    struct options options;
    if (!options_read(argument_count, arguments, &options)) {
        (void)fprintf(stderr, "icp-bench-learn ROWS (1,000 to 100,000,000) FIELDS (1 to 500) "
                              "[threads=N] [pairs=N] [seed=N] [folder=DIR]\n");
        return 64;
    }
    struct rows rows = {.rows = options.rows, .fields = options.fields};
    rows.cells = malloc(rows.rows * rows.fields * sizeof *rows.cells);
    rows.labels = malloc(rows.rows);
    struct feature_schema *schema = schema_make(rows.fields);
    int status = 71;
    if (rows.cells != NULL && rows.labels != NULL && schema != NULL) {
        rows_make(&rows, options.seed);
        status = 0;
        if (options.folder != NULL &&
            (!file_write(&options, "rows.f32", rows.cells,
                         rows.rows * rows.fields * sizeof *rows.cells) ||
             !file_write(&options, "labels.u8", rows.labels, rows.rows))) {
            status = 74;
        }
        status = status == 0 ? run(&options, &rows, schema) : status;
    }
    feature_schema_release(schema);
    free(rows.cells);
    free(rows.labels);
    return status;
}
