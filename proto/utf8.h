/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of UTF-8, for the check of strings (proto_utf8_valid of reader.h) and for texts that
 * must be cut. Ownership: borrows. Threads: pure. Source: RFC 3629, table of section 4. */
#ifndef PROTO_UTF8_H
#define PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the well-formed character at `at`, of which `bytes` are there (1 or more): 1 to 4, or 0
 * if it is not well formed: cut, overlong, a surrogate, or past U+10FFFF. */
size_t proto_utf8_step(const uint8_t *at, size_t bytes);

/* How many bytes of a text of `bytes` to keep, at most `most` and between two characters; what is
 * not well formed ends it. */
size_t proto_utf8_cut(const uint8_t *at, size_t bytes, size_t most);

/* Whether all bytes are ASCII. Most texts are, and short: a few loads that overlap tell, without a
 * loop over bytes. */
static inline bool proto_utf8_is_ascii(const uint8_t *at, size_t bytes)
{
    const uint64_t high_bits = 0x8080808080808080U;
    uint64_t word;
    if (bytes >= 8) {
        memcpy(&word, at + bytes - 8, sizeof(word));
        uint64_t bits = word;
        for (size_t i = 0; i + 8 < bytes; i += 8) {
            memcpy(&word, at + i, sizeof(word));
            bits |= word;
        }
        return (bits & high_bits) == 0;
    }
    if (bytes >= 4) {
        uint32_t first;
        uint32_t last;
        memcpy(&first, at, sizeof(first));
        memcpy(&last, at + bytes - 4, sizeof(last));
        return ((first | last) & (uint32_t)high_bits) == 0;
    }
    return bytes == 0 || ((at[0] | at[bytes / 2] | at[bytes - 1]) & 0x80) == 0;
}

#endif
