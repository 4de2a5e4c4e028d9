/* SPDX-License-Identifier: Apache-2.0 */
/* icp doctor: asks the server for its figures and, where it runs on this machine, looks at the
 * machine; doctor.c judges. Everything is read, nothing is changed. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "tools/cli/cmd.h"
#include "tools/cli/doctor.h"
#include "tools/cli/stats_read.h"

static double now_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* The first text of a small file of the kernel; "" if it is not there. */
static void file_text(const char *path, char *text, size_t bytes)
{
    FILE *file = fopen(path, "re");
    size_t got = file != NULL ? fread(text, 1, bytes - 1, file) : 0;
    text[got] = '\0';
    if (file != NULL) {
        fclose(file);
    }
}

/* The number behind a name in a file such as /proc/meminfo; NAN if it is not there. */
static double number_behind(const char *path, const char *name)
{
    char text[8192];
    file_text(path, text, sizeof text);
    const char *at = strstr(text, name);
    return at != NULL ? strtod(at + strlen(name), NULL) : (double)NAN;
}

static bool runs_here(const char *uri)
{
    return strncmp(uri, "icp+unix:", 9) == 0 || strstr(uri, "://127.") != NULL ||
           strstr(uri, "://localhost") != NULL || strstr(uri, "://[::1]") != NULL;
}

/* The one icpd that runs on this machine; 0 if there is none or more than one, for then it is not
 * known which of them answers. */
static long process_find(void)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    long found = 0;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char path[300];
        char name[32];
        long process = strtol(entry->d_name, NULL, 10);
        if (process <= 0) {
            continue;
        }
        snprintf(path, sizeof path, "/proc/%ld/comm", process);
        file_text(path, name, sizeof name);
        if (strcmp(name, "icpd\n") == 0) {
            found = found == 0 ? process : -1;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return found > 0 ? found : 0;
}

/* Free bytes of the disk below --data, as the process was started. */
static double disk_free(long process)
{
    char path[64];
    char line[8192];
    char data[4200];
    snprintf(path, sizeof path, "/proc/%ld/cmdline", process);
    FILE *file = fopen(path, "re");
    size_t bytes = file != NULL ? fread(line, 1, sizeof line - 1, file) : 0;
    if (file != NULL) {
        fclose(file);
    }
    line[bytes] = '\0';
    const char *given = "icpd-data";
    for (const char *at = line; at < line + bytes; at += strlen(at) + 1) {
        if (strncmp(at, "--data=", 7) == 0) {
            given = at + 7;
        } else if (strcmp(at, "--data") == 0 && at + 7 < line + bytes) {
            given = at + 7;
        }
    }
    /* A path is relative to where the process was started. */
    if (given[0] == '/') {
        snprintf(data, sizeof data, "%.4096s", given);
    } else {
        snprintf(data, sizeof data, "/proc/%ld/cwd/%.4096s", process, given);
    }
    struct statvfs disk;
    return statvfs(data, &disk) == 0 ? (double)disk.f_bavail * (double)disk.f_frsize : (double)NAN;
}

