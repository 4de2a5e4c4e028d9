/* SPDX-License-Identifier: Apache-2.0 */
/* A list as a tree of hashes: its root stands for all of it, and that one account is on it is shown
 * by that account and one hash for each level, 14 for a list of 10,000, without the others.
 *
 *     leaf  SHA-256(0x00 || text)      node  SHA-256(0x01 || left || right)
 *     of n leaves the first 2^k, the largest power of two below n, are on the left
 *
 * Ownership: arrays are the caller's. Errors: none; a proof that does not fit is false. Threads:
 * pure. Cost: two blocks of SHA-256 for each leaf. Source: RFC 6962, 2.1; RFC 9162, 2.1.3. */
#ifndef TERM_TERM_TREE_H
#define TERM_TERM_TREE_H

#include "server/term/term_chain.h"

/* Levels of a tree of 2^32 leaves. */
#define TERM_PROOF_MAX 32

struct term_proof {
    size_t index, leaves; /* the leaf, from 0, of so many */
    size_t count;
    struct term_hash path[TERM_PROOF_MAX]; /* from the leaf up */
};

struct term_hash term_tree_leaf(struct proto_span text);
/* Of no leaves: SHA-256 of nothing. */
struct term_hash term_tree_root(const struct term_hash *leaves, size_t count);
/* index < count <= 2^TERM_PROOF_MAX. */
void term_tree_prove(const struct term_hash *leaves, size_t count, size_t index,
                     struct term_proof *proof);
bool term_tree_check(const struct term_hash *leaf, const struct term_proof *proof,
                     const struct term_hash *root);

#endif
