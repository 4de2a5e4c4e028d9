/* SPDX-License-Identifier: Apache-2.0 */
/* What was added is there after any end, in its order, until it is dropped; a line that a kill cut
 * off is not; and the folder does not grow. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/router/router_spool.h"

static char folder[] = "/tmp/router-spool-XXXXXX";

static struct router_spool *opened(size_t bytes_max)
{
    struct router_fault fault;
    struct router_spool *spool = router_spool_open(folder, bytes_max, false, &fault);
    if (spool == NULL) {
        fail_msg("%s", fault.message);
    }
    return spool;
}

/* Added, and not written yet. */
static bool add_only(struct router_spool *spool, unsigned number, size_t pad,
                     struct router_fault *fault)
{
    char id[16];
    char *text = malloc(pad + 1);
    memset(text, 'x', pad);
    text[pad] = '\0';
    snprintf(id, sizeof id, "L%u", number);
    json_t *json = json_pack("{s:s, s:s}", "id", id, "pad", text);
    char *line = json_dumps(json, JSON_COMPACT);
    struct router_decision *decision = router_decision_read(json, line, strlen(line));
    bool good = router_spool_add(spool, decision, fault);
    router_decision_drop(decision);
    json_decref(json);
    free(line);
    free(text);
    return good;
}

static bool add(struct router_spool *spool, unsigned number, size_t pad, struct router_fault *fault)
{
    return add_only(spool, number, pad, fault) && router_spool_flush(spool, fault);
}

static const char *id_at(const struct router_spool *spool, size_t place)
{
    return router_spool_at(spool, place)->decision->id;
}

static size_t files(void)
{
    size_t count = 0;
    DIR *open = opendir(folder);
    for (struct dirent *one; (one = readdir(open)) != NULL;) {
        count += one->d_name[0] != '.';
    }
    closedir(open);
    return count;
}

static int cleared(void **state)
{
    char path[300];
    (void)state;
    DIR *open = opendir(folder);
    for (struct dirent *one; open != NULL && (one = readdir(open)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", folder, one->d_name);
        (void)unlink(path);
    }
    if (open != NULL) {
        closedir(open);
    }
    return 0;
}

static void what_waits_is_there_again(void **state)
{
    struct router_fault fault;
    struct router_spool *spool = opened(1 << 20);
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        assert_true(add(spool, i, 10, &fault));
    }
    assert_true(router_spool_move(spool, 6, &fault));
    router_spool_drop(spool, 3); /* nothing on disk says so: they come again */
    assert_string_equal(id_at(spool, 0), "L3");
    router_spool_close(spool);
    spool = opened(1 << 20);
    assert_int_equal(router_spool_count(spool), 10);
    assert_string_equal(id_at(spool, 0), "L0");
    assert_true(router_spool_at(spool, 6)->moved);
    assert_false(router_spool_at(spool, 7)->moved);
    router_spool_drop(spool, 10);
    router_spool_close(spool);
    spool = opened(1 << 20);
    assert_int_equal(router_spool_count(spool), 0);
    assert_int_equal(files(), 1);
    router_spool_close(spool);
}

static void a_line_that_was_cut_off_is_taken_away(void **state)
{
    char path[300];
    struct router_fault fault;
    struct router_spool *spool = opened(1 << 20);
    (void)state;
    assert_true(add(spool, 1, 10, &fault));
    router_spool_close(spool);
    snprintf(path, sizeof path, "%s/00000001.ndjson", folder);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs("{\"id\":\"L2\",\"pad", file);
    fclose(file);
    spool = opened(1 << 20);
    assert_int_equal(router_spool_count(spool), 1);
    router_spool_close(spool);
    /* A whole line that is none is no accident. */
    file = fopen(path, "a");
    fputs("nonsense\n", file);
    fclose(file);
    assert_null(router_spool_open(folder, 1 << 20, false, &fault));
    assert_non_null(strstr(fault.message, "a line that is no decision"));
}

static void it_has_one_owner_and_a_bound(void **state)
{
    struct router_fault fault;
    struct router_spool *spool = opened(1000);
    (void)state;
    assert_null(router_spool_open(folder, 1000, false, &fault));
    assert_non_null(strstr(fault.message, "another router"));
    assert_true(add(spool, 1, 800, &fault));
    assert_false(add(spool, 2, 800, &fault));
    assert_non_null(strstr(fault.message, "the spool is full: 1 decisions"));
    assert_int_equal(router_spool_count(spool), 1);
    router_spool_drop(spool, 1);
    assert_true(add(spool, 2, 800, &fault));
    router_spool_close(spool);
    spool = opened(1000);
    assert_int_equal(router_spool_count(spool), 1);
    router_spool_close(spool);
}

