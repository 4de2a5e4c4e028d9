/* SPDX-License-Identifier: Apache-2.0 */
/* A seed and an id are hashed together; the sample keeps the lowest hashes in a heap whose root is
 * the one that goes first. */
#include "server/listing/listing_draw.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "server/term/term_chain.h"

enum { TEXT_BYTES = PROTO_SEED_BYTES_MAX + 1 + PROTO_ID_BYTES_MAX };

uint64_t listing_draw_bound(double share)
{
    return (uint64_t)(share * 18446744073709551616.0);
}

uint64_t listing_draw_of(struct proto_span seed, struct proto_span id)
{
    uint8_t text[TEXT_BYTES];
    size_t bytes = seed.bytes < PROTO_SEED_BYTES_MAX ? seed.bytes : PROTO_SEED_BYTES_MAX;
    size_t rest = id.bytes < PROTO_ID_BYTES_MAX ? id.bytes : PROTO_ID_BYTES_MAX;
    uint64_t number = 0;
    if (bytes > 0) {
        memcpy(text, seed.data, bytes); /* a list without a hold-out may have no seed */
    }
    text[bytes] = ':';
    memcpy(text + bytes + 1, id.data, rest);
    struct term_hash hash = term_hash_of((struct proto_span){text, bytes + 1 + rest});
    for (size_t i = 0; i < sizeof number; i++) {
        number = number << 8 | hash.bytes[i];
    }
    return number;
}

bool listing_sample_init(struct listing_sample *sample, size_t wanted, struct proto_span seed,
                         struct proto_fault *fault)
{
    *sample = (struct listing_sample){
        .items = calloc(wanted + 1, sizeof *sample->items),
        .wanted = wanted,
        .key = listing_draw_of(seed, proto_span_text("sample")),
    };
    return sample->items != NULL ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "sample", "no memory for %zu accounts", wanted);
}

static void swap(struct listing_drawn *a, struct listing_drawn *b)
{
    struct listing_drawn kept = *a;
    *a = *b;
    *b = kept;
}

static void sink(struct listing_sample *sample, size_t at)
{
    struct listing_drawn *items = sample->items;
    for (size_t child; (child = 2 * at + 1) < sample->count; at = child) {
        child += child + 1 < sample->count && items[child + 1].hash > items[child].hash;
        if (items[child].hash <= items[at].hash) {
            return;
        }
        swap(&items[at], &items[child]);
    }
}

static void rise(struct listing_drawn *items, size_t at)
{
    while (at > 0 && items[at].hash > items[(at - 1) / 2].hash) {
        swap(&items[at], &items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

void listing_sample_offer(struct listing_sample *sample, uint32_t slot, int64_t raw)
{
    uint64_t hash = XXH3_64bits_withSeed(&slot, sizeof slot, sample->key);
    struct listing_drawn drawn = {hash, raw, slot};
    if (sample->count < sample->wanted) {
        sample->items[sample->count++] = drawn;
        rise(sample->items, sample->count - 1);
    } else if (sample->wanted > 0 && hash < sample->items[0].hash) {
        sample->items[0] = drawn;
        sink(sample, 0);
    }
}

static int compare(const void *a, const void *b)
{
    const struct listing_drawn *x = a;
    const struct listing_drawn *y = b;
    int order = (x->hash > y->hash) - (x->hash < y->hash);
    return order != 0 ? order : (x->slot > y->slot) - (x->slot < y->slot);
}

void listing_sample_sort(struct listing_sample *sample)
{
    qsort(sample->items, sample->count, sizeof *sample->items, compare);
}

void listing_sample_fini(struct listing_sample *sample)
{
    free(sample->items);
    *sample = (struct listing_sample){.count = 0};
}
