/* SPDX-License-Identifier: Apache-2.0 */
/* Measures the store; not run by CTest. Usage: measure_store DIR [ACCOUNTS] [COLUMNS] [find]
 * Prints, one line each: bulk load, puts a second by size of batch, look-ups, start, size of the
 * index. DIR is made and left behind; give one on the disk that matters. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/store/store_parts.h"

enum { FIELDS = 40, FIND_GROUP = 256, FIND_ROUNDS = 8000, LOAD_BATCH = 1000, LOAD_DEPTH = 32 };

static int64_t wall_ms(void *context)
{
    (void)context;
    return (int64_t)(store_clock_ns() / 1000000) + 1700000000000;
}

static void ignore_change(void *context, const struct store_change *change)
{
    (void)context;
    (void)change;
}

static void encode(void *context, const struct feature_value *values, size_t slots, uint8_t *codes)
{
    (void)context;
    for (size_t i = 0; i < slots; i++) {
        codes[i] = values[i].present ? (uint8_t)values[i].number : 0;
    }
}

static double seconds(uint64_t since_ns)
{
    return (double)(store_clock_ns() - since_ns) / 1e9;
}

static _Noreturn void die(const char *what, const struct proto_fault *fault)
{
    fprintf(stderr, "%s: %s\n", what, fault->message);
    exit(1);
}

static uint64_t mixed(uint64_t x)
{
    x = (x + UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xBF58476D1CE4E5B9);
    return x ^ (x >> 29);
}

static size_t record_make(uint8_t *out, size_t room, uint64_t number)
{
    char texts[3][32];
    struct proto_span keys[2];
    struct proto_span source = proto_span_text("crm");
    struct feature_value values[FIELDS];
    struct proto_fault fault;
    snprintf(texts[0], sizeof texts[0], "acc-%09llu", (unsigned long long)number);
    snprintf(texts[1], sizeof texts[1], "domain:company%llu.com", (unsigned long long)number);
    snprintf(texts[2], sizeof texts[2], "crm:0015%012llu", (unsigned long long)number);
    keys[0] = proto_span_text(texts[1]);
    keys[1] = proto_span_text(texts[2]);
    for (size_t i = 0; i < FIELDS; i++) {
        values[i] = (struct feature_value){.present = true,
                                           .type = FEATURE_NUMBER,
                                           .time_ms = 1700000000000,
                                           .number = (double)(mixed(number * FIELDS + i) & 63)};
    }
    struct feature_record record = {.id = proto_span_text(texts[0]),
                                    .keys = keys,
                                    .key_count = 2,
                                    .sources = &source,
                                    .source_count = 1,
                                    .values = values,
                                    .value_slots = FIELDS};
    size_t bytes = feature_record_encode(&record, out, room, &fault);
    if (bytes == 0 || bytes > room) {
        die("encode", &fault);
    }
    return bytes;
}

struct load {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    unsigned waiting;
    uint64_t failed;
};

static void load_done(void *context, const struct store_result *result)
{
    struct load *load = context;
    pthread_mutex_lock(&load->mutex);
    load->waiting--;
    if (result->fault.code != PROTO_OK) {
        load->failed++;
        fprintf(stderr, "%s %s\n", result->fault.field, result->fault.message);
    }
    pthread_cond_signal(&load->done);
    pthread_mutex_unlock(&load->mutex);
}

/* Puts `count` accounts, numbered by `pick`, `batch` at a time with `depth` batches under way. */
static double put_many(struct store *store, uint64_t count, uint64_t batch_count, unsigned depth,
                       uint64_t (*pick)(uint64_t i, uint64_t all), uint64_t all)
{
    struct load load = {.mutex = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t record[4096];
    uint64_t begun = store_clock_ns();
    for (uint64_t i = 0; i < count;) {
        struct store_batch *batch = store_batch_create();
        for (uint64_t j = 0; j < batch_count && i < count; j++, i++) {
            size_t bytes = record_make(record, sizeof record, pick(i, all));
            if (!store_batch_put(batch, (struct proto_span){record, bytes}, &fault)) {
                die("put", &fault);
            }
        }
        pthread_mutex_lock(&load.mutex);
        while (load.waiting >= depth) {
            pthread_cond_wait(&load.done, &load.mutex);
        }
        load.waiting++;
        pthread_mutex_unlock(&load.mutex);
        if (!store_submit(store, batch, load_done, &load, &fault)) {
            die("submit", &fault);
        }
    }
    pthread_mutex_lock(&load.mutex);
    while (load.waiting > 0) {
        pthread_cond_wait(&load.done, &load.mutex);
    }
    pthread_mutex_unlock(&load.mutex);
    return (double)count / seconds(begun);
}

static uint64_t pick_next(uint64_t i, uint64_t all)
{
    (void)all;
    return i;
}

static uint64_t pick_random(uint64_t i, uint64_t all)
{
    return mixed(i) % all;
}

static struct store *open_store(const char *path, size_t code_bytes)
{
    struct proto_fault fault;
    struct store_options options = {.path = path, .now_ms = wall_ms, .on_change = ignore_change};
    uint64_t begun = store_clock_ns();
    struct store *store = store_open(&options, &fault);
    if (store == NULL) {
        die("open", &fault);
    }
    struct store_encoder encoder = {
        .digest = 77, .code_bytes = code_bytes, .value_slots = FIELDS, .encode = encode};
    printf("open %.1f ms\n", seconds(begun) * 1e3);
    store_set_encoder(store, &encoder);
    return store;
}

static void wait_ready(struct store *store)
{
    uint64_t begun = store_clock_ns();
    double index = 0;
    for (;;) {
        struct store_stats stats;
        store_stats(store, &stats);
        if (stats.index_ready != 0 && index == 0) {
            index = seconds(begun);
        }
        if (stats.index_ready != 0 && stats.rows_total == stats.slots &&
            stats.rows_done == stats.slots) {
            printf("index ready after %.3f s, rows after %.3f s; index %.1f MB, %.1f bytes an "
                   "account, %.1f an entry; file %.0f MB, free pages %llu\n",
                   index, seconds(begun), (double)stats.index_bytes / 1e6,
                   (double)stats.index_bytes / (double)(stats.accounts + 1),
                   (double)stats.index_bytes / (double)(stats.index_entries + 1),
                   (double)stats.file_bytes / 1e6, (unsigned long long)stats.free_pages);
            return;
        }
        usleep(1000);
    }
}

static void measure_find(struct store *store, uint64_t all, size_t rounds)
{
    struct proto_fault fault;
    static char texts[FIND_GROUP][16];
    struct proto_span ids[FIND_GROUP];
    uint32_t slots[FIND_GROUP];
    const uint8_t *rows[FIND_GROUP];
    struct store_view *view = store_view_open(store, &fault);
    if (view == NULL) {
        die("view", &fault);
    }
    double spent = 0;
    uint64_t missing = 0;
    uint64_t sum = 0;
    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < FIND_GROUP; i++) {
            int bytes = snprintf(texts[i], sizeof texts[i], "acc-%09llu",
                                 (unsigned long long)(mixed(round * FIND_GROUP + i) % all));
            ids[i] = (struct proto_span){(const uint8_t *)texts[i], (size_t)bytes};
        }
        uint64_t begun = store_clock_ns();
        if (!store_view_refresh(view, &fault)) {
            die("refresh", &fault);
        }
        store_find_many(view, ids, FIND_GROUP, slots, rows);
        spent += (double)(store_clock_ns() - begun);
        for (size_t i = 0; i < FIND_GROUP; i++) {
            missing += rows[i] == NULL;
            sum += rows[i] == NULL ? 0 : rows[i][0];
        }
    }
    printf("find_many %.1f ns an id (groups of %d, %llu without row, sum %llu)\n",
           spent / (double)(rounds * FIND_GROUP), FIND_GROUP, (unsigned long long)missing,
           (unsigned long long)sum);
    spent = 0;
    for (size_t i = 0; i < 100000; i++) {
        int bytes = snprintf(texts[0], sizeof texts[0], "acc-%09llu",
                             (unsigned long long)(mixed(i + 99) % all));
        ids[0] = (struct proto_span){(const uint8_t *)texts[0], (size_t)bytes};
        struct proto_span record;
        uint64_t begun = store_clock_ns();
        slots[0] = store_find_id(view, ids[0], &fault);
        uint64_t found = store_clock_ns();
        if (slots[0] == STORE_NO_SLOT || !store_record(view, slots[0], &record, &fault)) {
            die("record", &fault);
        }
        spent += (double)(store_clock_ns() - found);
        sum += found - begun;
    }
    printf("store_record %.0f ns\n", spent / 100000);
    store_view_close(view);
}

