/* SPDX-License-Identifier: Apache-2.0 */
/* Inline leads: the short way against the ordinary one, byte by byte, for leads in order and for
 * leads of every kind of dirt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/math/random.h"
#include "tests/unit/rpc/rpc_fixture.h"

static struct rpc_fixture fixture;

static int setup(void **state)
{
    (void)state;
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, 600);
    rpc_fixture_learn(&fixture);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rpc_fixture_close(&fixture);
    return 0;
}

/* One value of any kind, often one that fits nothing. */
static void value_draw(struct proto_writer *out, struct math_random *random)
{
    static const char *const texts[] = {
        "Software", " Steel ",     "Retail",  "Unheard of",
        "",         "Select",      "sELECT ", "\xc2\xa0Steel",
        "17.5",     "1,234",       "yes",     "maybe",
        "Jira",     "Jira; Slack", "n/a",     "a text of more than thirty-one bytes, for str 8",
        "Grüße",    "x\xff",       "0.5 1"};
    static const double numbers[] = {0, 1, -1, 3.5, 1e300, 412, 999.5};
    switch (math_random_below(random, 12)) {
    case 0:
    case 1:
    case 2:
        proto_write_text(out, texts[math_random_below(random, sizeof texts / sizeof *texts)]);
        break;
    case 3:
    case 4:
        proto_write_f64(out, numbers[math_random_below(random, 7)]);
        break;
    case 5:
        proto_write_f32(out, (float)math_random_below(random, 1000));
        break;
    case 6:
        proto_write_int(out, (int64_t)math_random_below(random, 2000) - 100);
        break;
    case 7:
        proto_write_bool(out, math_random_below(random, 2) == 0);
        break;
    case 8:
        proto_write_nil(out);
        break;
    case 9: {
        size_t count = (size_t)math_random_below(random, 4);
        proto_write_array(out, count);
        for (size_t i = 0; i < count; i++) {
            proto_write_text(out, texts[12 + math_random_below(random, 4)]);
        }
        break;
    }
    case 10:
        proto_write_array(out, 2);
        proto_write_f64(out, 0.25);
        proto_write_uint(out, 1);
        break;
    default:
        proto_write_f64(out, math_random_below(random, 2) == 0 ? (double)NAN : HUGE_VAL);
        break;
    }
}

/* One value that its field takes. */
static void value_fit(struct proto_writer *out, struct math_random *random, size_t field)
{
    static const char *const industries[] = {"Software",   "Retail",    "Steel",
                                             "Unheard of", " Software", "Select"};
    switch (field) {
    case 0:
        proto_write_text(out, industries[math_random_below(random, 6)]);
        break;
    case 1:
        if (math_random_below(random, 3) == 0) {
            proto_write_text(out, "1,234");
        } else {
            proto_write_f64(out, (double)math_random_below(random, 1000));
        }
        break;
    case 2:
        proto_write_array(out, 2);
        proto_write_text(out, "Jira");
        proto_write_text(out, math_random_below(random, 2) == 0 ? "Jira" : "Slack");
        break;
    case 4:
        proto_write_array(out, 2);
        proto_write_f64(out, 0.5);
        proto_write_f64(out, -1);
        break;
    default:
        proto_write_bool(out, math_random_below(random, 2) == 0);
        break;
    }
}

/* A whole lead; with `ordinary` it also names the version, which only the ordinary handler reads.
 */
static struct proto_span lead_draw(struct proto_writer *request, uint64_t seed, bool ordinary)
{
    static const char *const names[] = {"industry", "employees", "tech", "trial", "embedding",
                                        "won",      "industri",  "",     "über",  "a\xff"};
    struct math_random random;
    math_random_init(&random, seed);
    size_t pairs = (size_t)math_random_below(&random, 7);
    uint64_t reasons = math_random_below(&random, 4);
    bool fits = math_random_below(&random, 3) > 0;
    bool cut = math_random_below(&random, 40) == 0;
    bool shuffled = math_random_below(&random, 2) == 0;
    proto_writer_reset(request);
    proto_write_map(request, 1U + (reasons > 0) + ordinary);
    proto_write_text(request, "values");
    proto_write_map(request, pairs + cut);
    for (size_t i = 0; i < pairs; i++) {
        size_t field = fits ? (shuffled ? (i * 5 + seed) % 6 : i % 6)
                            : (size_t)math_random_below(&random, sizeof names / sizeof *names);
        proto_write_text(request, names[field]);
        if (fits) {
            value_fit(request, &random, field);
        } else {
            value_draw(request, &random);
        }
    }
    if (reasons > 0) {
        proto_write_text(request, "reasons");
        proto_write_uint(request, reasons * 50); /* 100 and 150: beyond fixint too */
    }
    if (ordinary) {
        proto_write_text(request, "icp");
        proto_write_uint(request, 1);
    }
    return proto_writer_span(request);
}

