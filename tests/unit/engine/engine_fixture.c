/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/engine/engine_fixture.h"

#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "engine fixture, line %d: %s\n", __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { VALUE_SLOTS = 64, SCRATCH_BYTES = 4096, RECORD_BYTES = 4096, BATCH = 1000 };

static const char schema[] =
    "{\"fields\":["
    "{\"name\":\"industry\",\"type\":\"category\",\"family\":\"firmographic\"},"
    "{\"name\":\"employees\",\"type\":\"number\",\"family\":\"firmographic\","
    "\"stale_after_days\":30},"
    "{\"name\":\"tech\",\"type\":\"tags\",\"family\":\"technographic\"},"
    "{\"name\":\"trial\",\"type\":\"flag\",\"family\":\"behavioural\"},"
    "{\"name\":\"embedding\",\"type\":\"vector\",\"dims\":2,\"family\":\"behavioural\"},"
    "{\"name\":\"parent\",\"type\":\"category\",\"family\":\"firmographic\"},"
    "{\"name\":\"won\",\"type\":\"flag\",\"family\":\"lifecycle\"}],"
    "\"missing\":[\"Select\"]}";

static int64_t now_ms(void *context)
{
    struct engine_fixture *fixture = context;
    return fixture->now_ms;
}

static void engine_open(struct engine_fixture *fixture)
{
    struct proto_fault fault = {0};
    struct engine_options options = {
        .store = {.path = fixture->directory,
                  .map_bytes_max = (size_t)1 << 30,
                  .starting = fixture->starting},
        .now_ms = now_ms,
        .now_context = fixture,
    };
    fixture->engine = engine_create(&options, &fault);
    MUST(fixture->engine);
}

void engine_fixture_open(struct engine_fixture *fixture)
{
    *fixture = (struct engine_fixture){.now_ms = INT64_C(1700000000000)};
    snprintf(fixture->directory, sizeof fixture->directory, "/tmp/icpd-engine-XXXXXX");
    MUST(mkdtemp(fixture->directory));
    pthread_mutex_init(&fixture->lock, NULL);
    pthread_cond_init(&fixture->changed, NULL);
    engine_open(fixture);
}

