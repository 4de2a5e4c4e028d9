/* SPDX-License-Identifier: Apache-2.0 */
#include "server/capture/siphash.h"

static uint64_t read_le(const uint8_t *at, size_t bytes)
{
    uint64_t word = 0;
    for (size_t i = 0; i < bytes; i++) {
        word |= (uint64_t)at[i] << (8 * i);
    }
    return word;
}

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void rounds(uint64_t v[4], unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
}

uint64_t capture_siphash(const uint8_t key[CAPTURE_KEY_BYTES], struct proto_span bytes)
{
    uint64_t low = read_le(key, 8);
    uint64_t high = read_le(key + 8, 8);
    /* The constants are the paper's: "somepseudorandomlygeneratedbytes". */
    uint64_t v[4] = {low ^ UINT64_C(0x736f6d6570736575), high ^ UINT64_C(0x646f72616e646f6d),
                     low ^ UINT64_C(0x6c7967656e657261), high ^ UINT64_C(0x7465646279746573)};
    size_t whole = bytes.bytes / 8 * 8;
    for (size_t i = 0; i < whole; i += 8) {
        absorb(v, read_le(bytes.data + i, 8));
    }
    uint64_t last = (uint64_t)(bytes.bytes & 0xff) << 56;
    if (bytes.bytes > whole) {
        last |= read_le(bytes.data + whole, bytes.bytes - whole);
    }
    absorb(v, last);
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
