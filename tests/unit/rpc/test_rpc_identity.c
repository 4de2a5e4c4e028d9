/* SPDX-License-Identifier: Apache-2.0 */
/* identity over the wire: two accounts become one and two again, the score is that of their fold
 * meanwhile, and what cannot be said is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rpc/rpc_fixture.h"

static struct rpc_fixture fixture;
static struct proto_writer request;
static struct proto_arg args[PROTO_ARGS_MAX];

static int open_fixture(void **state)
{
    (void)state;
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, 600);
    rpc_fixture_learn(&fixture);
    proto_writer_init(&request);
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    proto_writer_fini(&request);
    rpc_fixture_close(&fixture);
    return 0;
}

static void member_put(const char *name, const char *text)
{
    proto_write_text(&request, name);
    proto_write_text(&request, text);
}

/* One entry that names one or two records. */
static struct proto_span entry_of(const char *act, const char *account, const char *with)
{
    proto_writer_reset(&request);
    proto_write_map(&request, 1);
    proto_write_text(&request, "entries");
    proto_write_array(&request, 1);
    proto_write_map(&request, with != NULL ? 3 : 2);
    member_put("act", act);
    member_put("account", account);
    if (with != NULL) {
        member_put("other", with);
    }
    return proto_writer_span(&request);
}

static struct proto_span undo_of(uint64_t entry)
{
    proto_writer_reset(&request);
    proto_write_map(&request, 1);
    proto_write_text(&request, "entries");
    proto_write_array(&request, 1);
    proto_write_map(&request, 2);
    member_put("act", "undo");
    proto_write_text(&request, "entry");
    proto_write_uint(&request, entry);
    return proto_writer_span(&request);
}

static struct proto_span named(const char *id)
{
    proto_writer_reset(&request);
    proto_write_map(&request, 1);
    member_put("id", id);
    return proto_writer_span(&request);
}

/* The id of the account that is scored, and its raw score. */
static int64_t score_of(const char *id, const char *scored)
{
    proto_writer_reset(&request);
    proto_write_map(&request, 2);
    member_put("id", id);
    proto_write_text(&request, "reasons"); /* with them the reply says whom it scored */
    proto_write_uint(&request, 1);
    rpc_fixture_ask(&fixture, PROTO_OP_SCORE, proto_writer_span(&request), args);
    assert_true(args[PROTO_A_SCORE_FOUND].flag);
    assert_true(proto_span_equal(args[PROTO_A_SCORE_ID].text, proto_span_text(scored)));
    return args[PROTO_A_SCORE_RAW].integer;
}

static void two_accounts_become_one_and_two_again(void **state)
{
    (void)state;
    int64_t one = score_of("a17", "a17");
    int64_t other = score_of("a18", "a18");
    rpc_fixture_ask(&fixture, PROTO_OP_IDENTITY, entry_of("merge", "a17", "a18"), args);
    assert_int_equal(args[PROTO_A_IDENTITY_COUNT].uint, 1);
    uint64_t entry = args[PROTO_A_IDENTITY_LAST].uint;
    assert_true(score_of("a17", "a17") == score_of("a18", "a17"));
    rpc_fixture_ask(&fixture, PROTO_OP_IDENTITY_LIST, named("a18"), args);
    assert_int_equal(args[PROTO_A_IDENTITY_LIST_COUNT].uint, 1);
    assert_int_equal(args[PROTO_A_IDENTITY_LIST_RECORDS].uint, 600);
    assert_int_equal(args[PROTO_A_IDENTITY_LIST_LINKED].uint, 2);
    rpc_fixture_ask(&fixture, PROTO_OP_IDENTITY, undo_of(entry), args);
    assert_true(score_of("a17", "a17") == one);
    assert_true(score_of("a18", "a18") == other);
    rpc_fixture_ask(&fixture, PROTO_OP_IDENTITY_LIST, named("a18"), args);
    assert_int_equal(args[PROTO_A_IDENTITY_LIST_LINKED].uint, 0);
}

static void what_cannot_be_said_is_refused(void **state)
{
    (void)state;
    struct proto_span payload;
    rpc_fixture_ask(&fixture, PROTO_OP_IDENTITY, entry_of("never", "a20", "a21"), args);
    uint64_t never = args[PROTO_A_IDENTITY_LAST].uint;
    static const struct {
        const char *act, *account, *with;
        uint8_t status;
    } cases[] = {{"merge", "a20", "a21", PROTO_CONFLICT},
                 {"merge", "a20", "nobody", PROTO_NOT_FOUND},
                 {"merge", "a20", NULL, PROTO_MISSING_FIELD},
                 {"marry", "a20", "a22", PROTO_BAD_FIELD}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t status =
            rpc_fixture_call(&fixture, PROTO_OP_IDENTITY,
                             entry_of(cases[i].act, cases[i].account, cases[i].with), &payload);
        assert_int_equal(status, cases[i].status);
    }
    rpc_fixture_ask(&fixture, PROTO_OP_IDENTITY, undo_of(never), args);
    assert_int_equal(rpc_fixture_call(&fixture, PROTO_OP_IDENTITY, undo_of(never), &payload),
                     PROTO_CONFLICT);
    rpc_fixture_ask(&fixture, PROTO_OP_IDENTITY, entry_of("merge", "a20", "a21"), args);
    assert_true(score_of("a21", "a20") == score_of("a20", "a20"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_accounts_become_one_and_two_again),
        cmocka_unit_test(what_cannot_be_said_is_refused),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
