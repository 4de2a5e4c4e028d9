/* SPDX-License-Identifier: Apache-2.0 */
/* Learns from a CSV file without a server and scores rows that it has not seen, for tests on real
 * data: learn_csv FILE.csv LABEL [option=value …] where=FILTER  exclude=A|B|C  seed=N  split=N
 * (seed of the outer 70/30 split)  pairs=N time=FIELD  keep=A|B|C  shuffle=N (labels in random
 * order) rows=N (the first N)  rising=A|B falling=A|B  threads=N  text=FILE (document) scores=FILE
 * (label,p,raw of the outer 30 %)  learned=N (no outer split: from the first N rows is learned, the
 * others are scored in their order). Prints one JSON object: either "error" and "message", or the
 * figures. A column is a number if all its values are, else a category; Select and blanks are
 * missing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/learn/document.h"
#include "server/learn/learn.h"
#include "server/math/accuracy.h"
#include "server/math/auc.h"
#include "server/math/order.h"
#include "server/math/random.h"
#include "tests/system/learn/csv_table.h"

struct options {
    const char *file, *label, *where, *exclude, *keep, *rising, *falling, *time, *text, *scores;
    uint64_t seed, split, shuffle;
    unsigned pairs, threads;
    size_t rows, learned;
};

/* The learner's view: rows of the table that belong to the outer training part. */
struct view {
    const struct csv_table *table;
    const uint32_t *rows;
};

static bool on_values(void *context, size_t row, struct feature_value *values, size_t slots)
{
    const struct view *view = context;
    size_t columns = view->table->columns;
    for (size_t c = 0; c < columns && c < slots; c++) {
        values[c] = view->table->values[view->rows[row] * columns + c];
    }
    return true;
}

static const char *option(const char *argument, const char *name)
{
    size_t bytes = strlen(name);
    return strncmp(argument, name, bytes) == 0 && argument[bytes] == '=' ? argument + bytes + 1
                                                                         : NULL;
}

static void options_read(int count, char **arguments, struct options *options)
{
    *options = (struct options){
        .file = arguments[1], .label = arguments[2], .where = "", .rows = SIZE_MAX};
    for (int i = 3; i < count; i++) {
        const char *a = arguments[i];
        const char *v;
        options->where = (v = option(a, "where")) != NULL ? v : options->where;
        options->exclude = (v = option(a, "exclude")) != NULL ? v : options->exclude;
        options->time = (v = option(a, "time")) != NULL ? v : options->time;
        options->text = (v = option(a, "text")) != NULL ? v : options->text;
        options->scores = (v = option(a, "scores")) != NULL ? v : options->scores;
        options->seed = (v = option(a, "seed")) != NULL ? strtoull(v, NULL, 10) : options->seed;
        options->split = (v = option(a, "split")) != NULL ? strtoull(v, NULL, 10) : options->split;
        options->shuffle =
            (v = option(a, "shuffle")) != NULL ? strtoull(v, NULL, 10) : options->shuffle;
        options->pairs =
            (v = option(a, "pairs")) != NULL ? (unsigned)strtoul(v, NULL, 10) : options->pairs;
        options->keep = (v = option(a, "keep")) != NULL ? v : options->keep;
        options->rising = (v = option(a, "rising")) != NULL ? v : options->rising;
        options->falling = (v = option(a, "falling")) != NULL ? v : options->falling;
        options->threads =
            (v = option(a, "threads")) != NULL ? (unsigned)strtoul(v, NULL, 10) : options->threads;
        options->rows = (v = option(a, "rows")) != NULL ? strtoull(v, NULL, 10) : options->rows;
        options->learned =
            (v = option(a, "learned")) != NULL ? strtoull(v, NULL, 10) : options->learned;
    }
}

