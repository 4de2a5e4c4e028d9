/* SPDX-License-Identifier: Apache-2.0 */
/* A thread has the mask of the one that makes it, so the mask is changed for that moment. Signals
 * of faults stay: blocked, they would end the process without a word. */
#include "server/base/thread.h"

#include <signal.h>

int base_thread_start(pthread_t *thread, void *(*run)(void *context), void *context)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        sigdelset(&all, faults[i]);
    }
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(thread, NULL, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}
