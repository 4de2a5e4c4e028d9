/* SPDX-License-Identifier: Apache-2.0 */
/* A line is a name and then words key=value in any order, each key once; what every key takes
 * stands in one table. A fault names the column of the word, or of the value, that is wrong.
 * Secrets are drawn and hashed by OpenSSL. */
#include "server/auth/named_token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HASH_TEXT_BYTES (2 * AUTH_SALT_BYTES + 1 + 2 * AUTH_HASH_BYTES)

static bool is_name_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

bool auth_name_is_good(struct proto_span name)
{
    for (size_t i = 0; i < name.bytes; i++) {
        if (!is_name_byte(name.data[i])) {
            return false;
        }
    }
    return name.bytes > 0 && name.bytes <= AUTH_NAME_BYTES_MAX;
}

bool auth_role_parse(struct proto_span text, enum proto_role *role)
{
    for (int each = PROTO_ROLE_METRICS; each <= PROTO_ROLE_ADMIN; each++) {
        if (proto_span_is(text, proto_role_name((enum proto_role)each))) {
            *role = (enum proto_role)each;
            return true;
        }
    }
    return false;
}

/* Digits from *at on; false if there are none, or more than a rate may be. */
static bool digits_parse(struct proto_span text, size_t *at, uint64_t *number)
{
    size_t first = *at;
    *number = 0;
    for (; *at < text.bytes && text.data[*at] >= '0' && text.data[*at] <= '9'; (*at)++) {
        *number = *number * 10 + (uint64_t)(text.data[*at] - '0');
        if (*number > AUTH_RATE_MAX) {
            return false;
        }
    }
    return *at > first;
}

static bool amount_parse(struct proto_span text, size_t *at, bool bytes, uint64_t *amount)
{
    static const char units[] = "KMG";
    if (!digits_parse(text, at, amount)) {
        return false;
    }
    const char *unit =
        bytes && *at < text.bytes && text.data[*at] != 0 ? strchr(units, text.data[*at]) : NULL;
    if (unit != NULL) {
        (*at)++;
        *amount <<= 10 * (unsigned)(unit - units + 1);
    }
    return *amount >= 1 && *amount <= AUTH_RATE_MAX;
}

bool auth_rate_parse(struct proto_span text, bool bytes, struct auth_rate *rate)
{
    size_t at = 0;
    if (!amount_parse(text, &at, bytes, &rate->per_s)) {
        return false;
    }
    rate->burst = rate->per_s;
    if (at < text.bytes && text.data[at] == '/') {
        at++;
        if (!amount_parse(text, &at, bytes, &rate->burst)) {
            return false;
        }
    }
    return at == text.bytes;
}

/* Whether the text has the pattern's length and, where that has a 0, a digit; else its letter. */
static bool has_form(struct proto_span text, const char *pattern)
{
    if (text.bytes != strlen(pattern)) {
        return false;
    }
    for (size_t i = 0; i < text.bytes; i++) {
        bool digit = text.data[i] >= '0' && text.data[i] <= '9';
        if (pattern[i] == '0' ? !digit : text.data[i] != (uint8_t)pattern[i]) {
            return false;
        }
    }
    return true;
}

static int number_at(struct proto_span text, size_t at, size_t digits)
{
    int number = 0;
    for (size_t i = 0; i < digits; i++) {
        number = number * 10 + (text.data[at + i] - '0');
    }
    return number;
}

bool auth_time_parse(struct proto_span text, int64_t *time_s)
{
    bool whole = has_form(text, "0000-00-00T00:00:00Z");
    if (!whole && !has_form(text, "0000-00-00")) {
        return false;
    }
    struct tm time = {.tm_year = number_at(text, 0, 4) - 1900,
                      .tm_mon = number_at(text, 5, 2) - 1,
                      .tm_mday = number_at(text, 8, 2)};
    if (whole) {
        time.tm_hour = number_at(text, 11, 2);
        time.tm_min = number_at(text, 14, 2);
        time.tm_sec = number_at(text, 17, 2);
    }
    /* What is no date, such as 30 February, comes out as another one. */
    struct tm given = time;
    *time_s = (int64_t)timegm(&time);
    return *time_s > 0 && time.tm_mon == given.tm_mon && time.tm_mday == given.tm_mday &&
           time.tm_hour == given.tm_hour && time.tm_min == given.tm_min &&
           time.tm_sec == given.tm_sec;
}

