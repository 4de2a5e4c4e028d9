/* SPDX-License-Identifier: Apache-2.0 */
/* An address gives what stands behind its @, a URL what stands between scheme and path; host.h says
 * whose that is. A list of addresses is gone through until one is an address. Texts that hold no
 * host give NONE and an empty result. */
#include "server/identity/domain.h"

#include "server/feature/span_text.h"
#include "server/identity/paste.h"

#define LOCAL_BYTES_MAX 64 /* before the @ of an address, RFC 5321 */

static enum identity_domain_kind domain_from_host(struct proto_span host, bool has_path,
                                                  struct identity_domain *out)
{
    const char *registrable = NULL;
    if (identity_host_normal(host, out->host)) {
        registrable = identity_host_registrable(out->host);
    }
    if (registrable == NULL) {
        *out = (struct identity_domain){0};
        return IDENTITY_DOMAIN_NONE;
    }
    memcpy(out->registrable, registrable, strlen(registrable) + 1);
    if (identity_host_free_mail(out->registrable)) {
        return IDENTITY_DOMAIN_FREE_MAIL;
    }
    return has_path && identity_host_shared(out->host, out->registrable)
               ? IDENTITY_DOMAIN_SHARED_HOST
               : IDENTITY_DOMAIN_COMPANY;
}

/* Drops the word from the start of the text, whatever its case. */
static bool prefix_drop(struct proto_span *text, const char *word)
{
    size_t bytes = strlen(word);
    if (text->bytes < bytes ||
        !feature_text_same((struct proto_span){text->data, bytes}, proto_span_text(word))) {
        return false;
    }
    text->data += bytes;
    text->bytes -= bytes;
    return true;
}

static bool has_blank(struct proto_span text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.data[i] <= ' ' || text.data[i] == 0x7F) {
            return true;
        }
    }
    return false;
}

/* The text behind the last of such bytes; the whole text if there is none. */
static struct proto_span behind_last(struct proto_span text, char byte)
{
    const uint8_t *last = text.bytes == 0 ? NULL : memrchr(text.data, byte, text.bytes);
    size_t skipped = last == NULL ? 0 : (size_t)(last + 1 - text.data);
    return (struct proto_span){text.data + skipped, text.bytes - skipped};
}

/* Letters, digits, hyphens and dots, in any script. */
static size_t host_run(struct proto_span text)
{
    size_t run = 0;
    for (; run < text.bytes; run++) {
        uint8_t byte = text.data[run];
        bool fits = byte >= 0x80 || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                    (byte >= '0' && byte <= '9') || byte == '-' || byte == '.';
        if (!fits) {
            break;
        }
    }
    return run;
}

/* What may stand behind an address without being part of it. */
static bool ends_address(struct proto_span rest)
{
    return rest.bytes == 0 || rest.data[0] <= ' ' ||
           (rest.data[0] < 0x80 && strchr("\"'`<>()[]{}?/:!&*\\", rest.data[0]) != NULL);
}

/* Name, label or "mailto:" in front are passed over, as is whatever stands behind. */
static enum identity_domain_kind address_read(struct proto_span text, struct identity_domain *out)
{
    const uint8_t *at = text.bytes == 0 ? NULL : memchr(text.data, '@', text.bytes);
    const uint8_t *open = text.bytes == 0 ? NULL : memrchr(text.data, '<', text.bytes);
    if (at == NULL) {
        return IDENTITY_DOMAIN_NONE;
    }
    size_t inner = open == NULL ? 0 : (size_t)(open + 1 - text.data);
    if (inner < text.bytes && memchr(text.data + inner, '@', text.bytes - inner) != NULL) {
        text = (struct proto_span){text.data + inner, text.bytes - inner};
        at = memchr(text.data, '@', text.bytes);
    }
    struct proto_span local = {text.data, (size_t)(at - text.data)};
    struct proto_span host = {at + 1, text.bytes - local.bytes - 1};
    local = behind_last(local, ':');
    while (local.bytes > 0 && (local.data[0] <= ' ' || local.data[0] == '/')) {
        local.data++;
        local.bytes--;
    }
    size_t run = host_run(host);
    if (local.bytes == 0 || local.bytes > LOCAL_BYTES_MAX || has_blank(local) ||
        !ends_address((struct proto_span){host.data + run, host.bytes - run})) {
        return IDENTITY_DOMAIN_NONE;
    }
    while (run > 1 && host.data[run - 1] == '.') {
        run--; /* the root's, or a sentence's */
    }
    return domain_from_host((struct proto_span){host.data, run}, false, out);
}

