/* SPDX-License-Identifier: Apache-2.0 */
/* Lets single allocations fail while an ICP is learned: each must end in a fault and leak nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdlib.h>

#include "tests/unit/learn/learn_example.h"

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);

/* The linker sends allocations of our own code here (tests/unit/learn/CMakeLists.txt). */
static size_t allocations;
static size_t failing; /* 0: none */

static int fails(void)
{
    return ++allocations == failing;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *block, size_t bytes)
{
    return fails() ? NULL : __real_realloc(block, bytes);
}

static void every_failed_allocation_is_a_fault_and_not_a_crash(void **state)
{
    (void)state;
    struct example *example = example_create(&(struct example_options){.rows = 400, .seed = 1});
    struct proto_fault fault = {0};
    example->options.pairs_max = 2;
    allocations = 0;
    char *text = learn_run(&example->population, &example->options, &fault);
    assert_non_null(text);
    size_t all = allocations;
    assert_true(all > 100);
    size_t refused = 0;
    size_t tried = 0;
    for (size_t k = 1; k <= all; k += 1 + all / 200) {
        allocations = 0;
        failing = k;
        fault = (struct proto_fault){0};
        char *other = learn_run(&example->population, &example->options, &fault);
        failing = 0;
        tried++;
        if (other == NULL) {
            assert_int_equal(fault.code, PROTO_NO_MEMORY);
            refused++;
        } else {
            free(
                other); /* what may be done without, such as a warning or a check for identifiers */
        }
    }
    assert_true(refused + 10 > tried);
    free(text);
    example_destroy(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failed_allocation_is_a_fault_and_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