void auth_time_print(int64_t time_s, char out[24])
{
    struct tm parts;
    time_t seconds = (time_t)time_s;
    out[0] = '\0';
    if (gmtime_r(&seconds, &parts) != NULL) {
        (void)strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &parts);
    }
}

static int hex_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                                        : -1;
}

static bool hex_parse(const uint8_t *text, uint8_t *out, size_t out_bytes)
{
    for (size_t i = 0; i < out_bytes; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static void hex_print(const uint8_t *bytes, size_t count, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * count] = '\0';
}

static bool take_role(struct proto_span value, struct auth_token *token)
{
    return auth_role_parse(value, &token->role);
}

static bool take_hash(struct proto_span value, struct auth_token *token)
{
    return value.bytes == HASH_TEXT_BYTES && value.data[(size_t)2 * AUTH_SALT_BYTES] == ':' &&
           hex_parse(value.data, token->salt, AUTH_SALT_BYTES) &&
           hex_parse(value.data + (size_t)2 * AUTH_SALT_BYTES + 1, token->hash, AUTH_HASH_BYTES);
}

static bool take_expires(struct proto_span value, struct auth_token *token)
{
    return auth_time_parse(value, &token->expires_s);
}

static bool take_requests(struct proto_span value, struct auth_token *token)
{
    return auth_rate_parse(value, false, &token->requests);
}

static bool take_bytes(struct proto_span value, struct auth_token *token)
{
    return auth_rate_parse(value, true, &token->bytes);
}

static bool take_connections(struct proto_span value, struct auth_token *token)
{
    size_t at = 0;
    uint64_t number;
    bool good = amount_parse(value, &at, false, &number) && at == value.bytes &&
                number <= AUTH_CONNECTIONS_MAX;
    token->connections = good ? (uint32_t)number : 0;
    return good;
}

static const struct key {
    const char *name;
    bool (*take)(struct proto_span value, struct auth_token *token);
    bool required;
    const char *wanted;
} keys[] = {
    {"role", take_role, true, " must be score, read, write, admin or metrics"},
    {"hash", take_hash, true,
     " must be 32 hex digits of salt, a colon and 64 of the hash, in lower case"},
    {"expires", take_expires, false, " must be a time such as 2027-02-26T00:00:00Z"},
    {"requests", take_requests, false,
     " must be 1 to 1000000000 a second, such as 500 or 500/1000"},
    {"bytes", take_bytes, false, " must be 1 to 1000000000 a second, such as 64K or 1M/16M"},
    {"connections", take_connections, false, " must be 1 to 1000000"},
};
#define KEYS (sizeof keys / sizeof *keys)

/* The word that begins at or behind *at; empty at the end. */
static struct proto_span word_next(struct proto_span line, size_t *at)
{
    while (*at < line.bytes && (line.data[*at] == ' ' || line.data[*at] == '\t')) {
        (*at)++;
    }
    size_t first = *at;
    while (*at < line.bytes && line.data[*at] != ' ' && line.data[*at] != '\t') {
        (*at)++;
    }
    return (struct proto_span){line.data + first, *at - first};
}

static bool refuse(size_t *column, size_t at, struct proto_fault *fault, const char *what,
                   const char *name)
{
    *column = at + 1;
    return proto_fault_set(fault, PROTO_BAD_CONFIG, "tokens_file", "%s%s", what, name);
}

static bool word_take(struct proto_span line, struct proto_span word, struct auth_token *token,
                      bool seen[KEYS], size_t *column, struct proto_fault *fault)
{
    size_t at = (size_t)(word.data - line.data);
    const uint8_t *equals = memchr(word.data, '=', word.bytes);
    size_t name_bytes = equals != NULL ? (size_t)(equals - word.data) : word.bytes;
    for (size_t i = 0; i < KEYS; i++) {
        if (!proto_span_is((struct proto_span){word.data, name_bytes}, keys[i].name)) {
            continue;
        }
        if (equals == NULL || seen[i]) {
            return refuse(column, at, fault,
                          equals == NULL ? "a = must follow " : "given twice: ", keys[i].name);
        }
        seen[i] = true;
        size_t value_at = name_bytes + 1;
        struct proto_span value = {word.data + value_at, word.bytes - value_at};
        return keys[i].take(value, token) ||
               refuse(column, at + value_at, fault, keys[i].name, keys[i].wanted);
    }
    return refuse(column, at, fault, "not one of role, hash, expires, requests, bytes, connections",
                  "");
}

bool auth_token_parse(struct proto_span line, struct auth_token *token, size_t *column,
                      struct proto_fault *fault)
{
    size_t at = 0;
    bool seen[KEYS] = {false};
    *token = (struct auth_token){0};
    if (line.bytes > AUTH_LINE_BYTES_MAX) {
        return refuse(column, AUTH_LINE_BYTES_MAX, fault, "the line is longer than 512 bytes", "");
    }
    struct proto_span name = word_next(line, &at);
    if (!auth_name_is_good(name)) {
        return refuse(column, (size_t)(name.data - line.data), fault,
                      "a name of 1 to 32 letters, digits, - and _ must come first", "");
    }
    memcpy(token->name, name.data, name.bytes);
    for (;;) {
        struct proto_span word = word_next(line, &at);
        if (word.bytes == 0) {
            break;
        }
        if (!word_take(line, word, token, seen, column, fault)) {
            return false;
        }
    }
    for (size_t i = 0; i < KEYS; i++) {
        if (keys[i].required && !seen[i]) {
            return refuse(column, line.bytes, fault, "this is missing: ", keys[i].name);
        }
    }
    return true;
}

static void rate_print(const char *name, const struct auth_rate *rate, FILE *out)
{
    if (rate->per_s > 0) {
        (void)fprintf(out, " %s=%llu/%llu", name, (unsigned long long)rate->per_s,
                      (unsigned long long)rate->burst);
    }
}

void auth_token_print(const struct auth_token *token, FILE *out)
{
    char salt[2 * AUTH_SALT_BYTES + 1];
    char hash[2 * AUTH_HASH_BYTES + 1];
    char time[24];
    hex_print(token->salt, AUTH_SALT_BYTES, salt);
    hex_print(token->hash, AUTH_HASH_BYTES, hash);
    (void)fprintf(out, "%s role=%s hash=%s:%s", token->name, proto_role_name(token->role), salt,
                  hash);
    if (token->expires_s != 0) {
        auth_time_print(token->expires_s, time);
        (void)fprintf(out, " expires=%s", time);
    }
    rate_print("requests", &token->requests, out);
    rate_print("bytes", &token->bytes, out);
    if (token->connections > 0) {
        (void)fprintf(out, " connections=%u", token->connections);
    }
    (void)fputc('\n', out);
}

static bool hash_of(const uint8_t salt[AUTH_SALT_BYTES], struct proto_span text,
                    uint8_t hash[AUTH_HASH_BYTES], struct proto_fault *fault)
{
    uint8_t both[AUTH_SALT_BYTES + AUTH_TEXT_BYTES];
    unsigned bytes = AUTH_HASH_BYTES;
    memcpy(both, salt, AUTH_SALT_BYTES);
    if (text.bytes > 0) {
        memcpy(both + AUTH_SALT_BYTES, text.data, text.bytes);
    }
    bool good = EVP_Digest(both, AUTH_SALT_BYTES + text.bytes, hash, &bytes, EVP_sha256(), NULL);
    OPENSSL_cleanse(both, sizeof both);
    return good || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to look at a token");
}

bool auth_token_draw(struct auth_token *token, char text[AUTH_TEXT_BYTES],
                     struct proto_fault *fault)
{
    uint8_t secret[AUTH_SECRET_BYTES];
    char hex[2 * AUTH_SECRET_BYTES + 1];
    bool drawn =
        RAND_bytes(secret, sizeof secret) == 1 && RAND_bytes(token->salt, sizeof token->salt) == 1;
    if (!drawn) {
        return proto_fault_set(fault, PROTO_IO, "", "this machine gives no random bytes");
    }
    hex_print(secret, sizeof secret, hex);
    (void)snprintf(text, AUTH_TEXT_BYTES, "%s.%s", token->name, hex);
    OPENSSL_cleanse(secret, sizeof secret);
    OPENSSL_cleanse(hex, sizeof hex);
    return hash_of(token->salt, proto_span_text(text), token->hash, fault);
}

int auth_token_matches(const struct auth_token *token, struct proto_span text,
                       struct proto_fault *fault)
{
    uint8_t hash[AUTH_HASH_BYTES];
    if (text.bytes >= AUTH_TEXT_BYTES) {
        return 0;
    }
    if (!hash_of(token->salt, text, hash, fault)) {
        return -1;
    }
    return CRYPTO_memcmp(hash, token->hash, sizeof hash) == 0;
}
