/* SPDX-License-Identifier: Apache-2.0 */
/* All secrets are compared, whichever fits, so that time says nothing of which it was. */
#include "server/auth/auth.h"

static bool is_set(const char *token)
{
    return token != NULL && token[0] != '\0';
}

static bool token_equal(struct proto_span given, const char *token)
{
    if (!is_set(token)) {
        return false;
    }
    size_t bytes = strlen(token);
    unsigned differ = bytes != given.bytes;
    for (size_t i = 0; i < given.bytes; i++) {
        differ |= (unsigned)given.data[i] ^ (unsigned char)token[i % bytes];
    }
    return differ == 0;
}

bool auth_is_open(const struct auth_tokens *tokens)
{
    return !is_set(tokens->read) && !is_set(tokens->write) && !is_set(tokens->admin);
}

enum proto_role auth_role(const struct auth_tokens *tokens, struct proto_span given)
{
    bool read = token_equal(given, tokens->read);
    bool write = token_equal(given, tokens->write);
    bool admin = token_equal(given, tokens->admin);
    return admin   ? PROTO_ROLE_ADMIN
           : write ? PROTO_ROLE_WRITE
           : read  ? PROTO_ROLE_READ
                   : PROTO_ROLE_NONE;
}
