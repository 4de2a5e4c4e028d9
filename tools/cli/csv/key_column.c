/* SPDX-License-Identifier: Apache-2.0 */
/* A column is found by its name, a cell becomes a key: cleaned, and for the namespace domain cut
 * down to what somebody registered. What gives no key says why by its outcome. */
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

static enum key_outcome domain_make(struct proto_span cell, char out[PROTO_ID_BYTES_MAX + 1])
{
    struct identity_domain domain = {0};
    bool is_email = memchr(cell.data, '@', cell.bytes) != NULL &&
                    memmem(cell.data, cell.bytes, "://", 3) == NULL;
    enum identity_domain_kind kind = is_email ? identity_domain_from_email(cell, &domain)
                                              : identity_domain_from_url(cell, &domain);
    /* A name of 248 characters does not fit a key; no company has one. */
    if (kind == IDENTITY_DOMAIN_COMPANY && strlen(domain.registrable) + 7 <= PROTO_ID_BYTES_MAX) {
        snprintf(out, PROTO_ID_BYTES_MAX + 1, "domain:%.247s", domain.registrable);
        return KEY_MADE;
    }
    if (kind == IDENTITY_DOMAIN_SHARED_HOST || kind == IDENTITY_DOMAIN_FREE_MAIL) {
        snprintf(out, PROTO_ID_BYTES_MAX + 1, "%.254s", domain.registrable);
        return kind == IDENTITY_DOMAIN_SHARED_HOST ? KEY_SHARED : KEY_FREE;
    }
    (void)feature_text_show(cell, out, FEATURE_SHOWN_BYTES);
    return KEY_NONSENSE;
}

enum key_outcome key_column_make(const struct key_column *key, struct proto_span cell,
                                 char out[PROTO_ID_BYTES_MAX + 1])
{
    cell = feature_text_trim(cell);
    out[0] = '\0';
    if (is_missing_word(cell)) {
        return KEY_EMPTY;
    }
    if (strcmp(key->name_space, "domain") == 0) {
        return domain_make(cell, out);
    }
    if (strlen(key->name_space) + 1 + cell.bytes > PROTO_ID_BYTES_MAX) {
        (void)feature_text_show(cell, out, FEATURE_SHOWN_BYTES);
        return KEY_NONSENSE;
    }
    snprintf(out, PROTO_ID_BYTES_MAX + 1, "%s:%.*s", key->name_space, (int)cell.bytes,
             (const char *)cell.data);
    return KEY_MADE;
}
