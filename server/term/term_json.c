/* SPDX-License-Identifier: Apache-2.0 */
/* A value is appended to one text that grows; names of an object are sorted first. Where memory ran
 * out the text stays as it is and everything after is passed over, so there is one look at the end.
 */
#include "server/term/term_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct printing {
    char *text;
    size_t bytes, room;
    bool failed, deep;
};

static void put(struct printing *printing, const char *text, size_t bytes)
{
    if (printing->failed) {
        return;
    }
    if (printing->text == NULL || bytes >= printing->room - printing->bytes) {
        size_t room = 2 * printing->room + bytes + 1;
        char *grown = realloc(printing->text, room);
        if (grown == NULL) {
            printing->failed = true;
            return;
        }
        printing->text = grown;
        printing->room = room;
    }
    memcpy(printing->text + printing->bytes, text, bytes);
    printing->bytes += bytes;
    printing->text[printing->bytes] = '\0';
}

/* The digits of the shortest number that reads as the value, without a point, and the power of ten
 * of the first. The sign of the locale between them is passed over. */
static int digits_find(double value, char digits[TERM_JSON_NUMBER_BYTES], int *power)
{
    char text[TERM_JSON_NUMBER_BYTES];
    int precision = 0;
    do {
        snprintf(text, sizeof text, "%.*e", precision, value);
    } while (strtod(text, NULL) != value && precision++ < 16);
    const char *at = text;
    int count = 0;
    for (; *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') {
            digits[count++] = *at;
        }
    }
    *power = (int)strtol(at + 1, NULL, 10);
    return count;
}

static size_t zeros_put(char *out, size_t at, int count)
{
    for (int i = 0; i < count; i++) {
        out[at++] = '0';
    }
    return at;
}

/* Digits without a power: below 10^21, and not smaller than 10^-6. */
static size_t plain_put(char *out, size_t at, const char *digits, int count, int before)
{
    if (before <= 0) {
        out[at++] = '0';
        out[at++] = '.';
        at = zeros_put(out, at, -before);
        before = 0;
    }
    for (int i = 0; i < count; i++) {
        if (i == before && before > 0) {
            out[at++] = '.';
        }
        out[at++] = digits[i];
    }
    return zeros_put(out, at, before - count);
}

size_t term_json_number(double value, char out[TERM_JSON_NUMBER_BYTES])
{
    char digits[TERM_JSON_NUMBER_BYTES] = "0";
    size_t at = 0;
    int power;
    if (value == 0) {
        out[0] = '0';
        out[1] = '\0';
        return 1;
    }
    if (value < 0) {
        out[at++] = '-';
    }
    int count = digits_find(fabs(value), digits, &power);
    if (power >= -6 && power <= 20) {
        at = plain_put(out, at, digits, count, power + 1);
        out[at] = '\0';
        return at;
    }
    out[at++] = digits[0];
    if (count > 1) {
        out[at++] = '.';
        memcpy(out + at, digits + 1, (size_t)count - 1);
        at += (size_t)count - 1;
    }
    return at + (size_t)snprintf(out + at, TERM_JSON_NUMBER_BYTES - at, "e%+d", power);
}

static void string_put(struct printing *printing, const char *text, size_t bytes)
{
    static const char shorts[] = "\b\t\n\f\r\"\\";
    static const char names[] = "btnfr\"\\";
    put(printing, "\"", 1);
    for (size_t i = 0; i < bytes; i++) {
        const unsigned char byte = (unsigned char)text[i];
        const char *named = byte == 0 ? NULL : strchr(shorts, byte);
        char escaped[8];
        if (named != NULL) {
            snprintf(escaped, sizeof escaped, "\\%c", names[named - shorts]);
        } else if (byte < ' ') {
            snprintf(escaped, sizeof escaped, "\\u%04x", byte);
        } else {
            put(printing, text + i, 1);
            continue;
        }
        put(printing, escaped, strlen(escaped));
    }
    put(printing, "\"", 1);
}

