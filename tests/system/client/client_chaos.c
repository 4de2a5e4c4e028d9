/* SPDX-License-Identifier: Apache-2.0 */
/* libicp under a proxy that misbehaves and a server that is killed and started again.
 *
 *     client_chaos ICPD [--requests N] [--seed N] [--plant | --plant-twice]
 *
 * Starts icpd in a temporary directory and goes from one kind of trouble to the next until N
 * requests (3,000, with ICP_LONG in the environment 100,000) were asked and every kind came; after
 * every few the server is well again for a while, and each thread must have an answer within a
 * second. Prints what happened; ends with 1 if anything was found (chaos_load.h). --plant and
 * --plant-twice are the controls: the same with deadlines that are ignored on reconnecting, and
 * with writes that are asked again under another operation id; they end with 0 only if that was
 * found. */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/table.h"
#include "tests/system/client/chaos_load.h"
#include "tests/system/client/chaos_proxy.h"

#define START_MS_MAX 60000
/* Kinds of trouble: those of the proxy but clean, and one that kills. */
#define TROUBLES CHAOS_MODE_COUNT

struct server {
    const char *binary;
    char folder[64];
    char ports[96];
    char log[96];
    pid_t pid;
    unsigned port;
};

static void sleep_ms(int64_t ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static bool port_read(struct server *server)
{
    char line[128];
    FILE *file = fopen(server->ports, "r");
    server->port = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "port = %u", &server->port);
    }
    if (file != NULL) {
        fclose(file);
    }
    return server->port != 0;
}

static void server_start(struct server *server)
{
    char data[96];
    snprintf(data, sizeof data, "%s/data", server->folder);
    unlink(server->ports);
    server->pid = fork();
    assert(server->pid >= 0);
    if (server->pid == 0) {
        int log = open(server->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (log < 0 || dup2(log, STDERR_FILENO) < 0) {
            _exit(71);
        }
        execl(server->binary, server->binary, "--host", "127.0.0.1", "--port", "0", "--data", data,
              "--ports-file", server->ports, "--socket-path", "", "--http-port", "0", (char *)NULL);
        _exit(71);
    }
    for (int64_t until_ms = chaos_now_ms() + START_MS_MAX; !port_read(server); sleep_ms(2)) {
        if (chaos_now_ms() > until_ms || waitpid(server->pid, NULL, WNOHANG) != 0) {
            fprintf(stderr, "icpd did not start; see %s\n", server->log);
            exit(2);
        }
    }
}

static void server_end(struct server *server, int number)
{
    (void)kill(server->pid, number);
    (void)waitpid(server->pid, NULL, 0);
}

static size_t descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert(folder != NULL);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

struct run {
    struct server server;
    struct chaos_proxy *proxy;
    struct chaos_load load;
    uint64_t random;
    size_t requests;
    size_t troubles[TROUBLES]; /* by mode; CHAOS_CLEAN stands for a kill */
    size_t recoveries;
    size_t unrecovered;
    struct chaos_verdict versions;
};

static uint64_t draw(struct run *run, uint64_t below)
{
    run->random ^= run->random << 13;
    run->random ^= run->random >> 7;
    run->random ^= run->random << 17;
    return run->random % below;
}

/* Every kind comes before any comes again. */
static enum chaos_mode trouble_draw(struct run *run)
{
    if (run->load.plant == CHAOS_LATE) { /* a reconnect finds a listener that says nothing */
        return CHAOS_SILENT;
    }
    if (run->load.plant == CHAOS_TWICE) { /* a reply is lost, not what was asked */
        return CHAOS_CUT;
    }
    size_t fewest = run->troubles[0];
    for (size_t mode = 1; mode < TROUBLES; mode++) {
        fewest = run->troubles[mode] < fewest ? run->troubles[mode] : fewest;
    }
    enum chaos_mode mode;
    do {
        mode = (enum chaos_mode)draw(run, TROUBLES);
    } while (run->troubles[mode] > fewest);
    return mode;
}

static bool is_covered(const struct run *run)
{
    if (run->load.plant != CHAOS_SOUND) {
        return run->troubles[CHAOS_SILENT] + run->troubles[CHAOS_CUT] >= 3;
    }
    for (size_t mode = 0; mode < TROUBLES; mode++) {
        if (run->troubles[mode] == 0) {
            return false;
        }
    }
    return true;
}

static void trouble(struct run *run)
{
    enum chaos_mode mode = trouble_draw(run);
    run->troubles[mode]++;
    chaos_set(run->proxy, mode);
    if (mode == CHAOS_CLEAN) {
        server_end(&run->server, SIGKILL);
    }
    sleep_ms(100 + (int64_t)draw(run, 400));
    if (mode != CHAOS_CLEAN) {
        return;
    }
    server_start(&run->server);
    chaos_backend(run->proxy, run->server.port);
}

static void recover(struct run *run)
{
    struct chaos_load *load = &run->load;
    chaos_set(run->proxy, CHAOS_CLEAN);
    atomic_store(&load->since_ms, chaos_now_ms());
    unsigned epoch = atomic_fetch_add(&load->epoch, 1) + 1;
    sleep_ms(CHAOS_RECOVERY_MS + 100);
    run->recoveries++;
    for (unsigned i = 0; i < CHAOS_THREADS; i++) {
        if (atomic_load(&load->workers[i].epoch) == epoch) {
            continue;
        }
        sleep_ms(500); /* the machine may have had no time for it: its own clock judges that */
        run->unrecovered += atomic_load(&load->workers[i].epoch) != epoch;
    }
}

static bool report(struct run *run, size_t descriptors_left)
{
    struct chaos_worker sum = {0};
    for (unsigned i = 0; i < CHAOS_THREADS; i++) {
        const struct chaos_worker *worker = &run->load.workers[i];
        sum.asked += worker->asked;
        sum.answered += worker->answered;
        sum.failed += worker->failed;
        sum.late += worker->late;
        sum.foreign += worker->foreign;
        sum.twice += worker->twice;
        if (worker->late_ms_max > sum.late_ms_max) {
            sum.late_ms_max = worker->late_ms_max;
        }
        if (worker->recovery_ms_max > sum.recovery_ms_max) {
            sum.recovery_ms_max = worker->recovery_ms_max;
        }
        for (size_t code = 0; code < 256; code++) {
            sum.faults[code] += worker->faults[code];
        }
    }
    printf("requests %zu: answered %zu, failed %zu, never told %zu, told twice %zu, foreign %zu\n",
           sum.asked, sum.answered, sum.failed, sum.asked - sum.answered - sum.failed, sum.twice,
           sum.foreign);
    for (size_t code = 0; code < 256; code++) {
        if (sum.faults[code] > 0) {
            printf("  %-14s %zu\n", proto_error_find((unsigned)code)->name, sum.faults[code]);
        }
    }
    printf("beyond the deadline: at most %lld ms, more than %d ms: %zu\n",
           (long long)sum.late_ms_max, CHAOS_GRACE_MS, sum.late);
    printf("recoveries %zu: at most %lld ms, threads that did not: %zu\n", run->recoveries,
           (long long)sum.recovery_ms_max, run->unrecovered);
    printf("left: descriptors %zu, blocks of memory %zu\n", descriptors_left,
           atomic_load(&run->load.blocks));
    for (size_t mode = 0; mode < TROUBLES; mode++) {
        printf("%s%s %zu", mode > 0 ? ", " : "troubles: ",
               mode == CHAOS_CLEAN ? "kill and restart" : chaos_name((enum chaos_mode)mode),
               run->troubles[mode]);
    }
    printf("\n");
    const struct chaos_verdict *versions = &run->versions;
    printf("versions: %zu to be stored, %zu answered, %zu there, twice %zu, answered and not there "
           "%zu\n",
           versions->asked, versions->answered, versions->stored, versions->twice, versions->lost);
    if (run->load.plant != CHAOS_SOUND) {
        bool found = (run->load.plant == CHAOS_LATE ? sum.late : versions->twice) > 0;
        printf("control: %s\n", found ? "found" : "NOT FOUND");
        return found;
    }
    return versions->answered > 0 && versions->twice + versions->lost == 0 &&
           sum.late + sum.foreign + sum.twice + run->unrecovered + descriptors_left +
                   atomic_load(&run->load.blocks) ==
               0 &&
           sum.asked == sum.answered + sum.failed && sum.recovery_ms_max <= CHAOS_RECOVERY_MS;
}

static void run_chaos(struct run *run)
{
    snprintf(run->load.uri, sizeof run->load.uri, "icp://127.0.0.1:%u", chaos_port(run->proxy));
    run->load.proxy = run->proxy;
    chaos_backend(run->proxy, run->server.port);
    if (!chaos_load_prepare(&run->load)) {
        exit(2);
    }
    chaos_load_start(&run->load);
    recover(run);
    while (atomic_load(&run->load.asked) < run->requests || !is_covered(run)) {
        for (uint64_t left = 1 + draw(run, 3); left > 0; left--) {
            trouble(run);
        }
        recover(run);
    }
    chaos_load_join(&run->load);
    const struct chaos_puts *puts[CHAOS_THREADS];
    for (unsigned i = 0; i < CHAOS_THREADS; i++) {
        puts[i] = &run->load.workers[i].puts;
    }
    if (!chaos_version_judge(run->load.uri, puts, &run->versions)) {
        exit(2);
    }
    free(run->load.document);
}

static void folder_remove(const struct server *server)
{
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", server->folder, (char *)NULL);
        _exit(71);
    }
    (void)waitpid(child, NULL, 0);
}

