/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation is asked until each field of its reply and each member of what stands in it has
 * been written once; the fixture holds every reply against its description meanwhile. What no
 * request here can bring about is listed with its reason, and a reason that holds no more is a
 * fault too. That the fixture finds faults is test_reply_look.c's affair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>

#include "proto/shape.h"
#include "server/engine/applied.h"
#include "tests/unit/rpc/replies_asked.h"
#include "tests/unit/rpc/rpc_fixture.h"
#include "tests/unit/rpc/rpc_request.h"

enum { ACCOUNTS = 400 };

static struct rpc_fixture fixture;
static struct proto_writer request;

/* ---- what has been written so far ---- */

static bool fields_seen[UINT8_MAX + 1][PROTO_ARGS_MAX];
static bool members_seen[PROTO_SHAPE_COUNT][PROTO_ARGS_MAX];

static void value_note(enum proto_shape shape, enum proto_type type, struct proto_span value);

static size_t member_place(const struct proto_shape_info *info, struct proto_span key)
{
    for (size_t i = 0; i < info->member_count; i++) {
        if (proto_span_is(key, info->members[i].name) || info->members[i].name[0] == '<') {
            return i;
        }
    }
    return info->member_count;
}

static void map_note(enum proto_shape shape, struct proto_span map)
{
    const struct proto_shape_info *info = proto_shape_info(shape);
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_reader reader;
    proto_reader_init(&reader, map, &fault);
    size_t pairs = proto_read_map(&reader);
    for (size_t i = 0; i < pairs; i++) {
        size_t place = member_place(info, proto_read_key(&reader));
        struct proto_span value = proto_read_any(&reader);
        if (place < info->member_count) {
            members_seen[shape][place] = true;
            value_note(info->of[place], info->members[place].type, value);
        }
    }
    assert_true(proto_reader_ok(&reader));
}

static void value_note(enum proto_shape shape, enum proto_type type, struct proto_span value)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_reader reader;
    if (shape == PROTO_SHAPE_NONE || type == PROTO_ANY || value.data[0] == 0xc0) { /* nil */
        return;
    }
    if (type == PROTO_MAP) {
        map_note(shape, value);
        return;
    }
    proto_reader_init(&reader, value, &fault);
    size_t count = proto_read_array(&reader);
    for (size_t i = 0; i < count; i++) {
        map_note(shape, proto_read_any(&reader));
    }
}

static void ask(enum proto_op op, const char *text, struct proto_arg *args)
{
    const struct proto_op_info *info = proto_op_find((uint8_t)op);
    rpc_fixture_ask(&fixture, (uint8_t)op, rpc_request_json(&request, text), args);
    for (size_t i = 0; i < info->reply_count; i++) {
        if (args[i].present) {
            fields_seen[op][i] = true;
            value_note(proto_shape_of(info, true, i), info->reply[i].type, args[i].value);
        }
    }
}

/* The active version's document as a new version, under an id, twice. */
static void put_again(void)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    ask(PROTO_OP_ICP_GET, "{}", args);
    struct proto_span text = args[PROTO_A_ICP_GET_DOCUMENT].text;
    json_t *put = json_pack("{s:s%,s:s}", "document", text.data, text.bytes, "operation", "o14");
    char *asked_so = json_dumps(put, JSON_COMPACT);
    assert_non_null(asked_so);
    ask(PROTO_OP_ICP_PUT, asked_so, args);
    ask(PROTO_OP_ICP_PUT, asked_so, args);
    assert_true(args[PROTO_A_ICP_PUT_REPEATED].flag);
    free(asked_so);
    /* And once more, measured by the accounts that are there. */
    json_object_set_new(put, "label", json_string("won = 1"));
    json_object_set_new(put, "operation", json_string("o-import"));
    json_object_set_new(put, "progress", json_true());
    asked_so = json_dumps(put, JSON_COMPACT);
    assert_non_null(asked_so);
    ask(PROTO_OP_ICP_IMPORT, asked_so, args);
    ask(PROTO_OP_ICP_IMPORT, asked_so, args);
    assert_true(args[PROTO_A_ICP_IMPORT_REPEATED].flag);
    free(asked_so);
    json_decref(put);
}

