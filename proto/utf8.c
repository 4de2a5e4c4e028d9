/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/utf8.h"

#include "proto/reader.h"

static bool is_tail(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

size_t proto_utf8_step(const uint8_t *at, size_t bytes)
{
    uint8_t first = at[0];
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) { /* a stray tail, an overlong pair, or past U+10FFFF */
        return 0;
    }
    if (first < 0xe0) {
        return bytes >= 2 && is_tail(at[1]) ? 2 : 0;
    }
    /* The second byte alone tells overlong forms, surrogates and values past U+10FFFF. */
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    if (first == 0xe0) {
        low = 0xa0;
    } else if (first == 0xed) {
        high = 0x9f;
    } else if (first == 0xf0) {
        low = 0x90;
    } else if (first == 0xf4) {
        high = 0x8f;
    }
    if (bytes < 3 || at[1] < low || at[1] > high || !is_tail(at[2])) {
        return 0;
    }
    if (first < 0xf0) {
        return 3;
    }
    return bytes >= 4 && is_tail(at[3]) ? 4 : 0;
}

size_t proto_utf8_cut(const uint8_t *at, size_t bytes, size_t most)
{
    size_t kept = 0;
    while (kept < bytes) {
        size_t step = proto_utf8_step(at + kept, bytes - kept);
        if (step == 0 || kept + step > most) {
            break;
        }
        kept += step;
    }
    return kept;
}

bool proto_utf8_valid(struct proto_span text)
{
    if (proto_utf8_is_ascii(text.data, text.bytes)) {
        return true;
    }
    const uint8_t *at = text.data;
    size_t left = text.bytes;
    while (left > 0) {
        if (left >= 8 && proto_utf8_is_ascii(at, 8)) {
            at += 8;
            left -= 8;
            continue;
        }
        size_t step = proto_utf8_step(at, left);
        if (step == 0) {
            return false;
        }
        at += step;
        left -= step;
    }
    return true;
}
