/* SPDX-License-Identifier: Apache-2.0 */
/* A tree is worked out from its leaves each time: a list has 10,000 at most. The way up from a leaf
 * is walked by the bits of its place and of the last place, as RFC 9162 has it, and a path that is
 * longer or shorter than the tree is high proves nothing. */
#include "server/term/term_tree.h"

#include <assert.h>

struct term_hash term_tree_leaf(struct proto_span text)
{
    static const uint8_t first = 0;
    struct math_sha256 sha;
    struct term_hash hash;
    math_sha256_begin(&sha);
    math_sha256_add(&sha, &first, 1);
    if (text.bytes > 0) {
        math_sha256_add(&sha, text.data, text.bytes);
    }
    math_sha256_end(&sha, hash.bytes);
    return hash;
}

static struct term_hash node(const struct term_hash *left, const struct term_hash *right)
{
    static const uint8_t first = 1;
    struct math_sha256 sha;
    struct term_hash hash;
    math_sha256_begin(&sha);
    math_sha256_add(&sha, &first, 1);
    math_sha256_add(&sha, left->bytes, sizeof left->bytes);
    math_sha256_add(&sha, right->bytes, sizeof right->bytes);
    math_sha256_end(&sha, hash.bytes);
    return hash;
}

/* The largest power of two below count, which is 2 or more. */
static size_t left_count(size_t count)
{
    size_t left = 1;
    while (2 * left < count) {
        left *= 2;
    }
    return left;
}

struct term_hash term_tree_root(const struct term_hash *leaves, size_t count)
{
    if (count == 0) {
        return term_hash_of((struct proto_span){NULL, 0});
    }
    if (count == 1) {
        return leaves[0];
    }
    size_t left = left_count(count);
    struct term_hash a = term_tree_root(leaves, left);
    struct term_hash b = term_tree_root(leaves + left, count - left);
    return node(&a, &b);
}

void term_tree_prove(const struct term_hash *leaves, size_t count, size_t index,
                     struct term_proof *proof)
{
    struct term_hash down[TERM_PROOF_MAX];
    size_t levels = 0;
    assert(index < count);
    *proof = (struct term_proof){.index = index, .leaves = count};
    while (count > 1) {
        size_t left = left_count(count);
        assert(levels < TERM_PROOF_MAX);
        if (index < left) {
            down[levels++] = term_tree_root(leaves + left, count - left);
            count = left;
        } else {
            down[levels++] = term_tree_root(leaves, left);
            leaves += left;
            index -= left;
            count -= left;
        }
    }
    for (size_t i = 0; i < levels; i++) {
        proof->path[i] = down[levels - 1 - i];
    }
    proof->count = levels;
}

bool term_tree_check(const struct term_hash *leaf, const struct term_proof *proof,
                     const struct term_hash *root)
{
    struct term_hash hash = *leaf;
    if (proof->index >= proof->leaves || proof->count > TERM_PROOF_MAX) {
        return false;
    }
    size_t at = proof->index;
    size_t last = proof->leaves - 1;
    for (size_t i = 0; i < proof->count; i++) {
        if (last == 0) {
            return false;
        }
        if ((at & 1) != 0 || at == last) {
            hash = node(&proof->path[i], &hash);
            while ((at & 1) == 0 && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, &proof->path[i]);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && term_hash_equal(&hash, root);
}
