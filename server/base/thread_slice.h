/* SPDX-License-Identifier: Apache-2.0 */
/* How long a thread runs before another one that is ready gets its turn. A thread that asks for a
 * short slice gets no more of the processor, but gets it sooner: the scheduler (EEVDF) picks the
 * one whose slice would be over first. For threads that answer within microseconds beside some that
 * work for seconds.
 *
 * Errors: none that matter; where it cannot be had nothing changes. Threads: the caller's own.
 * Source: sched_setattr(2); a slice of one's own for ordinary threads, from 100 us to 100 ms, is
 * there since Linux 6.12, and a kernel before takes no notice. */
#ifndef BASE_THREAD_SLICE_H
#define BASE_THREAD_SLICE_H

#include <stdbool.h>
#include <stdint.h>

#define BASE_THREAD_SLICE_US_MIN 100

/* False: the kernel refused, or the thread has been given a policy (batch, idle, real time) that is
 * not to be meddled with. Its nice value stays. */
bool base_thread_slice_set(uint64_t slice_us);

#endif
