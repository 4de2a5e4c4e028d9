/* SPDX-License-Identifier: Apache-2.0 */
#include "server/identity/punycode.h"

#include "proto/reader.h"

/* The parameters that IDNA uses (RFC 3492, section 5). */
enum punycode {
    BASE = 36,
    T_MIN = 1,
    T_MAX = 26,
    SKEW = 38,
    DAMP = 700,
    BIAS_FIRST = 72,
    POINT_FIRST = 0x80,
};

/* A label of more characters cannot be encoded in 63 bytes; it also keeps the sums below 32 bits:
 * 64 characters times 0x110000 code points. */
#define POINTS_MAX 64

struct output {
    char *text;
    size_t bytes;
    bool full;
};

static void put(struct output *output, char byte)
{
    if (output->bytes == IDENTITY_LABEL_BYTES_MAX) {
        output->full = true;
        return;
    }
    output->text[output->bytes++] = byte;
}

/* The label's characters; false if they are too many. It has been checked to be UTF-8. */
static bool points_read(struct proto_span label, uint32_t points[POINTS_MAX], size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < label.bytes;) {
        uint8_t lead = label.data[i];
        size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        uint32_t point = bytes == 1 ? lead : lead & (0x7Fu >> bytes);
        for (size_t j = 1; j < bytes; j++) {
            point = (point << 6) | (label.data[i + j] & 0x3Fu);
        }
        if (*count == POINTS_MAX) {
            return false;
        }
        points[(*count)++] = point;
        i += bytes;
    }
    return true;
}

static char digit(uint32_t value)
{
    return (char)(value < 26 ? 'a' + (int)value : '0' + (int)value - 26);
}

static uint32_t bias_adapt(uint32_t delta, uint32_t count, bool first)
{
    uint32_t k = 0;
    delta = first ? delta / DAMP : delta / 2;
    delta += delta / count;
    for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE) {
        delta /= BASE - T_MIN;
    }
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static void delta_put(struct output *output, uint32_t delta, uint32_t bias)
{
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
        if (delta < t) {
            break;
        }
        put(output, digit(t + (delta - t) % (BASE - t)));
        delta = (delta - t) / (BASE - t);
    }
    put(output, digit(delta));
}

static void points_put(struct output *output, const uint32_t *points, size_t count, size_t basic)
{
    uint32_t point = POINT_FIRST;
    uint32_t delta = 0;
    uint32_t bias = BIAS_FIRST;
    for (size_t done = basic; done < count && !output->full;) {
        uint32_t next = UINT32_MAX;
        for (size_t i = 0; i < count; i++) {
            if (points[i] >= point && points[i] < next) {
                next = points[i];
            }
        }
        delta += (next - point) * (uint32_t)(done + 1);
        point = next;
        for (size_t i = 0; i < count; i++) {
            delta += points[i] < point;
            if (points[i] != point) {
                continue;
            }
            delta_put(output, delta, bias);
            bias = bias_adapt(delta, (uint32_t)done + 1, done == basic);
            delta = 0;
            done++;
        }
        delta++;
        point++;
    }
}

bool identity_punycode_label(struct proto_span label, char out[IDENTITY_LABEL_BYTES_MAX],
                             size_t *bytes)
{
    uint32_t points[POINTS_MAX];
    size_t count = 0;
    size_t basic = 0;
    struct output output = {.text = out};
    if (!proto_utf8_valid(label) || !points_read(label, points, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        basic += points[i] < POINT_FIRST;
    }
    if (basic < count) {
        for (const char *at = "xn--"; *at != '\0'; at++) {
            put(&output, *at);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (points[i] < POINT_FIRST) {
            put(&output, (char)points[i]);
        }
    }
    if (basic < count) {
        if (basic > 0) {
            put(&output, '-');
        }
        points_put(&output, points, count, basic);
    }
    *bytes = output.bytes;
    return !output.full;
}
