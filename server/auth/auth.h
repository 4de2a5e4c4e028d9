/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: a token to a role, for the wire and for HTTP alike.
 *
 * Ownership: the texts are borrowed. Errors: none; an unknown token is PROTO_ROLE_NONE. Threads:
 * pure. Cost: three comparisons whose time depends on the length of what was given only, so that a
 * token cannot be guessed byte by byte. */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "proto/span.h"
#include "proto/table.h"

/* Secrets that give a role; NULL or "" where a role has none. */
struct auth_tokens {
    const char *read, *write, *admin;
};

/* No secret is set: every connection is admin. */
bool auth_is_open(const struct auth_tokens *tokens);
/* The highest role whose secret was given. */
enum proto_role auth_role(const struct auth_tokens *tokens, struct proto_span given);

#endif