static bool is_listed(const char *list, const char *name)
{
    size_t bytes = strlen(name);
    while (list != NULL && *list != '\0') {
        size_t item = strcspn(list, "|");
        if (item == bytes && memcmp(list, name, bytes) == 0) {
            return true;
        }
        list += item + (list[item] == '|');
    }
    return false;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fault_print(const struct proto_fault *fault)
{
    json_t *json = json_pack("{s:s, s:s, s:s}", "error", proto_error_find(fault->code)->name,
                             "field", fault->field, "message", fault->message);
    json_dumpf(json, stdout, 0);
    json_decref(json);
    (void)printf("\n");
}

/* Scores the outer held-out rows through the parsed document, as the server would. */
static void outer_measure(const struct options *options, const struct learn_document *document,
                          struct view view, size_t rows, const struct filter *label, double took)
{
    size_t columns = view.table->columns;
    struct feature_value *values = calloc(columns, sizeof *values);
    uint8_t *codes = calloc(1, document->codebook->row_bytes);
    double *raw = calloc(rows + 1, sizeof *raw);
    double *p = calloc(rows + 1, sizeof *p);
    uint8_t *labels = calloc(rows + 1, 1);
    int32_t *parts = calloc(document->scorecard->term_count + 1, sizeof *parts);
    FILE *out = options->scores != NULL ? fopen(options->scores, "w") : NULL;
    size_t unequal = 0;
    for (size_t i = 0; i < rows; i++) {
        on_values(&view, i, values, columns);
        feature_codebook_encode(document->codebook, values, columns, codes);
        int64_t exact = model_raw(document->scorecard, codes);
        model_contributions(document->scorecard, codes, parts);
        int64_t sum = document->scorecard->intercept;
        for (size_t t = 0; t < document->scorecard->term_count; t++) {
            sum += parts[t];
        }
        unequal += sum != exact;
        raw[i] = (double)exact;
        p[i] = model_p(document->scorecard, exact);
        labels[i] = filter_match(label, values, columns);
        if (out != NULL) {
            (void)fprintf(out, "%d,%.17g,%lld\n", labels[i], p[i], (long long)exact);
        }
    }
    if (out != NULL) {
        (void)fclose(out);
    }
    uint32_t *order = math_order_create(raw, rows);
    struct math_auc auc;
    math_auc(raw, labels, order, rows, &auc);
    const json_t *evidence = json_object_get(document->json, "evidence");
    json_t *json = json_pack(
        "{s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:f, s:s, s:I, s:O, s:O, s:O}", "auc", auc.auc,
        "auc_low", auc.low, "auc_high", auc.high, "brier", math_brier(p, labels, rows), "log_loss",
        math_log_loss(p, labels, rows), "ece", math_ece(p, labels, rows, 10), "unequal",
        (json_int_t)unequal, "terms", (json_int_t)document->scorecard->term_count, "seconds", took,
        "digest", "", "bytes", (json_int_t)document->text_bytes, "holdout",
        json_object_get(evidence, "holdout"), "refused", json_object_get(evidence, "refused"),
        "warnings", json_object_get(evidence, "warnings"));
    char digest[20];
    (void)snprintf(digest, sizeof digest, "%016llx", (unsigned long long)document->digest);
    json_object_set_new(json, "digest", json_string(digest));
    json_object_set_new(json, "settings", json_incref(json_object_get(document->json, "settings")));
    json_object_set_new(json, "fields", json_incref(json_object_get(evidence, "fields")));
    json_dumpf(json, stdout, 0);
    (void)printf("\n");
    json_decref(json);
    free(order);
    free(values);
    free(codes);
    free(raw);
    free(p);
    free(labels);
    free(parts);
}

/* Puts the labels' column in a random order: what is learned from it then is noise. */
static void labels_shuffle(struct csv_table *table, const struct filter *label, uint64_t seed)
{
    size_t count;
    const uint16_t *ids = filter_fields(label, &count);
    uint32_t *order = calloc(table->rows + 1, sizeof *order);
    struct feature_value *kept = calloc(table->rows + 1, sizeof *kept);
    struct math_random random;
    for (uint32_t i = 0; i < table->rows; i++) {
        order[i] = i;
        kept[i] = table->values[i * table->columns + ids[0]];
    }
    math_random_init(&random, seed);
    math_random_shuffle(&random, order, table->rows);
    for (size_t i = 0; i < table->rows; i++) {
        table->values[i * table->columns + ids[0]] = kept[order[i]];
    }
    free(order);
    free(kept);
}

static bool reads_field(const struct filter *filter, uint16_t field_id)
{
    size_t count;
    const uint16_t *ids = filter_fields(filter, &count);
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == field_id) {
            return true;
        }
    }
    return false;
}

/* The filters of the command line and what may be learned from. */
struct task {
    struct filter *label;
    struct filter *where;
    uint16_t *fields;
    size_t field_count;
    uint16_t *keep;
    size_t keep_count;
    int8_t *directions;
    int32_t time_field;
};

