/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peer/peer_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void nap(void)
{
    struct timespec rest = {0, 10000000};
    nanosleep(&rest, NULL);
}

static void child_run(const char *const *argv, int cpu, const char *log_path)
{
    int log = open(log_path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
    if (log >= 0) {
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
    }
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing >= 0) {
        dup2(nothing, STDIN_FILENO);
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    cpu_set_t set;
    CPU_ZERO(&set);
    for (unsigned i = 0; i < CPU_SETSIZE; i++) {
        if (cpu < 0 || i == (unsigned)cpu) {
            CPU_SET(i, &set);
        }
    }
    sched_setaffinity(0, sizeof set, &set);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

bool peer_process_start(struct peer_process *process, const char *const *argv, int cpu,
                        const char *log_path, struct proto_fault *fault)
{
    snprintf(process->log_path, sizeof process->log_path, "%s", log_path);
    fflush(NULL);
    process->pid = fork();
    if (process->pid == 0) {
        child_run(argv, cpu, log_path);
    }
    if (process->pid < 0) {
        process->pid = 0;
        return proto_fault_set(fault, PROTO_IO, "", "cannot start %s: %s", argv[0],
                               strerror(errno));
    }
    return true;
}

static bool has_ended(struct peer_process *process)
{
    int status;
    if (process->pid > 0 && waitpid(process->pid, &status, WNOHANG) == process->pid) {
        process->pid = 0;
    }
    return process->pid == 0;
}

void peer_process_stop(struct peer_process *process)
{
    if (process->pid <= 0) {
        return;
    }
    kill(process->pid, SIGTERM);
    for (int i = 0; i < 1000 && !has_ended(process); i++) {
        nap();
    }
    if (process->pid > 0) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
        process->pid = 0;
    }
}

static bool gone(struct peer_process *process, const char *why, struct proto_fault *fault)
{
    char text[300] = "";
    FILE *log = fopen(process->log_path, "re");
    if (log != NULL) {
        long bytes = fseek(log, 0, SEEK_END) == 0 ? ftell(log) : 0;
        if (fseek(log, bytes > 250 ? bytes - 250 : 0, SEEK_SET) == 0) {
            text[fread(text, 1, sizeof text - 1, log)] = '\0';
        }
        fclose(log);
    }
    return proto_fault_set(fault, PROTO_IO, "", "%s; the end of %s: %s", why, process->log_path,
                           text);
}

static bool port_answers(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

bool peer_process_await_port(struct peer_process *process, uint16_t port, double seconds,
                             struct proto_fault *fault)
{
    for (int i = 0; i < (int)(seconds * 100); i++, nap()) {
        if (has_ended(process)) {
            return gone(process, "the server ended at once", fault);
        }
        if (port_answers(port)) {
            return true;
        }
    }
    return gone(process, "the server does not answer", fault);
}

static bool port_in(const char *path, uint16_t *port)
{
    char line[256];
    bool found = false;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "port = ", 7) == 0) {
            *port = (uint16_t)strtoul(line + 7, NULL, 10);
            found = *port != 0;
        }
    }
    fclose(file);
    return found;
}

bool peer_process_await_file(struct peer_process *process, const char *path, double seconds,
                             uint16_t *port, struct proto_fault *fault)
{
    for (int i = 0; i < (int)(seconds * 100); i++, nap()) {
        if (port_in(path, port)) {
            return true;
        }
        if (has_ended(process)) {
            return gone(process, "the server ended at once", fault);
        }
    }
    return gone(process, "the server is not ready", fault);
}

uint16_t peer_port_free(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t bytes = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return 0;
    }
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &bytes) != 0) {
        address.sin_port = 0;
    }
    close(fd);
    return ntohs(address.sin_port);
}

bool peer_program_exists(const char *name)
{
    char path[512];
    const char *folders = getenv("PATH");
    if (strchr(name, '/') != NULL) {
        return access(name, X_OK) == 0;
    }
    while (folders != NULL && *folders != '\0') {
        size_t bytes = strcspn(folders, ":");
        snprintf(path, sizeof path, "%.*s/%s", (int)bytes, folders, name);
        if (access(path, X_OK) == 0) {
            return true;
        }
        folders += bytes + (folders[bytes] == ':');
    }
    return false;
}

static int entry_remove(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void peer_folder_remove(const char *path)
{
    nftw(path, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}
