/* SPDX-License-Identifier: Apache-2.0 */
/* JSON by tokens. The grammar is held strictly but for NaN and Infinity; texts must be UTF-8. */
#include <math.h>
#include <string.h>

#include "proto/reader.h"
#include "server/feature/span_text.h"
#include "server/foreign/foreign_read.h"

static enum foreign_token fail(struct foreign_reader *reader, size_t at, const char *text)
{
    foreign_fail(reader, at, "%s", text);
    return FOREIGN_FAILED;
}

static void blanks_pass(struct foreign_reader *reader)
{
    while (reader->at < reader->bytes && memchr(" \t\r\n", reader->data[reader->at], 4) != NULL) {
        reader->at++;
    }
}

static bool byte_take(struct foreign_reader *reader, uint8_t byte)
{
    if (reader->at < reader->bytes && reader->data[reader->at] == byte) {
        reader->at++;
        return true;
    }
    return false;
}

static void text_put(struct foreign_reader *reader, const uint8_t *bytes, size_t count)
{
    if (reader->text_bytes + count > FOREIGN_TEXT_BYTES_MAX) {
        reader->text_cut = true;
    } else {
        memcpy(reader->text + reader->text_bytes, bytes, count);
        reader->text_bytes += count;
    }
}

static int hex_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
           : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                        : -1;
}

/* Four digits behind \u; −1 if they are not there. */
static long unit_take(struct foreign_reader *reader)
{
    long unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = reader->at < reader->bytes ? hex_digit(reader->data[reader->at]) : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
        reader->at++;
    }
    return unit;
}

static void point_put(struct foreign_reader *reader, uint32_t point)
{
    uint8_t bytes[4];
    size_t count = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    for (size_t i = count; i-- > 1;) {
        bytes[i] = (uint8_t)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    bytes[0] = (uint8_t)(leads[count] | point);
    text_put(reader, bytes, count);
}

/* Behind \u: one unit, or a pair of surrogates. */
static bool unicode_take(struct foreign_reader *reader)
{
    long unit = unit_take(reader);
    if (unit >= 0xd800 && unit < 0xdc00) {
        long low = byte_take(reader, '\\') && byte_take(reader, 'u') ? unit_take(reader) : -1;
        if (low < 0xdc00 || low > 0xdfff) {
            return false;
        }
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    } else if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff)) {
        return false; /* not a number, half a pair, or a zero within a text */
    }
    point_put(reader, (uint32_t)unit);
    return true;
}

static bool escape_take(struct foreign_reader *reader)
{
    static const char from[] = "\"\\/bfnrt";
    static const uint8_t to[] = "\"\\/\b\f\n\r\t";
    uint8_t byte = reader->at < reader->bytes ? reader->data[reader->at++] : 0;
    const char *found = byte != 0 ? strchr(from, byte) : NULL;
    if (found != NULL) {
        text_put(reader, &to[found - from], 1);
        return true;
    }
    return byte == 'u' && unicode_take(reader);
}

/* Behind the opening quote. */
static bool text_take(struct foreign_reader *reader)
{
    reader->text_bytes = 0;
    reader->text_cut = false;
    for (;;) {
        size_t from = reader->at;
        while (reader->at < reader->bytes && reader->data[reader->at] != '"' &&
               reader->data[reader->at] != '\\' && reader->data[reader->at] >= 0x20) {
            reader->at++;
        }
        if (!proto_utf8_valid((struct proto_span){reader->data + from, reader->at - from})) {
            return foreign_fail(reader, from, "a text that is not UTF-8");
        }
        text_put(reader, reader->data + from, reader->at - from);
        if (byte_take(reader, '"')) {
            reader->text[reader->text_bytes] = '\0';
            return true;
        }
        size_t escape = reader->at;
        if (!byte_take(reader, '\\')) {
            return foreign_fail(reader, reader->at,
                                reader->at < reader->bytes ? "a control character within a text"
                                                           : "the file ends within a text");
        }
        if (!escape_take(reader)) {
            return foreign_fail(reader, escape, "an escape that JSON does not have");
        }
    }
}

