/* SPDX-License-Identifier: Apache-2.0 */
/* UBJSON by tokens: big-endian numbers behind one-letter markers, texts and containers with their
 * lengths before them. Every length is checked against the bytes that are left before it is used.
 *
 *   U i I l L d D   numbers: u8, i8, i16, i32, i64, f32, f64      T F Z   true, false, null
 *   S length bytes   C byte                                      [ … ]   { length key value … }
 *   [ $ marker # length values   typed and counted                [ # length values   counted */
#include <assert.h>
#include <string.h>

#include "proto/reader.h"
#include "server/foreign/foreign_read.h"

static enum foreign_token fail(struct foreign_reader *reader, size_t at, const char *text)
{
    foreign_fail(reader, at, "%s", text);
    return FOREIGN_FAILED;
}

static size_t left(const struct foreign_reader *reader)
{
    return reader->bytes - reader->at;
}

/* Bytes of a number's value; 0: the marker is none of a number. */
static size_t number_bytes(uint8_t marker)
{
    static const char markers[] = "UiIlLdD";
    static const uint8_t sizes[] = {1, 1, 2, 4, 8, 4, 8};
    const char *found = marker != 0 ? strchr(markers, marker) : NULL;
    return found != NULL ? sizes[found - markers] : 0;
}

static double number_of(uint8_t marker, uint64_t bits)
{
    float narrow;
    double wide;
    uint32_t low = (uint32_t)bits;
    switch (marker) {
    case 'U':
        return (double)(uint8_t)bits;
    case 'i':
        return (double)(int8_t)(uint8_t)bits;
    case 'I':
        return (double)(int16_t)(uint16_t)bits;
    case 'l':
        return (double)(int32_t)low;
    case 'L':
        return (double)(int64_t)bits;
    case 'd':
        memcpy(&narrow, &low, sizeof narrow);
        return (double)narrow;
    default:
        memcpy(&wide, &bits, sizeof wide);
        return wide;
    }
}

static bool bits_take(struct foreign_reader *reader, uint8_t marker, uint64_t *bits)
{
    size_t bytes = number_bytes(marker);
    if (bytes == 0 || left(reader) < bytes) {
        return foreign_fail(reader, reader->at,
                            bytes == 0 ? "a number is wanted here"
                                       : "the file ends within a number");
    }
    *bits = 0;
    for (size_t i = 0; i < bytes; i++) {
        *bits = *bits << 8 | reader->data[reader->at++];
    }
    return true;
}

/* A length: a whole number of its own marker, not below zero. */
static bool length_take(struct foreign_reader *reader, uint64_t *length)
{
    size_t at = reader->at;
    uint8_t marker = left(reader) > 0 ? reader->data[reader->at++] : 0;
    uint64_t bits = 0;
    if (marker == 'd' || marker == 'D') {
        return foreign_fail(reader, at, "a length is a whole number");
    }
    if (!bits_take(reader, marker, &bits)) {
        return false;
    }
    double value = number_of(marker, bits);
    if (value < 0) {
        return foreign_fail(reader, at, "a length below zero");
    }
    *length = bits;
    return true;
}

static bool text_take(struct foreign_reader *reader)
{
    uint64_t bytes = 0;
    if (!length_take(reader, &bytes)) {
        return false;
    }
    if (bytes > left(reader)) {
        return foreign_fail(reader, reader->at, "a text longer than the bytes that are left");
    }
    const uint8_t *text = reader->data + reader->at;
    if (!proto_utf8_valid((struct proto_span){text, (size_t)bytes})) {
        return foreign_fail(reader, reader->at, "a text that is not UTF-8");
    }
    reader->text_cut = bytes > FOREIGN_TEXT_BYTES_MAX;
    reader->text_bytes = reader->text_cut ? 0 : (size_t)bytes;
    memcpy(reader->text, text, reader->text_bytes);
    reader->text[reader->text_bytes] = '\0';
    reader->at += (size_t)bytes;
    return true;
}

