/* SPDX-License-Identifier: Apache-2.0 */
/* How every thread of the server begins: with all signals blocked but those of faults, for signals
 * belong to the thread that waits for them, and SIGXFSZ, blocked, becomes EFBIG.
 *
 * Ownership: the caller joins the thread. Errors: the number of pthread_create, and no thread.
 * Threads: any; that of the caller has the signals afterwards that it had. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* 0, or why there is none. */
int base_thread_start(pthread_t *thread, void *(*run)(void *context), void *context);

#endif
