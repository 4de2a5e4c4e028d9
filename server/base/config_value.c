/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/config_value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_SHOWN_BYTES 80

struct unit {
    const char *name;
    uint64_t factor;
};

/* Largest first, so that printing finds the shortest form. */
static const struct unit byte_units[] = {
    {"T", UINT64_C(1) << 40},
    {"G", UINT64_C(1) << 30},
    {"M", UINT64_C(1) << 20},
    {"K", UINT64_C(1) << 10},
    {"", 1},
};
static const struct unit time_units[] = {
    {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {"", 1},
};
static const struct unit plain_units[] = {{"", 1}};

static const struct unit *units_of(enum base_option_type type, size_t *count)
{
    if (type == BASE_TYPE_BYTES) {
        *count = sizeof byte_units / sizeof *byte_units;
        return byte_units;
    }
    if (type == BASE_TYPE_MILLISECONDS) {
        *count = sizeof time_units / sizeof *time_units;
        return time_units;
    }
    *count = 1;
    return plain_units;
}

bool base_value_is_text(enum base_option_type type)
{
    return type == BASE_TYPE_TEXT || type == BASE_TYPE_PATH || type == BASE_TYPE_CHOICE ||
           type == BASE_TYPE_SECRET;
}

static bool refuse(const struct base_option_info *option, const char *text, const char *right,
                   struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_BAD_CONFIG, option->name, "%s is '%.*s', but must be %s",
                           option->name, VALUE_SHOWN_BYTES, text, right);
}

static bool parse_flag(const struct base_option_info *option, const char *text, uint64_t *number,
                       struct proto_fault *fault)
{
    static const char *const words[] = {"no", "yes", "off", "on", "false", "true", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *number = i % 2;
            return true;
        }
    }
    return refuse(option, text, "yes or no", fault);
}

static bool parse_number(const struct base_option_info *option, const char *text, uint64_t *number,
                         struct proto_fault *fault)
{
    char low[32];
    char high[32];
    char right[160];
    base_value_print(option->type, option->min, low, sizeof low);
    base_value_print(option->type, option->max, high, sizeof high);
    const char *form = option->type == BASE_TYPE_BYTES          ? " (a whole number, K, M, G or T)"
                       : option->type == BASE_TYPE_MILLISECONDS ? " (a whole number, ms, s, m or h)"
                                                                : " (a whole number)";
    snprintf(right, sizeof right, "%s to %s%s", low, high, form);

    uint64_t value = 0;
    const char *at = text;
    bool fits = *at >= '0' && *at <= '9';
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value)) {
            fits = false;
        }
    }
    while (*at == ' ') {
        at++;
    }
    size_t count;
    const struct unit *units = units_of(option->type, &count);
    const struct unit *unit = NULL;
    for (size_t i = 0; i < count && unit == NULL; i++) {
        if (strcasecmp(at, units[i].name) == 0) {
            unit = &units[i];
        }
    }
    if (!fits || unit == NULL || __builtin_mul_overflow(value, unit->factor, &value) ||
        value < option->min || value > option->max) {
        return refuse(option, text, right, fault);
    }
    *number = value;
    return true;
}

static bool parse_choice(const struct base_option_info *option, const char *text,
                         struct proto_fault *fault)
{
    size_t bytes = strlen(text);
    const char *word = option->unit;
    for (;;) {
        size_t word_bytes = strcspn(word, "|");
        if (word_bytes == bytes && memcmp(word, text, bytes) == 0) {
            return true;
        }
        if (word[word_bytes] == '\0') {
            break;
        }
        word += word_bytes + 1;
    }
    char right[128];
    snprintf(right, sizeof right, "one of %s", option->unit);
    return refuse(option, text, right, fault);
}

bool base_value_parse(const struct base_option_info *option, const char *text, uint64_t *number,
                      struct proto_fault *fault)
{
    *number = 0;
    if (option->type == BASE_TYPE_FLAG) {
        return parse_flag(option, text, number, fault);
    }
    if (option->type == BASE_TYPE_CHOICE) {
        return parse_choice(option, text, fault);
    }
    if (!base_value_is_text(option->type)) {
        return parse_number(option, text, number, fault);
    }
    size_t bytes = strlen(text);
    if (bytes < option->min || bytes > option->max) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, option->name,
                               "%s has %zu bytes, but must have %" PRIu64 " to %" PRIu64,
                               option->name, bytes, option->min, option->max);
    }
    for (const char *at = text; *at != '\0'; at++) {
        /* A line break would make two lines of what is printed; the others have no use either. */
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            return proto_fault_set(fault, PROTO_BAD_CONFIG, option->name,
                                   "%s has a control character, byte %zu", option->name,
                                   (size_t)(at - text) + 1);
        }
    }
    return true;
}

void base_value_print(enum base_option_type type, uint64_t number, char *out, size_t out_bytes)
{
    if (type == BASE_TYPE_FLAG) {
        snprintf(out, out_bytes, "%s", number != 0 ? "yes" : "no");
        return;
    }
    size_t count;
    const struct unit *units = units_of(type, &count);
    size_t i = 0;
    while (i + 1 < count && (number == 0 || number % units[i].factor != 0)) {
        i++;
    }
    snprintf(out, out_bytes, "%" PRIu64 "%s", number / units[i].factor, units[i].name);
}
