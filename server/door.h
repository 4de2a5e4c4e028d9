/* SPDX-License-Identifier: Apache-2.0 */
/* Who may come in: tokens by role from the configuration, named tokens from a file, and how many
 * connections and wrong tokens one address has had of late.
 *
 * Ownership: the door owns its book and its addresses; configuration, log and the texts of `tokens`
 * are borrowed until door_close. Errors: BAD_CONFIG for a file of tokens that cannot be used, IO,
 * NO_MEMORY. Threads: open, reload and close on the main thread; entering and leaving on any. Cost:
 * one lock and a hash for each connection. */
#ifndef SERVER_DOOR_H
#define SERVER_DOOR_H

#include "server/auth/address_book.h"
#include "server/auth/auth.h"
#include "server/auth/token_book.h"
#include "server/base/config.h"
#include "server/base/log.h"

struct door {
    const struct base_config *config;
    struct base_log *log;
    struct auth_tokens tokens;
    struct auth_book *book; /* of named tokens; NULL: there are none */
    struct auth_addresses *addresses;
};

/* False with *fault: door_close takes what there is. */
bool door_open(struct door *door, const struct base_config *config, struct base_log *log,
               struct proto_fault *fault);
void door_close(struct door *door); /* one that was never opened, all zero, is fine */
/* Whether nobody needs a token. */
bool door_is_open(const struct door *door);

/* One connection more from there. False with *fault: the address has as many as it may. *guest: to
 * be given back once; 0: it is not counted. */
bool door_enter(struct door *door, const struct sockaddr *from, uint64_t now_ns, uint32_t *guest,
                struct proto_fault *fault);
void door_leave(struct door *door, uint32_t guest);
/* Reads the file of named tokens anew. False with *fault: all stays as it was. */
bool door_reload(struct door *door, struct proto_fault *fault);

#endif
