/* SPDX-License-Identifier: Apache-2.0 */
/* What updates cost the disk; not run by CTest. Usage: measure_writes DIR ACCOUNTS UPDATES FIELDS
 * [FOLD_BYTES]. Makes accounts of 20 fields, then updates random ones in batches of 100, each with
 * FIELDS of its fields changed, and prints what was written for a byte of their records: by the
 * process, by its writer, folder and preparer (/proc/self/task). It does so for each tenth of the
 * updates, and at the end. DIR is made and left behind; its disk is what is measured. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/store_parts.h"

enum { EACH = 100, FIELDS = 20, PARTS = 10, THREADS = 4 };

static const char *const names[THREADS] = {"writer", "folder", "others", "all"};

struct traffic {
    struct store *store;
    uint64_t seed;
    uint64_t bytes; /* of records */
    uint64_t before[THREADS];
};

static int64_t clock_of(void *context)
{
    return *(int64_t *)context += 10;
}

static void ignore_change(void *context, const struct store_change *change)
{
    (void)context;
    (void)change;
}

static uint64_t draw(uint64_t *seed)
{
    uint64_t x = *seed += 0x9E3779B97F4A7C15U;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9U;
    x = (x ^ x >> 27) * 0x94D049BB133111EBU;
    return x ^ x >> 31;
}

static void put(struct traffic *traffic, struct store_batch *batch, uint64_t account, int changed)
{
    struct feature_value values[FIELDS] = {{0}};
    struct proto_fault fault;
    char id[24];
    char texts[FIELDS][24];
    (void)snprintf(id, sizeof id, "acct-%08llu", (unsigned long long)account);
    for (int i = 0; i < FIELDS; i++) {
        uint64_t drawn = i < changed ? draw(&traffic->seed) : (uint64_t)i;
        values[i] = (struct feature_value){.present = true, .time_ms = 1700000000000};
        if (i % 2 == 0) {
            values[i].number = (double)(drawn % 100000);
        } else {
            (void)snprintf(texts[i], sizeof texts[i], "value-%03llu",
                           (unsigned long long)(drawn % 1000));
            values[i].type = FEATURE_CATEGORY;
            values[i].text = proto_span_text(texts[i]);
        }
    }
    const struct feature_record record = {
        .id = proto_span_text(id), .values = values, .value_slots = FIELDS};
    if (!store_batch_put_record(batch, &record, &fault)) {
        abort();
    }
}

static void batch_send(struct traffic *traffic, struct store_batch *batch)
{
    struct store_result result;
    traffic->bytes += batch->bytes;
    if (!store_submit_wait(traffic->store, batch, &result)) {
        (void)fprintf(stderr, "%s\n", result.fault.message);
        exit(EXIT_FAILURE);
    }
}

static uint64_t number_of(const char *path, const char *name)
{
    char line[128];
    uint64_t number = 0;
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            number = strtoull(line + strlen(name), NULL, 10);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return number;
}

/* Bytes that were handed to the disk so far. */
static void written(uint64_t bytes[THREADS])
{
    char path[320];
    char name[32];
    DIR *tasks = opendir("/proc/self/task");
    memset(bytes, 0, THREADS * sizeof *bytes);
    for (struct dirent *task; tasks != NULL && (task = readdir(tasks)) != NULL;) {
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/comm", task->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL || fgets(name, sizeof name, file) == NULL) {
            name[0] = '\0';
        }
        if (file != NULL) {
            (void)fclose(file);
        }
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/io", task->d_name);
        size_t thread = strcmp(name, "writer\n") == 0 ? 0 : strcmp(name, "folder\n") == 0 ? 1 : 2;
        bytes[thread] += number_of(path, "write_bytes: ");
    }
    if (tasks != NULL) {
        (void)closedir(tasks);
    }
    bytes[3] = number_of("/proc/self/io", "write_bytes: ");
    bytes[2] = bytes[3] - bytes[0] - bytes[1]; /* the first thread's own are those of all */
}

static void tell(struct traffic *traffic, const char *when)
{
    uint64_t now[THREADS];
    written(now);
    (void)printf("%-12s", when);
    for (int i = 0; i < THREADS; i++) {
        (void)printf("  %s %6.2f", names[i],
                     (double)(now[i] - traffic->before[i]) / (double)traffic->bytes);
    }
    struct store_stats stats;
    store_stats(traffic->store, &stats);
    (void)printf("  folds %llu  file %llu MB\n", (unsigned long long)stats.folds,
                 (unsigned long long)(stats.file_bytes >> 20));
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    int64_t now_ms = 1700000000000;
    struct proto_fault fault = {.code = PROTO_OK};
    struct traffic traffic = {.seed = 1};
    if (argc < 5) {
        return EXIT_FAILURE;
    }
    const struct store_options options = {.path = argv[1],
                                          .map_bytes_max = (size_t)1 << 36,
                                          .fold_bytes = argc > 5 ? strtoull(argv[5], NULL, 10) : 0,
                                          .now_ms = clock_of,
                                          .now_context = &now_ms,
                                          .on_change = ignore_change};
    uint64_t accounts = strtoull(argv[2], NULL, 10);
    uint64_t updates = strtoull(argv[3], NULL, 10);
    int changed = atoi(argv[4]);
    traffic.store = store_open(&options, &fault);
    if (traffic.store == NULL) {
        (void)fprintf(stderr, "%s\n", fault.message);
        return EXIT_FAILURE;
    }
    for (uint64_t from = 0; from < accounts; from += EACH) {
        struct store_batch *batch = store_batch_create();
        for (uint64_t i = from; i < from + EACH; i++) {
            put(&traffic, batch, i, FIELDS);
        }
        batch_send(&traffic, batch);
    }
    if (!store_fold_wait(traffic.store, &fault)) {
        return EXIT_FAILURE;
    }
    (void)printf("%llu bytes a record\n", (unsigned long long)(traffic.bytes / accounts));
    traffic.bytes = 0;
    written(traffic.before);
    for (uint64_t i = 0; i < updates; i += EACH) {
        struct store_batch *batch = store_batch_create();
        for (int at = 0; at < EACH; at++) {
            put(&traffic, batch, draw(&traffic.seed) % accounts, changed);
        }
        batch_send(&traffic, batch);
        if ((i + EACH) % (updates / PARTS) < EACH) {
            tell(&traffic, "");
        }
    }
    if (!store_fold_wait(traffic.store, &fault)) {
        return EXIT_FAILURE;
    }
    tell(&traffic, "at the end");
    store_close(traffic.store);
    return EXIT_SUCCESS;
}
