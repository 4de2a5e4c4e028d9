/* SPDX-License-Identifier: Apache-2.0 */
/* The greeting of a link: hello out, and what the server says of itself in.
 * Errors: a refusal is the link's loss, with the server's own code. Threads: the link's. */
#ifndef CLIENT_GREET_H
#define CLIENT_GREET_H

#include "client/link.h"

/* Queues hello. 0 with *fault: no memory. */
uint32_t client_greet_send(struct client_link *link, struct proto_fault *fault);
/* Makes the link ready, or loses it. */
void client_greet_take(struct client_link *link, const struct client_reply *reply, int64_t now_ms);

#endif
