/* SPDX-License-Identifier: Apache-2.0 */
/* A column is found by its name, a cell becomes a key: cleaned, and for the namespace domain cut
 * down to the host. What gives no key says why by its outcome. */
#include "tools/cli/csv/key_column.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/feature/span_text.h"

const char *csv_column_nearest(const struct csv_input *input, const char *name)
{
    const char *nearest = NULL;
    size_t least = strlen(name) / 3 + 2;
    for (size_t i = 0; i < csv_column_count(input); i++) {
        const char *column = csv_column(input, i);
        size_t distance =
            feature_text_distance(proto_span_text(name), proto_span_text(column), least);
        if (distance < least) {
            least = distance;
            nearest = column;
        }
    }
    return nearest;
}

bool csv_column_absent(const struct csv_input *input, const char *option, const char *name,
                       struct proto_fault *fault)
{
    const char *nearest = csv_column_nearest(input, name);
    return proto_fault_set(fault, PROTO_USAGE, "", "--%s: %s has no column '%s'%s%s%s", option,
                           csv_name(input), name, nearest != NULL ? "; did you mean '" : "",
                           nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static bool name_space_valid(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        bool fits = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9') ||
                    text[i] == '_';
        if (!fits) {
            return false;
        }
    }
    return bytes > 0 && bytes <= FEATURE_NAMESPACE_BYTES_MAX;
}

bool key_column_parse(const struct csv_input *input, const char *option, const char *text,
                      struct key_column *key, struct proto_fault *fault)
{
    const char *equals = strchr(text, '=');
    size_t bytes = equals != NULL ? (size_t)(equals - text) : 0;
    if (equals == NULL || !name_space_valid(text, bytes)) {
        return proto_fault_set(fault, PROTO_USAGE, "",
                               "--%s: '%s' is not NAMESPACE=COLUMN, with a namespace of lower-case "
                               "letters, digits and '_', such as domain=website",
                               option, text);
    }
    memcpy(key->name_space, text, bytes);
    key->name_space[bytes] = '\0';
    key->column = csv_column_find(input, equals + 1);
    return key->column != SIZE_MAX || csv_column_absent(input, option, equals + 1, fault);
}

static bool is_missing_word(struct proto_span text)
{
    size_t count = 0;
    const char *const *words = feature_default_missing_words(&count);
    bool missing = text.bytes == 0;
    for (size_t i = 0; i < count && !missing; i++) {
        missing = feature_text_same(text, proto_span_text(words[i]));
    }
    return missing;
}

static bool is_domain(const struct key_column *key)
{
    return strcmp(key->name_space, "domain") == 0;
}

static bool is_address(struct proto_span cell)
{
    return cell.bytes > 0 && memchr(cell.data, '@', cell.bytes) != NULL &&
           memmem(cell.data, cell.bytes, "://", 3) == NULL;
}

static enum identity_domain_kind domain_read(struct proto_span cell, struct identity_domain *domain)
{
    return is_address(cell) ? identity_domain_from_email(cell, domain)
                            : identity_domain_from_url(cell, domain);
}

/* NAMESPACE:HOST; a name of some 240 characters does not fit a key, and no company has one. */
static bool host_key(const char *name_space, const char *host, char out[KEY_BYTES])
{
    int bytes = snprintf(out, KEY_BYTES, "%s:%s", name_space, host);
    return bytes > 0 && bytes < (int)KEY_BYTES;
}

static enum key_outcome domain_make(struct proto_span cell, char out[KEY_BYTES])
{
    struct identity_domain domain;
    enum identity_domain_kind kind = domain_read(cell, &domain);
    if (kind == IDENTITY_DOMAIN_COMPANY && host_key("domain", domain.host, out)) {
        return KEY_MADE;
    }
    if (kind == IDENTITY_DOMAIN_SHARED_HOST) { /* apps.apple.com; apple.com would be misleading */
        snprintf(out, KEY_BYTES, "%.254s", domain.host);
        return KEY_SHARED;
    }
    if (kind == IDENTITY_DOMAIN_FREE_MAIL) {
        snprintf(out, KEY_BYTES, "%.254s", domain.registrable);
        return KEY_FREE;
    }
    (void)feature_text_show(cell, out, FEATURE_SHOWN_BYTES);
    return KEY_NONSENSE;
}

bool key_column_address(const struct key_column *key, struct proto_span cell, char out[KEY_BYTES])
{
    struct identity_domain domain;
    if (!is_domain(key) || domain_read(cell, &domain) != IDENTITY_DOMAIN_COMPANY) {
        return false;
    }
    int bytes = snprintf(out, KEY_BYTES, "site@%s", domain.host);
    return bytes > 0 && bytes < (int)KEY_BYTES;
}

bool key_column_is_address(const struct key_column *key, struct proto_span cell)
{
    return is_domain(key) && is_address(cell);
}

void key_hosts_init(struct key_hosts *hosts)
{
    text_count_init(&hosts->hosts, UINT32_MAX);
    text_count_init(&hosts->domains, UINT32_MAX);
}

void key_hosts_fini(struct key_hosts *hosts)
{
    text_count_fini(&hosts->hosts);
    text_count_fini(&hosts->domains);
}

/* Whether the host may lie below a registrable domain, as "shop.acme.com" does: reading a domain
 * costs ten times as much. */
static bool may_be_below(struct proto_span cell)
{
    bool www = cell.bytes >= 4 && memcmp(cell.data, "www.", 4) == 0;
    size_t dots = 0;
    for (size_t i = 0; i < cell.bytes; i++) {
        if (cell.data[i] >= 0x80) {
            return true; /* dots of other scripts */
        }
        if (cell.data[i] == '/' && dots > 0) {
            break; /* a path */
        }
        www |=
            cell.data[i] == '/' && cell.bytes - i > 4 && memcmp(cell.data + i + 1, "www.", 4) == 0;
        dots += cell.data[i] == '.';
    }
    return dots > 1 + (size_t)www;
}

/* False: no memory. */
static bool host_add(struct key_hosts *hosts, struct proto_span cell, size_t line)
{
    struct identity_domain domain;
    const struct text_entry *entry = NULL;
    if (!may_be_below(cell) || domain_read(cell, &domain) != IDENTITY_DOMAIN_COMPANY ||
        !identity_domain_stands_for(&domain)) {
        return true;
    }
    if (!text_count_add(&hosts->hosts, proto_span_text(domain.host), line, &entry)) {
        return false;
    }
    bool again = entry != NULL && entry->count > 1;
    return again ||
           text_count_add(&hosts->domains, proto_span_text(domain.registrable), line, NULL);
}

bool key_hosts_gather(struct key_hosts *hosts, struct csv_input *input,
                      const struct key_column *keys, size_t key_count, struct proto_fault *fault)
{
    struct csv_row row;
    size_t k = 0;
    while (k < key_count && !is_domain(&keys[k])) {
        k++;
    }
    while (k < key_count && csv_next(input, &row, fault)) {
        if (!row.bad && !host_add(hosts, row.cells[keys[k].column], row.line)) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for line %zu", row.line);
        }
    }
    csv_rewind(input);
    return fault->code == PROTO_OK;
}

