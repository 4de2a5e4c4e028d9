/* SPDX-License-Identifier: Apache-2.0 */
/* What the calling thread has had written to disks, in bytes, as /proc tells: whole pages when they
 * become dirty. 0 where the kernel does not say, and on file systems in memory. */
#ifndef TESTS_THREAD_IO_H
#define TESTS_THREAD_IO_H

#include <stdint.h>
#include <stdio.h>

static inline uint64_t thread_written_bytes(void)
{
    unsigned long long bytes = 0;
    char line[64];
    FILE *file = fopen("/proc/thread-self/io", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL &&
           sscanf(line, "write_bytes: %llu", &bytes) != 1) {
    }
    if (file != NULL) {
        fclose(file);
    }
    return bytes;
}

#endif
