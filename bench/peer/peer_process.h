/* SPDX-License-Identifier: Apache-2.0 */
/* A server as a child process: pinned, its output in a file, found by its port, ended by its id.
 * A child ends with its parent (PR_SET_PDEATHSIG), so an aborted run leaves nothing behind.
 * Ownership: peer_process_stop waits for the child. Errors: a fault with the end of its output.
 * Threads: one. */
#ifndef BENCH_PEER_PROCESS_H
#define BENCH_PEER_PROCESS_H

#include <sys/types.h>

#include "proto/fault.h"

struct peer_process {
    pid_t pid; /* 0: none */
    char log_path[512];
};

/* argv ends with NULL; argv[0] is looked for on the PATH. cpu -1: not pinned. */
bool peer_process_start(struct peer_process *process, const char *const *argv, int cpu,
                        const char *log_path, struct proto_fault *fault);
/* SIGTERM, ten seconds, SIGKILL; waits. Nothing if there is none. */
void peer_process_stop(struct peer_process *process);
/* Waits until 127.0.0.1:port takes connections, or the child ends, or the time is over. */
bool peer_process_await_port(struct peer_process *process, uint16_t port, double seconds,
                             struct proto_fault *fault);
/* Waits for the line "port = N" in a file that the child writes. */
bool peer_process_await_file(struct peer_process *process, const char *path, double seconds,
                             uint16_t *port, struct proto_fault *fault);
/* A TCP port that was free a moment ago; 0 if there is none. */
uint16_t peer_port_free(void);
/* Whether a program of that name is on the PATH. */
bool peer_program_exists(const char *name);
/* Removes a folder and all in it. */
void peer_folder_remove(const char *path);

#endif
