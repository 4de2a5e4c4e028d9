/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that the service manager listens on for us (sd_listen_fds(3)): it keeps them over our
 * restarts, so that who connects meanwhile waits and is not refused.
 *
 * Shapes: LISTEN_PID must be this process, LISTEN_FDS says how many there are from descriptor 3 on,
 * LISTEN_FDNAMES what each is for: "http" and "icps" by name, a Unix socket by its kind, any other
 * TCP socket for the protocol. Ownership: the descriptors are the caller's; they do not block and
 * are closed by exec. Errors: PROTO_BAD_CONFIG with field LISTEN_FDS or LISTEN_FDNAMES. Threads:
 * the main thread. Source: systemd.io/PORTABILITY_AND_STABILITY, sd_listen_fds(3). */
#ifndef SERVER_ACTIVATE_H
#define SERVER_ACTIVATE_H

#include "proto/fault.h"

struct server_sockets {
    int tcp, tls, local, http; /* 0: none */
};

/* None at all where nobody listens for us. False with *fault: nothing is left open. */
bool server_sockets_take(struct server_sockets *sockets, struct proto_fault *fault);
/* An address that others can reach must not be open to everyone. False with *fault. */
bool server_sockets_reach(const struct server_sockets *sockets, bool open,
                          struct proto_fault *fault);
void server_sockets_close(struct server_sockets *sockets);

#endif
