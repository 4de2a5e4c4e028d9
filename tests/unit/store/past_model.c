/* SPDX-License-Identifier: Apache-2.0 */
/* Each step draws what it does, does it to the store and lays it over the last moment of the model
 * by the rules of the documentation alone, so that a rule that the store has wrong is seen. */
#include "tests/unit/store/past_model.h"

#include <stdlib.h>

#include "server/store/past_table.h"

int past_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture_init(fixture);
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

int past_teardown(void **state)
{
    fixture_fini(*state);
    free(*state);
    return 0;
}

uint64_t past_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

struct past_moment *past_now(struct past_model *model)
{
    return &model->moments[model->count - 1];
}

void past_values_fill(struct feature_value values[PAST_FIELDS],
                      const struct past_cell cells[PAST_FIELDS], char texts[PAST_FIELDS][PAST_LONG])
{
    memset(values, 0, PAST_FIELDS * sizeof *values);
    for (size_t i = 0; i < PAST_FIELDS; i++) {
        if (cells[i].value == 0) {
            continue;
        }
        values[i] = (struct feature_value){
            .present = true, .time_ms = cells[i].time_ms, .source = (uint8_t)(i % 2)};
        if (i % 2 == 0) {
            values[i].type = FEATURE_NUMBER;
            values[i].number = cells[i].value;
        } else {
            values[i].type = FEATURE_CATEGORY;
            size_t bytes = 1 + (size_t)cells[i].value % 40;
            memset(texts[i], 'a' + cells[i].value % 26, bytes);
            values[i].text = (struct proto_span){(const uint8_t *)texts[i], bytes};
        }
    }
}

struct feature_record past_record(const char *id, const struct feature_value *values)
{
    static const struct proto_span sources[] = {{(const uint8_t *)"crm", 3},
                                                {(const uint8_t *)"billing", 7}};
    return (struct feature_record){.id = span(id),
                                   .sources = sources,
                                   .source_count = 2,
                                   .values = values,
                                   .value_slots = PAST_FIELDS};
}

/* The value that was before, or is now, as the model writes it; -1: it is none of the model's. */
static int cell_of(const struct feature_value *value, size_t field)
{
    if (!value->present) {
        return 0;
    }
    if (field % 2 == 0) {
        return value->type == FEATURE_NUMBER ? (int)value->number : -1;
    }
    return value->type == FEATURE_CATEGORY ? 1000 * value->text.data[0] + (int)value->text.bytes
                                           : -1;
}

static int cell_expected(const struct past_cell *cell, size_t field)
{
    return cell->value == 0 || field % 2 == 0
               ? cell->value
               : 1000 * ('a' + cell->value % 26) + 1 + cell->value % 40;
}

bool past_store_at(struct store_view *view, const char *id, uint64_t seq, int64_t known_ms,
                   int cells[PAST_FIELDS], bool *kept)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_history history;
    struct feature_value values[PAST_FIELDS];
    struct feature_record record = {0};
    struct proto_span bytes;
    uint64_t begun;
    size_t cut;
    bool done[PAST_FIELDS] = {false};
    uint32_t slot = store_find_id(view, span(id), &fault);
    *kept = true;
    if (slot == STORE_NO_SLOT) {
        assert_int_equal(fault.code, PROTO_OK);
        return false;
    }
    assert_true(store_record(view, slot, &bytes, &fault));
    assert_true(feature_record_open(bytes, true, &record, &fault));
    feature_record_values(&record, values, PAST_FIELDS);
    if (!store_history(view, slot, &history, &begun, &fault)) {
        fail_msg("%s: %s", id, fault.message);
    }
    assert_true(begun > 0);
    if (seq < begun || (known_ms != INT64_MAX && known_ms / 1000 < record.created_s)) {
        store_history_fini(&history);
        return false;
    }
    *kept = store_history_cut(&history, seq, known_ms, &cut);
    for (size_t i = cut; *kept && i < history.count; i++) {
        struct store_past past;
        for (size_t at = 0; store_past_next(history.list[i].entries, &at, &past);) {
            if (past.kind == STORE_PAST_LATE || done[past.field]) {
                continue;
            }
            done[past.field] = true;
            values[past.field].present = false;
            assert_true(past.kind == STORE_PAST_ADDED ||
                        store_past_value(&past, &values[past.field]));
            assert_true(past.kind == STORE_PAST_ADDED ||
                        proto_span_is(past.source, past.field % 2 == 0 ? "crm" : "billing"));
        }
    }
    store_history_fini(&history);
    for (size_t i = 0; i < PAST_FIELDS; i++) {
        cells[i] = cell_of(&values[i], i);
    }
    return *kept;
}

