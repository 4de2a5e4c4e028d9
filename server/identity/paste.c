/* SPDX-License-Identifier: Apache-2.0 */
/* Code point by code point: kept, dropped, or put as a sign of ASCII. A text of plain ASCII is only
 * trimmed. */
#include "server/identity/paste.h"

struct stand_in {
    uint32_t first;
    uint32_t last;
    char sign; /* 0: dropped */
};

/* Sorted by code point. */
static const struct stand_in stand_ins[] = {
    {0x00A0, 0x00A0, ' '},  /* no-break space */
    {0x00AB, 0x00AB, '"'},  /* « */
    {0x00AD, 0x00AD, 0},    /* soft hyphen */
    {0x00BB, 0x00BB, '"'},  /* » */
    {0x034F, 0x034F, 0},    /* combining grapheme joiner */
    {0x061C, 0x061C, 0},    /* Arabic letter mark */
    {0x180E, 0x180E, 0},    /* Mongolian vowel separator */
    {0x2000, 0x200A, ' '},  /* spaces of a width */
    {0x200B, 0x200F, 0},    /* zero width, direction */
    {0x2018, 0x201F, '"'},  /* typographic quotes */
    {0x2026, 0x2026, '.'},  /* … */
    {0x2028, 0x2029, '\n'}, /* separators of lines and paragraphs */
    {0x202A, 0x202E, 0},    /* direction */
    {0x202F, 0x202F, ' '},  /* narrow no-break space */
    {0x2039, 0x203A, '"'},  /* ‹ › */
    {0x205F, 0x205F, ' '},  /* mathematical space */
    {0x2060, 0x206F, 0},    /* word joiner, isolates, deprecated marks */
    {0x3000, 0x3000, ' '},  /* ideographic space */
    {0x3002, 0x3002, '.'},  /* ideographic full stop */
    {0xFE00, 0xFE0F, 0},    /* variation selectors */
    {0xFEFF, 0xFEFF, 0},    /* byte-order mark */
    {0xFF0C, 0xFF0C, ','},  /* full-width comma */
    {0xFF0E, 0xFF0E, '.'},  /* full-width full stop */
    {0xFF1B, 0xFF1B, ';'},  /* full-width semicolon */
    {0xFF20, 0xFF20, '@'},  /* full-width at */
    {0xFF61, 0xFF61, '.'},  /* half-width ideographic full stop */
};

/* Bytes of the sequence at the start of the text, 1 for a byte that begins none; *point is 0 then.
 */
static size_t point_read(const uint8_t *data, size_t bytes, uint32_t *point)
{
    size_t length = data[0] >= 0xF0 ? 4 : data[0] >= 0xE0 ? 3 : data[0] >= 0xC0 ? 2 : 1;
    *point = 0;
    if (length == 1 || length > bytes) {
        return 1;
    }
    uint32_t value = data[0] & (0xFFU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((data[i] & 0xC0) != 0x80) {
            return 1;
        }
        value = value << 6 | (data[i] & 0x3FU);
    }
    *point = value;
    return length;
}

static const struct stand_in *stand_in_find(uint32_t point)
{
    for (size_t i = 0; i < sizeof stand_ins / sizeof stand_ins[0]; i++) {
        if (point >= stand_ins[i].first && point <= stand_ins[i].last) {
            return &stand_ins[i];
        }
    }
    return NULL;
}

static bool is_ascii(struct proto_span text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.data[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

static bool stands_around(uint8_t byte)
{
    return byte <= ' ' || (byte < 0x80 && strchr("\"'`,;<>()[]{}", byte) != NULL);
}

struct proto_span identity_paste_trim(struct proto_span text)
{
    while (text.bytes > 0 && stands_around(text.data[0])) {
        text.data++;
        text.bytes--;
    }
    while (text.bytes > 0 && stands_around(text.data[text.bytes - 1])) {
        text.bytes--;
    }
    return text;
}

struct proto_span identity_paste_plain(struct proto_span text, uint8_t *room)
{
    size_t used = 0;
    if (is_ascii(text)) {
        return identity_paste_trim(text);
    }
    for (size_t at = 0; at < text.bytes;) {
        uint32_t point = 0;
        size_t length = point_read(text.data + at, text.bytes - at, &point);
        const struct stand_in *found = stand_in_find(point);
        if (found == NULL) {
            memcpy(room + used, text.data + at, length);
            used += length;
        } else if (found->sign != 0) {
            room[used++] = (uint8_t)found->sign;
        }
        at += length;
    }
    return identity_paste_trim((struct proto_span){room, used});
}