static void short_and_ordinary_agree_to_the_byte_on_leads_good_and_bad(void **state)
{
    (void)state;
    struct proto_writer request;
    struct proto_writer kept;
    size_t good = 0;
    size_t bad = 0;
    proto_writer_init(&request);
    proto_writer_init(&kept);
    for (uint64_t seed = 0; seed < 20000; seed++) {
        struct proto_span reply;
        uint8_t status =
            rpc_fixture_call(&fixture, PROTO_OP_SCORE, lead_draw(&request, seed, false), &reply);
        proto_writer_reset(&kept);
        proto_write_raw(&kept, reply);
        uint8_t other =
            rpc_fixture_call(&fixture, PROTO_OP_SCORE, lead_draw(&request, seed, true), &reply);
        /* A map that claims a pair too many eats what stands behind it: the requests differ. */
        if (status == PROTO_BAD_PAYLOAD || other == PROTO_BAD_PAYLOAD) {
            assert_true(status != PROTO_OK && other != PROTO_OK);
            continue;
        }
        if (status != other || reply.bytes != kept.bytes ||
            memcmp(reply.data, kept.data, kept.bytes) != 0) {
            fail_msg("seed %llu: status %d and %d", (unsigned long long)seed, status, other);
        }
        good += status == PROTO_OK;
        bad += status != PROTO_OK;
    }
    assert_true(good > 5000 && bad > 2000); /* both were tried */
    proto_writer_fini(&kept);
    proto_writer_fini(&request);
}

/* Through score-many, by the active version, an entry is what score answers. */
static void an_entry_of_score_many_is_the_reply_of_score(void **state)
{
    (void)state;
    struct proto_writer request;
    struct proto_writer lead;
    struct proto_writer kept;
    size_t good = 0;
    proto_writer_init(&request);
    proto_writer_init(&lead);
    proto_writer_init(&kept);
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct proto_span reply;
        struct proto_arg args[PROTO_ARGS_MAX];
        struct proto_span payload = lead_draw(&lead, seed, false);
        bool alone = payload.data[0] == 0x81; /* else it asks for reasons, which are said once */
        uint8_t status = rpc_fixture_call(&fixture, PROTO_OP_SCORE, payload, &reply);
        proto_writer_reset(&kept);
        proto_write_raw(&kept, reply);
        if (status != PROTO_OK) {
            continue; /* a list with a bad lead in it may be refused as a whole */
        }
        proto_writer_reset(&request);
        proto_write_map(&request, 1);
        proto_write_text(&request, "leads");
        proto_write_array(&request, 1);
        proto_write_raw(&request, payload);
        rpc_fixture_ask(&fixture, PROTO_OP_SCORE_MANY, proto_writer_span(&request), args);
        struct proto_span scores = args[PROTO_A_SCORE_MANY_SCORES].value;
        bool same =
            scores.bytes == kept.bytes + 1 && memcmp(scores.data + 1, kept.data, kept.bytes) == 0;
        assert_int_equal(same, alone);
        good += alone;
    }
    assert_true(good > 200);
    proto_writer_fini(&kept);
    proto_writer_fini(&lead);
    proto_writer_fini(&request);
}

static void a_field_named_twice_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"trial", "stranger"};
    struct proto_writer request;
    proto_writer_init(&request);
    for (size_t i = 0; i < 2; i++) {
        struct proto_span reply;
        struct proto_fault fault = {0};
        struct proto_fault told = {0};
        proto_writer_reset(&request);
        proto_write_map(&request, 1);
        proto_write_text(&request, "values");
        proto_write_map(&request, 2);
        for (unsigned twice = 0; twice < 2; twice++) {
            proto_write_text(&request, names[i]);
            proto_write_bool(&request, true);
        }
        assert_int_equal(
            rpc_fixture_call(&fixture, PROTO_OP_SCORE, proto_writer_span(&request), &reply),
            PROTO_DUPLICATE_KEY);
        assert_true(proto_fault_decode(reply, &told, &fault));
        char place[32];
        snprintf(place, sizeof place, "values.%s", names[i]);
        assert_string_equal(told.field, place);
    }
    proto_writer_fini(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_and_ordinary_agree_to_the_byte_on_leads_good_and_bad),
        cmocka_unit_test(an_entry_of_score_many_is_the_reply_of_score),
        cmocka_unit_test(a_field_named_twice_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
