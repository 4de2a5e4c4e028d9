/* SPDX-License-Identifier: Apache-2.0 */
/* An engine, tellings as batches, undos waited for, and what is read of an account afterwards. */
#include "tests/unit/engine/undo_fixture.h"

#include <stdio.h>

struct engine_fixture fixture;
struct engine_worker *worker;
static uint16_t fields[FIELDS];
struct engine_undo_result result;

int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, 1);
    worker = engine_fixture_worker(&fixture);
    const struct feature_schema *schema = engine_worker_state(worker)->schema;
    fields[0] = feature_schema_find(schema, proto_span_text("employees"))->id;
    fields[1] = feature_schema_find(schema, proto_span_text("industry"))->id;
    return 0;
}

int teardown(void **state)
{
    (void)state;
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
    return 0;
}

void again(void)
{
    engine_worker_destroy(worker);
    engine_fixture_again(&fixture);
    worker = engine_fixture_worker(&fixture);
}

static void telling_add(struct store_batch *batch, const struct telling *told, const char *source)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct feature_value values[SLOTS] = {{0}};
    char text[16];
    struct proto_span key = proto_span_text(told->key != NULL ? told->key : "");
    const struct proto_span by = proto_span_text(source);
    (void)snprintf(text, sizeof text, "sector %d", told->values[1]);
    int64_t time_ms = fixture.now_ms - told->ago_ms;
    values[fields[0]] = (struct feature_value){
        .present = told->values[0] != 0, .time_ms = time_ms, .number = told->values[0]};
    values[fields[1]] = (struct feature_value){.present = told->values[1] != 0,
                                               .type = FEATURE_CATEGORY,
                                               .time_ms = time_ms,
                                               .text = proto_span_text(text)};
    const struct feature_record record = {.id = proto_span_text(told->id),
                                          .keys = &key,
                                          .key_count = told->key != NULL,
                                          .sources = &by,
                                          .source_count = 1,
                                          .values = values,
                                          .value_slots = SLOTS};
    unsigned how = STORE_PATCH_CREATE | (told->ago_ms > 0 ? STORE_PATCH_DATED : 0);
    assert_true(store_batch_patch_record(batch, &record, NULL, 0, how, &fault));
}

void tell(const char *import, const struct telling *told, size_t count, const char *source)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_result stored;
    struct store_batch *batch = store_batch_create();
    fixture.now_ms += 1000;
    for (size_t i = 0; i < count; i++) {
        telling_add(batch, &told[i], source);
    }
    if (import != NULL) {
        assert_true(store_batch_import(batch, proto_span_text(import), STORE_IMPORT_PART,
                                       (struct proto_span){NULL, 0}, &fault));
    }
    assert_true(store_submit_wait(engine_store(fixture.engine), batch, &stored));
}

struct engine_job_info undo(const char *import, bool dry, const char *operation)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct engine_undo_request request = {.import = proto_span_text(import),
                                          .dry = dry,
                                          .result = &result,
                                          .on_done = engine_fixture_ended,
                                          .context = &fixture};
    if (operation != NULL) {
        request.operation =
            (struct engine_operation){.id = proto_span_text(operation), .digest = 7};
    }
    size_t before = fixture.ended_count;
    assert_true(engine_undo_start(fixture.engine, &request, &fault) > 0);
    struct engine_job_info info = engine_fixture_wait(&fixture, before + 1);
    assert_true(engine_worker_refresh(worker, &fault));
    return info;
}

bool account_read(const char *id, struct feature_value *values, struct feature_record *record)
{
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(engine_worker_refresh(worker, &fault));
    uint32_t slot = store_find_id(worker->view, proto_span_text(id), &fault);
    if (slot == STORE_NO_SLOT) {
        return false;
    }
    assert_true(engine_record(worker, slot, record, &fault));
    feature_record_values(record, values, SLOTS);
    return true;
}

int value_of(const char *id, int field)
{
    struct feature_value values[SLOTS];
    struct feature_record record;
    int number = 0;
    if (!account_read(id, values, &record)) {
        return -1;
    }
    const struct feature_value *value = &values[fields[field]];
    if (!value->present) {
        return 0;
    }
    if (field == 0) {
        return (int)value->number;
    }
    char text[32]; /* what follows in the record may be a digit */
    (void)snprintf(text, sizeof text, "%.*s", (int)value->text.bytes,
                   (const char *)value->text.data);
    assert_int_equal(sscanf(text, "sector %d", &number), 1);
    return number;
}

uint64_t figure(enum engine_undo_figure at)
{
    return result.figures[at];
}

int random_of(uint32_t *seed, int most)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (int)((*seed >> 8) % (unsigned)most);
}