/* ---- what stays unwritten, and why ---- */

#define ALL (-1)
static const struct {
    enum proto_op op;
    int field;
    const char *why;
} fields_unasked[] = {
    {PROTO_OP_CAPTURE_START, ALL, "nothing is recorded here: unit/capture"},
    {PROTO_OP_CAPTURE_STOP, ALL, "as above"},
    {PROTO_OP_CAPTURE_STATE, ALL, "as above"},
    {PROTO_OP_EVERYTHING_EXPORT, ALL, "no place for exports here: system/everything"},
    {PROTO_OP_EVERYTHING_READ, ALL, "as above"},
    {PROTO_OP_EVERYTHING_IMPORT, ALL, "wants an empty store: system/everything"},
    {PROTO_OP_TAL_DROP, ALL, "wants a damaged list: system/tal_drop"},
    {PROTO_OP_SCORE, PROTO_A_SCORE_TAL_UNSURE, "as above"},
    {PROTO_OP_CHALLENGE_LIST, PROTO_A_CHALLENGE_LIST_DAMAGED, "wants a damaged challenge"},
    {PROTO_OP_PLAN_GET, PROTO_A_PLAN_GET_WRONG, "wants a history that was altered: unit/term"},
    {PROTO_OP_JOB_CANCEL, ALL, "wants a job that runs long: system/operations"},
    {PROTO_OP_ACCOUNT_GET, PROTO_A_ACCOUNT_GET_UNKEPT, "wants long values: unit/store/history"},
    {PROTO_OP_ACCOUNT_HISTORY, PROTO_A_ACCOUNT_HISTORY_GONE, "wants many changes: as above"},
};

static const struct {
    enum proto_shape shape;
    int member;
    const char *why;
} members_unasked[] = {
    {PROTO_SHAPE_PAST_CHANGE, PROTO_M_PAST_CHANGE_UNKEPT, "wants long values: unit/store/history"},
    {PROTO_SHAPE_MOVE, PROTO_M_MOVE_BEFORE, "wants a sequence between writes: system/views"},
    {PROTO_SHAPE_MOVE, PROTO_M_MOVE_FIT_BEFORE, "as above"},
    {PROTO_SHAPE_MOVE, PROTO_M_MOVE_LIST, "as above"},
    {PROTO_SHAPE_CONTRIBUTION, PROTO_M_CONTRIBUTION_SECOND, "wants a pair that earns its place"},
    {PROTO_SHAPE_CONTRIBUTION, PROTO_M_CONTRIBUTION_SECOND_VALUE, "as above"},
    {PROTO_SHAPE_PLAN, PROTO_M_PLAN_WRONG, "wants a history that was altered: unit/term"},
    {PROTO_SHAPE_TAL, PROTO_M_TAL_NUMBER, "wants a damaged list: system/tal_drop"},
    {PROTO_SHAPE_TAL, PROTO_M_TAL_ERROR, "as above"},
    {PROTO_SHAPE_MATCHED, PROTO_M_MATCHED_COMMON, "wants a name of common words: unit/rpc/match"},
};

/* Frames of progress have these; the fixture looks at them, and passes on the last frame. */
static bool is_progress(const struct proto_op_info *op, size_t field)
{
    const char *name = op->reply[field].name;
    return op->lane == PROTO_LANE_JOB && (strcmp(name, "done") == 0 || strcmp(name, "stage") == 0);
}

static bool has_reason(const struct proto_op_info *op, size_t field)
{
    bool found = is_progress(op, field);
    for (size_t i = 0; i < sizeof fields_unasked / sizeof *fields_unasked; i++) {
        found |= fields_unasked[i].op == op->op &&
                 (fields_unasked[i].field == ALL || fields_unasked[i].field == (int)field);
    }
    return found;
}

