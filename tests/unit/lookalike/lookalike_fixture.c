/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/lookalike/lookalike_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "server/engine/walk.h"

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "lookalike fixture, line %d: %s\n", __LINE__, #condition);             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void search_open(struct lookalike_fixture *fixture)
{
    struct proto_fault fault = {0};
    fixture->lookalike = lookalike_create(fixture->base.engine, fixture->graph_bytes_max, &fault);
    MUST(fixture->lookalike);
    fixture->worker = engine_fixture_worker(&fixture->base);
}

static void search_close(struct lookalike_fixture *fixture)
{
    engine_worker_destroy(fixture->worker);
    engine_stop(fixture->base.engine);
    lookalike_destroy(fixture->lookalike);
}

void lookalike_fixture_open(struct lookalike_fixture *fixture, size_t accounts)
{
    *fixture = (struct lookalike_fixture){0};
    engine_fixture_open(&fixture->base);
    if (accounts > 0) {
        engine_fixture_fill(&fixture->base, accounts);
    }
    search_open(fixture);
}

void lookalike_fixture_again(struct lookalike_fixture *fixture)
{
    search_close(fixture);
    engine_fixture_again(&fixture->base);
    search_open(fixture);
}

void lookalike_fixture_close(struct lookalike_fixture *fixture)
{
    search_close(fixture);
    engine_fixture_close(&fixture->base);
}

bool lookalike_fixture_ask(struct lookalike_fixture *fixture, const struct lookalike_similar *query,
                           struct lookalike_result *result, struct proto_fault *fault)
{
    MUST(engine_worker_refresh(fixture->worker, fault));
    return lookalike_similar(fixture->lookalike, fixture->worker, NULL, query, result, fault);
}

struct lookalike_result lookalike_fixture_like(struct lookalike_fixture *fixture, const char *id,
                                               uint32_t k)
{
    struct lookalike_example example = {.name.id = engine_fixture_span(id)};
    struct lookalike_similar query = {
        .positives = &example, .positive_count = 1, .k = k, .shared_max = 3};
    struct lookalike_result result;
    struct proto_fault fault = {0};
    bool good = lookalike_fixture_ask(fixture, &query, &result, &fault);
    if (!good) {
        fprintf(stderr, "%s: %s\n", fault.field, fault.message);
    }
    MUST(good);
    return result;
}

struct lookalike_stats lookalike_fixture_opened(struct lookalike_fixture *fixture)
{
    struct lookalike_stats stats;
    do {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        lookalike_stats(fixture->lookalike, &stats);
    } while (stats.building);
    return stats;
}

struct engine_job_info lookalike_fixture_build(struct lookalike_fixture *fixture,
                                               struct lookalike_rebuild *build)
{
    struct proto_fault fault = {0};
    size_t before = fixture->base.ended_count;
    (void)lookalike_fixture_opened(fixture);
    build->on_done = engine_fixture_ended;
    build->context = &fixture->base;
    MUST(lookalike_rebuild(fixture->lookalike, build, &fault) > 0);
    return engine_fixture_wait(&fixture->base, before + 1);
}

static void vector_of(struct lookalike_fixture *fixture, uint32_t slot, float *vector)
{
    struct proto_fault fault = {0};
    MUST(engine_values(fixture->worker, slot, NULL, &fault));
    feature_vectorizer_vector(fixture->lookalike->set->plan, fixture->worker->values,
                              fixture->worker->value_slots, vector);
}

double lookalike_fixture_cosine(struct lookalike_fixture *fixture, uint32_t a, uint32_t b)
{
    float x[FEATURE_VECTOR_DIMS_MAX];
    float y[FEATURE_VECTOR_DIMS_MAX];
    double dot = 0;
    double xx = 0;
    double yy = 0;
    vector_of(fixture, a, x);
    vector_of(fixture, b, y);
    for (uint32_t i = 0; i < fixture->lookalike->set->plan->dims; i++) {
        dot += (double)x[i] * (double)y[i];
        xx += (double)x[i] * (double)x[i];
        yy += (double)y[i] * (double)y[i];
    }
    return xx > 0 && yy > 0 ? dot / sqrt(xx * yy) : 0;
}
