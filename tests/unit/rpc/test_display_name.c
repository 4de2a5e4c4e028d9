/* SPDX-License-Identifier: Apache-2.0 */
/* Which replies carry display names, that they are the right ones, and that nothing is written for
 * who does not ask or where the schema names no field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/shape.h"
#include "tests/unit/rpc/rpc_fixture.h"

enum { ACCOUNTS = 400 };

static struct rpc_fixture fixture;
static struct proto_writer request;
static struct proto_arg args[PROTO_ARGS_MAX];

/* A request of two texts (the second may be absent), asking for names or not. */
static void ask(enum proto_op op, const char *name, const char *text, const char *more,
                const char *more_text, bool names)
{
    proto_writer_reset(&request);
    proto_write_map(&request, 1U + (more != NULL) + names);
    proto_write_text(&request, name);
    proto_write_text(&request, text);
    if (more != NULL) {
        proto_write_text(&request, more);
        proto_write_text(&request, more_text);
    }
    if (names) {
        proto_write_text(&request, "names");
        proto_write_bool(&request, true);
    }
    rpc_fixture_ask(&fixture, (uint8_t)op, proto_writer_span(&request), args);
}

static void schema_put(const char *members)
{
    char document[512];
    snprintf(document, sizeof document,
             "{%s\"fields\":[{\"name\":\"industry\",\"type\":\"category\"},"
             "{\"name\":\"employees\",\"type\":\"number\"},{\"name\":\"tech\",\"type\":\"tags\"},"
             "{\"name\":\"trial\",\"type\":\"flag\"},{\"name\":\"won\",\"type\":\"flag\"}]}",
             members);
    ask(PROTO_OP_SCHEMA_PUT, "document", document, NULL, NULL, false);
}

/* The industry of an account, which is its name here. */
static void industry_of(struct proto_span id, char out[64])
{
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)id.bytes, (const char *)id.data);
    ask(PROTO_OP_ACCOUNT_GET, "id", text, NULL, NULL, true);
    assert_true(args[PROTO_A_ACCOUNT_GET_NAME].present);
    struct proto_span name = args[PROTO_A_ACCOUNT_GET_NAME].text;
    snprintf(out, 64, "%.*s", (int)name.bytes, (const char *)name.data);
}

/* Every element of a list has the name of its id; what is checked is copied first, for the next
 * request overwrites the reply. */
static size_t list_check(struct proto_span list, enum proto_shape shape, int id_at, int name_at)
{
    enum { MOST = 64 };
    static char ids[MOST][64];
    static char names[MOST][64];
    struct proto_fault fault = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, list, &fault);
    size_t count = proto_read_array(&reader);
    assert_true(count > 0);
    count = count < MOST ? count : MOST;
    for (size_t i = 0; i < count; i++) {
        const struct proto_shape_info *info = proto_shape_info(shape);
        struct proto_arg members[PROTO_ARGS_MAX];
        assert_true(proto_fields_decode(info->members, info->member_count, proto_read_any(&reader),
                                        members, &fault));
        assert_true(members[name_at].present);
        snprintf(ids[i], 64, "%.*s", (int)members[id_at].text.bytes,
                 (const char *)members[id_at].text.data);
        snprintf(names[i], 64, "%.*s", (int)members[name_at].text.bytes,
                 (const char *)members[name_at].text.data);
    }
    for (size_t i = 0; i < count; i++) {
        char right[64];
        industry_of(proto_span_text(ids[i]), right);
        assert_string_equal(names[i], right);
    }
    return count;
}

static void lists_give_the_name_of_each_account(void **state)
{
    (void)state;
    schema_put("\"name\":\"industry\",");
    ask(PROTO_OP_TAL_GET, "name", "one", NULL, NULL, true);
    (void)list_check(args[PROTO_A_TAL_GET_ENTRIES].value, PROTO_SHAPE_TAL_ENTRY,
                     PROTO_M_TAL_ENTRY_ID, PROTO_M_TAL_ENTRY_NAME);
    ask(PROTO_OP_TAL_DIFF, "a", "one", "b", "two", true);
    (void)list_check(args[PROTO_A_TAL_DIFF_ACCOUNTS].value, PROTO_SHAPE_TAL_PAIR,
                     PROTO_M_TAL_PAIR_ID, PROTO_M_TAL_PAIR_NAME);
    ask(PROTO_OP_SIMILAR, "positives_where", "employees > 300", NULL, NULL, true);
    (void)list_check(args[PROTO_A_SIMILAR_RESULTS].value, PROTO_SHAPE_SIMILAR, PROTO_M_SIMILAR_ID,
                     PROTO_M_SIMILAR_NAME);
    ask(PROTO_OP_TAL_CHECK, "name", "one", NULL, NULL, true);
    assert_true(args[PROTO_A_TAL_CHECK_ENTERING_NAMES].present);
    assert_true(args[PROTO_A_TAL_CHECK_LEAVING_NAMES].present);
    ask(PROTO_OP_FILTER, "filter", "industry = 'Software'", NULL, NULL, true);
    struct proto_fault fault = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, args[PROTO_A_FILTER_NAMES].value, &fault);
    size_t count = proto_read_array(&reader);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(proto_span_is(proto_read_str(&reader), "Software"));
    }
}