static bool member_has_reason(int shape, size_t member)
{
    bool found = false;
    for (size_t i = 0; i < sizeof members_unasked / sizeof *members_unasked; i++) {
        found |= (int)members_unasked[i].shape == shape && members_unasked[i].member == (int)member;
    }
    return found;
}

/* A segment that comes and goes, as the feed tells it. */
static void segment_feed(void)
{
    static const char *const puts[] = {"{\"name\":\"fed\",\"filter\":\"true\"}",
                                       "{\"name\":\"fed\",\"drop\":true}"};
    for (size_t i = 0; i < sizeof puts / sizeof *puts; i++) {
        struct proto_arg args[PROTO_ARGS_MAX];
        char since[64];
        ask(PROTO_OP_SEGMENT_PUT, puts[i], args);
        (void)snprintf(since, sizeof since, "{\"since\":%llu}",
                       (unsigned long long)args[PROTO_A_SEGMENT_PUT_SEQ].uint - 1);
        ask(PROTO_OP_CHANGES, since, args);
    }
}

/* A server that follows a log which others follow too says so. */
static void hello_of_a_follower(void)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    engine_applied_follow(fixture.engine, 7);
    ask(PROTO_OP_HELLO, "{}", args);
    assert_int_equal(args[PROTO_A_HELLO_LOG].uint, 7);
    engine_applied_follow(fixture.engine, 0);
}

static void every_field_of_every_reply_is_written_as_described(void **state)
{
    (void)state;
    struct proto_arg args[PROTO_ARGS_MAX];
    size_t count = 0;
    unsigned wrong = 0;
    const struct proto_op_info *ops = proto_ops(&count);
    for (size_t i = 0; i < replies_asked_count; i++) {
        ask(replies_asked[i].op, replies_asked[i].request, args);
    }
    segment_feed();
    hello_of_a_follower();
    put_again();
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < ops[i].reply_count; k++) {
            bool seen = fields_seen[ops[i].op][k];
            if (seen == has_reason(&ops[i], k)) {
                wrong++;
                print_error("%s.%s %s\n", ops[i].name, ops[i].reply[k].name,
                            seen ? "is written, and listed as one that is not"
                                 : "is never written");
            }
        }
    }
    assert_int_equal(wrong, 0);
}

static void every_member_of_what_stands_in_replies_is_written_as_described(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (int shape = 1; shape < PROTO_SHAPE_COUNT; shape++) {
        const struct proto_shape_info *info = proto_shape_info((enum proto_shape)shape);
        bool any = false;
        for (size_t i = 0; i < info->member_count; i++) {
            any |= members_seen[shape][i];
        }
        for (size_t i = 0; i < info->member_count; i++) {
            if (any && members_seen[shape][i] == member_has_reason(shape, i)) {
                wrong++;
                print_error("a %s %s with %s\n", info->name,
                            members_seen[shape][i] ? "is written, against the list,"
                                                   : "is never written",
                            info->members[i].name);
            }
        }
    }
    assert_int_equal(wrong, 0);
}

static int setup(void **state)
{
    (void)state;
    proto_writer_init(&request);
    rpc_fixture_open(&fixture, false);
    rpc_session_open(fixture.rpc, &fixture.session, "127.0.0.1:4273");
    snprintf(fixture.backups, sizeof fixture.backups, "%s", "/tmp/icpd-replies-XXXXXX");
    assert_non_null(mkdtemp(fixture.backups));
    rpc_fixture_fill(&fixture, ACCOUNTS);
    rpc_fixture_learn(&fixture);
    return 0;
}

static int entry_remove(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    nftw(fixture.backups, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
    proto_writer_fini(&request);
    rpc_fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_every_reply_is_written_as_described),
        cmocka_unit_test(every_member_of_what_stands_in_replies_is_written_as_described),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