static void machine_look(struct doctor_facts *facts)
{
    char text[128];
    char path[64];
    struct timex clock = {0};
    long process = process_find();
    if (process > 0) {
        snprintf(path, sizeof path, "/proc/%ld/limits", process);
        facts->nofile_soft = number_behind(path, "Max open files");
        facts->disk_free_bytes = disk_free(process);
    }
    facts->memory_available_bytes = number_behind("/proc/meminfo", "MemAvailable:") * 1024;
    file_text("/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof text);
    if (text[0] != '\0') {
        facts->huge_pages_never = strstr(text, "[never]") != NULL;
    }
    facts->clock_synchronised = adjtimex(&clock) >= 0 && (clock.status & STA_UNSYNC) == 0;
}

static void figures_take(const struct stats *stats, struct doctor_facts *facts)
{
    *facts = (struct doctor_facts){
        .uptime_s = stats_value(stats, "uptime_s"),
        .accounts = stats_value(stats, "store.accounts"),
        .requests = stats_sum(stats, "requests."),
        .requests_slow = stats_value(stats, "server.requests_slow"),
        .corrupt_found = stats_value(stats, "store.corrupt_found"),
        .file_bytes = stats_value(stats, "store.file_bytes"),
        .map_bytes = stats_value(stats, "store.map_bytes"),
        .readers = stats_value(stats, "store.readers"),
        .readers_cleared = stats_value(stats, "store.readers_cleared"),
        .index_ready = stats_value(stats, "store.index_ready"),
        .index_bytes = stats_value(stats, "store.index_bytes"),
        .rows_done = stats_value(stats, "store.rows_done"),
        .rows_total = stats_value(stats, "store.rows_total"),
        .connections_open = stats_value(stats, "net.connections_open"),
        .connections_refused = stats_value(stats, "net.connections_refused"),
        .accept_emfile = stats_value(stats, "net.accept_emfile"),
        .commit_ns_max = stats_value(stats, "store.commit_ns_max"),
        .icp = stats_value(stats, "icp"),
        .schema = stats_value(stats, "schema"),
        .nofile_soft = (double)NAN,
        .disk_free_bytes = (double)NAN,
        .memory_available_bytes = (double)NAN,
        .clock_synchronised = (double)NAN,
        .huge_pages_never = (double)NAN,
    };
}

/* How far away the server is, in time, and by how much its clock goes before ours. */
static int way_measure(const struct cli *cli, struct icp_client *client, struct icp_reply *reply,
                       struct doctor_facts *facts)
{
    double start = now_us(CLOCK_MONOTONIC);
    double clock = now_us(CLOCK_REALTIME);
    int status = cli_call(cli, client, ICP_OP_PING, NULL, reply);
    facts->round_trip_us = now_us(CLOCK_MONOTONIC) - start;
    double theirs_ms = (double)icp_reply_int(reply, "time", 0);
    facts->clock_apart_ms = theirs_ms - (clock + facts->round_trip_us / 2) / 1e3;
    return status;
}

static int findings_print(const struct cli *cli, const struct doctor_facts *facts)
{
    static const char *const headers[] = {"check", "state", "found", "remedy"};
    static const char *const states[] = {"good", "look", "BAD", "unknown"};
    struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
    struct out_table table;
    size_t count = doctor_judge(facts, findings);
    size_t bad = 0;
    size_t looks = 0;
    out_table_init(&table, headers, 4);
    for (size_t i = 0; i < count; i++) {
        bad += findings[i].state == DOCTOR_BAD;
        looks += findings[i].state == DOCTOR_LOOK;
        out_cell_text(&table, "%s", findings[i].check);
        out_cell_text(&table, "%s", states[findings[i].state]);
        out_cell_text(&table, "%s", findings[i].found);
        out_cell_text(&table, "%s", findings[i].remedy);
    }
    int status = cli_table(cli, &table);
    if (status == EX_OK && bad > 0) {
        return cli_fail(cli, EX_CONFIG, "%zu of %zu checks are bad", bad, count);
    }
    if (status == EX_OK && looks > 0) {
        cli_say(cli, "%zu of %zu checks want a look", looks, count);
    }
    return status;
}

int cmd_doctor(struct cli *cli)
{
    int status = EX_OK;
    struct icp_reply reply = {0};
    struct stats stats = {0};
    struct doctor_facts facts;
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL) {
        return status;
    }
    status = stats_read(cli, client, &reply, &stats);
    if (status == EX_OK) {
        figures_take(&stats, &facts);
        status = way_measure(cli, client, &reply, &facts);
    }
    if (status == EX_OK) {
        if (runs_here(cli->uri)) {
            machine_look(&facts);
        }
        status = findings_print(cli, &facts);
    }
    stats_fini(&stats);
    icp_reply_fini(&reply);
    icp_close(client);
    return status;
}
