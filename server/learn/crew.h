/* SPDX-License-Identifier: Apache-2.0 */
/* Independent pieces of work on several threads: each piece runs once, on whichever thread is free
 * next, so a piece must not depend on who runs it or in what order.
 * Ownership: borrows the context. Errors: none; a thread that cannot be started is one fewer, and
 * the caller's own always works. Threads: returns when all pieces are done; threads that it starts
 * inherit the caller's priority and end with it. */
#ifndef LEARN_CREW_H
#define LEARN_CREW_H

#include <stdbool.h>
#include <stddef.h>

#define LEARN_THREADS_MAX 16 /* as many as bags of a fit */

/* threads: the caller's included; 0 counts as 1. own: the piece runs on the caller's thread. */
void learn_crew_run(unsigned threads, size_t pieces,
                    void (*run)(void *context, size_t piece, bool own), void *context);

#endif
