/* SPDX-License-Identifier: Apache-2.0 */
/* What each address has done: how many connections it has open, how many wrong tokens it showed
 * and how many requests it sent of late. So one address can neither take all connections, nor try
 * tokens at will by connecting anew, nor ask for more by many connections than by one.
 *
 * Shapes: an IPv6 address counts by its first 64 bits, which one customer has; an IPv4 address
 * whole, also where it comes as a mapped IPv6 one. Wrong tokens are paid off by and by: `wrong_max`
 * at once, and as many in each minute.
 * Bounds: sets of AUTH_ADDRESS_WAYS places and one that is shared, chosen by a hash with a secret
 * seed. A place is given to another address only when there is nothing left to remember of its own:
 * no connection, and every wrong token and request paid off. Where a set has no such place, those
 * who come share one, with one address's limits between them. So nobody is forgotten by bringing
 * many addresses. Ownership: a guest is a number, given back once. Errors: NO_MEMORY on creating.
 * Threads: any; behind one lock, which is taken once for a connection and once for a token, not for
 * a request. Times: nanoseconds of a monotonic clock. Cost: a hash and at most 9 comparisons; of a
 * request, one exchange of a word. */
#ifndef AUTH_ADDRESS_BOOK_H
#define AUTH_ADDRESS_BOOK_H

#include <sys/socket.h>

#include "proto/fault.h"
#include "server/auth/token_bucket.h"

#define AUTH_ADDRESS_WAYS 8

struct auth_source {
    uint8_t bytes[16];
};
/* False for what is no internet address. */
bool auth_source_of(const struct sockaddr *address, struct auth_source *source);
bool auth_source_is_loopback(const struct auth_source *source);

struct auth_addresses_options {
    uint32_t connections_max; /* of one address; 0: no limit */
    uint32_t wrong_max;       /* wrong tokens of one address at once and a minute; 0: no limit */
    struct auth_rate requests;
    size_t places; /* addresses to have room for, about; at least 1 */
    uint64_t seed; /* drawn at random */
};

struct auth_addresses;
typedef uint32_t auth_guest; /* a connection's place; 0: it is not counted */

struct auth_addresses *auth_addresses_create(const struct auth_addresses_options *options,
                                             struct proto_fault *fault);
void auth_addresses_destroy(struct auth_addresses *all); /* NULL is fine */

/* One connection more of an address; false: it has as many as it may. */
bool auth_guest_enter(struct auth_addresses *all, const struct auth_source *source, uint64_t now_ns,
                      auth_guest *guest);
void auth_guest_leave(struct auth_addresses *all, auth_guest guest);
/* Whether a token of the guest may be looked at; false, *wait_ns: in how long. */
bool auth_guest_may_try(struct auth_addresses *all, auth_guest guest, uint64_t now_ns,
                        uint64_t *wait_ns);
/* Whether requests are counted at all. */
bool auth_addresses_meter(const struct auth_addresses *all);
/* Takes one request from the rate of the guest's address; false, *wait_ns: in how long. */
bool auth_guest_admit(struct auth_addresses *all, auth_guest guest, uint64_t now_ns,
                      uint64_t *wait_ns);
void auth_guest_was_wrong(struct auth_addresses *all, auth_guest guest, uint64_t now_ns);

#endif
