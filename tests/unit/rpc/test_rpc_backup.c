/* SPDX-License-Identifier: Apache-2.0 */
/* backup and icp-list through rpc_serve: which names are taken, what is answered. */
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/rpc/rpc_fixture.h"

static uint8_t backup(struct rpc_fixture *fixture, const char *name, bool full,
                      struct proto_span *payload)
{
    struct proto_writer request;
    proto_writer_init(&request);
    proto_write_map(&request, name != NULL ? 3 : 2);
    proto_write_text(&request, "full");
    proto_write_bool(&request, full);
    proto_write_text(&request, "progress");
    proto_write_bool(&request, true);
    if (name != NULL) {
        proto_write_text(&request, "name");
        proto_write_text(&request, name);
    }
    uint8_t status =
        rpc_fixture_call(fixture, PROTO_OP_BACKUP, proto_writer_span(&request), payload);
    proto_writer_fini(&request);
    return status;
}

static void without_a_place_for_them_backups_are_refused(void **state)
{
    struct rpc_fixture fixture;
    struct proto_span payload;
    (void)state;
    rpc_fixture_open(&fixture, false);
    assert_int_equal(backup(&fixture, NULL, false, &payload), PROTO_BAD_CONFIG);
    assert_int_equal(backup(&fixture, "nightly", false, &payload), PROTO_BAD_CONFIG);
    rpc_fixture_close(&fixture);
}

static int entry_remove(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static void a_name_stays_below_its_place(void **state)
{
    static const char *const bad[] = {"..", ".", "../x", "a/b", "/tmp", "-x", "a b", "a\nb", "ä"};
    struct rpc_fixture fixture;
    struct proto_span payload;
    char place[] = "/tmp/icpd-rpc-backup-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(place));
    rpc_fixture_open(&fixture, false);
    snprintf(fixture.backups, sizeof fixture.backups, "%s", place);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(backup(&fixture, bad[i], false, &payload), PROTO_BAD_FIELD);
    }
    assert_int_equal(rmdir(place), 0); /* and nothing was made */
    rpc_fixture_close(&fixture);
}

static struct proto_span text_of(const struct proto_op_info *op, struct proto_span payload,
                                 unsigned field, struct proto_arg *args)
{
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(proto_fields_decode(op->reply, op->reply_count, payload, args, &fault));
    return args[field].text;
}

static void the_reply_says_what_was_written(void **state)
{
    struct rpc_fixture fixture;
    struct proto_span payload;
    struct proto_arg args[PROTO_ARGS_MAX];
    char place[] = "/tmp/icpd-rpc-backup-XXXXXX";
    const struct proto_op_info *op = proto_op_find(PROTO_OP_BACKUP);
    (void)state;
    assert_non_null(mkdtemp(place));
    rpc_fixture_open(&fixture, false);
    snprintf(fixture.backups, sizeof fixture.backups, "%s", place);
    rpc_fixture_fill(&fixture, 50);
    assert_int_equal(backup(&fixture, "nightly", false, &payload), PROTO_OK);
    assert_true(proto_span_is(text_of(op, payload, PROTO_A_BACKUP_KIND, args), "base"));
    assert_true(args[PROTO_A_BACKUP_ENTRIES].uint > 50);
    uint64_t seq = args[PROTO_A_BACKUP_SEQ].uint;
    assert_int_equal(backup(&fixture, "nightly", false, &payload), PROTO_OK);
    assert_true(proto_span_is(text_of(op, payload, PROTO_A_BACKUP_KIND, args), "none"));
    assert_int_equal(args[PROTO_A_BACKUP_SEQ].uint, seq);
    assert_int_equal(backup(&fixture, "nightly", true, &payload), PROTO_OK);
    assert_true(proto_span_is(text_of(op, payload, PROTO_A_BACKUP_KIND, args), "base"));
    rpc_fixture_close(&fixture);
    nftw(place, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_place_for_them_backups_are_refused),
        cmocka_unit_test(a_name_stays_below_its_place),
        cmocka_unit_test(the_reply_says_what_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