bool past_moment_same(struct store_view *view, const char *id, const struct past_model *model,
                      uint64_t seq, int64_t known_ms, bool forgiving)
{
    const struct past_moment *then = NULL;
    const struct past_moment *now = &model->moments[model->count - 1];
    int cells[PAST_FIELDS];
    bool kept;
    for (size_t i = 0; i < model->count; i++) {
        const struct past_moment *moment = &model->moments[i];
        then = moment->seq <= seq && moment->known_ms <= known_ms ? moment : then;
    }
    bool there = now->lives && then != NULL && then->lives && then->born == now->born;
    bool found = past_store_at(view, id, seq, known_ms, cells, &kept);
    if (!kept) {
        return forgiving;
    }
    if (found != there) {
        return false;
    }
    for (size_t i = 0; found && i < PAST_FIELDS; i++) {
        if (cells[i] != cell_expected(&then->cells[i], i)) {
            return false;
        }
    }
    return true;
}

void past_must_be(struct store_view *view, const char *id, const struct past_model *model,
                  uint64_t *seed)
{
    for (unsigned i = 0; model->count > 0 && i < 12; i++) {
        size_t back = past_random(seed) % model->count;
        const struct past_moment *moment =
            &model->moments[i == 0 ? model->count - 1 : model->count - 1 - back % 100];
        uint64_t seq = moment->seq + past_random(seed) % 3 - 1;
        if (!past_moment_same(view, id, model, seq, INT64_MAX, true)) {
            fail_msg("%s as of %llu is not what it was", id, (unsigned long long)seq);
        }
        int64_t known_ms = moment->known_ms;
        if (!past_moment_same(view, id, model, UINT64_MAX, known_ms, true)) {
            fail_msg("%s as of %lld ms is not what it was", id, (long long)known_ms);
        }
    }
}

static void moment_add(struct past_model *model, const struct past_moment *moment, uint64_t seq,
                       int64_t known_ms)
{
    assert_true(model->count < PAST_MOMENTS);
    model->moments[model->count] = *moment;
    model->moments[model->count].seq = seq;
    model->moments[model->count++].known_ms = known_ms;
}

struct past_moment past_begin(struct past_model *model)
{
    return model->count > 0 ? *past_now(model) : (struct past_moment){.lives = false};
}

void past_step_put(struct fixture *fixture, struct past_model *model, const char *id,
                   uint64_t *seed)
{
    static char texts[PAST_FIELDS][PAST_LONG];
    struct feature_value values[PAST_FIELDS];
    struct proto_fault fault;
    struct store_result result;
    struct past_moment next = past_begin(model);
    for (size_t i = 0; i < PAST_FIELDS; i++) {
        next.cells[i] = (struct past_cell){(int)(past_random(seed) % 4), fixture->now_ms};
    }
    next.born = next.lives ? next.born : ++model->lives;
    next.lives = true;
    past_values_fill(values, next.cells, texts);
    struct feature_record record = past_record(id, values);
    struct store_batch *batch = store_batch_create();
    assert_true(store_batch_put_record(batch, &record, &fault));
    assert_true(store_submit_wait(fixture->store, batch, &result));
    moment_add(model, &next, result.seq, fixture->now_ms);
}

/* Lays one patch over the model as the rules say. */
static void patch_apply(struct past_moment *next, const struct past_cell over[PAST_FIELDS],
                        const uint16_t *removed, size_t removed_count, int64_t removed_ms,
                        bool dated)
{
    for (size_t i = 0; i < PAST_FIELDS; i++) {
        bool late = dated && next->cells[i].value != 0 && next->cells[i].time_ms > over[i].time_ms;
        if (over[i].value != 0 && !late) {
            next->cells[i] = over[i];
        }
    }
    for (size_t i = 0; i < removed_count; i++) {
        struct past_cell *cell = &next->cells[removed[i]];
        if (!dated || cell->time_ms / 1000 <= removed_ms / 1000) {
            cell->value = 0;
        }
    }
}

