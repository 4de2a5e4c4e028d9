/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lookalike/lookalike_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Passes of one round: enough that a round is no accident, few enough that it is soon over. */
enum { ONE_QUERIES = 8, WAITING = 16, READS = 8, PAGE_BYTES = 2 << 20, STREAMS_MAX = 8 };

/* One register of the widest kind; the compiler makes it of narrower ones where there is none. */
typedef uint64_t wide __attribute__((vector_size(64), aligned(64)));

/* Reads [0, bytes) in `streams` stretches at once: a core waits for more lines of memory at a time
 * than one stretch asks for. `bytes` is a multiple of streams * 256. */
#define READ_BODY                                                                                  \
    size_t each = bytes / streams;                                                                 \
    wide sums[4] = {{0}};                                                                          \
    for (size_t at = 0; at < each; at += 256) {                                                    \
        for (unsigned s = 0; s < streams; s++) {                                                   \
            const wide *from = (const wide *)(const void *)(space + s * each + at);                \
            sums[0] ^= from[0];                                                                    \
            sums[1] ^= from[1];                                                                    \
            sums[2] ^= from[2];                                                                    \
            sums[3] ^= from[3];                                                                    \
        }                                                                                          \
    }                                                                                              \
    wide sum = sums[0] ^ sums[1] ^ sums[2] ^ sums[3];                                              \
    return sum[0] ^ sum[1] ^ sum[2] ^ sum[3] ^ sum[4] ^ sum[5] ^ sum[6] ^ sum[7];

static uint64_t read_any(const uint8_t *space, size_t bytes, unsigned streams)
{
    READ_BODY
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static uint64_t read_avx2(const uint8_t *space, size_t bytes,
                                                          unsigned streams)
{
    READ_BODY
}

__attribute__((target("avx512f"))) static uint64_t read_avx512(const uint8_t *space, size_t bytes,
                                                               unsigned streams)
{
    READ_BODY
}
#endif

static uint64_t read_all(const uint8_t *space, size_t bytes, unsigned streams)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        return read_avx512(space, bytes, streams);
    }
    if (__builtin_cpu_supports("avx2")) {
        return read_avx2(space, bytes, streams);
    }
#endif
    return read_any(space, bytes, streams);
}

static struct lookalike_pass read_pass(void *context)
{
    const struct lookalike_scan *scan = context;
    struct lookalike_pass pass = {.asked = READS};
    volatile uint64_t sink = 0; /* written so that the reading is not optimised away */
    double start = lookalike_now();
    for (uint32_t i = 0; i < READS; i++) {
        sink = sink ^ read_all(scan->bytes, scan->byte_count, scan->streams);
    }
    pass.seconds = lookalike_now() - start;
    return pass;
}

static struct lookalike_pass one_pass(void *context)
{
    struct lookalike_scan *scan = context;
    const struct lookalike_bench *bench = scan->bench;
    struct lookalike_pass pass = {.asked = ONE_QUERIES};
    double start = lookalike_now();
    for (uint32_t i = 0; i < pass.asked; i++) {
        struct similar_hit hits[LOOKALIKE_K];
        uint32_t count = 0;
        struct similar_query query = {.vector = lookalike_query(bench, scan->at++),
                                      .k = LOOKALIKE_K};
        similar_search(bench->set, bench->scratch, &query, hits, &count, NULL);
    }
    pass.seconds = lookalike_now() - start;
    return pass;
}

static struct lookalike_pass many_pass(void *context)
{
    struct lookalike_scan *scan = context;
    const struct lookalike_bench *bench = scan->bench;
    struct lookalike_pass pass = {.asked = ONE_QUERIES * WAITING};
    struct similar_hit hits[WAITING][LOOKALIKE_K];
    struct similar_hit *rows[WAITING];
    struct similar_query queries[WAITING];
    uint32_t counts[WAITING];
    double start = lookalike_now();
    for (uint32_t i = 0; i < ONE_QUERIES; i++) {
        for (uint32_t n = 0; n < WAITING; n++) {
            rows[n] = hits[n];
            queries[n] = (struct similar_query){.vector = lookalike_query(bench, scan->at++),
                                                .k = LOOKALIKE_K};
        }
        similar_search_many(bench->set, bench->scratch, queries, WAITING, rows, counts);
    }
    pass.seconds = lookalike_now() - start;
    return pass;
}

/* As fast as plain reading goes here: one stream, or two, four or eight at once. */
static void streams_choose(struct lookalike_scan *scan)
{
    double best = 0;
    unsigned chosen = 1;
    for (unsigned streams = 1; streams <= STREAMS_MAX; streams *= 2) {
        scan->streams = streams;
        for (unsigned tries = 0; tries < 3; tries++) {
            double seconds = read_pass(scan).seconds;
            if (best <= 0 || seconds < best) {
                best = seconds;
                chosen = streams;
            }
        }
    }
    scan->streams = chosen;
}

bool lookalike_scan_enter(struct lookalike_case *what, struct lookalike_scan *scan,
                          const struct lookalike_bench *bench)
{
    static const struct {
        const char *name;
        struct lookalike_pass (*on_pass)(void *context);
    } parts[] = {{LOOKALIKE_SCAN_ONE, one_pass},
                 {LOOKALIKE_SCAN_16, many_pass},
                 {LOOKALIKE_SCAN_READ, read_pass}};
    size_t bytes = (size_t)bench->data.count * bench->data.dim;
    size_t unit = (size_t)STREAMS_MAX * 256;
    *scan = (struct lookalike_scan){.bench = bench, .byte_count = (bytes + unit - 1) / unit * unit};
    size_t room = (scan->byte_count + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    scan->bytes = aligned_alloc(PAGE_BYTES, room);
    if (scan->bytes == NULL) {
        return false;
    }
    (void)madvise(scan->bytes, room, MADV_HUGEPAGE);
    memset(scan->bytes, 1, room);
    streams_choose(scan);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct lookalike_contender *contender = lookalike_contender_add(what, parts[i].name);
        if (contender == NULL) {
            return false;
        }
        contender->context = scan;
        contender->on_pass = parts[i].on_pass;
        if (parts[i].on_pass == read_pass) {
            snprintf(contender->setting, sizeof contender->setting, "%u at once", scan->streams);
        }
    }
    return true;
}

void lookalike_scan_leave(struct lookalike_scan *scan)
{
    free(scan->bytes);
    scan->bytes = NULL;
}