/* UTF-8 by UTF-16 units: the order of bytes, but that what takes two units, which begin with D800
 * and on, comes before U+E000 and on, whose first byte is EE or EF. */
static int name_compare(const void *a, const void *b)
{
    const unsigned char *x = (const unsigned char *)*(const char *const *)a;
    const unsigned char *y = (const unsigned char *)*(const char *const *)b;
    while (*x == *y && *x != '\0') {
        x++;
        y++;
    }
    if (*x >= 0xee && *y >= 0xee) {
        bool pair_x = *x >= 0xf0;
        bool pair_y = *y >= 0xf0;
        if (pair_x != pair_y) {
            return pair_x ? -1 : 1;
        }
    }
    return (*x > *y) - (*x < *y);
}

static void value_put(struct printing *printing, const json_t *json, unsigned depth);

/* The walk of jansson wants what it only reads not to be const. */
static const char **names_sorted(const json_t *object, size_t count)
{
    const char **names = calloc(count + 1, sizeof *names);
    json_t *walked = json_incref((json_t *)(uintptr_t)object);
    const char *name;
    json_t *value;
    size_t i = 0;
    if (names != NULL) {
        json_object_foreach(walked, name, value)
        {
            names[i++] = name;
        }
        qsort(names, count, sizeof *names, name_compare);
    }
    json_decref(walked);
    return names;
}

static void object_put(struct printing *printing, const json_t *object, unsigned depth)
{
    size_t count = json_object_size(object);
    const char **names = names_sorted(object, count);
    if (names == NULL) {
        printing->failed = true;
        return;
    }
    put(printing, "{", 1);
    for (size_t i = 0; i < count; i++) {
        put(printing, ",", i > 0);
        string_put(printing, names[i], strlen(names[i]));
        put(printing, ":", 1);
        value_put(printing, json_object_get(object, names[i]), depth + 1);
    }
    put(printing, "}", 1);
    free(names);
}

static void array_put(struct printing *printing, const json_t *array, unsigned depth)
{
    put(printing, "[", 1);
    for (size_t i = 0; i < json_array_size(array); i++) {
        put(printing, ",", i > 0);
        value_put(printing, json_array_get(array, i), depth + 1);
    }
    put(printing, "]", 1);
}

static void integer_put(struct printing *printing, json_int_t value)
{
    const json_int_t exact = (json_int_t)1 << 53;
    char text[TERM_JSON_NUMBER_BYTES];
    size_t bytes = value >= -exact && value <= exact
                       ? (size_t)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, value)
                       : term_json_number((double)value, text);
    put(printing, text, bytes);
}

static void value_put(struct printing *printing, const json_t *json, unsigned depth)
{
    char text[TERM_JSON_NUMBER_BYTES];
    if (depth > TERM_JSON_DEPTH_MAX) {
        printing->deep = true;
        return;
    }
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        object_put(printing, json, depth);
        return;
    case JSON_ARRAY:
        array_put(printing, json, depth);
        return;
    case JSON_STRING:
        string_put(printing, json_string_value(json), json_string_length(json));
        return;
    case JSON_INTEGER:
        integer_put(printing, json_integer_value(json));
        return;
    case JSON_REAL:
        put(printing, text, term_json_number(json_real_value(json), text));
        return;
    case JSON_TRUE:
        put(printing, "true", 4);
        return;
    case JSON_FALSE:
        put(printing, "false", 5);
        return;
    case JSON_NULL:
        put(printing, "null", 4);
        return;
    }
}

char *term_json_print(const json_t *json, size_t *bytes, struct proto_fault *fault)
{
    struct printing printing = {.failed = json == NULL};
    *bytes = 0;
    if (json != NULL) {
        value_put(&printing, json, 0);
    }
    if (printing.failed || printing.deep) {
        free(printing.text);
        (void)(printing.failed
                   ? proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for canonical JSON")
                   : proto_fault_set(fault, PROTO_BAD_FIELD, "",
                                     "lists and objects lie more than %d deep",
                                     TERM_JSON_DEPTH_MAX));
        return NULL;
    }
    *bytes = printing.bytes;
    return printing.text;
}
