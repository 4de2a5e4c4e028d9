/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes are looked at once for their encoding; then the first rows are cut by each sign that
 * might separate, and the sign wins that makes a table of them. */
#include "tools/cli/csv/csv_dialect.h"

#include <stdlib.h>
#include <strings.h>

#include "proto/utf8.h"

#define ROWS_LOOKED_AT 100
#define BYTES_LOOKED_AT ((size_t)1 << 20)

/* Windows-1252 between 0x80 and 0x9f; 0: no character. Beyond, and below, it is Latin-1. */
static const uint16_t windows_1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

static size_t utf8_put(uint32_t character, uint8_t *out)
{
    if (character < 0x80) {
        out[0] = (uint8_t)character;
        return 1;
    }
    if (character < 0x800) {
        out[0] = (uint8_t)(0xc0 | character >> 6);
        out[1] = (uint8_t)(0x80 | (character & 0x3f));
        return 2;
    }
    if (character < 0x10000) {
        out[0] = (uint8_t)(0xe0 | character >> 12);
        out[1] = (uint8_t)(0x80 | (character >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (character & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | character >> 18);
    out[1] = (uint8_t)(0x80 | (character >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (character >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (character & 0x3f));
    return 4;
}

static bool utf16_mark(struct proto_span bytes)
{
    return bytes.bytes >= 2 && ((bytes.data[0] == 0xff && bytes.data[1] == 0xfe) ||
                                (bytes.data[0] == 0xfe && bytes.data[1] == 0xff));
}

/* Whether the first byte of a pair is its lower half: by the mark, or by the zeros that the letters
 * of this part of the world have in their upper half. */
static bool utf16_little(struct proto_span bytes, bool *sure)
{
    size_t looked_at = bytes.bytes < 4096 ? bytes.bytes / 2 : 2048; /* pairs */
    size_t first = 0;
    size_t second = 0;
    for (size_t i = 0; i < looked_at; i++) {
        first += bytes.data[2 * i] == 0;
        second += bytes.data[2 * i + 1] == 0;
    }
    bool marked = utf16_mark(bytes);
    *sure = marked || (bytes.bytes % 2 == 0 && looked_at > 0 && (first == 0) != (second == 0) &&
                       (first + second) * 2 > looked_at);
    return marked ? bytes.data[0] == 0xff : first == 0 || second > 0;
}

static enum csv_encoding encoding_find(struct proto_span bytes)
{
    bool foreign = false;
    bool sure;
    (void)utf16_little(bytes, &sure);
    if (sure) {
        return CSV_ENCODING_UTF16;
    }
    for (size_t at = 0; at < bytes.bytes;) {
        size_t step = proto_utf8_step(bytes.data + at, bytes.bytes - at);
        if (step > 1) {
            return CSV_ENCODING_UTF8; /* chance does not make one */
        }
        uint8_t byte = bytes.data[at];
        if (step == 0 && (byte < 0x80 || (byte < 0xa0 && windows_1252[byte - 0x80] == 0))) {
            return CSV_ENCODING_UTF8; /* no character of the other either: told where it stands */
        }
        foreign |= step == 0;
        at += step > 0 ? step : 1;
    }
    return foreign ? CSV_ENCODING_LATIN1 : CSV_ENCODING_UTF8;
}

static size_t latin1_convert(struct proto_span bytes, uint8_t *out)
{
    size_t used = 0;
    for (size_t i = 0; i < bytes.bytes; i++) {
        uint8_t byte = bytes.data[i];
        uint32_t character = byte;
        if (byte >= 0x80 && byte < 0xa0) {
            character = windows_1252[byte - 0x80] != 0 ? windows_1252[byte - 0x80] : 0xfffd;
        }
        used += utf8_put(character, out + used);
    }
    return used;
}

static uint32_t unit_at(struct proto_span bytes, size_t at, bool little)
{
    uint32_t low = bytes.data[at + (little ? 0 : 1)];
    uint32_t high = bytes.data[at + (little ? 1 : 0)];
    return high << 8 | low;
}

/* SIZE_MAX: half a character at *where. */
static size_t utf16_convert(struct proto_span bytes, uint8_t *out, size_t *where)
{
    bool sure;
    bool little = utf16_little(bytes, &sure);
    size_t used = 0;
    for (size_t at = utf16_mark(bytes) ? 2 : 0; at < bytes.bytes; at += 2) {
        *where = at;
        if (at + 2 > bytes.bytes) {
            return SIZE_MAX;
        }
        uint32_t character = unit_at(bytes, at, little);
        if (character >= 0xd800 && character < 0xdc00 && at + 4 <= bytes.bytes) {
            uint32_t second = unit_at(bytes, at + 2, little);
            if (second >= 0xdc00 && second < 0xe000) {
                character = 0x10000 + ((character - 0xd800) << 10) + (second - 0xdc00);
                at += 2;
            }
        }
        if (character >= 0xd800 && character < 0xe000) {
            return SIZE_MAX;
        }
        used += utf8_put(character, out + used);
    }
    return used;
}

bool csv_decode(struct proto_span bytes, enum csv_encoding told, const char *name,
                uint8_t **converted, size_t *converted_bytes, enum csv_encoding *found,
                struct proto_fault *fault)
{
    size_t where = 0;
    *converted = NULL;
    *found = told != CSV_ENCODING_ANY ? told : encoding_find(bytes);
    if (*found == CSV_ENCODING_UTF8) {
        return true;
    }
    /* Each byte of Latin-1 becomes three at most, each two of UTF-16 as well. */
    uint8_t *out = malloc(bytes.bytes * 3 + 4);
    if (out == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, name, "no memory to read %s", name);
    }
    *converted_bytes = *found == CSV_ENCODING_LATIN1 ? latin1_convert(bytes, out)
                                                     : utf16_convert(bytes, out, &where);
    if (*converted_bytes != SIZE_MAX) {
        *converted = out;
        return true;
    }
    free(out);
    return proto_fault_set(fault, PROTO_BAD_PAYLOAD, name,
                           "%s is not UTF-16: byte %zu is no whole character; --encoding names "
                           "another",
                           name, where + 1);
}

/* What files begin with that are no CSV, and what their owner may do. */
static const struct {
    const char *begins;
    const char *what;
} kinds[] = {
    {"PK\x03\x04",
     "is a workbook (or another ZIP file): save the sheet as CSV UTF-8, or unpack it"},
    {"\xD0\xCF\x11\xE0", "is a workbook of an old Excel: save the sheet as CSV UTF-8"},
    {"\x1F\x8B", "is compressed: gunzip it, or 'gunzip -c FILE | icp … -'"},
    {"\x28\xB5\x2F\xFD", "is compressed: unzstd it, or 'zstdcat FILE | icp … -'"},
    {"BZh", "is compressed: bunzip2 it, or 'bzcat FILE | icp … -'"},
    {"PAR1", "is a Parquet file: write its table as CSV"},
    {"SQLite format 3", "is a database of SQLite: write the table as CSV"},
    {"%PDF-", "is a PDF: tables are read from CSV"},
    {"<!DOCTYPE", "is a web page, such as that of a log-in that stood before the download"},
    {"<html", "is a web page, such as that of a log-in that stood before the download"},
    {"<?xml", "is XML: save the sheet as CSV UTF-8"},
};

/* An object, or an array of them. */
static bool is_json(struct proto_span bytes)
{
    uint8_t first = 0;
    for (size_t i = 0; i < bytes.bytes; i++) {
        uint8_t byte = bytes.data[i];
        if (memchr(" \t\r\n", byte, 4) != NULL) {
            continue;
        }
        if (first != 0 || (byte != '{' && byte != '[')) {
            return (first == '{' && byte == '"') || (first == '[' && byte == '{');
        }
        first = byte;
    }
    return false;
}

bool csv_kind_check(struct proto_span bytes, const char *name, struct proto_fault *fault)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = strlen(kinds[i].begins);
        if (bytes.bytes >= length &&
            strncasecmp((const char *)bytes.data, kinds[i].begins, length) == 0) {
            return proto_fault_set(fault, PROTO_BAD_PAYLOAD, name, "%s %s", name, kinds[i].what);
        }
    }
    return !is_json(bytes) || proto_fault_set(fault, PROTO_BAD_PAYLOAD, name,
                                              "%s is JSON: a table is read from CSV", name);
}

/* Cells of the row at *at by a separator; *at moves behind the row. */
static size_t cells_count(struct proto_span text, char separator, size_t *at)
{
    size_t cells = 1;
    bool open = false;
    size_t i = *at;
    for (; i < text.bytes; i++) {
        uint8_t byte = text.data[i];
        open ^= byte == '"';
        cells += !open && byte == (uint8_t)separator;
        if (!open && (byte == '\n' || byte == '\r')) {
            break;
        }
    }
    while (i < text.bytes && (text.data[i] == '\n' || text.data[i] == '\r')) {
        i++;
    }
    *at = i;
    return cells;
}

char csv_separator_find(struct proto_span text)
{
    static const char signs[] = ",;\t|";
    char best = ',';
    double best_share = 0;
    size_t best_cells = 1;
    if (text.bytes > BYTES_LOOKED_AT) {
        text.bytes = BYTES_LOOKED_AT;
    }
    for (size_t s = 0; s < sizeof signs - 1; s++) {
        size_t at = 0;
        size_t header = cells_count(text, signs[s], &at);
        size_t rows = 0;
        size_t fits = 0;
        for (; at < text.bytes && rows < ROWS_LOOKED_AT; rows++) {
            fits += cells_count(text, signs[s], &at) == header;
        }
        /* Of a header alone nothing more is known. */
        double share = rows > 0 ? (double)fits / (double)rows : 1;
        bool better = share > best_share + 0.001 ||
                      (share > best_share - 0.001 && best != ',' && header > best_cells);
        if (header > 1 && better) {
            best = signs[s];
            best_share = share;
            best_cells = header;
        }
    }
    if (best_cells > 1) {
        return best;
    }
    /* No sign makes a table: the first that the header has. */
    size_t end = 0;
    for (size_t s = 0; s < sizeof signs - 1; s++, end = 0) {
        if (cells_count(text, signs[s], &end) > 1) {
            return signs[s];
        }
    }
    return ',';
}

size_t csv_sep_line(struct proto_span text, char *separator)
{
    if (text.bytes < 6 || memcmp(text.data, "sep=", 4) != 0) {
        return 0;
    }
    size_t end = 5;
    if (text.data[end] != '\r' && text.data[end] != '\n') {
        return 0;
    }
    end += text.data[end] == '\r';
    end += end < text.bytes && text.data[end] == '\n';
    *separator = (char)text.data[4];
    return end;
}
