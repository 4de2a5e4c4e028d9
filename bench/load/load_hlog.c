/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_hlog.h"

#include <assert.h>
#include <string.h>
#include <time.h>

/* HdrHistogram with two significant digits: 256 sub-buckets, of which the lower half repeats the
 * bucket before. */
#define DIGITS 2
#define HALF_MAGNITUDE 7
#define HALF ((size_t)1 << HALF_MAGNITUDE)
#define VALUE_MAX (UINT64_C(1) << BASE_HISTOGRAM_VALUE_BITS)
#define COUNTS ((BASE_HISTOGRAM_VALUE_BITS - HALF_MAGNITUDE + 2) * HALF)

#define COOKIE_V2 0x1c849313U
#define COOKIE_V2_COMPRESSED 0x1c849314U
#define HEADER_BYTES 40
#define LEB_BYTES_MAX 9
#define STORED_BYTES_MAX 65535
#define RAW_BYTES_MAX (HEADER_BYTES + COUNTS * LEB_BYTES_MAX)
/* zlib's head, one stored block, Adler-32. */
#define ZLIB_BYTES (2 + 5 + 4)

_Static_assert(RAW_BYTES_MAX <= STORED_BYTES_MAX, "one stored block holds any histogram");

static size_t index_of(uint64_t value)
{
    unsigned bits = 64U - (unsigned)__builtin_clzll(value | (2 * HALF - 1));
    unsigned bucket = bits - (HALF_MAGNITUDE + 1);
    return ((size_t)(bucket + 1) << HALF_MAGNITUDE) + (size_t)(value >> bucket) - HALF;
}

static uint8_t *put_be(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        *at++ = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
    return at;
}

/* ZigZag, then seven bits a byte; the ninth byte holds eight. */
static uint8_t *put_leb(uint8_t *at, int64_t number)
{
    uint64_t value = ((uint64_t)number << 1) ^ (uint64_t)(number >> 63);
    for (unsigned i = 0; i < LEB_BYTES_MAX - 1; i++, value >>= 7) {
        if (value < 0x80) {
            *at++ = (uint8_t)value;
            return at;
        }
        *at++ = (uint8_t)(value | 0x80);
    }
    *at++ = (uint8_t)value;
    return at;
}

/* Our buckets into theirs; returns how many of the counts are in use. */
static size_t counts_fill(const struct base_histogram *histogram, uint64_t counts[COUNTS])
{
    size_t used = 0;
    uint64_t max = base_histogram_max(histogram);
    for (size_t i = 0; i < BASE_HISTOGRAM_BUCKETS; i++) {
        uint64_t count = atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        uint64_t value = base_histogram_bucket_end(i);
        if (count == 0) {
            continue;
        }
        value = value < max ? value : max;
        value = value < VALUE_MAX ? value : VALUE_MAX;
        size_t index = index_of(value);
        assert(index < COUNTS);
        counts[index] += count;
        used = index + 1;
    }
    return used;
}

static size_t encode(const struct base_histogram *histogram, uint8_t raw[RAW_BYTES_MAX])
{
    uint64_t counts[COUNTS] = {0};
    size_t used = counts_fill(histogram, counts);
    uint8_t *at = raw + HEADER_BYTES;
    for (size_t i = 0; i < used;) {
        size_t zeros = i;
        while (zeros < used && counts[zeros] == 0) {
            zeros++;
        }
        if (zeros - i > 1) {
            at = put_leb(at, -(int64_t)(zeros - i));
            i = zeros;
        } else {
            at = put_leb(at, (int64_t)counts[i++]);
        }
    }
    static const double ratio = 1;
    uint64_t ratio_bits;
    memcpy(&ratio_bits, &ratio, sizeof ratio_bits);
    uint8_t *head = put_be(raw, COOKIE_V2, 4);
    head = put_be(head, (uint64_t)(at - raw - HEADER_BYTES), 4);
    head = put_be(head, 0, 4); /* counts are not shifted */
    head = put_be(head, DIGITS, 4);
    head = put_be(head, 1, 8);
    head = put_be(head, VALUE_MAX, 8);
    put_be(head, ratio_bits, 8);
    return (size_t)(at - raw);
}

static uint32_t adler32(const uint8_t *data, size_t bytes)
{
    uint32_t a = 1;
    uint32_t b = 0;
    for (size_t i = 0; i < bytes; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

/* zlib's form of some bytes, undeflated. */
static size_t zlib_store(const uint8_t *raw, size_t bytes, uint8_t *out)
{
    uint8_t *at = put_be(out, 0x7801, 2);
    *at++ = 1; /* the last block, stored */
    *at++ = (uint8_t)bytes;
    *at++ = (uint8_t)(bytes >> 8);
    *at++ = (uint8_t)~bytes;
    *at++ = (uint8_t)(~bytes >> 8);
    memcpy(at, raw, bytes);
    at = put_be(at + bytes, adler32(raw, bytes), 4);
    return (size_t)(at - out);
}

static void base64_write(FILE *out, const uint8_t *data, size_t bytes)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes; i += 3) {
        size_t left = bytes - i;
        uint32_t three = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                         (left > 2 ? data[i + 2] : 0);
        fputc(letters[three >> 18], out);
        fputc(letters[three >> 12 & 63], out);
        fputc(left > 1 ? letters[three >> 6 & 63] : '=', out);
        fputc(left > 2 ? letters[three & 63] : '=', out);
    }
}

void load_hlog_begin(FILE *out, int64_t start_ms)
{
    char when[64] = "";
    time_t seconds = (time_t)(start_ms / 1000);
    struct tm utc;
    if (gmtime_r(&seconds, &utc) != NULL) {
        strftime(when, sizeof when, "%a %b %d %H:%M:%S UTC %Y", &utc);
    }
    fprintf(out,
            "#[Histogram log format version 1.3]\n"
            "#[BaseTime: %.3f (seconds since epoch)]\n"
            "#[StartTime: %.3f (seconds since epoch), %s]\n"
            "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
            "\"Interval_Compressed_Histogram\"\n",
            (double)start_ms / 1e3, (double)start_ms / 1e3, when);
}

void load_hlog_line(FILE *out, const struct base_histogram *histogram, double from_s,
                    double length_s, const char *tag)
{
    uint8_t raw[RAW_BYTES_MAX];
    uint8_t packed[8 + RAW_BYTES_MAX + ZLIB_BYTES];
    size_t bytes = zlib_store(raw, encode(histogram, raw), packed + 8);
    put_be(put_be(packed, COOKIE_V2_COMPRESSED, 4), bytes, 4);
    if (tag[0] != '\0') {
        fprintf(out, "Tag=%s,", tag);
    }
    fprintf(out, "%.3f,%.3f,%.3f,", from_s, length_s, (double)base_histogram_max(histogram) / 1e6);
    base64_write(out, packed, 8 + bytes);
    fputc('\n', out);
}
