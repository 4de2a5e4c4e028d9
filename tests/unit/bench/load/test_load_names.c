/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/load/load_names.h"

static void file_make(char path[32], const char *text)
{
    snprintf(path, 32, "/tmp/icpd-names-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void accounts_without_a_file_are_those_of_fill(void **state)
{
    (void)state;
    struct load_names names;
    struct proto_fault fault = {0};
    char text[64] = "";
    assert_true(load_names_init(&names, NULL, 50, &fault));
    assert_int_equal(names.count, 50);
    assert_int_equal(load_names_id(&names, 42, text, sizeof text), 13);
    assert_memory_equal(text, "acct-00000042", 13);
    assert_int_equal(load_names_domain(&names, 42, text, sizeof text), 20);
    assert_memory_equal(text, "acct00000042.example", 20);
    assert_int_equal(load_names_id(&names, 42, text, 5), 0); /* no room */
    load_names_fini(&names);
}

static void a_file_gives_ids_and_domains(void **state)
{
    (void)state;
    struct load_names names;
    struct proto_fault fault = {0};
    char path[32];
    char text[64] = "";
    file_make(path, "a17,acme.example\r\n\nb18\nc19,");
    assert_true(load_names_init(&names, path, 0, &fault));
    assert_int_equal(names.count, 3);
    assert_int_equal(load_names_id(&names, 0, text, sizeof text), 3);
    assert_int_equal(load_names_domain(&names, 0, text, sizeof text), 12);
    assert_memory_equal(text, "acme.example", 12);
    assert_int_equal(load_names_id(&names, 2, text, sizeof text), 3);
    assert_memory_equal(text, "c19", 3);
    assert_int_equal(load_names_domain(&names, 1, text, sizeof text), 0);
    load_names_fini(&names);
    unlink(path);
}

static void a_file_that_names_nobody_is_refused(void **state)
{
    (void)state;
    struct load_names names;
    struct proto_fault fault = {0};
    char path[32];
    file_make(path, "\n\n");
    assert_false(load_names_init(&names, path, 0, &fault));
    load_names_fini(&names);
    unlink(path);
    assert_false(load_names_init(&names, "/nowhere/at/all", 0, &fault));
    load_names_fini(&names);
}

static void equal_texts_have_equal_numbers(void **state)
{
    (void)state;
    struct load_numbering numbering = {0};
    char text[24];
    uint32_t number = 0;
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 5000; i++) {
            snprintf(text, sizeof text, "name %u", i);
            assert_true(load_number_of(&numbering, proto_span_text(text), &number));
            assert_int_equal(number, i);
        }
    }
    assert_int_equal(numbering.count, 5000);
    load_numbering_fini(&numbering);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_without_a_file_are_those_of_fill),
        cmocka_unit_test(a_file_gives_ids_and_domains),
        cmocka_unit_test(a_file_that_names_nobody_is_refused),
        cmocka_unit_test(equal_texts_have_equal_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
