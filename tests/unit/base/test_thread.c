/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>

#include "server/base/thread.h"

static void *mask_take(void *context)
{
    pthread_sigmask(SIG_SETMASK, NULL, context);
    return NULL;
}

static void signals_are_left_to_who_waits_for_them(void **state)
{
    (void)state;
    static const int waited[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE, SIGXFSZ, SIGCHLD};
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    sigset_t before;
    sigset_t there;
    sigset_t after;
    pthread_t thread;
    sigemptyset(&before);
    sigaddset(&before, SIGUSR2);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert_int_equal(base_thread_start(&thread, mask_take, &there), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (size_t i = 0; i < sizeof waited / sizeof *waited; i++) {
        assert_true(sigismember(&there, waited[i]));
        assert_false(sigismember(&after, waited[i]));
    }
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        assert_false(sigismember(&there, faults[i]));
    }
    assert_true(sigismember(&after, SIGUSR2)); /* the caller has what it had */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(signals_are_left_to_who_waits_for_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
