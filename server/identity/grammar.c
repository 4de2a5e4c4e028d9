/* SPDX-License-Identifier: Apache-2.0 */
/* An id passes if its length and each of its bytes do; a key must be an id, have a namespace before
 * its first colon and something behind it, and is then folded if its namespace says so. Whatever is
 * refused names the byte, or says what a key looks like. */
#include "server/identity/grammar.h"

#include <string.h>

#include "proto/table.h"
#include "server/feature/schema.h"
#include "server/feature/span_text.h"

bool identity_id_check(struct proto_span id, const char *field, struct proto_fault *fault)
{
    if (id.bytes == 0 || id.bytes > PROTO_ID_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, field, "%zu bytes, from 1 to %d are allowed",
                               id.bytes, PROTO_ID_BYTES_MAX);
    }
    for (size_t i = 0; i < id.bytes; i++) {
        if (id.data[i] < 0x20 || id.data[i] == 0x7f) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, field,
                                   "control character 0x%02x at byte %zu", id.data[i], i);
        }
    }
    return true;
}

/* The namespace of a key; empty if it has none, or nothing behind it. */
static struct proto_span namespace_of(struct proto_span key)
{
    const uint8_t *colon = key.bytes > 0 ? memchr(key.data, ':', key.bytes) : NULL;
    size_t bytes = colon ? (size_t)(colon - key.data) : 0;
    struct proto_span space = {key.data, bytes};
    return bytes + 1 < key.bytes && feature_namespace_valid(space) ? space : (struct proto_span){0};
}

/* Only a host name is folded, and only where that changes it. */
static struct proto_span key_fold(struct proto_span key, struct proto_span space, uint8_t *room)
{
    bool same = true;
    if (!proto_span_equal(space, proto_span_text("domain"))) {
        return key;
    }
    for (size_t i = 0; i < key.bytes; i++) {
        room[i] = feature_text_lower(key.data[i]);
        same = same && room[i] == key.data[i];
    }
    return same ? key : (struct proto_span){room, key.bytes};
}

bool identity_key_normal(struct proto_span key, uint8_t *room, struct proto_span *normal,
                         const char *field, struct proto_fault *fault)
{
    if (!identity_id_check(key, field, fault)) {
        return false;
    }
    struct proto_span space = namespace_of(key);
    if (space.bytes == 0) {
        return proto_fault_set(
            fault, PROTO_BAD_FIELD, field,
            "a key is written namespace:value, such as domain:acme.com; a namespace is "
            "1 to %d of a-z, 0-9, '_', '-', '.', a letter first",
            FEATURE_NAMESPACE_BYTES_MAX);
    }
    *normal = key_fold(key, space, room);
    return true;
}

struct proto_span identity_key_wanted(struct proto_span key, uint8_t *room)
{
    return key.bytes <= PROTO_ID_BYTES_MAX ? key_fold(key, namespace_of(key), room) : key;
}
