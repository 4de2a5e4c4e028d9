/* SPDX-License-Identifier: Apache-2.0 */
/* ICP versions are opened when they are asked for, and a document that is damaged costs itself
 * alone. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/engine/engine_fixture.h"

/* Flips a bit in every copy of the text in the data of a closed store; returns how many there were.
 */
static size_t texts_damage(const struct engine_fixture *fixture, const char *text)
{
    char path[128];
    struct stat info;
    size_t found = 0;
    snprintf(path, sizeof path, "%s/data.mdb", fixture->directory);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    uint8_t *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(bytes != MAP_FAILED);
    const uint8_t *end = bytes + info.st_size;
    for (uint8_t *at = bytes; (at = memmem(at, (size_t)(end - at), text, strlen(text))) != NULL;
         at++, found++) {
        at[strlen(text) / 2] ^= 1;
    }
    munmap(bytes, (size_t)info.st_size);
    close(fd);
    return found;
}

/* The document of the version as JSON text with another name in it, so that it can be told apart.
 */
static char *document_text(struct engine_fixture *fixture, uint32_t version, const char *name)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct engine_state *state = engine_state_get(fixture->engine);
    struct learn_document *document = engine_state_document(state, version, &fault);
    assert_non_null(document);
    json_t *json = json_deep_copy(document->json);
    json_object_set_new(json, "name", json_string(name));
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    engine_state_release(state);
    return text;
}

/* Three versions, named one, two, three; the active one is `active`. */
static void versions_make(struct engine_fixture *fixture, uint32_t active)
{
    static const char *const names[] = {"the-first-name", "the-second-name"};
    struct proto_fault fault = {.code = PROTO_OK};
    engine_fixture_open(fixture);
    engine_fixture_fill(fixture, 1000);
    assert_int_equal(engine_fixture_learn(fixture), 1);
    for (uint32_t i = 0; i < 2; i++) {
        char *text = document_text(fixture, 1, names[i]);
        assert_int_equal(engine_fixture_icp(fixture, text, i + 2 == active, &fault), i + 2);
        free(text);
    }
}

static double fit_of(struct engine_fixture *fixture, uint64_t version, struct proto_fault *fault)
{
    struct engine_worker *worker = engine_fixture_worker(fixture);
    struct engine_answer answer = {0};
    struct engine_query query = {
        .name.id = engine_fixture_span("a7"),
        .document = engine_state_document(engine_worker_state(worker), version, fault)};
    double fit = -1;
    if (query.document && engine_score(worker, &query, &answer, fault)) {
        fit = answer.fit;
    }
    engine_worker_destroy(worker);
    return fit;
}

static void every_version_scores_after_a_restart(void **state)
{
    struct engine_fixture fixture;
    struct proto_fault fault = {.code = PROTO_OK};
    double before[4];
    (void)state;
    versions_make(&fixture, 3);
    for (uint64_t i = 0; i < 4; i++) {
        before[i] = fit_of(&fixture, i, &fault);
    }
    engine_fixture_again(&fixture);
    for (uint64_t i = 4; i > 0; i--) {
        assert_true(fit_of(&fixture, i - 1, &fault) == before[i - 1]);
    }
    assert_int_equal(fault.code, PROTO_OK);
    assert_true(fit_of(&fixture, 4, &fault) < 0);
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    engine_fixture_close(&fixture);
}

static void damage(struct engine_fixture *fixture, const char *text)
{
    engine_destroy(fixture->engine);
    assert_true(texts_damage(fixture, text) > 0);
    fixture->engine = NULL;
    engine_fixture_again(fixture);
}

static void a_damaged_version_that_is_not_active_costs_itself_alone(void **state)
{
    struct engine_fixture fixture;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    versions_make(&fixture, 3);
    double before = fit_of(&fixture, 0, &fault);
    damage(&fixture, "the-first-name");
    assert_true(fit_of(&fixture, 0, &fault) == before);
    assert_true(fit_of(&fixture, 1, &fault) == before);
    assert_int_equal(fault.code, PROTO_OK);
    assert_true(fit_of(&fixture, 2, &fault) < 0);
    assert_int_equal(fault.code, PROTO_CORRUPT);
    engine_fixture_close(&fixture);
}

static void a_damaged_active_version_is_said_to_be(void **state)
{
    struct engine_fixture fixture;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    versions_make(&fixture, 2);
    damage(&fixture, "the-first-name");
    assert_true(fit_of(&fixture, 0, &fault) < 0);
    assert_int_equal(fault.code, PROTO_CORRUPT);
    fault.code = PROTO_OK;
    assert_true(fit_of(&fixture, 3, &fault) >= 0);
    /* Another one can be made active, and then all is well. */
    char *text = document_text(&fixture, 1, "the-last-name");
    uint32_t version = engine_fixture_icp(&fixture, text, true, &fault);
    free(text);
    assert_int_equal(version, 4);
    assert_true(fit_of(&fixture, 0, &fault) >= 0);
    assert_int_equal(fault.code, PROTO_OK);
    engine_fixture_close(&fixture);
}

static void a_damaged_reason_of_a_switch_leaves_the_version_active(void **state)
{
    struct engine_fixture fixture;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    versions_make(&fixture, 3);
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    /* There and back: a switch to what is active already is none. */
    assert_true(store_batch_activate(batch, 1, engine_fixture_span("there"), &fault));
    assert_true(
        store_batch_activate(batch, 2, engine_fixture_span("a-reason-like-no-other"), &fault));
    assert_true(store_submit_wait(engine_store(fixture.engine), batch, &result));
    double before = fit_of(&fixture, 0, &fault);
    damage(&fixture, "a-reason-like-no-other");
    assert_true(fit_of(&fixture, 0, &fault) == before);
    assert_int_equal(fault.code, PROTO_OK);
    engine_fixture_close(&fixture);
}

static void a_damaged_schema_lets_the_server_start(void **state)
{
    struct engine_fixture fixture;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    versions_make(&fixture, 3);
    damage(&fixture, "\"missing\"");
    struct engine_state *seen = engine_state_get(fixture.engine);
    assert_int_equal(seen->schema_count, 1);
    assert_null(seen->schema); /* nothing is written by the fields of another one */
    engine_state_release(seen);
    assert_true(fit_of(&fixture, 0, &fault) < 0);
    assert_int_not_equal(fault.code, PROTO_OK);
    engine_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_scores_after_a_restart),
        cmocka_unit_test(a_damaged_version_that_is_not_active_costs_itself_alone),
        cmocka_unit_test(a_damaged_active_version_is_said_to_be),
        cmocka_unit_test(a_damaged_reason_of_a_switch_leaves_the_version_active),
        cmocka_unit_test(a_damaged_schema_lets_the_server_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
