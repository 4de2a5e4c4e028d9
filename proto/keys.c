/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/keys.h"

#define XXH_INLINE_ALL /* short hashes cost half of a call to the library */
#include <assert.h>
#include <xxhash.h>

#include "proto/head.h"

/* Up to here comparing each key with all before it is cheaper than hashing. */
#define FEW_KEYS 8
/* Twice the keys, so that the set is at most half full; a power of two. */
#define SLOTS_MAX 4096
#define PROBES_PER_KEY 16

static_assert(SLOTS_MAX == 2 * PROTO_MAP_KEYS_MAX, "the set is at most half full");

/* Shorter first, then bytewise: cheaper than the order of texts, and any total order will do. */
static int key_order(struct proto_span a, struct proto_span b)
{
    if (a.bytes != b.bytes) {
        return a.bytes < b.bytes ? -1 : 1;
    }
    return a.bytes == 0 ? 0 : memcmp(a.data, b.data, a.bytes);
}

static void heap_sink(struct proto_span *keys, size_t at, size_t count)
{
    struct proto_span sinking = keys[at];
    for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && key_order(keys[child], keys[child + 1]) < 0) {
            child++;
        }
        if (key_order(sinking, keys[child]) >= 0) {
            break;
        }
        keys[at] = keys[child];
        at = child;
    }
    keys[at] = sinking;
}

bool proto_keys_differ_sorted(struct proto_span *keys, size_t count, struct proto_span *twice)
{
    for (size_t i = count / 2; i-- > 0;) {
        heap_sink(keys, i, count);
    }
    for (size_t left = count; left-- > 1;) {
        struct proto_span largest = keys[0];
        keys[0] = keys[left];
        keys[left] = largest;
        heap_sink(keys, 0, left);
    }
    for (size_t i = 1; i < count; i++) {
        if (proto_span_equal(keys[i - 1], keys[i])) {
            *twice = keys[i];
            return false;
        }
    }
    return true;
}

enum proto_keys_verdict proto_keys_differ_hashed(const struct proto_span *keys, size_t count,
                                                 size_t probes_max, struct proto_span *twice)
{
    uint16_t slots[SLOTS_MAX]; /* index of a key + 1, or 0; only the part in use is cleared */
    size_t slot_count = 16;
    while (slot_count < 2 * count) {
        slot_count *= 2;
    }
    assert(slot_count <= SLOTS_MAX);
    memset(slots, 0, slot_count * sizeof(slots[0]));
    size_t probes = 0;
    for (size_t i = 0; i < count; i++) {
        size_t slot = XXH3_64bits(keys[i].data, keys[i].bytes) & (slot_count - 1);
        for (; slots[slot] != 0; slot = (slot + 1) & (slot_count - 1)) {
            if (proto_span_equal(keys[slots[slot] - 1], keys[i])) {
                *twice = keys[i];
                return PROTO_KEYS_TWICE;
            }
            if (++probes > probes_max) {
                return PROTO_KEYS_UNDECIDED;
            }
        }
        slots[slot] = (uint16_t)(i + 1);
    }
    return PROTO_KEYS_DIFFER;
}

static bool few_differ(const struct proto_span *keys, size_t count, struct proto_span *twice)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (proto_span_equal(keys[i], keys[j])) {
                *twice = keys[i];
                return false;
            }
        }
    }
    return true;
}

bool proto_keys_all_differ(struct proto_span *keys, size_t count, struct proto_span *twice)
{
    assert(count <= PROTO_MAP_KEYS_MAX);
    if (count <= FEW_KEYS) {
        return few_differ(keys, count, twice);
    }
    enum proto_keys_verdict verdict =
        proto_keys_differ_hashed(keys, count, PROBES_PER_KEY * count, twice);
    if (verdict == PROTO_KEYS_UNDECIDED) {
        return proto_keys_differ_sorted(keys, count, twice);
    }
    return verdict == PROTO_KEYS_DIFFER;
}

bool proto_keys_differ(struct proto_span body, size_t pairs, struct proto_span *twice)
{
    struct proto_span keys[PROTO_MAP_KEYS_MAX];
    const uint8_t *at = body.data;
    const uint8_t *end = body.data + body.bytes;
    assert(pairs <= PROTO_MAP_KEYS_MAX);
    for (size_t i = 0; i < pairs; i++) {
        struct proto_head head = {.kind = PROTO_KIND_NIL};
        (void)proto_head_read(at, (size_t)(end - at), &head);
        keys[i] = (struct proto_span){at + head.bytes, head.size};
        at = proto_skip(at + head.bytes + head.size, end);
    }
    return proto_keys_all_differ(keys, pairs, twice);
}
