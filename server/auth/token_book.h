/* SPDX-License-Identifier: Apache-2.0 */
/* The named tokens that are in force, and what those who showed them have used of their limits.
 *
 * A grant is one token in use: a connection that showed it keeps one, until it closes. Reading the
 * file anew keeps the grants of tokens that are still there (same name, role and hash) with what
 * they owe, under the limits and the expiry that the file has now; the others stand no longer, and
 * whoever has such a grant looks at auth_grant_stands and ends.
 *
 * Ownership: grants are counted; the book has one reference of each that is in force, each entering
 * another. Errors: PROTO_BAD_TOKEN, PROTO_BUSY where the token has as many connections as it may,
 * PROTO_NO_MEMORY. Threads: any; names and roles never change, the rest is atomic or behind the
 * book's lock. Cost: entering, one hash and a walk of at most AUTH_TOKENS_MAX names under the lock;
 * admitting, two exchanges of a word, nothing where the token has no rates. Times: ms are of the
 * wall clock, ns of a monotonic one. */
#ifndef AUTH_TOKEN_BOOK_H
#define AUTH_TOKEN_BOOK_H

#include "server/auth/token_file.h"

struct auth_book;
struct auth_grant;

/* The tokens of a file, which is read anew by auth_book_reload. */
struct auth_book *auth_book_create(const char *path, struct proto_fault *fault);
void auth_book_destroy(struct auth_book *book); /* grants that are held live on; NULL is fine */

/* What reading anew has changed; names go to on_end, one call for each that stands no longer. */
struct auth_change {
    size_t kept, added, ended;
    void (*on_end)(void *context, const char *name);
    void *context;
};
/* False with *fault: the file cannot be used, and all stays as it was. */
bool auth_book_reload(struct auth_book *book, struct auth_change *change,
                      struct proto_fault *fault);

/* The grant of the token that was shown, which counts as one connection more of it; to be given
 * back with auth_grant_leave. NULL with *fault. */
struct auth_grant *auth_book_enter(struct auth_book *book, struct proto_span text, int64_t now_ms,
                                   struct proto_fault *fault);
/* Its role alone, for who asks once; NONE where it is not known. */
enum proto_role auth_book_role(struct auth_book *book, struct proto_span text, int64_t now_ms);
/* How many tokens are in force, expired ones among them. */
size_t auth_book_count(struct auth_book *book);

void auth_grant_leave(struct auth_grant *grant); /* NULL is fine */
const char *auth_grant_name(const struct auth_grant *grant);
enum proto_role auth_grant_role(const struct auth_grant *grant);
/* False with *fault DENIED, why: it was taken away, or its time is over. */
bool auth_grant_stands(const struct auth_grant *grant, int64_t now_ms, struct proto_fault *fault);
/* Takes one request of so many bytes from the token's rates; false, *wait_ns: in how long. */
bool auth_grant_admit(struct auth_grant *grant, uint64_t bytes, uint64_t now_ns, uint64_t *wait_ns);

#endif
