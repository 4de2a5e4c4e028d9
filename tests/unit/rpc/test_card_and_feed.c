/* SPDX-License-Identifier: Apache-2.0 */
/* The card of an account before and after a version is active, the feed of changes page by page,
 * and views, lists and verdicts that are asked for what there is none of: refused in these words,
 * and what a name holds that no terminal should print is shown escaped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/rpc/rpc_fixture.h"
#include "tests/unit/rpc/rpc_request.h"

enum { ACCOUNTS = 200, REQUEST_BYTES = 512 };

static struct rpc_fixture fixture;
static struct proto_writer request;

static void ask(enum proto_op op, const char *json, struct proto_arg *args)
{
    rpc_fixture_ask(&fixture, (uint8_t)op, rpc_request_json(&request, json), args);
}

static void refused(enum proto_op op, const char *json, enum proto_error code, const char *field,
                    const char *message)
{
    struct proto_span reply;
    struct proto_fault told = {.code = PROTO_OK};
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t status =
        rpc_fixture_call(&fixture, (uint8_t)op, rpc_request_json(&request, json), &reply);
    if (status == PROTO_OK || !proto_fault_decode(reply, &told, &fault)) {
        fail_msg("%s is not refused in form", json);
    }
    if (status != code || strcmp(told.field, field) != 0 || strcmp(told.message, message) != 0) {
        fail_msg("%s: %u at '%s': %s", json, status, told.field, told.message);
    }
}

static int setup(void **state)
{
    (void)state;
    proto_writer_init(&request);
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, ACCOUNTS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    proto_writer_fini(&request);
    rpc_fixture_close(&fixture);
    return 0;
}

static json_t *card_of(const char *json)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    json_error_t error;
    ask(PROTO_OP_CARD, json, args);
    struct proto_span text = args[PROTO_A_CARD_CARD].text;
    json_t *card = json_loadb((const char *)text.data, text.bytes, 0, &error);
    assert_non_null(card);
    assert_int_equal(json_integer_value(json_object_get(card, "icp")), args[PROTO_A_CARD_ICP].uint);
    return card;
}

/* A part is null where `without` says why, and nowhere else. */
static void lacks(const json_t *card, const char *const *parts, size_t count)
{
    const json_t *without = json_object_get(card, "without");
    const char *name;
    json_t *why;
    assert_int_equal(json_object_size(without), count);
    json_object_foreach((json_t *)(uintptr_t)without, name, why)
    {
        assert_true(json_is_null(json_object_get(card, name)));
        assert_true(json_string_length(why) > 0);
    }
    for (size_t i = 0; i < count; i++) {
        assert_non_null(json_object_get(without, parts[i]));
    }
}

static void a_card_without_a_version_says_so_and_has_the_rest(void **state)
{
    (void)state;
    static const char *const unscored[] = {"fit",     "fit_in_words", "grade",   "p",
                                           "why",     "outcome",      "missing", "stale",
                                           "fit_low", "fit_high"};
    json_t *card = card_of("{\"id\":\"a1\",\"similar\":0}");
    lacks(card, unscored, sizeof unscored / sizeof *unscored);
    assert_null(json_object_get(card, "look_alikes")); /* none were asked for */
    assert_true(json_is_null(json_object_get(card, "name")));
    assert_int_equal(json_integer_value(json_object_get(card, "icp")), 0);
    assert_int_equal(json_integer_value(json_object_get(card, "events_in_all")), 0);
    json_decref(card);
    struct proto_arg args[PROTO_ARGS_MAX];
    ask(PROTO_OP_CHANGES, "{\"since\":0}", args); /* nobody has a grade: nobody is told of */
    assert_int_equal(args[PROTO_A_CHANGES_ICP].uint, 0);
    assert_true(args[PROTO_A_CHANGES_FULL].flag);
}