static bool word_take(struct foreign_reader *reader, const char *word)
{
    size_t bytes = strlen(word);
    if (reader->bytes - reader->at < bytes || memcmp(reader->data + reader->at, word, bytes) != 0) {
        return false;
    }
    reader->at += bytes;
    return true;
}

static enum foreign_token number_take(struct foreign_reader *reader)
{
    size_t from = reader->at;
    bool negative = byte_take(reader, '-');
    if (word_take(reader, "Infinity") || word_take(reader, "inf")) {
        reader->number = negative ? -(double)INFINITY : (double)INFINITY;
        return FOREIGN_NUMBER;
    }
    while (reader->at < reader->bytes && reader->data[reader->at] != 0 &&
           strchr("+-.eE0123456789", reader->data[reader->at]) != NULL) {
        reader->at++;
    }
    struct proto_span text = {reader->data + from, reader->at - from};
    bool leading_zero = text.bytes > 1U + negative && text.data[negative] == '0' &&
                        text.data[1 + negative] >= '0' && text.data[1 + negative] <= '9';
    if (leading_zero || text.bytes == 0 || text.data[0] == '+' ||
        !feature_number_read(text, &reader->number)) {
        return fail(reader, from, "a value that JSON does not have");
    }
    return FOREIGN_NUMBER;
}

static enum foreign_token open_level(struct foreign_reader *reader, bool object)
{
    if (reader->depth == FOREIGN_DEPTH_MAX) {
        foreign_fail(reader, reader->start, "more than %d levels deep", FOREIGN_DEPTH_MAX);
        return FOREIGN_FAILED;
    }
    reader->levels[reader->depth++] = (struct foreign_level){.object = object};
    return object ? FOREIGN_OBJECT : FOREIGN_ARRAY;
}

static enum foreign_token value_take(struct foreign_reader *reader)
{
    if (reader->at == reader->bytes) {
        return fail(reader, reader->at, "the file ends where a value is wanted");
    }
    switch (reader->data[reader->at]) {
    case '{':
    case '[':
        reader->at++;
        return open_level(reader, reader->data[reader->start] == '{');
    case '"':
        reader->at++;
        return text_take(reader) ? FOREIGN_TEXT : FOREIGN_FAILED;
    default:
        break;
    }
    if (word_take(reader, "true")) {
        return FOREIGN_TRUE;
    }
    if (word_take(reader, "false")) {
        return FOREIGN_FALSE;
    }
    if (word_take(reader, "null")) {
        return FOREIGN_NULL;
    }
    if (word_take(reader, "NaN") || word_take(reader, "nan")) {
        reader->number = (double)NAN;
        return FOREIGN_NUMBER;
    }
    return number_take(reader);
}

/* What comes first of a member: the key and its colon. */
static enum foreign_token key_take(struct foreign_reader *reader)
{
    if (!byte_take(reader, '"')) {
        return fail(reader, reader->at, "the name of a member is wanted here, in quotes");
    }
    if (!text_take(reader)) {
        return FOREIGN_FAILED;
    }
    blanks_pass(reader);
    if (!byte_take(reader, ':')) {
        return fail(reader, reader->at, "a colon is wanted behind the name of a member");
    }
    return FOREIGN_KEY;
}

enum foreign_token foreign_json_next(struct foreign_reader *reader)
{
    blanks_pass(reader);
    reader->start = reader->at;
    if (reader->depth == 0) {
        if (reader->done) {
            return reader->at == reader->bytes
                       ? FOREIGN_END
                       : fail(reader, reader->at, "something stands behind the end of the model");
        }
        reader->done = true;
        return value_take(reader);
    }
    struct foreign_level *level = &reader->levels[reader->depth - 1];
    if (level->keyed) {
        level->keyed = false;
        return value_take(reader);
    }
    if (byte_take(reader, level->object ? '}' : ']')) {
        reader->depth--;
        return level->object ? FOREIGN_OBJECT_END : FOREIGN_ARRAY_END;
    }
    if (level->any && !byte_take(reader, ',')) {
        return fail(reader, reader->at,
                    level->object ? "a comma or } is wanted here" : "a comma or ] is wanted here");
    }
    level->any = true;
    blanks_pass(reader);
    reader->start = reader->at;
    if (!level->object) {
        return value_take(reader);
    }
    level->keyed = true;
    return key_take(reader);
}