static bool task_read(const struct options *options, const struct csv_table *table,
                      struct task *task, struct proto_fault *fault)
{
    size_t column = 0;
    task->time_field = -1;
    task->label = filter_parse(table->schema, proto_span_text(options->label), fault, &column);
    if (task->label == NULL) {
        return false;
    }
    if (*options->where != '\0') {
        task->where = filter_parse(table->schema, proto_span_text(options->where), fault, &column);
        if (task->where == NULL) {
            return false;
        }
    }
    task->fields = calloc(table->columns + 1, sizeof *task->fields);
    task->keep = calloc(table->columns + 1, sizeof *task->keep);
    task->directions = calloc((size_t)table->schema->id_count + 1, sizeof *task->directions);
    for (size_t c = 0; c < table->columns; c++) {
        const struct feature_field *field = &table->schema->fields[c];
        task->directions[field->id] = is_listed(options->rising, field->name)    ? 1
                                      : is_listed(options->falling, field->name) ? -1
                                                                                 : 0;
        if (is_listed(options->keep, field->name)) {
            task->keep[task->keep_count++] = field->id;
        }
        if (options->time != NULL && strcmp(options->time, field->name) == 0) {
            task->time_field = field->id;
        } else if (!reads_field(task->label, field->id) &&
                   !is_listed(options->exclude, field->name)) {
            task->fields[task->field_count++] = field->id;
        }
    }
    return true;
}

static void task_fini(struct task *task)
{
    free(task->fields);
    free(task->keep);
    free(task->directions);
    filter_destroy(task->label);
    filter_destroy(task->where);
}

static char *task_learn(const struct options *options, const struct csv_table *table,
                        const struct task *task, const struct learn_population *population,
                        struct proto_fault *fault)
{
    struct learn_options learn = {.schema = table->schema,
                                  .name = "test",
                                  .created = "2026-01-01T00:00:00Z",
                                  .label = task->label,
                                  .label_text = options->label,
                                  .where = task->where,
                                  .where_text = options->where,
                                  .field_ids = task->fields,
                                  .field_count = task->field_count,
                                  .time_field_id = task->time_field,
                                  .seed = options->seed,
                                  .pairs_max = options->pairs,
                                  .threads = options->threads,
                                  .directions = task->directions,
                                  .keep_field_ids = task->keep,
                                  .keep_field_count = task->keep_count};
    return learn_run(population, &learn, fault);
}

static void text_keep(const char *path, const char *text)
{
    FILE *out = path != NULL ? fopen(path, "w") : NULL;
    if (out != NULL) {
        (void)fputs(text, out);
        (void)fclose(out);
    }
}

/* Learns on 70 % of the rows and measures on the others; no evidence is an answer, not a failure.
 */
static int run(const struct options *options, struct csv_table *table, const struct task *task)
{
    struct proto_fault fault = {0};
    uint32_t *order = calloc(table->rows + 1, sizeof *order);
    struct math_random random;
    for (uint32_t i = 0; i < table->rows; i++) {
        order[i] = i;
    }
    size_t learned = options->learned;
    if (learned == 0 || learned > table->rows) {
        math_random_init(&random, options->split);
        math_random_shuffle(&random, order, table->rows);
        learned = table->rows * 7 / 10;
    }
    struct view view = {table, order};
    struct learn_population population = {.context = &view, .rows = learned, .values = on_values};
    int status = 0;
    double begun = seconds();
    char *text = task_learn(options, table, task, &population, &fault);
    double took = seconds() - begun;
    struct learn_document *document = NULL;
    if (text != NULL) {
        text_keep(options->text, text);
        document = learn_document_parse(proto_span_text(text), 1, table->schema, &fault);
        status = document == NULL ? 70 : 0;
    }
    if (document == NULL) {
        fault_print(&fault);
    } else {
        view.rows = order + learned;
        outer_measure(options, document, view, table->rows - learned, task->label, took);
        learn_document_release(document);
    }
    free(text);
    free(order);
    return status;
}

int main(int argument_count, char **arguments)
{
    struct options options;
    struct proto_fault fault = {0};
    struct task task = {0};
    if (argument_count < 3) {
        (void)fprintf(stderr, "usage: learn_csv FILE.csv LABEL [option=value ...]\n");
        return 64;
    }
    options_read(argument_count, arguments, &options);
    struct csv_table *table = csv_table_read(options.file, options.rows, &fault);
    if (table == NULL) {
        fault_print(&fault);
        return 66;
    }
    int status = 65;
    if (!task_read(&options, table, &task, &fault)) {
        fault_print(&fault);
    } else {
        if (options.shuffle > 0) {
            labels_shuffle(table, task.label, options.shuffle);
        }
        status = run(&options, table, &task);
    }
    task_fini(&task);
    csv_table_destroy(table);
    return status;
}
