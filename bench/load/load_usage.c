/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_usage.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number after `name` in a file of "name: number" lines. */
static uint64_t field_read(const char *path, const char *name)
{
    char line[256];
    uint64_t value = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    size_t bytes = strlen(name);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, bytes) == 0 && line[bytes] == ':') {
            value = strtoull(line + bytes + 1, NULL, 10);
        }
    }
    fclose(file);
    return value;
}

static void thread_add(const char *folder, struct load_usage *usage)
{
    char path[512];
    uint64_t cpu_ns = 0;
    uint64_t waited_ns = 0;
    snprintf(path, sizeof path, "%s/schedstat", folder);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return;
    }
    char line[128];
    if (fgets(line, sizeof line, file) != NULL) {
        char *end;
        cpu_ns = strtoull(line, &end, 10);
        waited_ns = strtoull(end, NULL, 10);
    }
    fclose(file);
    usage->cpu_ns += cpu_ns;
    usage->waited_ns += waited_ns;
    snprintf(path, sizeof path, "%s/status", folder);
    usage->switches += field_read(path, "voluntary_ctxt_switches");
    usage->preemptions += field_read(path, "nonvoluntary_ctxt_switches");
    usage->known = true;
}

void load_usage_read(pid_t pid, struct load_usage *usage)
{
    char folder[64];
    *usage = (struct load_usage){0};
    snprintf(folder, sizeof folder, "/proc/%d/task", (int)pid);
    DIR *tasks = pid > 0 ? opendir(folder) : NULL;
    if (tasks == NULL) {
        return;
    }
    for (struct dirent *task = readdir(tasks); task != NULL; task = readdir(tasks)) {
        char path[400];
        if (task->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", folder, task->d_name);
        thread_add(path, usage);
    }
    closedir(tasks);
}

void load_usage_since(const struct load_usage *before, struct load_usage *usage)
{
    usage->known = usage->known && before->known;
    usage->cpu_ns -= before->cpu_ns;
    usage->waited_ns -= before->waited_ns;
    usage->switches -= before->switches;
    usage->preemptions -= before->preemptions;
}

uint64_t load_stolen_ns(void)
{
    enum { STEAL = 8 }; /* user, nice, system, idle, iowait, irq, softirq, steal */
    char line[256];
    uint64_t ticks = 0;
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL) {
        return 0;
    }
    if (fgets(line, sizeof line, file) != NULL && strncmp(line, "cpu ", 4) == 0) {
        char *at = line + 4;
        for (unsigned i = 0; i < STEAL; i++) {
            ticks = strtoull(at, &at, 10);
        }
    }
    fclose(file);
    return ticks * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

bool load_memory_read(pid_t pid, struct load_memory *memory)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    memory->anonymous = field_read(path, "RssAnon") * 1024;
    memory->file = field_read(path, "RssFile") * 1024;
    return memory->anonymous > 0;
}
