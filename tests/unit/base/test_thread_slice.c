/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/base/thread_slice.h"

enum { ATTRIBUTES_BYTES = 48, RUNTIME_AT = 24 };

/* What the kernel says of this thread's slice; 0: it does not say. */
static uint64_t slice_ns(void)
{
    uint8_t attributes[ATTRIBUTES_BYTES] = {0};
    uint64_t runtime_ns = 0;
    if (syscall(SYS_sched_getattr, 0, attributes, sizeof attributes, 0) == 0) {
        memcpy(&runtime_ns, attributes + RUNTIME_AT, sizeof runtime_ns);
    }
    return runtime_ns;
}

static void *ordinary(void *context)
{
    int *changed = context;
    (void)setpriority(PRIO_PROCESS, 0, 3); /* refused where it is higher */
    int nice = getpriority(PRIO_PROCESS, 0);
    uint64_t before_ns = slice_ns();
    bool set = base_thread_slice_set(BASE_THREAD_SLICE_US_MIN);
    *changed = getpriority(PRIO_PROCESS, 0) - nice;
    /* A kernel that tells slices has taken this one; one that does not tells 0 throughout. */
    bool told = before_ns == 0 || !set || slice_ns() == BASE_THREAD_SLICE_US_MIN * 1000;
    return told ? context : NULL;
}

static void *batch(void *context)
{
    const struct sched_param none = {0};
    if (sched_setscheduler(0, SCHED_BATCH, &none) != 0) {
        return context; /* nothing can be said here */
    }
    return base_thread_slice_set(BASE_THREAD_SLICE_US_MIN) || sched_getscheduler(0) != SCHED_BATCH
               ? NULL
               : context;
}

static void *run(void *(*body)(void *context), int *context)
{
    pthread_t thread;
    void *result = NULL;
    assert_int_equal(pthread_create(&thread, NULL, body, context), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    return result;
}

static void a_thread_keeps_its_nice_value(void **state)
{
    int changed = 1;
    (void)state;
    int before = getpriority(PRIO_PROCESS, 0);
    assert_non_null(run(ordinary, &changed));
    assert_int_equal(changed, 0);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
}

static void a_thread_of_another_policy_is_left_alone(void **state)
{
    int unused = 0;
    (void)state;
    assert_non_null(run(batch, &unused));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_keeps_its_nice_value),
        cmocka_unit_test(a_thread_of_another_policy_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
