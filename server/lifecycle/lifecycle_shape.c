/* SPDX-License-Identifier: Apache-2.0 */
/* A table of hashes over shapes in chunks that never move, so that who knows a number reads its
 * shape without the lock. Memory and numbers can run out. */
#include "server/lifecycle/lifecycle_shape.h"

#include <stdlib.h>

#include "server/base/hash.h"

enum { FIRST_CELLS = 1024, ARENA_BYTES = 64 << 10, TEXTS = 7 };
#define TEXT_BYTES_MAX ((size_t)256 << 20)

void lifecycle_shapes_init(struct lifecycle_shapes *shapes)
{
    *shapes = (struct lifecycle_shapes){.count = 0};
    pthread_mutex_init(&shapes->lock, NULL);
    base_arena_init(&shapes->arena, ARENA_BYTES, TEXT_BYTES_MAX);
}

void lifecycle_shapes_fini(struct lifecycle_shapes *shapes)
{
    for (size_t i = 0; i < sizeof shapes->chunks / sizeof *shapes->chunks; i++) {
        free(shapes->chunks[i]);
    }
    free(shapes->hashes);
    free(shapes->cells);
    base_arena_fini(&shapes->arena);
    pthread_mutex_destroy(&shapes->lock);
}

static void texts_of(const struct event *event, struct proto_span texts[TEXTS])
{
    texts[0] = event->source;
    texts[1] = event->kind;
    texts[2] = event->label;
    texts[3] = event->motion;
    texts[4] = event->function;
    texts[5] = event->campaign;
    texts[6] = event->currency;
}

static uint64_t hash_of(const struct event *event)
{
    uint8_t bytes[16 + TEXTS * 256];
    struct proto_span texts[TEXTS];
    const uint64_t head[2] = {(uint64_t)event->type << 32 | event->has, (uint64_t)event->months};
    size_t at = sizeof head;
    memcpy(bytes, head, sizeof head);
    texts_of(event, texts);
    for (size_t i = 0; i < TEXTS; i++) {
        bytes[at++] = (uint8_t)texts[i].bytes; /* event_member.def bounds each to a byte */
        if (texts[i].bytes > 0) {
            memcpy(bytes + at, texts[i].data, texts[i].bytes);
            at += texts[i].bytes;
        }
    }
    return base_hash(bytes, at, 0);
}

static bool same(const struct event *a, const struct event *b)
{
    struct proto_span left[TEXTS];
    struct proto_span right[TEXTS];
    bool equal = a->type == b->type && a->has == b->has && a->months == b->months;
    texts_of(a, left);
    texts_of(b, right);
    for (size_t i = 0; i < TEXTS && equal; i++) {
        equal = proto_span_equal(left[i], right[i]);
    }
    return equal;
}

/* At most half of the cells are taken. */
static bool cells_grow(struct lifecycle_shapes *shapes)
{
    size_t count = shapes->cell_count == 0 ? FIRST_CELLS : shapes->cell_count * 2;
    uint32_t *cells = calloc(count, sizeof *cells);
    uint64_t *hashes = realloc(shapes->hashes, count / 2 * sizeof *hashes);
    shapes->hashes = hashes != NULL ? hashes : shapes->hashes;
    if (cells == NULL || hashes == NULL) {
        free(cells);
        return false;
    }
    for (uint32_t i = 0; i < shapes->count; i++) {
        size_t at = hashes[i] & (count - 1);
        while (cells[at] != 0) {
            at = (at + 1) & (count - 1);
        }
        cells[at] = i + 1;
    }
    free(shapes->cells);
    shapes->cells = cells;
    shapes->cell_count = count;
    return true;
}

static void text_keep(struct lifecycle_shapes *shapes, struct proto_span from,
                      struct proto_span *to)
{
    if (from.bytes > 0) {
        *to =
            (struct proto_span){(const uint8_t *)base_arena_text(&shapes->arena, from), from.bytes};
    }
}

static bool shape_add(struct lifecycle_shapes *shapes, const struct event *event, uint64_t hash)
{
    struct event **chunk = &shapes->chunks[shapes->count / LIFECYCLE_SHAPE_CHUNK];
    struct event shape = {.type = event->type, .has = event->has, .months = event->months};
    if (*chunk == NULL && (*chunk = calloc(LIFECYCLE_SHAPE_CHUNK, sizeof **chunk)) == NULL) {
        return false;
    }
    text_keep(shapes, event->source, &shape.source);
    text_keep(shapes, event->kind, &shape.kind);
    text_keep(shapes, event->label, &shape.label);
    text_keep(shapes, event->motion, &shape.motion);
    text_keep(shapes, event->function, &shape.function);
    text_keep(shapes, event->campaign, &shape.campaign);
    text_keep(shapes, event->currency, &shape.currency);
    if (!base_arena_ok(&shapes->arena)) {
        return false;
    }
    (*chunk)[shapes->count % LIFECYCLE_SHAPE_CHUNK] = shape;
    shapes->hashes[shapes->count++] = hash;
    return true;
}

static uint32_t find_locked(struct lifecycle_shapes *shapes, const struct event *event,
                            uint64_t hash)
{
    bool full = (size_t)shapes->count * 2 >= shapes->cell_count;
    if (full && !cells_grow(shapes)) {
        return LIFECYCLE_SHAPE_NONE;
    }
    size_t at = hash & (shapes->cell_count - 1);
    for (; shapes->cells[at] != 0; at = (at + 1) & (shapes->cell_count - 1)) {
        uint32_t number = shapes->cells[at] - 1;
        if (shapes->hashes[number] == hash && same(lifecycle_shape(shapes, number), event)) {
            return number;
        }
    }
    if (shapes->count == LIFECYCLE_SHAPES_MAX || !shape_add(shapes, event, hash)) {
        return LIFECYCLE_SHAPE_NONE;
    }
    shapes->cells[at] = shapes->count;
    return shapes->count - 1;
}

uint32_t lifecycle_shape_find(struct lifecycle_shapes *shapes, const struct event *event)
{
    uint64_t hash = hash_of(event);
    pthread_mutex_lock(&shapes->lock);
    uint32_t number = find_locked(shapes, event, hash);
    pthread_mutex_unlock(&shapes->lock);
    return number;
}
