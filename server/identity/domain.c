/* SPDX-License-Identifier: Apache-2.0 */
#include "server/identity/domain.h"

#include <libpsl.h>
#include <stdlib.h>

#include "proto/reader.h"
#include "server/feature/span_text.h"
#include "server/identity/punycode.h"

#define HOST_BYTES_MAX 253
#define LOCAL_BYTES_MAX 64 /* before the @ of an address, RFC 5321 */

static const char *const free_mail[] = {
#define X(domain) domain,
#include "server/identity/free_mail.def"
#undef X
};

static const char *const shared_hosts[] = {
#define X(host) host,
#include "server/identity/shared_host.def"
#undef X
};

static int name_order(const void *key, const void *element)
{
    return strcmp(key, *(const char *const *)element);
}

static bool table_has(const char *const *table, size_t count, const char *name)
{
    return bsearch(name, table, count, sizeof *table, name_order) != NULL;
}

/* True if the host or any name above it stands in the table of shared hosts. */
static bool is_shared(const char *host)
{
    for (const char *at = host; at != NULL; at = strchr(at, '.')) {
        at += *at == '.';
        if (table_has(shared_hosts, sizeof shared_hosts / sizeof shared_hosts[0], at)) {
            return true;
        }
    }
    return false;
}

/* Letters, digits and inner hyphens: what a host's label is made of (RFC 1123). */
static bool label_valid(const char *label, size_t bytes)
{
    if (bytes == 0 || bytes > IDENTITY_LABEL_BYTES_MAX || label[0] == '-' ||
        label[bytes - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        char byte = label[i];
        if (!((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-')) {
            return false;
        }
    }
    return true;
}

/* Label by label in punycode; false if one is no label. A last dot, the root's, has been dropped.
 */
static bool labels_encode(struct proto_span host, char out[IDENTITY_HOST_BYTES])
{
    size_t used = 0;
    for (size_t start = 0, at = 0; at <= host.bytes; at++) {
        char label[IDENTITY_LABEL_BYTES_MAX];
        size_t bytes = 0;
        if (at < host.bytes && host.data[at] != '.') {
            continue;
        }
        if (!identity_punycode_label((struct proto_span){host.data + start, at - start}, label,
                                     &bytes) ||
            !label_valid(label, bytes) || used + (used > 0) + bytes > HOST_BYTES_MAX) {
            return false;
        }
        if (used > 0) {
            out[used++] = '.';
        }
        memcpy(out + used, label, bytes);
        used += bytes;
        start = at + 1;
    }
    out[used] = '\0';
    return true;
}

static bool host_normalise(struct proto_span host, char out[IDENTITY_HOST_BYTES])
{
    char copy[4 * IDENTITY_HOST_BYTES];
    char *lower = NULL;
    if (host.bytes > 0 && host.data[host.bytes - 1] == '.') {
        host.bytes--;
    }
    /* A name beyond ASCII may be longer as UTF-8 than as punycode; more than four-fold it is not.
     */
    if (host.bytes == 0 || host.bytes >= sizeof copy || memchr(host.data, 0, host.bytes) != NULL ||
        !proto_utf8_valid(host)) { /* libpsl would mend it into another name */
        return false;
    }
    memcpy(copy, host.data, host.bytes);
    copy[host.bytes] = '\0';
    if (psl_str_to_utf8lower(copy, "utf-8", NULL, &lower) != PSL_SUCCESS) {
        return false;
    }
    bool ok = labels_encode(proto_span_text(lower), out);
    psl_free_string(lower);
    return ok;
}

/* Set aside for examples and synthetic data (RFC 2606): it must behave as a real one does. */
#define RESERVED_TOP ".example"

/* The domain that someone registered. The list's default rule, which takes any unknown last label
 * for a public suffix, is not used: "printer.local" belongs to nobody. */
static bool registrable_find(struct identity_domain *domain)
{
    const psl_ctx_t *list = psl_builtin();
    const char *top = strrchr(domain->host, '.');
    /* Not the last label alone: "za" is on the list only as part of "co.za" and others. */
    const char *suffix = list == NULL ? NULL : psl_unregistrable_domain(list, domain->host);
    if (suffix == NULL || top == NULL ||
        !(psl_is_public_suffix2(list, suffix, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) ||
          strcmp(top, RESERVED_TOP) == 0)) {
        return false;
    }
    const char *registrable = psl_registrable_domain(list, domain->host);
    if (registrable == NULL) {
        return false;
    }
    memcpy(domain->registrable, registrable, strlen(registrable) + 1);
    return true;
}

static enum identity_domain_kind domain_from_host(struct proto_span host, bool is_site,
                                                  struct identity_domain *out)
{
    if (!host_normalise(host, out->host) || !registrable_find(out)) {
        *out = (struct identity_domain){0};
        return IDENTITY_DOMAIN_NONE;
    }
    if (table_has(free_mail, sizeof free_mail / sizeof free_mail[0], out->registrable)) {
        return IDENTITY_DOMAIN_FREE_MAIL;
    }
    return is_site && is_shared(out->host) ? IDENTITY_DOMAIN_SHARED_HOST : IDENTITY_DOMAIN_COMPANY;
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

enum identity_domain_kind identity_domain_from_email(struct proto_span text,
                                                     struct identity_domain *out)
{
    *out = (struct identity_domain){0};
    text = feature_text_trim(text);
    if (text.bytes == 0 || text.bytes > IDENTITY_URL_BYTES_MAX) {
        return IDENTITY_DOMAIN_NONE;
    }
    const uint8_t *open = memrchr(text.data, '<', text.bytes);
    if (open != NULL && text.data[text.bytes - 1] == '>') {
        size_t skipped = (size_t)(open + 1 - text.data);
        text = (struct proto_span){open + 1, text.bytes - skipped - 1};
        text = feature_text_trim(text);
    }
    (void)prefix_drop(&text, "mailto:");
    const uint8_t *at = text.bytes == 0 ? NULL : memchr(text.data, '@', text.bytes);
    if (at == NULL || at == text.data || at - text.data > LOCAL_BYTES_MAX || has_blank(text)) {
        return IDENTITY_DOMAIN_NONE;
    }
    size_t local = (size_t)(at + 1 - text.data);
    return domain_from_host((struct proto_span){at + 1, text.bytes - local}, false, out);
}

static bool ends_authority(uint8_t byte)
{
    return byte == '/' || byte == '?' || byte == '#' || byte == '\\';
}

/* What stands between the scheme and the path, without user and port. False for what is no host. */
static bool authority_take(struct proto_span text, struct proto_span *host)
{
    size_t end = 0;
    while (end < text.bytes && !ends_authority(text.data[end])) {
        end++;
    }
    text.bytes = end;
    const uint8_t *user = end == 0 ? NULL : memrchr(text.data, '@', end);
    if (user != NULL) {
        text.bytes -= (size_t)(user + 1 - text.data);
        text.data = user + 1;
    }
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
    struct proto_span host;
    *out = (struct identity_domain){0};
    text = feature_text_trim(text);
    if (text.bytes == 0 || text.bytes > IDENTITY_URL_BYTES_MAX) {
        return IDENTITY_DOMAIN_NONE;
    }
    bool scheme = prefix_drop(&text, "https:") || prefix_drop(&text, "http:");
    if (!prefix_drop(&text, "//") && scheme) {
        return IDENTITY_DOMAIN_NONE;
    }
    if (!authority_take(text, &host) || has_blank(host)) {
        return IDENTITY_DOMAIN_NONE;
    }
    return domain_from_host(host, true, out);
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