static bool parts_addresses(uint8_t byte)
{
    return byte == ',' || byte == ';' || byte == '|' || byte == '\n' || byte == '\r' ||
           byte == '\t';
}

enum identity_domain_kind identity_domain_from_email(struct proto_span text,
                                                     struct identity_domain *out)
{
    uint8_t room[IDENTITY_URL_BYTES_MAX];
    enum identity_domain_kind kind = IDENTITY_DOMAIN_NONE;
    *out = (struct identity_domain){0};
    if (text.bytes > IDENTITY_URL_BYTES_MAX) {
        return IDENTITY_DOMAIN_NONE;
    }
    text = identity_paste_plain(text, room);
    for (size_t start = 0, at = 0; at <= text.bytes && kind == IDENTITY_DOMAIN_NONE; at++) {
        if (at == text.bytes || parts_addresses(text.data[at])) {
            struct proto_span part = {text.data + start, at - start};
            kind = address_read(identity_paste_trim(part), out);
            start = at + 1;
        }
    }
    return kind;
}

static bool ends_authority(uint8_t byte)
{
    return byte == '/' || byte == '?' || byte == '#' || byte == '\\' || byte == ',' || byte == ';';
}

/* More than the home page: anything behind the host but a slash. */
static bool path_stands(struct proto_span rest)
{
    for (size_t i = 0; i < rest.bytes; i++) {
        if (rest.data[i] == ',' || rest.data[i] == ';') {
            return false; /* the next of several */
        }
        if (rest.data[i] > ' ' && !ends_authority(rest.data[i])) {
            return true;
        }
    }
    return false;
}

/* What stands between the scheme and the path, without user and port. False for what is no host. */
static bool authority_take(struct proto_span text, struct proto_span *host, bool *has_path)
{
    size_t end = 0;
    while (end < text.bytes && !ends_authority(text.data[end])) {
        end++;
    }
    *has_path = path_stands((struct proto_span){text.data + end, text.bytes - end});
    text = behind_last((struct proto_span){text.data, end}, '@');
    const uint8_t *port = text.bytes == 0 ? NULL : memchr(text.data, ':', text.bytes);
    if (port != NULL) {
        for (const uint8_t *digit = port + 1; digit < text.data + text.bytes; digit++) {
            if (*digit < '0' || *digit > '9') {
                return false;
            }
        }
        text.bytes = (size_t)(port - text.data);
    }
    *host = text;
    return text.bytes > 0;
}

enum identity_domain_kind identity_domain_from_url(struct proto_span text,
                                                   struct identity_domain *out)
{
    uint8_t room[IDENTITY_URL_BYTES_MAX];
    struct proto_span host;
    bool has_path = false;
    *out = (struct identity_domain){0};
    if (text.bytes > IDENTITY_URL_BYTES_MAX) {
        return IDENTITY_DOMAIN_NONE;
    }
    text = identity_paste_plain(text, room);
    bool scheme = prefix_drop(&text, "https:") || prefix_drop(&text, "http:");
    if (!prefix_drop(&text, "//") && scheme) {
        return IDENTITY_DOMAIN_NONE;
    }
    if (!authority_take(text, &host, &has_path) || has_blank(host)) {
        return IDENTITY_DOMAIN_NONE;
    }
    return domain_from_host(host, has_path, out);
}

const char *identity_domain_above(const struct identity_domain *domain, const char *host)
{
    if (host == NULL) {
        return domain->host;
    }
    return strcmp(host, domain->registrable) == 0 ? NULL : strchr(host, '.') + 1;
}

bool identity_domain_stands_for(const struct identity_domain *domain)
{
    return strcmp(domain->host, domain->registrable) != 0 &&
           !identity_host_shared(domain->host, domain->registrable);
}

const char *identity_domain_kind_name(enum identity_domain_kind kind)
{
    switch (kind) {
    case IDENTITY_DOMAIN_NONE:
        return "none";
    case IDENTITY_DOMAIN_COMPANY:
        return "company";
    case IDENTITY_DOMAIN_FREE_MAIL:
        return "free-mail";
    case IDENTITY_DOMAIN_SHARED_HOST:
        return "shared-host";
    }
    return "none";
}
