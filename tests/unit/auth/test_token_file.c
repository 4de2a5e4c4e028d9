/* SPDX-License-Identifier: Apache-2.0 */
/* The file of named tokens: what it may hold, who may use it, and how it is changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/auth/token_file.h"

#define HASH                                                                                       \
    " role=read hash=000102030405060708090a0b0c0d0e0f:000102030405060708090a0b0c0d0e0f1011121314"  \
    "15161718191a1b1c1d1e1f"

struct place {
    char folder[64], path[128];
};

static int setup(void **state)
{
    static struct place place;
    snprintf(place.folder, sizeof place.folder, "/tmp/icpd-auth-XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    snprintf(place.path, sizeof place.path, "%s/tokens", place.folder);
    *state = &place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    unlink(place->path);
    return rmdir(place->folder); /* nothing was left beside it */
}

static void write_file(const struct place *place, const char *text, mode_t mode)
{
    FILE *out = fopen(place->path, "we");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(place->path, mode), 0);
}

static const char *read_file(const struct place *place)
{
    static char text[4096];
    FILE *in = fopen(place->path, "re");
    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    assert_int_equal(fclose(in), 0);
    return text;
}

static void lines_comments_and_blanks_are_read(void **state)
{
    struct place *place = *state;
    struct auth_list list;
    struct proto_fault fault = {0};
    write_file(place, "# tokens\n\n  one" HASH "  \r\n\t# more\n   \ntwo" HASH, 0600);
    assert_true(auth_list_read(place->path, &list, &fault));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.tokens[1].name, "two");
    assert_non_null(auth_list_find(&list, proto_span_text("one")));
    assert_null(auth_list_find(&list, proto_span_text("on")));
    assert_null(auth_list_find(&list, proto_span_text("three")));
    auth_list_fini(&list);
    assert_true(auth_list_parse(proto_span_text(""), "x", &list, &fault));
    assert_int_equal(list.count, 0);
}

static void a_fault_names_file_line_and_column(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *text, *at;
    } bad[] = {
        {"one" HASH "\n\n#\ntwo" HASH " requests=x\n", ":4:127: requests must be"},
        {"one" HASH "\n one" HASH "\n", ":2:1: the name one stands here twice"},
        {"one", ":1:4: this is missing: role"},
        {"\001", ":1:1: a name"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct auth_list list;
        struct proto_fault fault = {0};
        char says[256];
        snprintf(says, sizeof says, "%s%s", place->path, bad[i].at);
        write_file(place, bad[i].text, 0600);
        assert_false(auth_list_read(place->path, &list, &fault));
        assert_int_equal(fault.code, PROTO_BAD_CONFIG);
        assert_string_equal(fault.field, "tokens_file");
        if (strncmp(fault.message, says, strlen(says)) != 0) {
            print_error("%s\n", fault.message);
        }
        assert_memory_equal(fault.message, says, strlen(says));
        assert_null(list.tokens);
    }
}

static void a_file_that_others_may_use_is_refused_with_the_remedy(void **state)
{
    struct place *place = *state;
    static const mode_t modes[] = {0644, 0606, 0602, 0622, 0660};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct auth_list list;
        struct proto_fault fault = {0};
        write_file(place, "one" HASH "\n", modes[i]);
        assert_false(auth_list_read(place->path, &list, &fault));
        assert_non_null(strstr(fault.message, "chmod 600"));
        /* Nor is it changed, by which it would look as if it were in order. */
        assert_false(auth_file_change(place->path, "one", NULL, &fault));
        assert_non_null(strstr(fault.message, "chmod 600"));
    }
}

static void a_file_that_is_not_there_or_too_large_is_refused(void **state)
{
    struct place *place = *state;
    struct auth_list list;
    struct proto_fault fault = {0};
    assert_false(auth_list_read(place->path, &list, &fault));
    assert_int_equal(fault.code, PROTO_BAD_CONFIG);
    char *text = malloc(AUTH_FILE_BYTES_MAX + 2);
    assert_non_null(text);
    memset(text, '\n', AUTH_FILE_BYTES_MAX + 1);
    text[AUTH_FILE_BYTES_MAX + 1] = '\0';
    write_file(place, text, 0600);
    assert_false(auth_list_read(place->path, &list, &fault));
    assert_non_null(strstr(fault.message, "larger than"));
    text[AUTH_FILE_BYTES_MAX] = '\0';
    write_file(place, text, 0600);
    assert_true(auth_list_read(place->path, &list, &fault));
    free(text);
}

static void tokens_beyond_the_most_are_refused(void **state)
{
    (void)state;
    char *text = NULL;
    size_t bytes = 0;
    struct auth_list list;
    struct proto_fault fault = {0};
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    for (int i = 0; i <= AUTH_TOKENS_MAX; i++) {
        (void)fprintf(out, "t%d" HASH "\n", i);
    }
    assert_int_equal(fclose(out), 0);
    assert_false(
        auth_list_parse((struct proto_span){(const uint8_t *)text, bytes}, "x", &list, &fault));
    assert_memory_equal(fault.message, "x:1025:1: more than 1024", 24);
    free(text);
}

static bool change(const struct place *place, const char *name, bool add, struct proto_fault *fault)
{
    struct auth_token token = {.role = PROTO_ROLE_READ};
    snprintf(token.name, sizeof token.name, "%s", name);
    return auth_file_change(place->path, name, add ? &token : NULL, fault);
}

static void adding_and_taking_away_keeps_the_rest_as_it_is(void **state)
{
    struct place *place = *state;
    struct proto_fault fault = {0};
    struct stat status;
    assert_true(change(place, "new", true, &fault));
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    write_file(place, "# mine\none" HASH "\none-more" HASH " connections=5\n#end", 0400);
    assert_true(change(place, "two", true, &fault));
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0400);
    assert_memory_equal(read_file(place), "# mine\none ", 11);
    assert_non_null(strstr(read_file(place), "\n#end\ntwo role=read hash="));
    assert_true(change(place, "one", false, &fault));
    assert_memory_equal(read_file(place), "# mine\none-more ", 16);
    assert_false(change(place, "one", false, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    assert_false(change(place, "two", true, &fault));
    assert_int_equal(fault.code, PROTO_CONFLICT);
    assert_true(change(place, "two", false, &fault));
    assert_true(change(place, "one-more", false, &fault));
    assert_string_equal(read_file(place), "# mine\n#end\n");
}

static void a_change_that_cannot_be_made_leaves_what_was_there(void **state)
{
    struct place *place = *state;
    struct proto_fault fault = {0};
    write_file(place, "one" HASH "\nbroken\n", 0600);
    assert_false(change(place, "two", true, &fault));
    assert_non_null(strstr(fault.message, ":2:"));
    assert_string_equal(read_file(place), "one" HASH "\nbroken\n");
    struct place nowhere = *place;
    snprintf(nowhere.path, sizeof nowhere.path, "%s/none/tokens", place->folder);
    assert_false(change(&nowhere, "two", true, &fault));
    assert_int_equal(fault.code, PROTO_IO);
    assert_false(change(&nowhere, "two", false, &fault));
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        EACH(lines_comments_and_blanks_are_read),
        EACH(a_fault_names_file_line_and_column),
        EACH(a_file_that_others_may_use_is_refused_with_the_remedy),
        EACH(a_file_that_is_not_there_or_too_large_is_refused),
        EACH(tokens_beyond_the_most_are_refused),
        EACH(adding_and_taking_away_keeps_the_rest_as_it_is),
        EACH(a_change_that_cannot_be_made_leaves_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
