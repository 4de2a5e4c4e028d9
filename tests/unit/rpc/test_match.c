/* SPDX-License-Identifier: Apache-2.0 */
/* match over the wire: keys before names, two accounts for one row, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/shape.h"
#include "tests/unit/rpc/rpc_fixture.h"

static struct rpc_fixture fixture;
static struct proto_writer request;
static struct proto_arg args[PROTO_ARGS_MAX];

struct row {
    const char *name;
    const char *keys[2];
};

/* A match of rows by the field industry; extra is a member that is a text, or NULL. */
static void request_write(const struct row *rows, size_t count, const char *field)
{
    proto_writer_reset(&request);
    proto_write_map(&request, 1U + (field != NULL));
    if (field != NULL) {
        proto_write_text(&request, "field");
        proto_write_text(&request, field);
    }
    proto_write_text(&request, "rows");
    proto_write_array(&request, count);
    for (size_t i = 0; i < count; i++) {
        size_t keys = (rows[i].keys[0] != NULL) + (size_t)(rows[i].keys[1] != NULL);
        proto_write_map(&request, 2);
        proto_write_text(&request, "name");
        proto_write_text(&request, rows[i].name);
        proto_write_text(&request, "keys");
        proto_write_array(&request, keys);
        for (size_t k = 0; k < keys; k++) {
            proto_write_text(&request, rows[i].keys[k]);
        }
    }
}

struct found {
    char match[16];
    size_t count;
    char id[64];
    char why[320];
};

static void row_take(struct proto_reader *reader, struct found *found)
{
    const struct proto_shape_info *matched = proto_shape_info(PROTO_SHAPE_MATCHED);
    const struct proto_shape_info *candidate = proto_shape_info(PROTO_SHAPE_CANDIDATE);
    struct proto_arg row[PROTO_ARGS_MAX];
    struct proto_arg first[PROTO_ARGS_MAX];
    struct proto_fault fault = {0};
    struct proto_reader list;
    memset(found, 0, sizeof *found);
    assert_true(proto_fields_decode(matched->members, matched->member_count, proto_read_any(reader),
                                    row, &fault));
    struct proto_span match = row[PROTO_M_MATCHED_MATCH].text;
    snprintf(found->match, sizeof found->match, "%.*s", (int)match.bytes, (const char *)match.data);
    proto_reader_init(&list, row[PROTO_M_MATCHED_CANDIDATES].value, &fault);
    found->count = proto_read_array(&list);
    if (found->count > 0) {
        assert_true(proto_fields_decode(candidate->members, candidate->member_count,
                                        proto_read_any(&list), first, &fault));
        struct proto_span id = first[PROTO_M_CANDIDATE_ID].text;
        struct proto_span why = first[PROTO_M_CANDIDATE_WHY].text;
        snprintf(found->id, sizeof found->id, "%.*s", (int)id.bytes, (const char *)id.data);
        snprintf(found->why, sizeof found->why, "%.*s", (int)why.bytes, (const char *)why.data);
    }
}

static void keys_go_before_names(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"Software", {"domain:company7.example", NULL}},
        {"Software", {"domain:company7.example", "domain:company8.example"}},
        {"Softwares", {"crm:nobody", NULL}},
        {"Nothing like it", {NULL, NULL}},
        {"", {NULL, NULL}},
    };
    struct found found[5];
    struct proto_fault fault = {0};
    struct proto_reader reader;
    request_write(rows, 5, "industry");
    rpc_fixture_ask(&fixture, PROTO_OP_MATCH, proto_writer_span(&request), args);
    assert_int_equal(args[PROTO_A_MATCH_ACCOUNTS].uint, 50);
    proto_reader_init(&reader, args[PROTO_A_MATCH_ROWS].value, &fault);
    assert_int_equal(proto_read_array(&reader), 5);
    for (size_t i = 0; i < 5; i++) {
        row_take(&reader, &found[i]);
    }
    assert_string_equal(found[0].match, "key");
    assert_string_equal(found[0].id, "a7");
    assert_string_equal(found[0].why, "domain:company7.example");
    assert_string_equal(found[1].match, "maybe");
    assert_int_equal(found[1].count, 2);
    assert_non_null(strstr(found[1].why, "another key is another account's"));
    assert_string_equal(found[2].match, "maybe");
    assert_int_equal(found[2].count, 3);
    assert_non_null(strstr(found[2].why, "alike"));
    assert_string_equal(found[3].match, "none");
    assert_string_equal(found[4].match, "none");
}

static void what_cannot_be_matched_by_is_refused(void **state)
{
    (void)state;
    static const struct row row = {"Software", {NULL, NULL}};
    static const struct {
        const char *field;
        enum proto_error code;
    } refusals[] = {
        {NULL, PROTO_MISSING_FIELD}, {"employees", PROTO_BAD_FIELD}, {"nothing", PROTO_BAD_FIELD}};
    for (size_t i = 0; i < 3; i++) {
        struct proto_span payload;
        request_write(&row, 1, refusals[i].field);
        assert_int_equal(
            rpc_fixture_call(&fixture, PROTO_OP_MATCH, proto_writer_span(&request), &payload),
            refusals[i].code);
    }
    struct proto_span payload;
    request_write(&row, 0, "industry");
    assert_int_equal(
        rpc_fixture_call(&fixture, PROTO_OP_MATCH, proto_writer_span(&request), &payload),
        PROTO_BAD_FIELD);
}

static int open_fixture(void **state)
{
    (void)state;
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, 50);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_go_before_names),
        cmocka_unit_test(what_cannot_be_matched_by_is_refused),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
