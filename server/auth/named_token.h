/* SPDX-License-Identifier: Apache-2.0 */
/* A named token, as a line of a file: who has it, what it may do, how much and until when. The line
 * has a hash of the token and never the token.
 *
 *   router role=read hash=SALT:HASH expires=2027-02-26T00:00:00Z requests=500/1000 connections=20
 *
 * Shapes: the token that a client shows is NAME.SECRET, where SECRET is 32 random bytes in hex: by
 * the name its line is found with one look, so a wrong token costs one hash however many lines
 * there are. HASH is SHA-256 over the 16 bytes of SALT and the whole token, both in hex. A slow
 * hash for passwords is not used: it makes guessing costly where few secrets are likely, but 256
 * random bits cannot be guessed at any speed, and its cost would be a means of attack, since anyone
 * who connects can have tokens checked. The salt keeps equal lines of two files from being seen.
 * requests and bytes are so many a second, then what may come at once (the same if left out);
 * connections are those open at a time. What is left out is not limited, and never expires.
 * Ownership: values. Errors: PROTO_BAD_CONFIG with the column; PROTO_NO_MEMORY where the library
 * of hashes says so. Threads: pure. Cost: one SHA-256 of a hundred bytes; comparing takes the same
 * time whatever differs. */
#ifndef AUTH_NAMED_TOKEN_H
#define AUTH_NAMED_TOKEN_H

#include <stdio.h>

#include "proto/fault.h"
#include "proto/span.h"
#include "server/auth/token_bucket.h"

#define AUTH_NAME_BYTES_MAX 32
#define AUTH_SALT_BYTES 16
#define AUTH_HASH_BYTES 32
#define AUTH_SECRET_BYTES 32
#define AUTH_LINE_BYTES_MAX 512
#define AUTH_CONNECTIONS_MAX 1000000
/* NAME, a dot, the secret in hex and the end. */
#define AUTH_TEXT_BYTES (AUTH_NAME_BYTES_MAX + 1 + 2 * AUTH_SECRET_BYTES + 1)

struct auth_token {
    char name[AUTH_NAME_BYTES_MAX + 1]; /* letters, digits, - and _ */
    enum proto_role role;               /* any but NONE */
    uint8_t salt[AUTH_SALT_BYTES];
    uint8_t hash[AUTH_HASH_BYTES];
    int64_t expires_s; /* since 1970; 0: never */
    struct auth_rate requests;
    struct auth_rate bytes; /* of payloads and their headers */
    uint32_t connections;   /* 0: no limit */
};

/* Takes one line apart, which is neither empty nor a comment. False: *column (from 1) is where the
 * fault lies, and its message says what would be right. No fault repeats what the line has behind
 * hash=. */
bool auth_token_parse(struct proto_span line, struct auth_token *token, size_t *column,
                      struct proto_fault *fault);
/* The line, with its end; parsing it gives the same. */
void auth_token_print(const struct auth_token *token, FILE *out);

bool auth_name_is_good(struct proto_span name);
bool auth_role_parse(struct proto_span text, enum proto_role *role);
/* "N" or "N/BURST", each with K, M or G (powers of 1024) behind it where `bytes`. */
bool auth_rate_parse(struct proto_span text, bool bytes, struct auth_rate *rate);
/* "2027-02-26T00:00:00Z" or "2027-02-26"; false if there is no such time. */
bool auth_time_parse(struct proto_span text, int64_t *time_s);
void auth_time_print(int64_t time_s, char out[24]);

/* Draws a secret and a salt for a token whose name is set, and sets its hash. The text is the only
 * trace of the secret: the caller shows it and wipes it. */
bool auth_token_draw(struct auth_token *token, char text[AUTH_TEXT_BYTES],
                     struct proto_fault *fault);
/* Whether the text is the token's: 1, 0, or -1 with *fault where that cannot be told. */
int auth_token_matches(const struct auth_token *token, struct proto_span text,
                       struct proto_fault *fault);

#endif
