/* SPDX-License-Identifier: Apache-2.0 */
/* Each way is tried that the id's letters allow; what is read is held against the room of an id
 * before it is written there. */
#include "server/event/event_block_id.h"

enum {
    NUMBER = 240,
    UUID = 249,
    HEX = 250,
    LONG = 255,
    DIGITS_MOST = 18,
    UUID_BYTES = 16,
    UUID_TEXT_BYTES = 36,
};

/* Dashes of a UUID stand before these of its bytes. */
static bool dash_before(unsigned byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

static bool is_digit(uint8_t letter)
{
    return letter >= '0' && letter <= '9';
}

/* Bytes of an id before the digits that it ends with. */
static size_t stem_of(const uint8_t *id, size_t bytes)
{
    size_t least = bytes > DIGITS_MOST ? bytes - DIGITS_MOST : 0;
    while (bytes > least && is_digit(id[bytes - 1])) {
        bytes--;
    }
    return bytes;
}

static size_t shared_of(const struct event_block_last *last, struct proto_span id)
{
    size_t shared = 0;
    while (shared < id.bytes && shared < last->id_bytes && last->id[shared] == id.data[shared]) {
        shared++;
    }
    return shared;
}

static size_t text_put(uint8_t *out, size_t shared, struct proto_span id)
{
    size_t at = 0;
    size_t rest = id.bytes - shared;
    if (shared < 15 && rest < 16) {
        out[at++] = (uint8_t)(shared << 4 | rest);
    } else {
        out[at++] = LONG;
        out[at++] = (uint8_t)shared;
        out[at++] = (uint8_t)rest;
    }
    memcpy(out + at, id.data + shared, rest);
    return at + rest;
}

/* 0: the id is none of that way; so of the others. */
static size_t number_put(uint8_t *out, const struct event_block_last *last, size_t shared,
                         struct proto_span id)
{
    size_t stem = stem_of(last->id, last->id_bytes);
    uint64_t number = 0;
    size_t bytes = 1;
    if (shared < stem || id.bytes == stem || id.bytes - stem > DIGITS_MOST ||
        (id.data[stem] == '0' && id.bytes - stem > 1)) {
        return 0;
    }
    for (size_t i = stem; i < id.bytes; i++) {
        if (!is_digit(id.data[i])) {
            return 0;
        }
        number = number * 10 + (uint64_t)(id.data[i] - '0');
    }
    for (; number > UINT8_MAX; number >>= 8) {
        out[bytes++] = (uint8_t)number;
    }
    out[bytes++] = (uint8_t)number;
    out[0] = (uint8_t)(NUMBER + bytes - 1);
    return bytes;
}

/* The value of a hex digit in lower case; 16: it is none. */
static unsigned nibble_of(uint8_t letter)
{
    return is_digit(letter)                 ? (unsigned)(letter - '0')
           : letter >= 'a' && letter <= 'f' ? (unsigned)(letter - 'a') + 10
                                            : 16;
}

static bool byte_read(const uint8_t *digits, uint8_t *byte)
{
    unsigned high = nibble_of(digits[0]);
    unsigned low = nibble_of(digits[1]);
    *byte = (uint8_t)(high << 4 | low);
    return high < 16 && low < 16;
}

static size_t uuid_put(uint8_t *out, struct proto_span id)
{
    const uint8_t *at = id.data;
    if (id.bytes != UUID_TEXT_BYTES) {
        return 0;
    }
    out[0] = UUID;
    for (unsigned i = 0; i < UUID_BYTES; i++) {
        if (dash_before(i) && *at++ != '-') {
            return 0;
        }
        if (!byte_read(at, out + 1 + i)) {
            return 0;
        }
        at += 2;
    }
    return 1 + UUID_BYTES;
}

static size_t hex_put(uint8_t *out, size_t shared, struct proto_span id)
{
    if ((id.bytes - shared) % 2 != 0) {
        if (shared == 0) {
            return 0;
        }
        shared--;
    }
    size_t count = (id.bytes - shared) / 2;
    out[0] = HEX;
    out[1] = (uint8_t)shared;
    out[2] = (uint8_t)count;
    for (size_t i = 0; i < count; i++) {
        if (!byte_read(id.data + shared + 2 * i, out + 3 + i)) {
            return 0;
        }
    }
    return count == 0 ? 0 : 3 + count;
}

size_t event_block_id_put(uint8_t *out, bool packed, const struct event_block_last *last,
                          struct proto_span id)
{
    uint8_t other[EVENT_BLOCK_ID_BYTES_MAX];
    size_t shared = shared_of(last, id);
    size_t least = text_put(out, shared, id);
    for (unsigned way = 0; packed && way < 3; way++) {
        size_t bytes = way == 0   ? number_put(other, last, shared, id)
                       : way == 1 ? uuid_put(other, id)
                                  : hex_put(other, shared, id);
        if (bytes > 0 && bytes < least) {
            memcpy(out, other, bytes);
            least = bytes;
        }
    }
    return least;
}

static size_t text_get(const uint8_t *from, size_t left, struct event_block_last *last)
{
    size_t at = from[0] == LONG ? 3 : 1;
    if (left < at) {
        return 0;
    }
    size_t shared = at == 3 ? from[1] : from[0] >> 4;
    size_t rest = at == 3 ? from[2] : from[0] & 15;
    if (shared > last->id_bytes || shared + rest > EVENT_ID_BYTES_MAX || shared + rest == 0 ||
        rest > left - at) {
        return 0;
    }
    memcpy(last->id + shared, from + at, rest);
    last->id_bytes = (uint8_t)(shared + rest);
    return at + rest;
}

static size_t number_get(const uint8_t *from, size_t left, struct event_block_last *last)
{
    size_t bytes = from[0] - (size_t)NUMBER;
    size_t stem = stem_of(last->id, last->id_bytes);
    uint8_t digits[20];
    size_t first = sizeof digits;
    uint64_t number = 0;
    if (bytes == 0 || bytes > sizeof number || left < 1 + bytes) {
        return 0;
    }
    memcpy(&number, from + 1, bytes);
    do {
        digits[--first] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    size_t count = sizeof digits - first;
    if (count > DIGITS_MOST || stem + count > EVENT_ID_BYTES_MAX) {
        return 0;
    }
    memcpy(last->id + stem, digits + first, count);
    last->id_bytes = (uint8_t)(stem + count);
    return 1 + bytes;
}

static size_t digits_write(uint8_t *out, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    out[0] = (uint8_t)digits[byte >> 4];
    out[1] = (uint8_t)digits[byte & 15];
    return 2;
}

static size_t uuid_get(const uint8_t *from, size_t left, struct event_block_last *last)
{
    size_t at = 0;
    if (left < 1 + UUID_BYTES) {
        return 0;
    }
    for (unsigned i = 0; i < UUID_BYTES; i++) {
        if (dash_before(i)) {
            last->id[at++] = '-';
        }
        at += digits_write(last->id + at, from[1 + i]);
    }
    last->id_bytes = (uint8_t)at;
    return 1 + UUID_BYTES;
}

static size_t hex_get(const uint8_t *from, size_t left, struct event_block_last *last)
{
    size_t shared = left < 3 ? UINT8_MAX : from[1];
    size_t count = left < 3 ? 0 : from[2];
    if (count == 0 || shared > last->id_bytes || shared + 2 * count > EVENT_ID_BYTES_MAX ||
        count > left - 3) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        (void)digits_write(last->id + shared + 2 * i, from[3 + i]);
    }
    last->id_bytes = (uint8_t)(shared + 2 * count);
    return 3 + count;
}

size_t event_block_id_get(const uint8_t *from, size_t left, bool packed,
                          struct event_block_last *last)
{
    if (left == 0 || (from[0] >= NUMBER && from[0] != LONG && !packed)) {
        return 0;
    }
    switch (from[0]) {
    case UUID:
        return uuid_get(from, left, last);
    case HEX:
        return hex_get(from, left, last);
    default:
        return from[0] >= NUMBER && from[0] < UUID ? number_get(from, left, last)
               : from[0] > HEX && from[0] < LONG   ? 0
                                                   : text_get(from, left, last);
    }
}
