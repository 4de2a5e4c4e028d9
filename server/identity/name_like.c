/* SPDX-License-Identifier: Apache-2.0 */
/* Both words become arrays of letters; each letter of one looks for the nearest free equal one in
 * its window of the other; then those that found one are compared in order. */
#include "server/identity/name_like.h"

#include <string.h>

#include "proto/utf8.h"

#define PREFIX_MAX 4
#define PREFIX_WEIGHT 0.1

static size_t letters_of(struct proto_span text, uint32_t letters[IDENTITY_LIKE_LETTERS])
{
    size_t count = 0;
    for (size_t at = 0; at < text.bytes && count < IDENTITY_LIKE_LETTERS;) {
        size_t step = proto_utf8_step(text.data + at, text.bytes - at);
        uint32_t code = text.data[at];
        for (size_t i = 1; i < step; i++) {
            code = code << 8 | text.data[at + i]; /* any number that no other letter has */
        }
        letters[count++] = code;
        at += step == 0 ? 1 : step;
    }
    return count;
}

static double jaro(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
    bool a_found[IDENTITY_LIKE_LETTERS];
    bool b_found[IDENTITY_LIKE_LETTERS];
    size_t longer = a_count > b_count ? a_count : b_count;
    size_t window = longer / 2 > 0 ? longer / 2 - 1 : 0;
    size_t common = 0;
    memset(a_found, 0, a_count * sizeof *a_found);
    memset(b_found, 0, b_count * sizeof *b_found);
    for (size_t i = 0; i < a_count; i++) {
        size_t from = i > window ? i - window : 0;
        size_t end = i + window + 1 < b_count ? i + window + 1 : b_count;
        for (size_t j = from; j < end; j++) {
            if (!b_found[j] && a[i] == b[j]) {
                a_found[i] = true;
                b_found[j] = true;
                common++;
                break;
            }
        }
    }
    if (common == 0) {
        return a_count == 0 && b_count == 0 ? 1 : 0;
    }
    size_t out_of_order = 0;
    for (size_t i = 0, j = 0; i < a_count; i++) {
        if (a_found[i]) {
            while (!b_found[j]) {
                j++;
            }
            out_of_order += a[i] != b[j++];
        }
    }
    double m = (double)common;
    return (m / (double)a_count + m / (double)b_count + (m - (double)out_of_order / 2) / m) / 3;
}

double identity_jaro(struct proto_span a, struct proto_span b)
{
    uint32_t a_letters[IDENTITY_LIKE_LETTERS];
    uint32_t b_letters[IDENTITY_LIKE_LETTERS];
    size_t a_count = letters_of(a, a_letters);
    size_t b_count = letters_of(b, b_letters);
    return jaro(a_letters, a_count, b_letters, b_count);
}

double identity_jaro_winkler(struct proto_span a, struct proto_span b)
{
    uint32_t a_letters[IDENTITY_LIKE_LETTERS];
    uint32_t b_letters[IDENTITY_LIKE_LETTERS];
    size_t a_count = letters_of(a, a_letters);
    size_t b_count = letters_of(b, b_letters);
    double plain = jaro(a_letters, a_count, b_letters, b_count);
    size_t same = 0;
    while (same < PREFIX_MAX && same < a_count && same < b_count &&
           a_letters[same] == b_letters[same]) {
        same++;
    }
    return plain + (double)same * PREFIX_WEIGHT * (1 - plain);
}