static void segments_go_when_all_of_them_is_stored(void **state)
{
    struct router_fault fault;
    struct router_spool *spool = opened(64 << 20);
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        assert_true(add(spool, i, 50000, &fault));
    }
    assert_int_equal(files(), 4); /* of 4 MiB */
    router_spool_drop(spool, 100);
    assert_int_equal(files(), 3);
    router_spool_close(spool);
    spool = opened(64 << 20);
    assert_int_equal(router_spool_count(spool), 300 - 83); /* of the segments that are left */
    router_spool_drop(spool, router_spool_count(spool));
    assert_int_equal(files(), 1);
    router_spool_close(spool);
}

static void what_is_refused_leaves_with_its_reason(void **state)
{
    char path[300];
    char line[200] = "";
    struct router_fault fault;
    struct router_spool *spool = opened(1 << 20);
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(add(spool, i, 1, &fault));
    }
    assert_true(router_spool_refuse(spool, 1, "conflict", &fault));
    assert_int_equal(router_spool_count(spool), 2);
    assert_string_equal(id_at(spool, 1), "L2");
    router_spool_close(spool);
    snprintf(path, sizeof path, "%s/refused.ndjson", folder);
    FILE *file = fopen(path, "r");
    assert_non_null(fgets(line, sizeof line, file));
    assert_string_equal(line,
                        "{\"why\":\"conflict\",\"decision\":{\"id\":\"L1\",\"pad\":\"x\"}}\n");
    fclose(file);
}

static void what_is_added_waits_when_it_is_written(void **state)
{
    struct router_fault fault;
    struct router_spool *spool = opened(1 << 20);
    (void)state;
    assert_true(add(spool, 1, 1, &fault));
    assert_true(add_only(spool, 2, 1, &fault));
    assert_true(add_only(spool, 3, 1, &fault));
    assert_int_equal(router_spool_count(spool), 1);
    assert_true(router_spool_fresh_bytes(spool) > 0);
    router_spool_drop(spool, 1); /* those that are added stay */
    assert_int_equal(router_spool_count(spool), 0);
    assert_true(router_spool_flush(spool, &fault));
    assert_int_equal(router_spool_count(spool), 2);
    assert_int_equal(router_spool_fresh_bytes(spool), 0);
    assert_string_equal(id_at(spool, 0), "L2");
    assert_true(add_only(spool, 4, 1, &fault));
    router_spool_close(spool); /* a kill before the flush: it was never answered */
    spool = opened(1 << 20);
    assert_int_equal(router_spool_count(spool), 2);
    assert_string_equal(id_at(spool, 1), "L3");
    router_spool_close(spool);
}

/* A file that may not grow so far: nothing of the flush stays, and the next one goes well. */
static void a_flush_that_fails_takes_all_of_it_back(void **state)
{
    struct router_fault fault;
    struct rlimit before;
    struct router_spool *spool = opened(64 << 20);
    (void)state;
    assert_true(add(spool, 1, 1000, &fault));
    size_t bytes = router_spool_bytes(spool);
    assert_true(add_only(spool, 2, 3000, &fault));
    assert_true(add_only(spool, 3, 3000, &fault));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {.rlim_cur = 4096, .rlim_max = before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_false(router_spool_flush(spool, &fault));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_non_null(strstr(fault.message, "the spool cannot be written"));
    assert_int_equal(router_spool_count(spool), 1);
    assert_int_equal(router_spool_bytes(spool), bytes);
    assert_true(add(spool, 4, 1, &fault));
    router_spool_close(spool);
    spool = opened(1 << 20);
    assert_int_equal(router_spool_count(spool), 2);
    assert_string_equal(id_at(spool, 1), "L4");
    router_spool_close(spool);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cleared, cleared)
    const struct CMUnitTest tests[] = {
        TEST(what_waits_is_there_again),
        TEST(a_line_that_was_cut_off_is_taken_away),
        TEST(it_has_one_owner_and_a_bound),
        TEST(segments_go_when_all_of_them_is_stored),
        TEST(what_is_refused_leaves_with_its_reason),
        TEST(what_is_added_waits_when_it_is_written),
        TEST(a_flush_that_fails_takes_all_of_it_back),
    };
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)rmdir(folder);
    return failed;
}
