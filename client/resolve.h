/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up a host name without waiting for it: the system's resolver blocks for as long as it
 * likes (5 s a name server by default), so it runs on a thread of its own, and an eventfd says when
 * it is done.
 * Ownership: a lookup is its starter's until client_lookup_take or _drop; one that is dropped ends
 * by itself, whenever the resolver returns. Addresses are given back to freeaddrinfo.
 * Threads: start, take and drop from one thread; the helper thread blocks all signals and touches
 * nothing but its lookup. After a fork the helper is the parent's; the child drops and starts anew.
 * Cost: some 30 microseconds and one descriptor while it runs. */
#ifndef CLIENT_RESOLVE_H
#define CLIENT_RESOLVE_H

#include <netdb.h>
#include <stdbool.h>

/* Like getaddrinfo, which it is outside of tests. */
typedef int client_resolve(const char *host, const char *port, const struct addrinfo *hints,
                           struct addrinfo **found);

struct client_lookup;

/* NULL if no thread, descriptor or memory could be had. */
struct client_lookup *client_lookup_start(client_resolve *resolve, const char *host, unsigned port);
int client_lookup_fd(const struct client_lookup *lookup); /* readable once it is done */
bool client_lookup_is_done(const struct client_lookup *lookup);
/* Of one that is done; it is gone then. *failure is 0, or what gai_strerror explains. */
void client_lookup_take(struct client_lookup *lookup, int *failure, struct addrinfo **found);
void client_lookup_drop(struct client_lookup *lookup); /* NULL is fine */
/* In a child process, where the helper does not exist. */
void client_lookup_orphan(struct client_lookup *lookup); /* NULL is fine */

#endif
