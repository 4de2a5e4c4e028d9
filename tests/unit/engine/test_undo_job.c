/* SPDX-License-Identifier: Apache-2.0 */
/* Imports that are taken back: random ones beside other writers against a model that keeps each
 * telling, over restarts; then keys, accounts that stay, events, a dry run that
 * counts the same and writes nothing, one that is cut off and goes on, and one that is asked for
 * twice. */
#include "tests/unit/engine/undo_fixture.h"

#include <stdio.h>

#include "server/engine/imports.h"
#include "server/store/past.h"

#define DAY INT64_C(86400000)

enum { WRITERS = 3, BATCHES = 60, ROUNDS = 6 };

/* The model: what each field was, in order. Of a value that is told again it is known who told it
 * first and who last. */
struct said {
    int first, last, value;
};
struct model {
    struct said told[BATCHES * 2];
    int count;
};

static void model_tell(struct model *model, int writer, int value)
{
    struct said *newest = model->count > 0 ? &model->told[model->count - 1] : NULL;
    if (newest != NULL && newest->value == value) {
        newest->last = writer;
    } else {
        model->told[model->count++] = (struct said){writer, writer, value};
    }
}

/* Without what the writer brought at the end, if the last word is the writer's. */
static int model_without(const struct model *model, int writer)
{
    int at = model->count;
    if (at == 0 || model->told[at - 1].last != writer) {
        return at == 0 ? 0 : model->told[at - 1].value;
    }
    while (at > 0 && model->told[at - 1].first == writer && model->told[at - 1].last == writer) {
        at--;
    }
    return at == 0 ? 0 : model->told[at - 1].value;
}

static void batch_random(uint32_t *seed, int round, struct model models[ACCOUNTS][FIELDS])
{
    static const char *const imports[] = {"first", "second", NULL};
    char name[32];
    char ids[ACCOUNTS][32];
    struct telling told[ACCOUNTS];
    size_t count = 0;
    int writer = random_of(seed, WRITERS);
    int wanted = 1 + random_of(seed, 4);
    for (int i = 0; i < ACCOUNTS && (int)count < wanted; i++) {
        if (random_of(seed, 3) != 0) {
            continue;
        }
        (void)snprintf(ids[count], sizeof ids[count], "r%d-%d", round, i);
        told[count] = (struct telling){.id = ids[count]};
        for (int f = 0; f < FIELDS; f++) {
            int value = random_of(seed, 5); /* the same again now and then */
            told[count].values[f] = value;
            if (value != 0) {
                model_tell(&models[i][f], writer, value);
            }
        }
        count++;
    }
    (void)snprintf(name, sizeof name, "%s%d", imports[writer] != NULL ? imports[writer] : "",
                   round);
    if (count > 0) {
        tell(imports[writer] != NULL ? name : NULL, told, count, "test");
    }
}

static void what_stands_is_what_the_others_told(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        static struct model models[ACCOUNTS][FIELDS];
        uint32_t seed = 11 + (uint32_t)round;
        int writer = round % 2;
        char import[32];
        memset(models, 0, sizeof models);
        for (int b = 0; b < BATCHES; b++) {
            batch_random(&seed, round, models);
            if (b == BATCHES / 2 && round % 3 == 0) {
                again();
            }
        }
        (void)snprintf(import, sizeof import, "%s%d", writer == 0 ? "first" : "second", round);
        struct engine_job_info info = undo(import, false, NULL);
        assert_int_equal(info.state, ENGINE_JOB_DONE);
        for (int twice = 0; twice < 2; twice++) {
            for (int i = 0; i < ACCOUNTS; i++) {
                char id[32];
                (void)snprintf(id, sizeof id, "r%d-%d", round, i);
                for (int f = 0; f < FIELDS; f++) {
                    int expected = model_without(&models[i][f], writer);
                    int value = value_of(id, f); /* an account of which nothing is left is gone */
                    if ((value == -1 ? 0 : value) != expected) {
                        fail_msg("seed %d, account %d, field %d: %d, not %d", 11 + round, i, f,
                                 value, expected);
                    }
                }
            }
            again(); /* the log says the same */
        }
    }
}

static bool has_key(const char *id, const char *key)
{
    struct feature_value values[SLOTS];
    struct feature_record record;
    struct proto_span one;
    if (!account_read(id, values, &record)) {
        return false;
    }
    for (size_t at = 0; feature_record_key_next(&record, &at, &one);) {
        if (proto_span_is(one, key)) {
            return true;
        }
    }
    return false;
}

static const struct telling one_by_a[] = {{"twice", "crm:2", {1, 1}, 0}};
static const struct telling one_by_b[] = {{"twice", NULL, {1, 2}, 0}};
static const struct telling two[] = {{"twice", NULL, {2, 0}, 0}};

