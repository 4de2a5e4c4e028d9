/* SPDX-License-Identifier: Apache-2.0 */
/* Each look is compared with the one before it; the first has none and is only remembered. */
#include "server/console/console_history.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct console_history {
    pthread_mutex_t lock;
    struct console_sample samples[CONSOLE_SAMPLES_MAX]; /* a ring */
    size_t first, count;
    struct console_look before; /* by the one who puts, without the lock */
    bool any;
};

struct console_history *console_history_create(void)
{
    struct console_history *history = calloc(1, sizeof *history);
    if (history != NULL) {
        pthread_mutex_init(&history->lock, NULL);
    }
    return history;
}

void console_history_destroy(struct console_history *history)
{
    if (history != NULL) {
        pthread_mutex_destroy(&history->lock);
        free(history);
    }
}

static uint64_t cell(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

/* What was recorded between two readings. A reading is not of one moment, so a bucket may seem to
 * have fallen: then nothing came. */
static void latency_between(const struct base_histogram *now, const struct base_histogram *before,
                            struct base_histogram *between)
{
    memset(between, 0, sizeof *between);
    for (size_t i = 0; i < BASE_HISTOGRAM_BUCKETS; i++) {
        uint64_t later = cell(&now->buckets[i]);
        uint64_t earlier = cell(&before->buckets[i]);
        base_histogram_count(&between->buckets[i], later > earlier ? later - earlier : 0);
    }
    base_histogram_count(&between->max, cell(&now->max));
}

static double rate(uint64_t now, uint64_t before, double seconds)
{
    return now > before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

static void sample_of(const struct console_look *look, const struct console_look *before,
                      struct console_sample *sample)
{
    struct base_histogram between; /* 10 KiB */
    double seconds = (double)(look->at_ns - before->at_ns) / 1e9;
    latency_between(&look->latency, &before->latency, &between);
    *sample = (struct console_sample){
        .at_s = (double)look->at_ns / 1e9,
        .requests_s = rate(look->requests, before->requests, seconds),
        .errors_s = rate(look->errors, before->errors, seconds),
        .scores_s = rate(look->scores, before->scores, seconds),
        .written_s = rate(look->written, before->written, seconds),
        .connections = (double)look->connections,
        .p50_us = (double)base_histogram_percentile(&between, 0.5) / 1e3,
        .p99_us = (double)base_histogram_percentile(&between, 0.99) / 1e3,
    };
}

void console_history_put(struct console_history *history, const struct console_look *look)
{
    if (history->any) {
        struct console_sample sample;
        sample_of(look, &history->before, &sample);
        pthread_mutex_lock(&history->lock);
        history->samples[(history->first + history->count) % CONSOLE_SAMPLES_MAX] = sample;
        if (history->count < CONSOLE_SAMPLES_MAX) {
            history->count++;
        } else {
            history->first = (history->first + 1) % CONSOLE_SAMPLES_MAX;
        }
        pthread_mutex_unlock(&history->lock);
    }
    memcpy(&history->before, look, sizeof *look);
    history->any = true;
}

size_t console_history_read(struct console_history *history,
                            struct console_sample samples[CONSOLE_SAMPLES_MAX])
{
    pthread_mutex_lock(&history->lock);
    size_t count = history->count;
    for (size_t i = 0; i < count; i++) {
        samples[i] = history->samples[(history->first + i) % CONSOLE_SAMPLES_MAX];
    }
    pthread_mutex_unlock(&history->lock);
    return count;
}
