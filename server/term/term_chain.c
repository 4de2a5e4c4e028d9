/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes are made of parts that follow one another, and printed and read as lower-case digits: one
 * hash has one form, so that texts can be compared in its place. */
#include "server/term/term_chain.h"

#include <stdio.h>

static struct term_hash hash_of(const uint8_t *first, const struct term_hash *before,
                                struct proto_span text)
{
    struct math_sha256 sha;
    struct term_hash hash;
    math_sha256_begin(&sha);
    if (first != NULL) {
        math_sha256_add(&sha, first, 1);
    }
    if (before != NULL) {
        math_sha256_add(&sha, before->bytes, sizeof before->bytes);
    }
    if (text.bytes > 0) {
        math_sha256_add(&sha, text.data, text.bytes);
    }
    math_sha256_end(&sha, hash.bytes);
    return hash;
}

struct term_hash term_chain_next(const struct term_hash *before, struct proto_span entry)
{
    static const uint8_t of_entry = 0;
    static const uint8_t of_link = 1;
    struct term_hash inner = hash_of(&of_entry, NULL, entry);
    return hash_of(&of_link, before, (struct proto_span){inner.bytes, sizeof inner.bytes});
}

struct term_hash term_hash_of(struct proto_span text)
{
    return hash_of(NULL, NULL, text);
}

bool term_hash_equal(const struct term_hash *a, const struct term_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void term_hex_print(const uint8_t *bytes, size_t count, char *out)
{
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
}

static int digit(uint8_t sign)
{
    return sign >= '0' && sign <= '9'   ? sign - '0'
           : sign >= 'a' && sign <= 'f' ? sign - 'a' + 10
                                        : -1;
}

bool term_hex_read(struct proto_span text, uint8_t *bytes, size_t count)
{
    if (text.bytes != 2 * count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        int high = digit(text.data[2 * i]);
        int low = digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}