/* One to three patches in one batch; true times up to 100 s in the past. */
void past_step_patch(struct fixture *fixture, struct past_model *model, const char *id,
                     uint64_t *seed)
{
    static char texts[3][PAST_FIELDS][PAST_LONG];
    struct proto_fault fault;
    struct store_result result;
    struct past_moment next = past_begin(model);
    struct store_batch *batch = store_batch_create();
    size_t count = 1 + past_random(seed) % 3;
    for (size_t n = 0; n < count; n++) {
        struct past_cell over[PAST_FIELDS] = {{0}};
        struct feature_value values[PAST_FIELDS];
        uint16_t removed[1] = {(uint16_t)(past_random(seed) % PAST_FIELDS)};
        size_t removed_count = past_random(seed) % 4 == 0;
        bool dated = past_random(seed) % 2 == 0;
        int64_t time_ms = fixture->now_ms - (dated ? (int64_t)(past_random(seed) % 100000) : 0);
        for (size_t i = 0; i < PAST_FIELDS; i++) {
            bool has = past_random(seed) % 3 == 0 && !(removed_count > 0 && removed[0] == i);
            over[i] = (struct past_cell){has ? 1 + (int)(past_random(seed) % 50) : 0, time_ms};
        }
        past_values_fill(values, over, texts[n]);
        struct feature_record record = past_record(id, values);
        record.changed_s = time_ms / 1000;
        assert_true(store_batch_patch_record(batch, &record, removed, removed_count,
                                             dated ? STORE_PATCH_DATED : 0, &fault));
        patch_apply(&next, over, removed, removed_count, time_ms, dated);
    }
    assert_int_equal(store_submit_wait(fixture->store, batch, &result), next.lives);
    if (next.lives) {
        moment_add(model, &next, result.seq, fixture->now_ms);
    }
}

void past_step_delete(struct fixture *fixture, struct past_model *model, const char *id)
{
    struct store_result result;
    struct past_moment next = past_begin(model);
    if (!next.lives) {
        return;
    }
    assert_true(delete_one(fixture, id, &result));
    next.lives = false;
    memset(next.cells, 0, sizeof next.cells);
    moment_add(model, &next, result.seq, fixture->now_ms);
}

void past_step_reopen(struct fixture *fixture, bool abandon)
{
    fixture->store->tuning.abandon = abandon;
    fixture_close(fixture);
    fixture_open(fixture);
}

static uint64_t history_digest(const struct store_history *history, uint64_t seed)
{
    uint64_t head[3] = {history->gone, history->gone_seq, (uint64_t)history->gone_known_ms};
    uint64_t digest = base_hash(head, sizeof head, seed);
    for (size_t i = 0; i < history->count; i++) {
        const struct store_past_group *group = &history->list[i];
        uint64_t told[2] = {group->seq, (uint64_t)group->known_ms};
        digest = base_hash(told, sizeof told, digest);
        digest = base_hash(group->entries.data, group->entries.bytes, digest);
    }
    return digest;
}

uint64_t past_digest(struct fixture *fixture)
{
    struct store_view *view = viewed(fixture);
    uint64_t digest = 0;
    for (uint32_t slot = 0; slot < view->state.slots; slot++) {
        struct store_history history;
        struct proto_fault fault = {.code = PROTO_OK};
        uint64_t begun;
        if (store_history(view, slot, &history, &begun, &fault)) {
            digest = history.count > 0 ? history_digest(&history, digest) : digest;
        }
        store_history_fini(&history);
    }
    return digest;
}

uint64_t past_pieces(struct fixture *fixture)
{
    struct disk_txn txn;
    struct proto_fault fault;
    assert_true(disk_txn_read(&txn, &fixture->store->env, &fault));
    uint64_t pieces = txn.state.sums[DISK_TABLE_HISTORY].count;
    disk_txn_abort(&txn);
    return pieces;
}

bool past_put_number(struct fixture *fixture, const char *id, int number)
{
    struct store_result result;
    fixture->now_ms += 1000;
    return put_one(fixture, id, NULL, number, &result);
}

void past_put_numbers(struct fixture *fixture, const char *id, int from, int count)
{
    struct proto_fault fault;
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    for (int i = from; i < from + count; i++) {
        struct made made;
        make_record(&made, id, NULL, i, NULL);
        assert_true(store_batch_put(batch, made_span(&made), &fault));
    }
    fixture->now_ms += 1000;
    assert_true(store_submit_wait(fixture->store, batch, &result));
}

size_t past_changes(struct fixture *fixture, const char *id, bool *gone)
{
    struct store_history history;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t begun;
    if (!store_history(viewed(fixture), find_id(fixture, id), &history, &begun, &fault)) {
        fail_msg("%s", fault.message);
    }
    size_t count = history.count;
    *gone = history.gone;
    store_history_fini(&history);
    return count;
}