int main(int count, char **arguments)
{
    struct run run = {.requests = getenv("ICP_LONG") != NULL ? 100000 : 3000};
    uint64_t seed = 1;
    if (count < 2) {
        fprintf(stderr,
                "usage: client_chaos ICPD [--requests N] [--seed N] [--plant | --plant-twice]\n");
        return 64;
    }
    for (int i = 2; i < count; i++) {
        if (strcmp(arguments[i], "--plant") == 0) {
            run.load.plant = CHAOS_LATE;
        } else if (strcmp(arguments[i], "--plant-twice") == 0) {
            run.load.plant = CHAOS_TWICE;
        } else if (strcmp(arguments[i], "--requests") == 0 && i + 1 < count) {
            run.requests = strtoul(arguments[++i], NULL, 10);
        } else if (strcmp(arguments[i], "--seed") == 0 && i + 1 < count) {
            seed = strtoull(arguments[++i], NULL, 10);
        }
    }
    printf("seed %llu\n", (unsigned long long)seed);
    size_t before = descriptors();
    run.random = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
    run.server.binary = arguments[1];
    snprintf(run.server.folder, sizeof run.server.folder, "/tmp/icpd-chaos-XXXXXX");
    if (mkdtemp(run.server.folder) == NULL) {
        return 2;
    }
    snprintf(run.server.ports, sizeof run.server.ports, "%s/ports", run.server.folder);
    snprintf(run.server.log, sizeof run.server.log, "%s/log", run.server.folder);
    server_start(&run.server);
    run.proxy = chaos_create(seed);
    run_chaos(&run);
    chaos_destroy(run.proxy);
    server_end(&run.server, SIGTERM);
    size_t left = descriptors() - before;
    folder_remove(&run.server);
    return report(&run, left) ? 0 : 1;
}