int main(int count, char **words)
{
    if (count < 2) {
        fprintf(stderr, "usage: measure_store DIR [ACCOUNTS] [COLUMNS] [find]\n");
        return 2;
    }
    uint64_t all = count > 2 ? strtoull(words[2], NULL, 10) : 1000000;
    size_t columns = count > 3 ? strtoull(words[3], NULL, 10) : FIELDS;
    struct store *store = open_store(words[1], columns);
    struct store_stats stats;
    wait_ready(store);
    store_stats(store, &stats);
    if (stats.slots < all) {
        printf("load %.0f puts/s (%llu accounts, batches of %d, %d under way)\n",
               put_many(store, all, LOAD_BATCH, LOAD_DEPTH, pick_next, all),
               (unsigned long long)all, LOAD_BATCH, LOAD_DEPTH);
        wait_ready(store);
    }
    /* The first pass maps the pages, the second measures. */
    measure_find(store, all, FIND_ROUNDS);
    measure_find(store, all, FIND_ROUNDS);
    if (count > 4) {
        return store_close(store), 0;
    }
    static const uint64_t sizes[] = {1, 10, 100, 1000, 10000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (unsigned depth = 1; depth <= 64; depth *= 64) {
            uint64_t puts = sizes[i] * depth * 20 > 60000 ? 60000 : sizes[i] * depth * 100;
            printf("batch %llu, %u under way: %.0f puts/s\n", (unsigned long long)sizes[i], depth,
                   put_many(store, puts, sizes[i], depth, pick_random, all));
        }
    }
    wait_ready(store);
    store_close(store);
    store = open_store(words[1], columns);
    wait_ready(store);
    measure_find(store, all, FIND_ROUNDS);
    store_stats(store, &stats);
    printf("commit mean %.2f ms, max %.2f ms, corrupt %llu\n",
           stats.commits == 0 ? 0 : (double)stats.commit_ns_sum / (double)stats.commits / 1e6,
           (double)stats.commit_ns_max / 1e6, (unsigned long long)stats.corrupt_found);
    store_close(store);
    return 0;
}