/* Ids a0 and one that nobody has, or leads of both; names are asked for or not. */
static void many_ask(const char *list, bool names)
{
    static const char *const ids[] = {"a0", "nobody"};
    bool leads = strcmp(list, "leads") == 0;
    proto_writer_reset(&request);
    proto_write_map(&request, 1U + names);
    proto_write_text(&request, list);
    proto_write_array(&request, 2);
    for (size_t i = 0; i < 2; i++) {
        if (leads) {
            proto_write_map(&request, 1);
            proto_write_text(&request, "id");
        }
        proto_write_text(&request, ids[i]);
    }
    if (names) {
        proto_write_text(&request, "names");
        proto_write_bool(&request, true);
    }
    rpc_fixture_ask(&fixture, PROTO_OP_SCORE_MANY, proto_writer_span(&request), args);
}

static void scores_give_the_name_of_the_account_found(void **state)
{
    (void)state;
    const struct proto_op_info *score = proto_op_find(PROTO_OP_SCORE);
    struct proto_fault fault = {0};
    struct proto_reader reader;
    struct proto_arg one[PROTO_ARGS_MAX];
    char right[64];
    schema_put("\"name\":\"industry\",");
    industry_of(proto_span_text("a0"), right);
    ask(PROTO_OP_SCORE, "id", "a0", NULL, NULL, true);
    assert_true(proto_span_is(args[PROTO_A_SCORE_NAME].text, right));
    ask(PROTO_OP_SCORE, "id", "a0", NULL, NULL, false);
    assert_false(args[PROTO_A_SCORE_NAME].present);
    many_ask("ids", true);
    proto_reader_init(&reader, args[PROTO_A_SCORE_MANY_NAMES].value, &fault);
    assert_int_equal(proto_read_array(&reader), 2);
    assert_true(proto_span_is(proto_read_str(&reader), right));
    assert_true(proto_span_is(proto_read_str(&reader), ""));
    many_ask("ids", false);
    assert_false(args[PROTO_A_SCORE_MANY_NAMES].present);
    for (int names = 1; names >= 0; names--) {
        many_ask("leads", names);
        proto_reader_init(&reader, args[PROTO_A_SCORE_MANY_SCORES].value, &fault);
        assert_int_equal(proto_read_array(&reader), 2);
        assert_true(proto_fields_decode(score->reply, score->reply_count, proto_read_any(&reader),
                                        one, &fault));
        assert_int_equal(one[PROTO_A_SCORE_NAME].present, names);
        assert_true(!names || proto_span_is(one[PROTO_A_SCORE_NAME].text, right));
    }
}

static void a_role_that_only_scores_is_told_no_names(void **state)
{
    (void)state;
    schema_put("\"name\":\"industry\",");
    fixture.session.role = PROTO_ROLE_SCORE;
    ask(PROTO_OP_SCORE, "id", "a0", NULL, NULL, true);
    assert_true(args[PROTO_A_SCORE_FOUND].flag);
    assert_false(args[PROTO_A_SCORE_NAME].present);
    many_ask("ids", true);
    assert_false(args[PROTO_A_SCORE_MANY_NAMES].present);
    fixture.session.role = PROTO_ROLE_READ;
    ask(PROTO_OP_SCORE, "id", "a0", NULL, NULL, true);
    assert_true(args[PROTO_A_SCORE_NAME].present);
    fixture.session.role = PROTO_ROLE_ADMIN;
}

static void who_does_not_ask_is_answered_as_before(void **state)
{
    (void)state;
    schema_put("\"name\":\"industry\",");
    for (int named = 1; named >= 0; named--) {
        /* First unasked; then asked of a schema that names no field. */
        ask(PROTO_OP_ACCOUNT_GET, "id", "a1", NULL, NULL, !named);
        assert_false(args[PROTO_A_ACCOUNT_GET_NAME].present);
        ask(PROTO_OP_FILTER, "filter", "employees > 100", NULL, NULL, !named);
        assert_false(args[PROTO_A_FILTER_NAMES].present);
        ask(PROTO_OP_TAL_CHECK, "name", "one", NULL, NULL, !named);
        assert_false(args[PROTO_A_TAL_CHECK_ENTERING_NAMES].present);
        if (named) {
            schema_put("");
        }
    }
}

static int open_fixture(void **state)
{
    (void)state;
    rpc_fixture_open(&fixture, true);
    fixture.session.role = PROTO_ROLE_ADMIN;
    rpc_fixture_fill(&fixture, ACCOUNTS);
    rpc_fixture_learn(&fixture);
    proto_writer_init(&request);
    ask(PROTO_OP_TAL_BUILD, "name", "one", "filter", "employees > 50", false);
    ask(PROTO_OP_TAL_BUILD, "name", "two", "filter", "employees > 80", false);
    proto_writer_reset(&request);
    proto_write_map(&request, 0);
    rpc_fixture_ask(&fixture, PROTO_OP_SIMILAR_BUILD, proto_writer_span(&request), args);
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    proto_writer_fini(&request);
    rpc_fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_give_the_name_of_each_account),
        cmocka_unit_test(scores_give_the_name_of_the_account_found),
        cmocka_unit_test(a_role_that_only_scores_is_told_no_names),
        cmocka_unit_test(who_does_not_ask_is_answered_as_before),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
