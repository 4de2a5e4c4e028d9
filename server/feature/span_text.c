/* SPDX-License-Identifier: Apache-2.0 */
#include "server/feature/span_text.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/reader.h"

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Blanks beyond ASCII: one that does not break, a narrow, a thin and a wide one. */
static const char *const blanks[] = {"\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x89", "\xE3\x80\x80"};

/* What has no width and comes with text out of pages and tables: U+200B … U+200F, U+2060, U+FEFF.
 */
static const char *const unseen[] = {"\xE2\x80\x8B", "\xE2\x80\x8C", "\xE2\x80\x8D", "\xE2\x80\x8E",
                                     "\xE2\x80\x8F", "\xE2\x81\xA0", "\xEF\xBB\xBF"};

/* Bytes of the first of the texts that this one begins or ends with; 0: none. */
static size_t text_bytes(struct proto_span text, bool at_end, const char *const *texts,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t bytes = strlen(texts[i]);
        if (text.bytes >= bytes &&
            memcmp(text.data + (at_end ? text.bytes - bytes : 0), texts[i], bytes) == 0) {
            return bytes;
        }
    }
    return 0;
}

size_t feature_text_unseen(struct proto_span text)
{
    return text_bytes(text, false, unseen, sizeof unseen / sizeof *unseen);
}

/* Bytes of a blank that the text begins or ends with; 0: it does not. */
static size_t blank_bytes(struct proto_span text, bool at_end)
{
    if (text.bytes == 0) {
        return 0;
    }
    uint8_t byte = text.data[at_end ? text.bytes - 1 : 0];
    if (byte >= 0x80) {
        size_t bytes = text_bytes(text, at_end, blanks, sizeof blanks / sizeof *blanks);
        return bytes > 0 ? bytes : text_bytes(text, at_end, unseen, sizeof unseen / sizeof *unseen);
    }
    return is_blank(byte) ? 1 : 0;
}

struct proto_span feature_text_trim(struct proto_span text)
{
    size_t bytes;
    if (text.bytes > 0 && feature_text_is_trim(text)) {
        return text;
    }
    while ((bytes = blank_bytes(text, false)) > 0) {
        text.data += bytes;
        text.bytes -= bytes;
    }
    while ((bytes = blank_bytes(text, true)) > 0) {
        text.bytes -= bytes;
    }
    return text;
}

struct proto_span feature_text_part(struct proto_span *text, char sign)
{
    const uint8_t *at = text->bytes > 0 ? memchr(text->data, sign, text->bytes) : NULL;
    struct proto_span part = {text->data, at != NULL ? (size_t)(at - text->data) : text->bytes};
    size_t taken = part.bytes + (at != NULL);
    if (taken > 0) {
        *text = (struct proto_span){text->data + taken, text->bytes - taken};
    }
    return feature_text_trim(part);
}

size_t feature_group_sign(struct proto_span text, size_t at)
{
    static const char round_apostrophe[] = "\xE2\x80\x99";
    struct proto_span rest = {text.data + at, text.bytes - at};
    if (rest.bytes > 0 && (rest.data[0] == '\'' || rest.data[0] == ' ')) {
        return 1;
    }
    size_t apostrophe = strlen(round_apostrophe);
    bool round = rest.bytes >= apostrophe && memcmp(rest.data, round_apostrophe, apostrophe) == 0;
    return round                                    ? apostrophe
           : rest.bytes > 0 && rest.data[0] >= 0x80 ? blank_bytes(rest, false)
                                                    : 0;
}