/* Two imports told the same value: as long as one of them is not taken back it stands. */
static void what_two_told_stands_until_both_are_taken_back(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        static const char *const names[2][2] = {{"a0", "b0"}, {"a1", "b1"}};
        tell(names[first][0], one_by_a, 1, "crm");
        tell(names[first][1], one_by_b, 1, "billing");
        assert_int_equal(undo(names[first][first], false, NULL).state, ENGINE_JOB_DONE);
        assert_int_equal(value_of("twice", 0), 1);
        assert_int_equal(value_of("twice", 1), first == 0 ? 2 : 1);
        assert_true(has_key("twice", "crm:2")); /* an account keeps what it was made with */
        assert_int_equal(undo(names[first][!first], true, NULL).state, ENGINE_JOB_DONE);
        assert_int_equal(figure(ENGINE_UNDO_REMOVED), 1);
        assert_int_equal(undo(names[first][!first], false, NULL).state, ENGINE_JOB_DONE);
        assert_int_equal(figure(ENGINE_UNDO_REMOVED), 1);
        assert_int_equal(value_of("twice", 0), -1);
    }
    tell("a2", one_by_a, 1, "crm");
    tell(NULL, one_by_b, 1, "billing"); /* nobody's: it stays behind a2 and c2, in either order */
    tell("c2", two, 1, "crm");
    assert_int_equal(undo("a2", false, NULL).state, ENGINE_JOB_DONE);
    assert_int_equal(value_of("twice", 0), 2);
    assert_int_equal(undo("c2", false, NULL).state, ENGINE_JOB_DONE);
    assert_int_equal(value_of("twice", 0), 1);
}

/* The whole account: keys that it does not have are taken away. */
static void keys_put(const char *import, const char *id, const char *key)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_result stored;
    struct store_batch *batch = store_batch_create();
    struct proto_span text = proto_span_text(key == NULL ? "" : key);
    const struct feature_record record = {
        .id = proto_span_text(id), .keys = &text, .key_count = key != NULL};
    fixture.now_ms += 1000;
    assert_true(store_batch_put_record(batch, &record, &fault));
    assert_true(import == NULL ||
                store_batch_import(batch, proto_span_text(import), STORE_IMPORT_PART,
                                   (struct proto_span){NULL, 0}, &fault));
    assert_true(store_submit_wait(engine_store(fixture.engine), batch, &stored));
}

static void keys_come_back_in_either_order(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        static const char *const names[2][2] = {{"x0", "y0"}, {"x1", "y1"}};
        static const char *const ids[] = {"keyed0", "keyed1"};
        static const char *const keys[] = {"crm:30", "crm:31"};
        keys_put(NULL, ids[first], NULL);
        keys_put(names[first][0], ids[first], keys[first]);
        keys_put(names[first][1], ids[first], NULL);
        assert_false(has_key(ids[first], keys[first]));
        assert_int_equal(undo(names[first][first], false, NULL).state, ENGINE_JOB_DONE);
        assert_int_equal(has_key(ids[first], keys[first]), first == 1);
        assert_int_equal(undo(names[first][!first], false, NULL).state, ENGINE_JOB_DONE);
        assert_false(has_key(ids[first], keys[first]));
    }
}

static void event_tell(const char *import, const char *account, const char *id)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_result stored;
    struct store_batch *batch = store_batch_create();
    const struct event event = {.type = EVENT_TOUCH,
                                .time_ms = fixture.now_ms,
                                .source = proto_span_text("mail"),
                                .id = proto_span_text(id)};
    assert_true(store_batch_event(batch, proto_span_text(account), false, &event, &fault));
    if (import != NULL) {
        assert_true(store_batch_import(batch, proto_span_text(import), STORE_IMPORT_PART,
                                       (struct proto_span){NULL, 0}, &fault));
    }
    assert_true(store_submit_wait(engine_store(fixture.engine), batch, &stored));
}

static const struct telling before[] = {{"old", "crm:1", {10, 1}, 0}};
static const struct telling imported[] = {{"old", "domain:old.example", {20, 0}, 0},
                                          {"new", "domain:new.example", {5, 2}, 0},
                                          {"kept", NULL, {6, 3}, 0},
                                          {"touched", NULL, {7, 0}, 0}};
static const struct telling since[] = {{"kept", NULL, {60, 0}, 0}};

static void company_make(void)
{
    tell(NULL, before, 1, "crm");
    tell("i", imported, 2, "billing");
    tell("i", imported + 2, 2, "billing");
    tell(NULL, since, 1, "crm");
    event_tell(NULL, "touched", "e1");
}

static void company_must_be_undone(void)
{
    assert_int_equal(value_of("old", 0), 10);
    assert_int_equal(value_of("old", 1), 1);
    assert_true(has_key("old", "crm:1"));
    assert_false(has_key("old", "domain:old.example"));
    assert_int_equal(value_of("new", 0), -1);
    assert_int_equal(value_of("kept", 0), 60);
    assert_int_equal(value_of("kept", 1), 0);
    assert_int_equal(value_of("touched", 0), 0); /* there: something happened to it */
}

static void figures_must_be(uint64_t batches)
{
    assert_int_equal(figure(ENGINE_UNDO_BATCHES), batches);
    assert_int_equal(figure(ENGINE_UNDO_REMOVED), 1);
    assert_int_equal(figure(ENGINE_UNDO_CHANGED), 3);
    assert_int_equal(figure(ENGINE_UNDO_KEYS), 1);
    assert_int_equal(figure(ENGINE_UNDO_STAYING), 2);
    assert_int_equal(figure(ENGINE_UNDO_VALUES_STAYING), 1);
    assert_int_equal(result.stay_count, 2);
}

