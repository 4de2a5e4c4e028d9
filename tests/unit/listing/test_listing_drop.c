/* SPDX-License-Identifier: Apache-2.0 */
/* A damaged list is given up by name or number; a sound one, one that is not there, one that was
 * given up before are refused, and nothing is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/listing/listing.h"
#include "tests/unit/engine/engine_fixture.h"

struct dropping {
    struct engine_fixture fixture;
    struct engine_worker *worker;
};

static void dropping_open(struct dropping *dropping)
{
    struct listing_built built;
    struct proto_fault fault = {0};
    engine_fixture_open(&dropping->fixture);
    engine_fixture_fill(&dropping->fixture, 200);
    engine_fixture_learn(&dropping->fixture);
    dropping->worker = engine_fixture_worker(&dropping->fixture);
    for (int i = 0; i < 2; i++) {
        struct listing_request request = {.name = engine_fixture_span(i == 0 ? "sound" : "damaged"),
                                          .k = 10};
        assert_true(listing_build(dropping->worker, NULL, &request, &built, &fault));
        assert_true(engine_worker_refresh(dropping->worker, &fault));
    }
}

static void dropping_again(struct dropping *dropping)
{
    engine_worker_destroy(dropping->worker);
    engine_fixture_again(&dropping->fixture);
    dropping->worker = engine_fixture_worker(&dropping->fixture);
}

static void dropping_close(struct dropping *dropping)
{
    engine_worker_destroy(dropping->worker);
    engine_fixture_close(&dropping->fixture);
}

/* Every copy of the document that the tables hold, below the running engine. */
static void damage(const struct dropping *dropping)
{
    char path[128];
    snprintf(path, sizeof path, "%s/data.mdb", dropping->fixture.directory);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    size_t room = (size_t)32 << 20;
    uint8_t *bytes = malloc(room);
    assert_non_null(bytes);
    size_t count = fread(bytes, 1, room, file);
    unsigned found = 0;
    static const char text[] = "\"name\":\"damaged\"";
    for (uint8_t *at = bytes;
         (at = memmem(at, count - (size_t)(at - bytes), text, sizeof text - 1)) != NULL; at++) {
        assert_int_equal(fseek(file, at - bytes + 9, SEEK_SET), 0);
        assert_int_equal(fputc('X', file), 'X');
        found++;
    }
    fclose(file);
    free(bytes);
    assert_true(found > 0);
}

static enum proto_error drop(struct dropping *dropping, const char *name, uint32_t number,
                             struct listing_dropped *dropped)
{
    struct proto_fault fault = {0};
    struct listing_drop request = {.name = engine_fixture_span(name),
                                   .number = number,
                                   .reason = engine_fixture_span("a test"),
                                   .operation = {.id = engine_fixture_span("once"), .digest = 7}};
    if (number != 0) {
        request.operation = (struct engine_operation){0};
    }
    bool good = listing_drop(dropping->worker, &request, dropped, &fault);
    assert_int_equal(good, fault.code == PROTO_OK);
    struct proto_fault ignored = {0};
    assert_true(engine_worker_refresh(dropping->worker, &ignored));
    return fault.code;
}

static enum proto_error found(const struct dropping *dropping, const char *name)
{
    struct proto_fault fault = {0};
    (void)engine_lists_find(dropping->worker->state->lists, engine_fixture_span(name), &fault);
    return fault.code;
}

static void a_sound_list_stays(void **state)
{
    (void)state;
    struct dropping dropping;
    struct listing_dropped dropped;
    dropping_open(&dropping);
    uint64_t seq = engine_worker_seq(dropping.worker);
    assert_int_equal(drop(&dropping, "sound", 0, &dropped), PROTO_CONFLICT);
    assert_int_equal(drop(&dropping, "", 2, &dropped), PROTO_CONFLICT);
    assert_int_equal(drop(&dropping, "", 3, &dropped), PROTO_NOT_FOUND);
    assert_int_equal(drop(&dropping, "nobody", 0, &dropped), PROTO_NOT_FOUND);
    assert_int_equal(engine_worker_seq(dropping.worker), seq);
    dropping_close(&dropping);
}

static void a_damaged_list_goes_by_its_name_once(void **state)
{
    (void)state;
    struct dropping dropping;
    struct listing_dropped dropped;
    dropping_open(&dropping);
    dropping_again(&dropping); /* the tables hold it, and the engine knows its name */
    damage(&dropping);
    assert_int_equal(drop(&dropping, "damaged", 0, &dropped), PROTO_OK);
    assert_int_equal(dropped.number, 2);
    assert_false(dropped.repeated);
    uint64_t seq = dropped.seq;
    assert_int_equal(found(&dropping, "damaged"), PROTO_NOT_FOUND);
    assert_int_equal(drop(&dropping, "damaged", 0, &dropped), PROTO_OK);
    assert_true(dropped.repeated);
    assert_int_equal(dropped.seq, seq);
    dropping_again(&dropping);
    assert_int_equal(found(&dropping, "damaged"), PROTO_NOT_FOUND);
    assert_int_equal(found(&dropping, "sound"), PROTO_OK);
    dropping_close(&dropping);
}

static void a_damaged_list_goes_by_its_number(void **state)
{
    (void)state;
    struct dropping dropping;
    struct listing_dropped dropped;
    dropping_open(&dropping);
    dropping_again(&dropping);
    damage(&dropping);
    dropping_again(&dropping); /* nobody knows its name any more */
    assert_int_equal(found(&dropping, "damaged"), PROTO_CORRUPT);
    assert_int_equal(found(&dropping, "other"), PROTO_CORRUPT);
    assert_int_equal(drop(&dropping, "", 2, &dropped), PROTO_OK);
    assert_int_equal(found(&dropping, "other"), PROTO_NOT_FOUND);
    assert_int_equal(drop(&dropping, "", 2, &dropped), PROTO_NOT_FOUND);
    assert_int_equal(found(&dropping, "sound"), PROTO_OK);
    dropping_close(&dropping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_list_stays),
        cmocka_unit_test(a_damaged_list_goes_by_its_name_once),
        cmocka_unit_test(a_damaged_list_goes_by_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
