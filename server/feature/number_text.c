/* SPDX-License-Identifier: Apache-2.0 */
/* Sign, currency, unit and signs of thousands are taken off one after the other, and what is left
 * must be a plain number: what could be read in two ways is none. */
#include "server/feature/number_text.h"

#include <math.h>
#include <string.h>

#include "server/feature/span_text.h"

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static struct proto_span from(struct proto_span text, size_t bytes)
{
    return feature_text_trim((struct proto_span){text.data + bytes, text.bytes - bytes});
}

static bool begins(struct proto_span text, const char *with)
{
    size_t bytes = strlen(with);
    return text.bytes >= bytes && memcmp(text.data, with, bytes) == 0;
}

static bool ends(struct proto_span text, const char *with)
{
    size_t bytes = strlen(with);
    return text.bytes >= bytes && memcmp(text.data + text.bytes - bytes, with, bytes) == 0;
}

/* Signs and codes of currencies, before or behind an amount. */
static const struct {
    const char *sign;
    const char *code;
} currencies[] = {{"$", "USD"},
                  {"\xE2\x82\xAC", "EUR"},
                  {"\xC2\xA3", "GBP"},
                  {"\xC2\xA5", "JPY"},
                  {"\xE2\x82\xB9", "INR"},
                  {"USD", "USD"},
                  {"EUR", "EUR"},
                  {"GBP", "GBP"},
                  {"CHF", "CHF"},
                  {"JPY", "JPY"},
                  {"CNY", "CNY"},
                  {"INR", "INR"},
                  {"SEK", "SEK"},
                  {"NOK", "NOK"},
                  {"DKK", "DKK"},
                  {"PLN", "PLN"},
                  {"CAD", "CAD"},
                  {"AUD", "AUD"},
                  {"BRL", "BRL"},
                  {"kr", "kr"}};

/* Drops one currency and the blanks beside it; its code, or NULL if there is none. */
static const char *currency_drop(struct proto_span *text)
{
    for (size_t i = 0; i < sizeof currencies / sizeof currencies[0]; i++) {
        size_t bytes = strlen(currencies[i].sign);
        if (begins(*text, currencies[i].sign)) {
            *text = from(*text, bytes);
            return currencies[i].code;
        }
        if (ends(*text, currencies[i].sign)) {
            *text = feature_text_trim((struct proto_span){text->data, text->bytes - bytes});
            return currencies[i].code;
        }
    }
    return NULL;
}

const char *feature_currency_of(struct proto_span text)
{
    bool bracket = text.bytes > 2 && text.data[0] == '(';
    text = bracket ? (struct proto_span){text.data + 1, text.bytes - 2} : text;
    if (begins(text, "-") || begins(text, "+")) {
        text = from(text, 1);
    }
    return currency_drop(&text);
}

/* Drops a word for a thousand or a million behind the number. A small m is one only behind money:
 * elsewhere it is a metre or a minute. */
static struct proto_span unit_drop(struct proto_span text, bool is_money, double *times)
{
    static const struct {
        const char *word;
        double times;
        bool money;
    } units[] = {{"Mio.", 1e6, false}, {"Mio", 1e6, false}, {"mio", 1e6, false},
                 {"Mrd.", 1e9, false}, {"Mrd", 1e9, false}, {"mrd", 1e9, false},
                 {"mn", 1e6, false},   {"bn", 1e9, false},  {"k", 1e3, false},
                 {"K", 1e3, false},    {"M", 1e6, false},   {"B", 1e9, false},
                 {"m", 1e6, true},     {"b", 1e9, true}};
    *times = 1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t bytes = strlen(units[i].word);
        if ((units[i].money && !is_money) || text.bytes <= bytes || !ends(text, units[i].word)) {
            continue;
        }
        struct proto_span rest =
            feature_text_trim((struct proto_span){text.data, text.bytes - bytes});
        if (rest.bytes == 0 ||
            (!is_digit(rest.data[rest.bytes - 1]) && rest.data[rest.bytes - 1] != '.')) {
            continue;
        }
        *times = units[i].times;
        return rest;
    }
    return text;
}

/* Copies the text without its separators of thousands. They must stand where they mean thousands:
 * after one to three digits, then groups of three (or two between commas, as in India), the last
 * one of three, and all be the same sign. "1,23" is a decimal comma or a slip, and refused. */