/* Behind [ or {: the type and count that some containers have. */
static enum foreign_token open_level(struct foreign_reader *reader, bool object)
{
    struct foreign_level level = {.object = object};
    if (reader->depth == FOREIGN_DEPTH_MAX) {
        foreign_fail(reader, reader->start, "more than %d levels deep", FOREIGN_DEPTH_MAX);
        return FOREIGN_FAILED;
    }
    if (left(reader) >= 2 && reader->data[reader->at] == '$') {
        level.typed = reader->data[reader->at + 1];
        reader->at += 2;
        if (number_bytes(level.typed) == 0) {
            return fail(reader, reader->at - 1, "a typed container is of numbers");
        }
        if (left(reader) == 0 || reader->data[reader->at] != '#') {
            return fail(reader, reader->at, "a typed container has a count");
        }
    }
    if (left(reader) > 0 && reader->data[reader->at] == '#') {
        reader->at++;
        level.counted = true;
        if (!length_take(reader, &level.left)) {
            return FOREIGN_FAILED;
        }
        size_t least = level.typed != 0 ? number_bytes(level.typed) : 1;
        assert(least > 0); /* a type without bytes was refused */
        if (level.left > left(reader) / least) {
            return fail(reader, reader->at, "a count larger than the bytes that are left");
        }
    }
    reader->levels[reader->depth++] = level;
    return object ? FOREIGN_OBJECT : FOREIGN_ARRAY;
}

static enum foreign_token value_take(struct foreign_reader *reader, uint8_t marker)
{
    uint64_t bits = 0;
    switch (marker) {
    case '{':
    case '[':
        return open_level(reader, marker == '{');
    case 'S':
        return text_take(reader) ? FOREIGN_TEXT : FOREIGN_FAILED;
    case 'T':
        return FOREIGN_TRUE;
    case 'F':
        return FOREIGN_FALSE;
    case 'Z':
        return FOREIGN_NULL;
    default:
        break;
    }
    if (number_bytes(marker) == 0) {
        return fail(reader, reader->start,
                    "a marker that UBJSON does not have, or XGBoost not use");
    }
    if (!bits_take(reader, marker, &bits)) {
        return FOREIGN_FAILED;
    }
    reader->number = number_of(marker, bits);
    return FOREIGN_NUMBER;
}

static enum foreign_token close_level(struct foreign_reader *reader)
{
    bool object = reader->levels[--reader->depth].object;
    return object ? FOREIGN_OBJECT_END : FOREIGN_ARRAY_END;
}

/* The marker of the next value, no-operations passed over. */
static bool marker_take(struct foreign_reader *reader, uint8_t *marker)
{
    do {
        reader->start = reader->at;
        if (left(reader) == 0) {
            return foreign_fail(reader, reader->at, "the file ends where a value is wanted");
        }
        *marker = reader->data[reader->at++];
    } while (*marker == 'N');
    return true;
}

/* The next of an object or array: its end, a key, or a value. */
static enum foreign_token within(struct foreign_reader *reader, struct foreign_level *level)
{
    uint8_t marker = level->typed;
    if (level->keyed) {
        level->keyed = false;
        return marker != 0 || marker_take(reader, &marker) ? value_take(reader, marker)
                                                           : FOREIGN_FAILED;
    }
    if (level->counted && level->left == 0) {
        return close_level(reader);
    }
    level->left -= level->counted;
    if (!level->counted) {
        if (left(reader) == 0) {
            return fail(reader, reader->at, "the file ends within a list or an object");
        }
        if (reader->data[reader->at] == (level->object ? '}' : ']')) {
            reader->at++;
            return close_level(reader);
        }
    }
    if (level->object) {
        level->keyed = true;
        return text_take(reader) ? FOREIGN_KEY : FOREIGN_FAILED;
    }
    if (marker == 0 && !marker_take(reader, &marker)) {
        return FOREIGN_FAILED;
    }
    return value_take(reader, marker);
}

enum foreign_token foreign_ubjson_next(struct foreign_reader *reader)
{
    uint8_t marker = 0;
    if (reader->depth > 0) {
        return within(reader, &reader->levels[reader->depth - 1]);
    }
    if (reader->done) {
        return left(reader) == 0
                   ? FOREIGN_END
                   : fail(reader, reader->at, "something stands behind the end of the model");
    }
    reader->done = true;
    return marker_take(reader, &marker) ? value_take(reader, marker) : FOREIGN_FAILED;
}
