/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS context that a configuration asks for: at the start, at a reload and for `icpd --test`
 * alike. Ownership: the caller drops the context. Errors: PROTO_BAD_CONFIG with the option,
 * PROTO_NO_MEMORY. Threads: any. Cost: reads the files. */
#ifndef SERVER_ENCRYPT_H
#define SERVER_ENCRYPT_H

#include "server/base/config.h"
#include "server/tls/tls.h"

/* *tls is NULL where the configuration has no certificate; else the caller drops it. False with
 * *fault (PROTO_BAD_CONFIG, the option) if a file cannot be used. */
bool server_encrypt(const struct base_config *config, struct tls_context **tls,
                    struct proto_fault *fault);

#endif
