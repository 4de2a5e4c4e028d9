/* SPDX-License-Identifier: Apache-2.0 */
/* What a process has used so far, from /proc: two readings and their difference.
 * Units: nanoseconds and counts, all threads together. Errors: a figure that cannot be read is 0,
 * and `known` is false if the process is gone. Threads: any. Cost: about 20 µs a reading. */
#ifndef BENCH_LOAD_USAGE_H
#define BENCH_LOAD_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct load_usage {
    bool known;
    uint64_t cpu_ns;      /* on a processor */
    uint64_t waited_ns;   /* ready to run, but another process had the processor */
    uint64_t switches;    /* context switches, voluntary */
    uint64_t preemptions; /* involuntary */
};

void load_usage_read(pid_t pid, struct load_usage *usage);
void load_usage_since(const struct load_usage *before, struct load_usage *usage);

/* What other guests of the machine took from all processors of this one, since it started. */
uint64_t load_stolen_ns(void);

/* Memory of a process in bytes, from /proc/<pid>/status. */
struct load_memory {
    uint64_t anonymous; /* RssAnon: its own; what a map of a file takes is not in it */
    uint64_t file;      /* RssFile: pages of mapped files */
};
bool load_memory_read(pid_t pid, struct load_memory *memory);

#endif
