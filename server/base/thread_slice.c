/* SPDX-License-Identifier: Apache-2.0 */
/* The call sets policy, nice value and slice at once, so the first two are read and given back. The
 * C library of Debian 12 has no function for it. */
#include "server/base/thread_slice.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct sched_attr as it was at first; later members are for other policies. */
struct attributes {
    uint32_t bytes;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns; /* of an ordinary thread: its slice */
    uint64_t deadline_ns;
    uint64_t period_ns;
};
_Static_assert(sizeof(struct attributes) == 48, "as the kernel has it");

bool base_thread_slice_set(uint64_t slice_us)
{
    if (sched_getscheduler(0) != SCHED_OTHER) {
        return false;
    }
    errno = 0;
    int nice = getpriority(PRIO_PROCESS, 0); /* on Linux, of the thread */
    if (nice == -1 && errno != 0) {
        return false;
    }
    const struct attributes wanted = {
        .bytes = sizeof wanted, .policy = SCHED_OTHER, .nice = nice, .runtime_ns = slice_us * 1000};
    return syscall(SYS_sched_setattr, 0, &wanted, 0) == 0;
}
