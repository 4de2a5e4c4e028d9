/* SPDX-License-Identifier: Apache-2.0 */
/* What values were before, held against a model that keeps every state of every account: puts,
 * patches with and without true times, late ones, values taken away, deletions, slots given again,
 * folds, restarts and kills. Whatever is asked as of a sequence or a time is what the model has for
 * it, or is said not to be kept; and what a fold leaves does not depend on when it was. Then: an
 * older view, a copy, a store of before there was history, damage and repair. */
#include "tests/unit/store/store_fixture.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/store/dump.h"
#include "server/store/past_table.h"
#include "server/store/repair.h"

enum {
    ACCOUNTS = 5,
    FIELDS = 5,
    STEPS = 400 / TEST_SHORTER,
    SOME = 120,
    MOMENTS = 420,
    LONG = 1500
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture_init(fixture);
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    free(*state);
    return 0;
}

static uint64_t random_of(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* A value of the model: 0 is none; even fields are numbers, odd ones texts of that letter. */
struct cell {
    int value;
    int64_t time_ms;
};

struct moment {
    uint64_t seq;
    int64_t known_ms;
    bool lives;
    int born; /* which life it is */
    struct cell cells[FIELDS];
};

/* Every state of an account, the last is now. */
struct past_model {
    struct moment moments[MOMENTS];
    size_t count;
    int lives;
};

static struct moment *now_of(struct past_model *model)
{
    return &model->moments[model->count - 1];
}

static void values_fill(struct feature_value values[FIELDS], const struct cell cells[FIELDS],
                        char texts[FIELDS][LONG])
{
    memset(values, 0, FIELDS * sizeof *values);
    for (size_t i = 0; i < FIELDS; i++) {
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

static struct feature_record record_of(const char *id, const struct feature_value *values)
{
    static const struct proto_span sources[] = {{(const uint8_t *)"crm", 3},
                                                {(const uint8_t *)"billing", 7}};
    return (struct feature_record){.id = span(id),
                                   .sources = sources,
                                   .source_count = 2,
                                   .values = values,
                                   .value_slots = FIELDS};
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

static int cell_expected(const struct cell *cell, size_t field)
{
    return cell->value == 0 || field % 2 == 0
               ? cell->value
               : 1000 * ('a' + cell->value % 26) + 1 + cell->value % 40;
}

/* What the store says that an account was; false: there was none, or it is not kept (*kept). */
static bool store_at(struct store_view *view, const char *id, uint64_t seq, int64_t known_ms,
                     int cells[FIELDS], bool *kept)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_history history;
    struct feature_value values[FIELDS];
    struct feature_record record = {0};
    struct proto_span bytes;
    uint64_t begun;
    size_t cut;
    bool done[FIELDS] = {false};
    uint32_t slot = store_find_id(view, span(id), &fault);
    *kept = true;
    if (slot == STORE_NO_SLOT) {
        assert_int_equal(fault.code, PROTO_OK);
        return false;
    }
    assert_true(store_record(view, slot, &bytes, &fault));
    assert_true(feature_record_open(bytes, true, &record, &fault));
    feature_record_values(&record, values, FIELDS);
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
    for (size_t i = 0; i < FIELDS; i++) {
        cells[i] = cell_of(&values[i], i);
    }
    return *kept;
}

/* Compares one moment; false if the two differ. With `forgiving` what is not kept is fine. */
static bool moment_same(struct store_view *view, const char *id, const struct past_model *model,
                        uint64_t seq, int64_t known_ms, bool forgiving)
{
    const struct moment *then = NULL;
    const struct moment *now = &model->moments[model->count - 1];
    int cells[FIELDS];
    bool kept;
    for (size_t i = 0; i < model->count; i++) {
        const struct moment *moment = &model->moments[i];
        then = moment->seq <= seq && moment->known_ms <= known_ms ? moment : then;
    }
    bool there = now->lives && then != NULL && then->lives && then->born == now->born;
    bool found = store_at(view, id, seq, known_ms, cells, &kept);
    if (!kept) {
        return forgiving;
    }
    if (found != there) {
        return false;
    }
    for (size_t i = 0; found && i < FIELDS; i++) {
        if (cells[i] != cell_expected(&then->cells[i], i)) {
            return false;
        }
    }
    return true;
}

static void must_be(struct store_view *view, const char *id, const struct past_model *model,
                    uint64_t *seed)
{
    for (unsigned i = 0; model->count > 0 && i < 12; i++) {
        size_t back = random_of(seed) % model->count;
        const struct moment *moment =
            &model->moments[i == 0 ? model->count - 1 : model->count - 1 - back % 100];
        uint64_t seq = moment->seq + random_of(seed) % 3 - 1;
        if (!moment_same(view, id, model, seq, INT64_MAX, true)) {
            fail_msg("%s as of %llu is not what it was", id, (unsigned long long)seq);
        }
        int64_t known_ms = moment->known_ms;
        if (!moment_same(view, id, model, UINT64_MAX, known_ms, true)) {
            fail_msg("%s as of %lld ms is not what it was", id, (long long)known_ms);
        }
    }
}

static void moment_add(struct past_model *model, const struct moment *moment, uint64_t seq,
                       int64_t known_ms)
{
    assert_true(model->count < MOMENTS);
    model->moments[model->count] = *moment;
    model->moments[model->count].seq = seq;
    model->moments[model->count++].known_ms = known_ms;
}

static struct moment begin_of(struct past_model *model)
{
    return model->count > 0 ? *now_of(model) : (struct moment){.lives = false};
}

static void step_put(struct fixture *fixture, struct past_model *model, const char *id,
                     uint64_t *seed)
{
    static char texts[FIELDS][LONG];
    struct feature_value values[FIELDS];
    struct proto_fault fault;
    struct store_result result;
    struct moment next = begin_of(model);
    for (size_t i = 0; i < FIELDS; i++) {
        next.cells[i] = (struct cell){(int)(random_of(seed) % 4), fixture->now_ms};
    }
    next.born = next.lives ? next.born : ++model->lives;
    next.lives = true;
    values_fill(values, next.cells, texts);
    struct feature_record record = record_of(id, values);
    struct store_batch *batch = store_batch_create();
    assert_true(store_batch_put_record(batch, &record, &fault));
    assert_true(store_submit_wait(fixture->store, batch, &result));
    moment_add(model, &next, result.seq, fixture->now_ms);
}

/* Lays one patch over the model as the rules say. */
static void patch_apply(struct moment *next, const struct cell over[FIELDS],
                        const uint16_t *removed, size_t removed_count, int64_t removed_ms,
                        bool dated)
{
    for (size_t i = 0; i < FIELDS; i++) {
        bool late = dated && next->cells[i].value != 0 && next->cells[i].time_ms > over[i].time_ms;
        if (over[i].value != 0 && !late) {
            next->cells[i] = over[i];
        }
    }
    for (size_t i = 0; i < removed_count; i++) {
        struct cell *cell = &next->cells[removed[i]];
        if (!dated || cell->time_ms / 1000 <= removed_ms / 1000) {
            cell->value = 0;
        }
    }
}

/* One to three patches in one batch; true times up to 100 s in the past. */
static void step_patch(struct fixture *fixture, struct past_model *model, const char *id,
                       uint64_t *seed)
{
    static char texts[3][FIELDS][LONG];
    struct proto_fault fault;
    struct store_result result;
    struct moment next = begin_of(model);
    struct store_batch *batch = store_batch_create();
    size_t count = 1 + random_of(seed) % 3;
    for (size_t n = 0; n < count; n++) {
        struct cell over[FIELDS] = {{0}};
        struct feature_value values[FIELDS];
        uint16_t removed[1] = {(uint16_t)(random_of(seed) % FIELDS)};
        size_t removed_count = random_of(seed) % 4 == 0;
        bool dated = random_of(seed) % 2 == 0;
        int64_t time_ms = fixture->now_ms - (dated ? (int64_t)(random_of(seed) % 100000) : 0);
        for (size_t i = 0; i < FIELDS; i++) {
            bool has = random_of(seed) % 3 == 0 && !(removed_count > 0 && removed[0] == i);
            over[i] = (struct cell){has ? 1 + (int)(random_of(seed) % 50) : 0, time_ms};
        }
        values_fill(values, over, texts[n]);
        struct feature_record record = record_of(id, values);
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

static void step_delete(struct fixture *fixture, struct past_model *model, const char *id)
{
    struct store_result result;
    struct moment next = begin_of(model);
    if (!next.lives) {
        return;
    }
    assert_true(delete_one(fixture, id, &result));
    next.lives = false;
    memset(next.cells, 0, sizeof next.cells);
    moment_add(model, &next, result.seq, fixture->now_ms);
}

static void step_reopen(struct fixture *fixture, bool abandon)
{
    fixture->store->tuning.abandon = abandon;
    fixture_close(fixture);
    fixture_open(fixture);
}

static struct past_model models[ACCOUNTS];

static const char *name_of(unsigned at)
{
    static const char *const names[ACCOUNTS] = {"h0", "h1", "h2", "h3", "h4"};
    return names[at];
}

/* The same steps whatever is folded when; `folds`: how many steps in a hundred fold or reopen. */
static void run(struct fixture *fixture, uint64_t seed, unsigned steps, unsigned folds,
                bool compare)
{
    uint64_t other = seed + 1;
    struct proto_fault fault;
    memset(models, 0, sizeof models);
    for (unsigned step = 0; step < steps; step++) {
        unsigned at = (unsigned)(random_of(&seed) % ACCOUNTS);
        uint64_t what = random_of(&seed) % 100;
        fixture->now_ms += (int64_t)(random_of(&seed) % 5000) + 1000;
        if (what < 12 || !begin_of(&models[at]).lives) {
            step_put(fixture, &models[at], name_of(at), &seed);
        } else if (what < 97) {
            step_patch(fixture, &models[at], name_of(at), &seed);
        } else {
            step_delete(fixture, &models[at], name_of(at));
        }
        uint64_t fold = random_of(&other) % 100;
        if (fold < folds / 2) {
            assert_true(store_fold_wait(fixture->store, &fault));
        } else if (fold < folds) {
            step_reopen(fixture, random_of(&other) % 2 == 0);
        }
        if (compare) {
            must_be(viewed(fixture), name_of(at), &models[at], &other);
        }
        if (step % 100 == 0) {
            must_be_sound(fixture);
        }
    }
    assert_true(store_fold_wait(fixture->store, &fault));
    must_be_sound(fixture);
}

static void an_account_is_what_it_was_at_any_moment(void **state)
{
    run(*state, 7, STEPS, 12, true);
    for (unsigned at = 0; at < ACCOUNTS; at++) {
        uint64_t seed = at;
        must_be(viewed(*state), name_of(at), &models[at], &seed);
    }
}

static void the_comparison_sees_a_model_that_is_wrong(void **state)
{
    struct fixture *fixture = *state;
    unsigned seen = 0;
    run(fixture, 9, SOME, 5, false);
    for (unsigned at = 0; at < ACCOUNTS; at++) {
        struct past_model *model = &models[at];
        struct moment *moment = &model->moments[model->count - (model->count > 1 ? 2 : 1)];
        uint64_t seq = moment->seq;
        if (!now_of(model)->lives || moment->born != now_of(model)->born ||
            moment->seq == now_of(model)->seq) {
            continue;
        }
        assert_true(moment_same(viewed(fixture), name_of(at), model, seq, INT64_MAX, false));
        moment->cells[2].value += 1;
        seen += !moment_same(viewed(fixture), name_of(at), model, seq, INT64_MAX, false);
        moment->cells[2].value -= 1;
    }
    assert_true(seen > 0);
}

/* What is stored of histories, as one number. */
static uint64_t history_digest(struct fixture *fixture)
{
    struct disk_txn txn;
    struct proto_fault fault;
    assert_true(disk_txn_read(&txn, &fixture->store->env, &fault));
    uint64_t digest =
        txn.state.sums[DISK_TABLE_HISTORY].digest + txn.state.sums[DISK_TABLE_HISTORY].count;
    disk_txn_abort(&txn);
    return digest;
}

static void what_is_stored_does_not_depend_on_when_it_was_folded(void **state)
{
    struct fixture *fixture = *state;
    int64_t now_ms = fixture->now_ms;
    uint64_t digests[3];
    static const unsigned folds[] = {0, 4, 30};
    for (unsigned i = 0; i < 3; i++) {
        fixture->now_ms = now_ms;
        run(fixture, 21, SOME, folds[i], false);
        digests[i] = history_digest(fixture);
        fixture_fini(fixture);
        fixture_init(fixture);
        fixture_open(fixture);
    }
    assert_true(digests[0] != 0);
    assert_int_equal(digests[0], digests[1]);
    assert_int_equal(digests[0], digests[2]);
}

static bool put_number(struct fixture *fixture, const char *id, int number)
{
    struct store_result result;
    fixture->now_ms += 1000;
    return put_one(fixture, id, NULL, number, &result);
}

/* Many puts of an account in one batch, a change each. */
static void put_numbers(struct fixture *fixture, const char *id, int from, int count)
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

static size_t changes_of(struct fixture *fixture, const char *id, bool *gone)
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

static void the_oldest_go_and_it_is_said(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    bool gone;
    size_t counts[2];
    for (int folded = 0; folded < 2; folded++) {
        const char *id = folded == 0 ? "often" : "seldom";
        for (int i = 0; i < 900; i += 60) {
            put_numbers(fixture, id, i, 60);
            if (folded == 0 && i % 120 == 0) {
                assert_true(store_fold_wait(fixture->store, &fault));
            }
        }
        counts[folded] = changes_of(fixture, id, &gone);
        assert_true(gone);
        assert_true(counts[folded] > 300 && counts[folded] < 899);
        assert_true(store_fold_wait(fixture->store, &fault));
        assert_int_equal(changes_of(fixture, id, &gone), counts[folded]);
    }
    must_be_sound(fixture);
}

static void the_first_put_and_a_value_told_again_write_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    bool gone;
    assert_true(put_number(fixture, "a", 5));
    assert_true(put_number(fixture, "a", 5));
    assert_int_equal(changes_of(fixture, "a", &gone), 0);
    assert_true(store_fold_wait(fixture->store, &fault));
    assert_int_equal(history_digest(fixture), 0);
    assert_true(put_number(fixture, "a", 6));
    assert_int_equal(changes_of(fixture, "a", &gone), 1);
    must_be_sound(fixture);
}

static void a_late_value_is_kept_once(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    struct store_result result;
    static char texts[FIELDS][LONG];
    bool gone;
    for (int i = 0; i < 4; i++) {
        struct cell cells[FIELDS] = {{0}};
        struct feature_value values[FIELDS];
        cells[0] = (struct cell){i == 0 ? 10 : 3, fixture->now_ms - (i == 0 ? 0 : 500000)};
        values_fill(values, cells, texts);
        struct feature_record record = record_of("a", values);
        struct store_batch *batch = store_batch_create();
        assert_true(store_batch_patch_record(batch, &record, NULL, 0,
                                             STORE_PATCH_DATED | STORE_PATCH_CREATE, &fault));
        assert_true(store_submit_wait(fixture->store, batch, &result));
        assert_int_equal(changes_of(fixture, "a", &gone), i > 0);
        if (i == 2) {
            assert_true(store_fold_wait(fixture->store, &fault));
        }
    }
    assert_true(number_of(fixture, "a") == 10);
    must_be_sound(fixture);
}

static void an_older_view_keeps_what_it_saw(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    struct store_result result;
    struct store_history history;
    uint64_t begun;
    assert_true(put_number(fixture, "a", 1));
    assert_true(put_number(fixture, "a", 2));
    struct store_view *old = store_view_open(fixture->store, &fault);
    uint32_t slot = find_id(fixture, "a");
    assert_true(put_number(fixture, "a", 3));
    for (int i = 0; i < 2; i++) {
        assert_true(store_history(old, slot, &history, &begun, &fault));
        assert_int_equal(history.count, 1);
        store_history_fini(&history);
        assert_true(store_fold_wait(fixture->store, &fault));
    }
    assert_true(delete_one(fixture, "a", &result));
    assert_true(store_fold_wait(fixture->store, &fault));
    assert_true(store_history(old, slot, &history, &begun, &fault));
    assert_int_equal(history.count, 1);
    store_history_fini(&history);
    store_view_close(old);
    assert_int_equal(history_digest(fixture), 0); /* it went with the account */
}

static void a_copy_of_the_store_has_the_history(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    struct store_entry entry;
    char path[96];
    bool gone;
    for (int i = 0; i < 50; i++) {
        assert_true(put_number(fixture, "a", i));
    }
    (void)snprintf(path, sizeof path, "%s-copy", fixture->path);
    struct store_dump *dump = store_dump_open(fixture->store, &fault);
    struct store_rebuild *rebuild = store_rebuild_open(path, (size_t)1 << 28, &fault);
    assert_true(dump != NULL && rebuild != NULL);
    while (store_dump_next(dump, &entry, &fault) == DISK_GOT_ONE) {
        assert_true(store_rebuild_put(rebuild, &entry, &fault));
    }
    assert_true(store_rebuild_finish(rebuild, &fault));
    store_dump_close(dump);
    uint64_t digest = store_digest(fixture->store, true);
    fixture_close(fixture);
    fixture_remove(fixture->path);
    fixture->options.path = path;
    fixture_open(fixture);
    assert_int_equal(changes_of(fixture, "a", &gone), 49);
    assert_int_equal(store_digest(fixture->store, true), digest);
    fixture_close(fixture);
    fixture_remove(path);
}

/* Writes state and accounts as a build of before there was history did. */
static void make_older(const struct fixture *fixture)
{
    MDB_env *mdb;
    MDB_txn *txn;
    MDB_dbi meta;
    MDB_dbi accounts;
    MDB_dbi history;
    uint64_t key = DISK_STATE_KEY;
    MDB_val name = {sizeof key, &key};
    MDB_val value;
    uint8_t bytes[DISK_STATE_BYTES_SECOND];
    uint8_t account[512];
    assert_int_equal(mdb_env_create(&mdb), 0);
    assert_int_equal(mdb_env_set_maxdbs(mdb, DISK_TABLE_COUNT), 0);
    assert_int_equal(mdb_env_open(mdb, fixture->path, MDB_NOTLS, 0600), 0);
    assert_int_equal(mdb_txn_begin(mdb, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", MDB_INTEGERKEY, &meta), 0);
    assert_int_equal(mdb_dbi_open(txn, "account", MDB_INTEGERKEY, &accounts), 0);
    assert_int_equal(mdb_dbi_open(txn, "history", MDB_INTEGERKEY, &history), 0);
    uint64_t slot = 0;
    MDB_val slot_key = {sizeof slot, &slot};
    assert_int_equal(mdb_get(txn, accounts, &slot_key, &value), 0);
    size_t count = value.mv_size - 8;
    memcpy(account, value.mv_data, count);
    uint64_t check = disk_get_u64(account);
    disk_set_u64(account, disk_check(DISK_TABLE_ACCOUNT, 0, account + 8, count - 8));
    value = (MDB_val){count, account};
    assert_int_equal(mdb_put(txn, accounts, &slot_key, &value, 0), 0);
    assert_int_equal(mdb_get(txn, meta, &name, &value), 0);
    memcpy(bytes, value.mv_data, sizeof bytes);
    uint64_t digest_at = DISK_STATE_SUMS_AT + DISK_TABLE_ACCOUNT * 16 + 8;
    disk_set_u64(bytes + digest_at,
                 disk_get_u64(bytes + digest_at) ^ check ^ disk_get_u64(account));
    disk_set_u64(bytes + 8, mdb_txn_id(txn));
    disk_set_u64(bytes, disk_check(DISK_TABLE_META, DISK_STATE_KEY, bytes + 8, sizeof bytes - 8));
    value = (MDB_val){sizeof bytes, bytes};
    assert_int_equal(mdb_put(txn, meta, &name, &value, 0), 0);
    assert_int_equal(mdb_drop(txn, history, 1), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(mdb);
}

static void a_store_of_before_there_was_history_is_opened_and_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    int64_t since_ms;
    bool gone;
    assert_true(put_number(fixture, "a", 1));
    fixture_close(fixture);
    make_older(fixture);
    fixture_open(fixture);
    must_be_sound(fixture);
    assert_true(number_of(fixture, "a") == 1);
    assert_int_equal(store_history_since(viewed(fixture), &since_ms), 1);
    assert_int_equal(since_ms, 0);
    assert_true(put_number(fixture, "a", 2));
    assert_true(put_number(fixture, "b", 2));
    assert_true(store_fold_wait(fixture->store, &fault));
    for (int i = 0; i < 2; i++) {
        struct store_history history;
        uint64_t begun;
        must_be_sound(fixture);
        assert_int_equal(store_history_since(viewed(fixture), &since_ms), 1);
        assert_int_equal(since_ms, fixture->now_ms);
        assert_int_equal(changes_of(fixture, "a", &gone), 1);
        assert_true(
            store_history(viewed(fixture), find_id(fixture, "a"), &history, &begun, &fault));
        assert_int_equal(begun, 0);
        store_history_fini(&history);
        assert_true(
            store_history(viewed(fixture), find_id(fixture, "b"), &history, &begun, &fault));
        assert_int_equal(begun, 3);
        store_history_fini(&history);
        step_reopen(fixture, false);
    }
}

/* Spoils the history of a slot in the tables, as a flipped bit does. */
static void spoil(struct fixture *fixture, uint32_t slot)
{
    struct store *store = fixture->store;
    struct disk_txn txn;
    struct proto_fault fault;
    struct proto_span value = {0};
    static uint8_t copy[STORE_HISTORY_VALUE_BYTES_MAX];
    assert_true(disk_txn_write(&txn, &store->env, &fault));
    uint64_t number = disk_txn_number(&txn);
    assert_int_equal(disk_txn_get(&txn, DISK_TABLE_HISTORY, slot, &value, &fault), DISK_GOT_ONE);
    size_t bytes = value.bytes;
    memcpy(copy, value.data, bytes);
    copy[bytes - 1] ^= 1;
    uint8_t *at = disk_txn_put(&txn, DISK_TABLE_HISTORY, slot, bytes, DISK_PUT_ANY, &fault);
    assert_non_null(at);
    memcpy(at, copy, bytes);
    atomic_store(&store->writing, number);
    assert_true(disk_txn_commit(&txn, &fault));
    atomic_store(&store->tables, number);
    atomic_fetch_add(&store->turn, 1);
}

static int64_t clock_of(void *context)
{
    return ((struct fixture *)context)->now_ms;
}

static uint64_t repair(struct fixture *fixture, bool apply, bool *sound)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_repaired repaired;
    struct store_repair_options options = {.path = fixture->path,
                                           .map_bytes = (size_t)1 << 28,
                                           .apply = apply,
                                           .now_ms = clock_of,
                                           .now_context = fixture};
    if (!store_repair(&options, &repaired, &fault)) {
        fail_msg("%s", fault.message);
    }
    *sound = repaired.sound;
    return repaired.histories_lost;
}

/* folded_over: a fold comes to the damaged value before the repair does. */
static void damaged(struct fixture *fixture, bool folded_over)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_history history;
    uint64_t begun;
    bool gone;
    bool sound;
    assert_true(put_number(fixture, "a", 1));
    assert_true(put_number(fixture, "a", 2));
    assert_true(put_number(fixture, "b", 1));
    assert_true(put_number(fixture, "b", 2));
    assert_true(store_fold_wait(fixture->store, &fault));
    uint32_t slot = find_id(fixture, "a");
    spoil(fixture, slot);
    assert_true(put_number(fixture, "a", 3));
    uint64_t seq = store_view_seq(viewed(fixture));
    assert_false(store_history(viewed(fixture), slot, &history, &begun, &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
    store_history_fini(&history);
    assert_int_equal(changes_of(fixture, "b", &gone), 1);
    if (folded_over) {
        assert_true(store_fold_wait(fixture->store, &fault));
        assert_false(store_history(viewed(fixture), slot, &history, &begun, &fault));
        assert_int_equal(fault.code, PROTO_CORRUPT);
        store_history_fini(&history);
    } else {
        fixture->store->tuning.abandon = true;
    }
    fixture_close(fixture);
    assert_int_equal(repair(fixture, false, &sound), 1);
    assert_false(sound);
    assert_int_equal(repair(fixture, true, &sound), 1);
    assert_int_equal(repair(fixture, false, &sound), 0);
    assert_true(sound);
    fixture_open(fixture);
    must_be_sound(fixture);
    assert_int_equal(changes_of(fixture, "b", &gone), 1);
    assert_false(gone);
    assert_int_equal(changes_of(fixture, "a", &gone), 1); /* that behind the damage */
    assert_true(gone);
    int cells[FIELDS];
    bool kept;
    (void)store_at(viewed(fixture), "a", seq - 4, INT64_MAX, cells, &kept);
    assert_false(kept);
    assert_true(number_of(fixture, "a") == 3);
}

static void damage_is_refused_and_repaired(void **state)
{
    damaged(*state, false);
}

static void a_fold_over_damage_says_so(void **state)
{
    damaged(*state, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_account_is_what_it_was_at_any_moment, setup, teardown),
        cmocka_unit_test_setup_teardown(the_comparison_sees_a_model_that_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_stored_does_not_depend_on_when_it_was_folded, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_oldest_go_and_it_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_put_and_a_value_told_again_write_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_late_value_is_kept_once, setup, teardown),
        cmocka_unit_test_setup_teardown(an_older_view_keeps_what_it_saw, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_of_the_store_has_the_history, setup, teardown),
        cmocka_unit_test_setup_teardown(a_store_of_before_there_was_history_is_opened_and_goes_on,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(damage_is_refused_and_repaired, setup, teardown),
        cmocka_unit_test_setup_teardown(a_fold_over_damage_says_so, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