static void a_card_is_the_same_by_each_of_its_names(void **state)
{
    (void)state;
    static const char *const asked[] = {"{\"id\":\"a7\",\"at\":5000}",
                                        "{\"key\":\"domain:company7.example\",\"at\":5000}",
                                        "{\"email\":\"Jo@Company7.example\",\"at\":5000}"};
    struct proto_arg args[PROTO_ARGS_MAX];
    json_t *cards[3];
    rpc_fixture_learn(&fixture);
    ask(PROTO_OP_SEGMENT_PUT, "{\"name\":\"s\",\"filter\":\"trial\"}", args);
    ask(PROTO_OP_EVENT_APPEND,
        "{\"source\":\"crm\",\"events\":[{\"account\":\"a7\",\"type\":\"touch\",\"id\":\"1\","
        "\"time\":4000},{\"account\":\"a7\",\"type\":\"touch\",\"id\":\"2\",\"time\":5000},"
        "{\"account\":\"a7\",\"type\":\"touch\",\"id\":\"3\",\"time\":5001}]}",
        args);
    for (size_t i = 0; i < 3; i++) {
        cards[i] = card_of(asked[i]);
        assert_true(json_equal(cards[i], cards[0]));
    }
    assert_true(json_is_number(json_object_get(cards[0], "fit")));
    /* What happens at the moment is in it, what happens behind it is not. */
    assert_int_equal(json_integer_value(json_object_get(cards[0], "events_in_all")), 2);
    for (size_t i = 0; i < 3; i++) {
        json_decref(cards[i]);
    }
    json_t *card = card_of("{\"id\":\"a7\",\"at\":253402300799999,\"events\":0}");
    assert_int_equal(json_array_size(json_object_get(card, "events")), 0);
    assert_int_equal(json_integer_value(json_object_get(card, "events_in_all")), 3);
    json_decref(card);
    refused(PROTO_OP_CARD, "{\"id\":\"nobody\"}", PROTO_NOT_FOUND, "",
            "no account has this id, key or email");
    refused(PROTO_OP_CARD, "{\"id\":\"a7\",\"engagement\":\"no\\u001b\"}", PROTO_BAD_FIELD,
            "engagement",
            "a definition is asked for by its name, or by name and version as in board-nrr@2, not "
            "'no?'");
}

/* Pages of any size tell of each account once, and end where the next one begins. */
static void pages_of_all_accounts_tell_each_once(void **state)
{
    (void)state;
    static const unsigned limits[] = {1, 7, 199, 200, 10000};
    for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
        bool told[ACCOUNTS] = {false};
        char json[REQUEST_BYTES];
        uint64_t after = 0;
        uint64_t next = 0;
        size_t count = 0;
        do {
            struct proto_arg args[PROTO_ARGS_MAX];
            struct proto_fault fault = {.code = PROTO_OK};
            struct proto_reader reader;
            int used = snprintf(json, sizeof json, "{\"since\":0,\"limit\":%u", limits[l]);
            if (after > 0) {
                used += snprintf(json + used, sizeof json - (size_t)used,
                                 ",\"after\":%" PRIu64 ",\"until\":%" PRIu64, after, next);
            }
            (void)snprintf(json + used, sizeof json - (size_t)used, "}");
            ask(PROTO_OP_CHANGES, json, args);
            proto_reader_init(&reader, args[PROTO_A_CHANGES_CHANGES].value, &fault);
            for (size_t left = proto_read_array(&reader); left > 0; left--) {
                unsigned number = ACCOUNTS;
                char id[16];
                size_t pairs = proto_read_map(&reader); /* id, what, now, fit, segment, keys */
                assert_true(pairs == 5 || pairs == 6);
                assert_true(proto_span_is(proto_read_key(&reader), "id"));
                struct proto_span text = proto_read_str(&reader);
                (void)snprintf(id, sizeof id, "%.*s", (int)text.bytes, (const char *)text.data);
                assert_int_equal(sscanf(id, "a%u", &number), 1);
                assert_true(number < ACCOUNTS && !told[number]);
                told[number] = true;
                count++;
                assert_true(proto_span_is(proto_read_key(&reader), "what"));
                assert_true(proto_span_is(proto_read_str(&reader), "is"));
                for (size_t pair = 2; pair < pairs; pair++) {
                    (void)proto_read_key(&reader);
                    (void)proto_read_any(&reader);
                }
                proto_reader_leave(&reader);
            }
            assert_true(proto_reader_end(&reader));
            assert_true(args[PROTO_A_CHANGES_FULL].flag && args[PROTO_A_CHANGES_WHY].present);
            after = args[PROTO_A_CHANGES_AFTER].present ? args[PROTO_A_CHANGES_AFTER].uint : 0;
            next = args[PROTO_A_CHANGES_NEXT].uint;
        } while (after > 0);
        assert_int_equal(count, ACCOUNTS);
        struct proto_arg args[PROTO_ARGS_MAX]; /* and nothing has changed since */
        (void)snprintf(json, sizeof json, "{\"since\":%" PRIu64 "}", next);
        ask(PROTO_OP_CHANGES, json, args);
        assert_int_equal(args[PROTO_A_CHANGES_CHANGES].value.bytes, 1);
        assert_int_equal(args[PROTO_A_CHANGES_NEXT].uint, next);
        assert_false(args[PROTO_A_CHANGES_FULL].flag);
    }
}

