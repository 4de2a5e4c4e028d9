/* SPDX-License-Identifier: Apache-2.0 */
/* Files that hold secrets: tokens, and the key of TLS. Ownership: borrows. Errors:
 * PROTO_BAD_CONFIG; `name` is the option that named the file. Threads: pure. Source of the rule of
 * modes: PostgreSQL's for the key of a server. */
#ifndef BASE_CONFIG_SECRET_H
#define BASE_CONFIG_SECRET_H

#include <stdio.h>

#include "proto/fault.h"

/* What others may read is no secret, and what others may write gives them a role. A file of root's
 * may be read by a group, as service managers and containers lay secrets down. */
bool base_secret_check_mode(FILE *in, const char *name, const char *path,
                            struct proto_fault *fault);
/* The first line, without its end; a NUL in it is refused. */
bool base_secret_read_line(FILE *in, const char *name, const char *path, char *line, size_t room,
                           struct proto_fault *fault);

#endif
