/* SPDX-License-Identifier: Apache-2.0 */
/* Each piece goes to the stream and into the sum. The first write that fails is remembered, and
 * nothing is written after it: whoever ends the text looks. */
#include "server/transfer/transfer_text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 40 };

static void put(struct transfer_text *text, const void *bytes, size_t count)
{
    if (text->failed != 0 || count == 0) {
        return;
    }
    if (fwrite(bytes, 1, count, text->file) != count) {
        text->failed = errno == 0 ? EIO : errno;
        return;
    }
    math_sha256_add(&text->sha, bytes, count);
    text->bytes += count;
}

void transfer_text_raw(struct transfer_text *text, const char *bytes)
{
    put(text, bytes, strlen(bytes));
}

static void escape(struct transfer_text *text, uint8_t byte)
{
    char coded[8];
    switch (byte) {
    case '"':
        transfer_text_raw(text, "\\\"");
        break;
    case '\\':
        transfer_text_raw(text, "\\\\");
        break;
    case '\n':
        transfer_text_raw(text, "\\n");
        break;
    case '\t':
        transfer_text_raw(text, "\\t");
        break;
    case '\r':
        transfer_text_raw(text, "\\r");
        break;
    default:
        snprintf(coded, sizeof coded, "\\u%04x", byte);
        transfer_text_raw(text, coded);
    }
}

void transfer_text_string(struct transfer_text *text, struct proto_span string)
{
    size_t from = 0;
    put(text, "\"", 1);
    for (size_t i = 0; i < string.bytes; i++) {
        uint8_t byte = string.data[i];
        if (byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7F) {
            put(text, string.data + from, i - from);
            escape(text, byte);
            from = i + 1;
        }
    }
    if (string.bytes > from) {
        put(text, string.data + from, string.bytes - from);
    }
    put(text, "\"", 1);
}

void transfer_text_int(struct transfer_text *text, int64_t number)
{
    char digits[NUMBER_BYTES];
    snprintf(digits, sizeof digits, "%" PRId64, number);
    transfer_text_raw(text, digits);
}

/* A zero below zero is no whole number to a reader of JSON, which would lose its sign. */
static void number_put(struct transfer_text *text, const char *digits, bool negative_zero)
{
    transfer_text_raw(text, negative_zero ? "-0.0" : digits);
}

void transfer_text_number(struct transfer_text *text, double number)
{
    char digits[NUMBER_BYTES];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number) {
            break;
        }
    }
    number_put(text, digits, number == 0 && signbit(number) != 0);
}

void transfer_text_float(struct transfer_text *text, float number)
{
    char digits[NUMBER_BYTES];
    for (int precision = 6; precision <= 9; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, (double)number);
        if (strtof(digits, NULL) == number) {
            break;
        }
    }
    number_put(text, digits, number == 0 && signbit(number) != 0);
}