static const struct {
    enum proto_op op;
    const char *asked;
    enum proto_error code;
    const char *field, *message;
} refusals[] = {
    {PROTO_OP_CHANGES, "{\"since\":0,\"after\":5}", PROTO_MISSING_FIELD, "until",
     "with after it is needed: next of the page before"},
    {PROTO_OP_CHANGES, "{\"since\":0,\"after\":4294967296,\"until\":9}", PROTO_BAD_FIELD, "after",
     "no page said so"},
    {PROTO_OP_VIEW, "{\"views\":[\"sales\",\"sale\\u0007s\"]}", PROTO_BAD_FIELD, "views",
     "there is no view 'sale?s'; there are sales, marketing, success, product, finance and "
     "grid"},
    {PROTO_OP_VIEW, "{\"views\":[\"grid\",\"sales\",\"grid\"]}", PROTO_BAD_FIELD, "views",
     "'grid' is asked for twice"},
    {PROTO_OP_TAL_GET, "{\"name\":\"ten\",\"part\":\"ot\\u001bhers\"}", PROTO_BAD_FIELD, "part",
     "a list has the parts members, just-missed, sample and hold-out, not 'ot?hers'"},
    {PROTO_OP_MEASURE, "{\"measure\":\"mr\\u001br\"}", PROTO_BAD_FIELD, "measure",
     "there is no measure 'mr?r'; there are mrr, retention, survival, clv-sbg, clv-purchases, "
     "bridge, readiness, attribution, handoffs, grey, gap, lift, rate, forecast, erosion, promise, "
     "focus, quarter-end, price, referral, campaign, grid, view-sales, view-marketing, "
     "view-success, view-product, view-finance, patterns, motions, yield, adherence, divergence, "
     "resources, compensation"},
    {PROTO_OP_MEASURE, "{\"measure\":\"grid\",\"parameters\":{\"least\":[1]}}", PROTO_BAD_FIELD,
     "parameters.least", "expected a finite number, found an array"},
    {PROTO_OP_MEASURE, "{\"measure\":\"grid\",\"parameters\":{\"le\\u001bast\":1}}",
     PROTO_BAD_FIELD, "parameters.le?ast", "grid has no parameter 'le?ast'; measure-list has them"},
    {PROTO_OP_EROSION, "{\"name\":\"ten\",\"committed\":0.5}", PROTO_NO_EVIDENCE, "since",
     "no touch is told of that time: there is no work to share out"},
    {PROTO_OP_VERDICT, "{\"name\":\"ten\",\"policy\":\"[]\"}", PROTO_BAD_DOCUMENT, "policy",
     "line 1, column 1: a policy is an object; docs/policy.md has examples"},
};

static void what_there_is_none_of_is_refused_in_these_words(void **state)
{
    (void)state;
    struct proto_arg args[PROTO_ARGS_MAX];
    ask(PROTO_OP_TAL_BUILD, "{\"name\":\"ten\",\"k\":10}", args);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        refused(refusals[i].op, refusals[i].asked, refusals[i].code, refusals[i].field,
                refusals[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_without_a_version_says_so_and_has_the_rest),
        cmocka_unit_test(a_card_is_the_same_by_each_of_its_names),
        cmocka_unit_test(pages_of_all_accounts_tell_each_once),
        cmocka_unit_test(what_there_is_none_of_is_refused_in_these_words),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
