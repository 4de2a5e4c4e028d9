/* SPDX-License-Identifier: Apache-2.0 */
/* The other end of the line for tests of the network: blocking calls that fail the test by
 * returning false after ten seconds instead of hanging. Ownership: the caller closes the fd. */
#ifndef TESTS_UNIT_NET_NET_PEER_H
#define TESTS_UNIT_NET_NET_PEER_H

#include <stdbool.h>

#include "proto/frame.h"

#define NET_PEER_SECONDS 60

/* A connected socket, or -1. */
int net_peer_tcp(unsigned port);
int net_peer_local(const char *path);
/* One with a receive buffer of about `bytes`, for peers that do not read. */
int net_peer_tcp_small(unsigned port, int bytes);

/* Writes a request frame to `out` and returns its size; out has room for it. */
size_t net_peer_frame(uint8_t *out, uint8_t code, uint32_t id, struct proto_span payload);
bool net_peer_send(int fd, const void *data, size_t bytes);
bool net_peer_request(int fd, uint8_t code, uint32_t id, struct proto_span payload);
bool net_peer_read(int fd, void *data, size_t bytes);
/* Reads one reply; the payload is malloc'd if `payload` is not NULL (data then has one byte more)
 * and thrown away otherwise. */
bool net_peer_reply(int fd, struct proto_header *header, struct proto_span *payload);
/* True if the peer closes without sending more. */
bool net_peer_closed(int fd);

#endif