void engine_fixture_again(struct engine_fixture *fixture)
{
    engine_destroy(fixture->engine);
    engine_open(fixture);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void engine_fixture_close(struct engine_fixture *fixture)
{
    engine_destroy(fixture->engine);
    pthread_cond_destroy(&fixture->changed);
    pthread_mutex_destroy(&fixture->lock);
    nftw(fixture->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

struct proto_span engine_fixture_span(const char *text)
{
    return (struct proto_span){(const uint8_t *)text, strlen(text)};
}

static bool submit(struct engine_fixture *fixture, struct store_batch *batch,
                   struct store_result *result)
{
    return store_submit_wait(engine_store(fixture->engine), batch, result);
}

void engine_fixture_schema(struct engine_fixture *fixture, const char *json)
{
    struct proto_fault fault = {0};
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    struct store_document document = {.kind = STORE_DOCUMENT_SCHEMA,
                                      .text = engine_fixture_span(json)};
    MUST(batch && store_batch_document(batch, &document, &fault));
    MUST(submit(fixture, batch, &result));
}

uint32_t engine_fixture_icp(struct engine_fixture *fixture, const char *json, bool activate,
                            struct proto_fault *fault)
{
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    MUST(batch);
    struct store_document document = {.kind = STORE_DOCUMENT_ICP,
                                      .text = engine_fixture_span(json),
                                      .activate = activate,
                                      .reason = engine_fixture_span("test")};
    if (!store_batch_document(batch, &document, fault)) {
        store_batch_destroy(batch);
        return 0;
    }
    if (!submit(fixture, batch, &result)) {
        *fault = result.fault;
        return 0;
    }
    return result.version;
}

static void account_add(struct store_batch *batch, const struct feature_schema *fields,
                        const char *id, const char *const *words)
{
    struct proto_fault fault = {0};
    struct feature_value values[VALUE_SLOTS] = {{0}};
    uint8_t scratch[SCRATCH_BYTES];
    uint8_t bytes[RECORD_BYTES];
    size_t used = 0;
    struct proto_span keys[4];
    struct proto_span source = engine_fixture_span("test");
    struct feature_record record = {.id = engine_fixture_span(id),
                                    .keys = keys,
                                    .sources = &source,
                                    .source_count = 1,
                                    .values = values,
                                    .value_slots = VALUE_SLOTS};
    for (; words[0]; words += 2) {
        struct proto_span name = engine_fixture_span(words[0]);
        if (strcmp(words[0], "key") == 0) {
            MUST(record.key_count < sizeof keys / sizeof *keys);
            keys[record.key_count++] = engine_fixture_span(words[1]);
            continue;
        }
        const struct feature_field *field = feature_schema_find(fields, name);
        struct proto_span text = engine_fixture_span(words[1]);
        MUST(field && field->id < VALUE_SLOTS);
        MUST(feature_value_from_text(fields, field, text, scratch + used, sizeof scratch - used,
                                     &values[field->id], &fault));
        used += FEATURE_SCRATCH_BYTES(text.bytes) + 4U * field->dims;
    }
    size_t size = feature_record_encode(&record, bytes, sizeof bytes, &fault);
    MUST(size > 0 && size <= sizeof bytes);
    MUST(store_batch_put(batch, (struct proto_span){bytes, size}, &fault));
}

void engine_fixture_put(struct engine_fixture *fixture, const char *id, const char *const *words)
{
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    struct engine_state *state = engine_state_get(fixture->engine);
    MUST(batch && state->schema);
    account_add(batch, state->schema, id, words);
    MUST(submit(fixture, batch, &result));
    engine_state_release(state);
}

bool engine_fixture_delete(struct engine_fixture *fixture, const char *id)
{
    struct proto_fault fault = {0};
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    MUST(batch && store_batch_delete(batch, engine_fixture_span(id), &fault));
    return submit(fixture, batch, &result);
}

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static void made_account(struct store_batch *batch, const struct feature_schema *fields,
                         size_t index, uint32_t *state)
{
    static const char *const industries[] = {"Software", "Retail", "Steel"};
    char id[24];
    char key[48];
    char employees[16];
    const char *industry = industries[next(state) % 3];
    unsigned people = 1 + next(state) % 1000;
    bool jira = next(state) % 2;
    unsigned odds = (strcmp(industry, "Software") == 0 ? 40U : 5U) + (people > 500 ? 30U : 0U) +
                    (jira ? 15U : 0U);
    bool trial = next(state) % 2;
    bool won = next(state) % 100 < odds;
    snprintf(id, sizeof id, "a%zu", index);
    snprintf(key, sizeof key, "domain:company%zu.example", index);
    snprintf(employees, sizeof employees, "%u", people);
    const char *words[] = {"key",
                           key,
                           "industry",
                           industry,
                           "employees",
                           employees,
                           "trial",
                           trial ? "1" : "0",
                           "won",
                           won ? "1" : "0",
                           jira ? "tech" : NULL,
                           "Jira",
                           NULL};
    account_add(batch, fields, id, words);
}

void engine_fixture_fill(struct engine_fixture *fixture, size_t count)
{
    uint32_t random = 12345;
    struct store_result result;
    engine_fixture_schema(fixture, schema);
    struct engine_state *state = engine_state_get(fixture->engine);
    for (size_t i = 0; i < count;) {
        struct store_batch *batch = store_batch_create();
        MUST(batch);
        for (size_t end = i + BATCH; i < count && i < end; i++) {
            made_account(batch, state->schema, i, &random);
        }
        MUST(submit(fixture, batch, &result));
    }
    engine_state_release(state);
}

void engine_fixture_ended(void *context, const struct engine_job_info *info)
{
    struct engine_fixture *fixture = context;
    pthread_mutex_lock(&fixture->lock);
    fixture->ended = *info;
    fixture->ended_count++;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->lock);
}

struct engine_job_info engine_fixture_wait(struct engine_fixture *fixture, size_t count)
{
    pthread_mutex_lock(&fixture->lock);
    while (fixture->ended_count < count) {
        pthread_cond_wait(&fixture->changed, &fixture->lock);
    }
    struct engine_job_info info = fixture->ended;
    pthread_mutex_unlock(&fixture->lock);
    return info;
}

uint32_t engine_fixture_learn(struct engine_fixture *fixture)
{
    return engine_fixture_learn_value(fixture, "");
}

uint32_t engine_fixture_learn_value(struct engine_fixture *fixture, const char *value)
{
    struct proto_fault fault = {0};
    struct engine_learn learn = {
        .label = engine_fixture_span("won = 1"),
        .despite_readiness = true, /* values of the fixture are of 1970, and stale */
        .activate = true,
        .value_field = engine_fixture_span(value),
        .on_done = engine_fixture_ended,
        .context = fixture,
    };
    size_t before = fixture->ended_count;
    MUST(engine_learn(fixture->engine, &learn, &fault) > 0);
    struct engine_job_info info = engine_fixture_wait(fixture, before + 1);
    MUST(info.state == ENGINE_JOB_DONE);
    return info.icp;
}

struct engine_worker *engine_fixture_worker(struct engine_fixture *fixture)
{
    struct proto_fault fault = {0};
    struct engine_worker *worker = engine_worker_create(fixture->engine, &fault);
    MUST(worker && engine_worker_refresh(worker, &fault));
    return worker;
}