bool key_column_above(const struct key_column *key, const struct key_hosts *hosts,
                      struct proto_span cell, char out[KEY_BYTES])
{
    struct identity_domain domain;
    if (!is_domain(key) || hosts->domains.count == 0 ||
        domain_read(cell, &domain) != IDENTITY_DOMAIN_COMPANY ||
        !identity_domain_stands_for(&domain)) {
        return false;
    }
    const struct text_entry *entry =
        text_count_find(&hosts->domains, proto_span_text(domain.registrable));
    return entry != NULL && entry->count == 1 &&
           host_key(IDENTITY_ABOVE_NAMESPACE, domain.registrable, out);
}

bool key_is_above(const char *key)
{
    size_t bytes = strlen(IDENTITY_ABOVE_NAMESPACE);
    return strncmp(key, IDENTITY_ABOVE_NAMESPACE, bytes) == 0 && key[bytes] == ':';
}

enum key_outcome key_column_make(const struct key_column *key, struct proto_span cell,
                                 char out[KEY_BYTES])
{
    cell = feature_text_trim(cell);
    out[0] = '\0';
    if (is_missing_word(cell)) {
        return KEY_EMPTY;
    }
    if (is_domain(key)) {
        return domain_make(cell, out);
    }
    if (strlen(key->name_space) + 1 + cell.bytes > PROTO_ID_BYTES_MAX) {
        (void)feature_text_show(cell, out, FEATURE_SHOWN_BYTES);
        return KEY_NONSENSE;
    }
    snprintf(out, KEY_BYTES, "%s:%.*s", key->name_space, (int)cell.bytes, (const char *)cell.data);
    return KEY_MADE;
}
