/* SPDX-License-Identifier: Apache-2.0 */
/* The file of named tokens: one a line (named_token.h), empty lines and comments behind # between.
 * It is a secret although it has hashes only, for whoever may write it gives himself a role.
 *
 * Shapes: at most AUTH_TOKENS_MAX tokens, AUTH_FILE_BYTES_MAX bytes, each name once.
 * Ownership: a list owns its memory until fini; all zero is an empty one. Errors: PROTO_BAD_CONFIG,
 * field tokens_file, the message begins with "FILE:LINE:COLUMN: "; a file that others may read or
 * write is refused with the remedy; PROTO_NOT_FOUND where auth_file_change finds no such name,
 * PROTO_CONFLICT where it finds one. Threads: any, a file is changed by one process at a time (a
 * lock on its folder). Cost: reads the file whole. */
#ifndef AUTH_TOKEN_FILE_H
#define AUTH_TOKEN_FILE_H

#include "server/auth/named_token.h"

#define AUTH_TOKENS_MAX 1024
#define AUTH_FILE_BYTES_MAX (1 << 20)

struct auth_list {
    struct auth_token *tokens;
    size_t count;
};

bool auth_list_parse(struct proto_span text, const char *path, struct auth_list *list,
                     struct proto_fault *fault);
bool auth_list_read(const char *path, struct auth_list *list, struct proto_fault *fault);
void auth_list_fini(struct auth_list *list);
/* NULL if there is none. */
const struct auth_token *auth_list_find(const struct auth_list *list, struct proto_span name);

/* Adds a token behind the others, in a file that is made with mode 600 if absent; or, where `add`
 * is NULL, takes the line of `name` away. Comments stay. The file is replaced whole, with the owner
 * and mode that it had, so that whoever reads it sees it before or after. */
bool auth_file_change(const char *path, const char *name, const struct auth_token *add,
                      struct proto_fault *fault);

#endif