static void a_dry_run_counts_and_writes_nothing(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    company_make();
    assert_true(engine_worker_refresh(worker, &fault));
    uint64_t seq = engine_worker_seq(worker);
    assert_int_equal(undo("i", true, NULL).state, ENGINE_JOB_DONE);
    figures_must_be(2);
    uint64_t values = figure(ENGINE_UNDO_VALUES);
    assert_int_equal(engine_worker_seq(worker), seq);
    assert_int_equal(value_of("old", 0), 20);
    assert_true(has_key("new", "domain:new.example"));
    assert_int_equal(undo("i", false, NULL).state, ENGINE_JOB_DONE);
    figures_must_be(2);
    assert_int_equal(figure(ENGINE_UNDO_VALUES), values);
    company_must_be_undone();
    again();
    company_must_be_undone();
}

static void what_is_asked_again_changes_nothing_more(void **state)
{
    (void)state;
    company_make();
    assert_int_equal(undo("i", false, "op-1").state, ENGINE_JOB_DONE);
    uint64_t values = figure(ENGINE_UNDO_VALUES);
    tell(NULL, imported, 2, "billing"); /* the same again, as a new import would */
    again();
    struct engine_job_info info = undo("i", false, "op-1");
    assert_int_equal(info.state, ENGINE_JOB_DONE);
    assert_true(info.repeated);
    assert_int_equal(figure(ENGINE_UNDO_VALUES), values);
    assert_int_equal(undo("i", false, NULL).state, ENGINE_JOB_DONE); /* nothing of it is left */
    assert_int_equal(figure(ENGINE_UNDO_BATCHES), 0);
    assert_int_equal(value_of("old", 0), 20);
    assert_true(has_key("new", "domain:new.example"));
    info = undo("nobody's", false, NULL);
    assert_int_equal(info.state, ENGINE_JOB_FAILED);
    assert_int_equal(info.fault.code, PROTO_NOT_FOUND);
}

/* Cancelled from its own progress, after the first batch. */
static uint64_t cancel_job;

static void cancel_at(void *context, const struct engine_job_info *info)
{
    struct proto_fault fault = {.code = PROTO_OK};
    (void)context;
    if (info->done > 0 && cancel_job == 0) {
        cancel_job = info->job;
        (void)engine_job_cancel(fixture.engine, info->job, &fault);
    }
}

static void what_was_cut_off_goes_on(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct engine_undo_request request = {.import = proto_span_text("i"),
                                                .result = &result,
                                                .on_progress = cancel_at,
                                                .on_done = engine_fixture_ended,
                                                .context = &fixture};
    company_make();
    cancel_job = 0;
    size_t ended = fixture.ended_count;
    assert_true(engine_undo_start(fixture.engine, &request, &fault) > 0);
    struct engine_job_info info = engine_fixture_wait(&fixture, ended + 1);
    assert_int_equal(info.fault.code, PROTO_CANCELLED);
    assert_int_equal(figure(ENGINE_UNDO_BATCHES), 1);
    assert_int_equal(value_of("old", 0), 20); /* the older batch stands */
    again();
    assert_int_equal(undo("i", false, NULL).state, ENGINE_JOB_DONE);
    assert_int_equal(figure(ENGINE_UNDO_BATCHES), 1);
    company_must_be_undone();
}

static void events_are_retracted_and_those_told_before_stay(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct engine_imports imports;
    tell(NULL, before, 1, "crm");
    event_tell(NULL, "old", "e1");
    event_tell("mails", "old", "e1"); /* once more */
    event_tell("mails", "old", "e2");
    assert_int_equal(undo("mails", true, NULL).state, ENGINE_JOB_DONE);
    assert_int_equal(figure(ENGINE_UNDO_EVENTS), 1);
    assert_int_equal(undo("mails", false, NULL).state, ENGINE_JOB_DONE);
    assert_int_equal(figure(ENGINE_UNDO_EVENTS), 1);
    assert_int_equal(figure(ENGINE_UNDO_EVENTS_AGAIN), 1);
    assert_int_equal(undo("mails", false, NULL).state, ENGINE_JOB_DONE);
    assert_int_equal(figure(ENGINE_UNDO_EVENTS), 0);
    assert_true(
        engine_imports_read(fixture.engine, proto_span_text(""), NULL, NULL, &imports, &fault));
    assert_int_equal(imports.count, 1);
    assert_int_equal(imports.list[0].batches, 2);
    assert_int_equal(imports.list[0].events, 2);
    assert_true(imports.list[0].undone);
    assert_false(imports.list[0].begun);
    engine_imports_fini(&imports);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_stands_is_what_the_others_told, setup, teardown),
        cmocka_unit_test_setup_teardown(what_two_told_stands_until_both_are_taken_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(keys_come_back_in_either_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dry_run_counts_and_writes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_asked_again_changes_nothing_more, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_cut_off_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(events_are_retracted_and_those_told_before_stay, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
