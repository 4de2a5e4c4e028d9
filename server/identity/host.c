/* SPDX-License-Identifier: Apache-2.0 */
/* A text is folded and encoded label by label; then the longest tenants' host and the longest
 * public suffix above it say where one organisation's part begins. Whatever is no name of a machine
 * on the public network is false. */
#include "server/identity/host.h"

#include <libpsl.h>
#include <stdlib.h>

#include "proto/reader.h"
#include "server/identity/punycode.h"

#define HOST_BYTES_MAX 253

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

static const char *const tenant_hosts[] = {
#define X(host, kind) host,
#include "server/identity/tenant_host.def"
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

#define TABLE_HAS(table, name) table_has(table, sizeof(table) / sizeof(table)[0], name)

/* The name above, "acme.com" of "www.acme.com"; NULL at the top. */
static const char *name_above(const char *host)
{
    const char *dot = strchr(host, '.');
    return dot == NULL ? NULL : dot + 1;
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

/* The list's default rule, which takes any unknown last label for a public suffix, is not used:
 * "printer.local" belongs to nobody. */
static bool is_suffix(const char *host, int type)
{
    const psl_ctx_t *list = psl_builtin();
    return list != NULL && psl_is_public_suffix2(list, host, type | PSL_TYPE_NO_STAR_RULE);
}

static void www_drop(char host[IDENTITY_HOST_BYTES])
{
    const char *rest = host + 4;
    if (strncmp(host, "www.", 4) == 0 && strchr(rest, '.') != NULL &&
        !is_suffix(rest, PSL_TYPE_ICANN)) {
        memmove(host, rest, strlen(rest) + 1);
    }
}

bool identity_host_normal(struct proto_span host, char out[IDENTITY_HOST_BYTES])
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
    if (ok) {
        www_drop(out);
    }
    return ok;
}

/* Set aside for examples and synthetic data (RFC 2606): it must behave as a real one does. */
#define RESERVED_TOP ".example"

/* By the public suffix list: one label more than the suffix. */
static const char *registrable_listed(const char *host)
{
    const psl_ctx_t *list = psl_builtin();
    const char *top = strrchr(host, '.');
    /* Not the last label alone: "za" is on the list only as part of "co.za" and others. */
    const char *suffix = list == NULL || top == NULL ? NULL : psl_unregistrable_domain(list, host);
    if (suffix == NULL) {
        return NULL;
    }
    if (suffix == host) { /* a suffix itself: whoever runs a private one has it */
        return is_suffix(host, PSL_TYPE_PRIVATE) && !is_suffix(host, PSL_TYPE_ICANN) ? host : NULL;
    }
    if (!is_suffix(suffix, PSL_TYPE_ANY) && strcmp(top, RESERVED_TOP) != 0) {
        return NULL;
    }
    const char *start = suffix - 1;
    while (start > host && start[-1] != '.') {
        start--;
    }
    return start;
}

/* The name one label below the longest tenants' host; NULL if none is above. */
static const char *tenant_of(const char *host)
{
    for (const char *above = name_above(host); above != NULL; above = name_above(above)) {
        if (TABLE_HAS(tenant_hosts, above)) {
            return host;
        }
        host = above;
    }
    return NULL;
}

const char *identity_host_registrable(const char *host)
{
    const char *listed = registrable_listed(host);
    const char *tenant = listed == NULL ? NULL : tenant_of(host);
    return tenant != NULL && strlen(tenant) > strlen(listed) ? tenant : listed;
}

bool identity_host_free_mail(const char *registrable)
{
    return TABLE_HAS(free_mail, registrable);
}

bool identity_host_shared(const char *host, const char *registrable)
{
    for (size_t least = strlen(registrable); host != NULL && strlen(host) >= least;
         host = name_above(host)) {
        if (TABLE_HAS(shared_hosts, host)) {
            return true;
        }
    }
    return false;
}