static bool groups_join(struct proto_span text, uint8_t *out, size_t *bytes)
{
    size_t groups = 0;
    size_t run = 0; /* digits since the start or the last separator */
    size_t at = 0;
    size_t sign_at = 0; /* the first separator */
    *bytes = 0;
    while (at < text.bytes) {
        size_t sign = text.data[at] == ',' ? 1 : feature_group_sign(text, at);
        if (sign == 0 && !is_digit(text.data[at])) {
            break;
        }
        if (sign == 0) {
            out[(*bytes)++] = text.data[at++];
            run++;
            continue;
        }
        bool comma = text.data[at] == ',';
        bool right = groups == 0 ? run >= 1 && run <= 3 : run == 3 || (comma && run == 2);
        if (groups == 0) {
            sign_at = at;
        } else {
            right &= memcmp(text.data + at, text.data + sign_at, sign) == 0;
        }
        if (!right) {
            return false;
        }
        groups++;
        run = 0;
        at += sign;
    }
    if (groups > 0 && run != 3) {
        return false;
    }
    for (; at < text.bytes; at++) {
        if (text.data[at] == ',' || text.data[at] == '\'' || text.data[at] == ' ') {
            return false;
        }
        out[(*bytes)++] = text.data[at];
    }
    return true;
}

/* Longer cells are no numbers; what feature_number_read takes at most. */
#define CELL_BYTES_MAX 400
#define MINUS "\xE2\x88\x92" /* the sign of typesetters, U+2212 */

/* Takes a sign, straight or typeset, from the front. */
static bool sign_take(struct proto_span *text, bool *negative)
{
    bool typeset = begins(*text, MINUS);
    if (!typeset && !begins(*text, "-") && !begins(*text, "+")) {
        return false;
    }
    *negative = typeset || text->data[0] == '-';
    size_t bytes = typeset ? strlen(MINUS) : 1;
    text->data += bytes;
    text->bytes -= bytes;
    return true;
}

/* "5-", as programs for accounts write it. */
static bool sign_take_behind(struct proto_span *text, bool *negative)
{
    if (text->bytes < 2 || text->data[text->bytes - 1] != '-' ||
        !is_digit(text->data[text->bytes - 2])) {
        return false;
    }
    text->bytes--;
    *negative = true;
    return true;
}

bool feature_number_from_text(struct proto_span text, double *number)
{
    uint8_t digits[CELL_BYTES_MAX];
    struct proto_span rest = text;
    bool negative = false;
    double times = 1;
    if (text.bytes > CELL_BYTES_MAX) {
        return false;
    }
    /* "(1,234)" is how accounts write a negative amount; "~5" is five as well as anybody knew. */
    bool brackets = rest.bytes > 2 && rest.data[0] == '(' && rest.data[rest.bytes - 1] == ')';
    if (brackets) {
        rest = feature_text_trim((struct proto_span){rest.data + 1, rest.bytes - 2});
    } else if (begins(rest, "~") || begins(rest, "\xE2\x89\x88")) {
        rest = from(rest, rest.data[0] == '~' ? 1 : 3);
    }
    struct proto_span bare = rest;
    bool is_money = currency_drop(&bare) != NULL;
    const uint8_t *start = bare.data;
    if (sign_take(&bare, &negative) || sign_take_behind(&bare, &negative)) {
        if (brackets) {
            return false;
        }
        if (start == rest.data && !is_money) { /* "-$5"; but not "$-$5" */
            is_money = currency_drop(&bare) != NULL;
        }
    }
    negative |= brackets;
    if (bare.bytes > 1 && bare.data[bare.bytes - 1] == '%') {
        bare.bytes--;
        bare = feature_text_trim(bare);
    } else {
        bare = unit_drop(bare, is_money, &times);
    }
    size_t bytes = 0;
    if (bare.bytes == 0 || (!is_digit(bare.data[0]) && bare.data[0] != '.') ||
        !groups_join(bare, digits, &bytes) ||
        !feature_number_read((struct proto_span){digits, bytes}, number)) {
        return false;
    }
    *number *= negative ? -times : times;
    return isfinite(*number);
}
