/* SPDX-License-Identifier: Apache-2.0 */
/* A file of everything is held against itself before a server sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/math/sha256.h"
#include "tools/cli/everything.h"

#define HEAD "{\"icpd\":\"export\",\"format\":1}\n"
#define ACCOUNT "{\"account\":\"a\",\"created_s\":1,\"changed_s\":1,\"keys\":[],\"values\":{}}\n"

enum { FILE_BYTES = 4096 };

/* The file of a body, with the last line that it wants. */
static void sealed(const char *body, unsigned accounts, char out[FILE_BYTES])
{
    struct math_sha256 sha;
    char sum[MATH_SHA256_HEX_BYTES];
    math_sha256_begin(&sha);
    math_sha256_add(&sha, body, strlen(body));
    math_sha256_hex(&sha, sum);
    snprintf(out, FILE_BYTES,
             "%s{\"end\":\"export\",\"schemas\":0,\"icps\":0,\"accounts\":%u,\"lists\":0,"
             "\"switches\":0,\"damaged\":0,\"sha256\":\"%s\"}\n",
             body, accounts, sum);
}

/* What checking a file of that text gives; `everything` stays open on EX_OK. */
static int check(const char *text, size_t bytes, struct everything *everything)
{
    char path[] = "/tmp/icp_everything_XXXXXX";
    struct cli cli = {.command = &cli_commands()[CLI_COMMAND_IMPORT]};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, bytes), bytes);
    close(fd);
    assert_int_equal(everything_open(&cli, path, everything), EX_OK);
    unlink(path);
    int status = everything_check(&cli, everything);
    if (status != EX_OK) {
        everything_close(everything);
    }
    return status;
}

static void a_whole_file_is_counted_and_read_again(void **state)
{
    char text[FILE_BYTES];
    char words[256];
    struct everything everything;
    struct cli cli = {.command = &cli_commands()[CLI_COMMAND_IMPORT]};
    (void)state;
    sealed(HEAD ACCOUNT ACCOUNT, 2, text);
    assert_int_equal(check(text, strlen(text), &everything), EX_OK);
    assert_int_equal(everything.bytes, strlen(text));
    everything_counts(everything.counts, words, sizeof words);
    assert_string_equal(words,
                        "0 schema versions, 0 ICP versions, 2 accounts, 0 lists, 0 switches, "
                        "0 events");
    assert_int_equal(everything_next(&cli, &everything), 1);
    assert_true(everything_is(&everything, "icpd"));
    assert_false(everything_is(&everything, "icp"));
    assert_string_equal(everything.line, HEAD);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(everything_next(&cli, &everything), 1);
    }
    assert_true(everything_is(&everything, "end"));
    assert_int_equal(everything.number, 4);
    assert_int_equal(everything_next(&cli, &everything), 0);
    everything_close(&everything);
}

static void every_part_of_a_file_is_refused(void **state)
{
    char text[FILE_BYTES];
    struct everything everything;
    (void)state;
    sealed(HEAD ACCOUNT, 1, text);
    for (size_t bytes = 0; bytes < strlen(text); bytes++) {
        assert_int_equal(check(text, bytes, &everything), EX_DATAERR);
    }
}

static void every_changed_byte_is_found(void **state)
{
    char text[FILE_BYTES];
    char *damaged = strstr((sealed(HEAD ACCOUNT, 1, text), text), "\"damaged\"");
    struct everything everything;
    (void)state;
    for (size_t at = 0; at < strlen(text); at++) {
        /* The sum is of the lines before; of the last one the counts and the sum itself are held.
         */
        bool free_text = at >= strlen(HEAD ACCOUNT) && (text + at >= damaged || text[at] != '"');
        if (free_text) {
            continue;
        }
        text[at] ^= 1;
        assert_int_equal(check(text, strlen(text), &everything), EX_DATAERR);
        text[at] ^= 1;
    }
}

static void what_is_no_export_is_refused(void **state)
{
    char twice[FILE_BYTES * 2];
    char text[FILE_BYTES];
    struct everything everything;
    (void)state;
    sealed(HEAD, 1, text); /* counts that are not so */
    assert_int_equal(check(text, strlen(text), &everything), EX_DATAERR);
    sealed(HEAD, 0, text);
    snprintf(twice, sizeof twice, "%s%s", text, text);
    assert_int_equal(check(twice, strlen(twice), &everything), EX_DATAERR);
    assert_int_equal(check("id,name\n1,2\n", 12, &everything), EX_DATAERR);
    assert_int_equal(check("\x28\xB5\x2F\xFD\n", 5, &everything), EX_DATAERR);
    sealed(HEAD "{\"account\":}\n", 1, text);
    assert_int_equal(check(text, strlen(text), &everything), EX_DATAERR);
    sealed(ACCOUNT, 1, text);
    assert_int_equal(check(text, strlen(text), &everything), EX_DATAERR);
}

static void a_file_that_is_not_there_is_no_input(void **state)
{
    struct everything everything;
    struct cli cli = {.command = &cli_commands()[CLI_COMMAND_IMPORT]};
    (void)state;
    assert_int_equal(everything_open(&cli, "/nowhere/all.ndjson", &everything), EX_NOINPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_is_counted_and_read_again),
        cmocka_unit_test(every_part_of_a_file_is_refused),
        cmocka_unit_test(every_changed_byte_is_found),
        cmocka_unit_test(what_is_no_export_is_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_no_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