bool feature_text_same(struct proto_span a, struct proto_span b)
{
    if (a.bytes != b.bytes) {
        return false;
    }
    for (size_t i = 0; i < a.bytes; i++) {
        if (feature_text_lower(a.data[i]) != feature_text_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

/* Bytes of the well-formed character at the start of the text, 0 if there is none. */
static size_t character_bytes(struct proto_span text)
{
    size_t most = text.bytes < 4 ? text.bytes : 4;
    for (size_t bytes = 1; bytes <= most; bytes++) {
        if (proto_utf8_valid((struct proto_span){text.data, bytes})) {
            return bytes;
        }
    }
    return 0;
}

const char *feature_text_show(struct proto_span text, char *out, size_t out_bytes)
{
    static const char more[] = "\xE2\x80\xA6";
    size_t used = 0;
    size_t at = 0;
    size_t cut = 0; /* where the ellipsis goes if the text does not fit */
    if (out_bytes < sizeof more) {
        if (out_bytes > 0) {
            out[0] = '\0';
        }
        return out;
    }
    while (at < text.bytes) {
        size_t bytes = character_bytes((struct proto_span){text.data + at, text.bytes - at});
        bool plain = bytes > 0 && text.data[at] >= 0x20 && text.data[at] != 0x7F;
        size_t writes = plain ? bytes : 1;
        if (used + writes >= out_bytes) {
            memcpy(out + cut, more, sizeof more);
            return out;
        }
        if (plain) {
            memcpy(out + used, text.data + at, bytes);
        } else {
            out[used] = '?';
        }
        used += writes;
        at += bytes > 0 ? bytes : 1;
        if (used + sizeof more <= out_bytes) {
            cut = used;
        }
    }
    out[used] = '\0';
    return out;
}

size_t feature_number_print(double number, char out[FEATURE_NUMBER_TEXT_BYTES])
{
    int bytes = 0;
    for (int digits = 15; digits <= 17; digits++) {
        double back = 0;
        bytes = snprintf(out, FEATURE_NUMBER_TEXT_BYTES, "%.*g", digits, number);
        /* Some locales write a comma; JSON, filters and people's files want the point. */
        for (int i = 0; i < bytes; i++) {
            if (out[i] == ',') {
                out[i] = '.';
            }
        }
        if (feature_number_read((struct proto_span){(const uint8_t *)out, (size_t)bytes}, &back) &&
            back == number) {
            break;
        }
    }
    return (size_t)bytes;
}

/* The parts of a decimal number as they are read. */
struct decimal {
    uint64_t mantissa; /* the first 19 significant digits */
    int exponent;      /* of ten, for the mantissa */
    bool exact;        /* no digit was dropped */
    bool negative;
};

/* A number needs no more digits than that: the longest exact decimal of a double has 1,074 places,
 * and what people write has fewer than fifty. */
#define NUMBER_BYTES_MAX 400

static bool digits_read(struct proto_span text, size_t *at, struct decimal *decimal)
{
    size_t digits = 0;
    bool point = false;
    for (; *at < text.bytes; (*at)++) {
        uint8_t byte = text.data[*at];
        if (byte == '.' && !point) {
            point = true;
            continue;
        }
        if (byte < '0' || byte > '9') {
            break;
        }
        digits++;
        if (decimal->mantissa < UINT64_C(1000000000000000000)) {
            decimal->mantissa = decimal->mantissa * 10 + (uint64_t)(byte - '0');
            decimal->exponent -= point;
        } else {
            decimal->exact = decimal->exact && byte == '0';
            decimal->exponent += !point;
        }
    }
    return digits > 0;
}

static bool exponent_read(struct proto_span text, size_t *at, struct decimal *decimal)
{
    size_t digits = 0;
    int exponent = 0;
    bool negative = false;
    (*at)++;
    if (*at < text.bytes && (text.data[*at] == '+' || text.data[*at] == '-')) {
        negative = text.data[(*at)++] == '-';
    }
    for (; *at < text.bytes && text.data[*at] >= '0' && text.data[*at] <= '9'; (*at)++) {
        digits++;
        if (exponent < 10000) {
            exponent = exponent * 10 + (text.data[*at] - '0');
        }
    }
    decimal->exponent += negative ? -exponent : exponent;
    return digits > 0;
}

/* The C library's conversion, for what the exact short cut does not cover. */
static bool number_read_slowly(struct proto_span text, double *number)
{
    char copy[NUMBER_BYTES_MAX + 1];
    char *end = NULL;
    memcpy(copy, text.data, text.bytes);
    copy[text.bytes] = '\0';
    /* glibc hands out its built-in "C" locale here: no allocation, nothing to free. */
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0) {
        return false;
    }
    *number = strtod_l(copy, &end, plain);
    freelocale(plain);
    return end == copy + text.bytes && isfinite(*number);
}

bool feature_number_read(struct proto_span text, double *number)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct decimal decimal = {.exact = true};
    size_t at = 0;
    if (text.bytes == 0 || text.bytes > NUMBER_BYTES_MAX) {
        return false;
    }
    if (text.data[0] == '+' || text.data[0] == '-') {
        decimal.negative = text.data[at++] == '-';
    }
    if (!digits_read(text, &at, &decimal)) {
        return false;
    }
    if (at < text.bytes && (text.data[at] == 'e' || text.data[at] == 'E') &&
        !exponent_read(text, &at, &decimal)) {
        return false;
    }
    if (at != text.bytes) {
        return false;
    }
    /* Both factors are exact doubles, so that one rounding gives the correct result (Clinger 1990).
     */
    if (decimal.exact && decimal.mantissa <= (UINT64_C(1) << 53) && decimal.exponent >= -22 &&
        decimal.exponent <= 22) {
        double value = (double)decimal.mantissa;
        value = decimal.exponent < 0 ? value / powers[-decimal.exponent]
                                     : value * powers[decimal.exponent];
        *number = decimal.negative ? -value : value;
        return true;
    }
    return number_read_slowly(text, number);
}

char *feature_text_copy(struct proto_span text)
{
    char *copy = malloc(text.bytes + 1);
    if (copy == NULL) {
        return NULL;
    }
    if (text.bytes > 0) {
        memcpy(copy, text.data, text.bytes);
    }
    copy[text.bytes] = '\0';
    return copy;
}

#define DISTANCE_BYTES_MAX 127

size_t feature_text_distance(struct proto_span a, struct proto_span b, size_t most)
{
    uint8_t rows[3][DISTANCE_BYTES_MAX + 1];
    size_t gap = a.bytes > b.bytes ? a.bytes - b.bytes : b.bytes - a.bytes;
    if (a.bytes > DISTANCE_BYTES_MAX || b.bytes > DISTANCE_BYTES_MAX || gap > most) {
        return most + 1;
    }
    for (size_t j = 0; j <= b.bytes; j++) {
        rows[0][j] = (uint8_t)j;
    }
    for (size_t i = 1; i <= a.bytes; i++) {
        uint8_t *row = rows[i % 3];
        const uint8_t *above = rows[(i + 2) % 3];
        const uint8_t *twice = rows[(i + 1) % 3];
        row[0] = (uint8_t)i;
        for (size_t j = 1; j <= b.bytes; j++) {
            uint8_t x = feature_text_lower(a.data[i - 1]);
            uint8_t y = feature_text_lower(b.data[j - 1]);
            uint8_t best = (uint8_t)(above[j - 1] + (x != y));
            if (above[j] + 1 < best) {
                best = (uint8_t)(above[j] + 1);
            }
            if (row[j - 1] + 1 < best) {
                best = (uint8_t)(row[j - 1] + 1);
            }
            if (i > 1 && j > 1 && x == feature_text_lower(b.data[j - 2]) &&
                y == feature_text_lower(a.data[i - 2]) && twice[j - 2] + 1 < best) {
                best = (uint8_t)(twice[j - 2] + 1);
            }
            row[j] = best;
        }
    }
    size_t distance = rows[a.bytes % 3][b.bytes];
    return distance > most ? most + 1 : distance;
}
