/* SPDX-License-Identifier: Apache-2.0 */
/* A change is copied into the generation's memory, its cell is found or made, and the change is put
 * before those that the cell has, with one store that readers acquire. Without memory the change is
 * not made, the group it belongs to is taken back, and what was copied lies unused until the
 * generation goes. */
#include "server/store/overlay_find.h"

#include <stdlib.h>

enum {
    CHUNK_BYTES = 1 << 20,
    CELLS_LEAST = 1024,
    ROW_ALIGN = 64, /* a row lies on cache lines of its own, here as in the map */
};

struct store_chunk {
    struct store_chunk *next;
    size_t used;
    size_t bytes; /* of data */
    uint8_t *data;
};

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for what is not yet folded");
}

static bool chunk_add(struct store_generation *generation, size_t bytes)
{
    struct store_chunk *chunk = malloc(sizeof *chunk);
    if (chunk == NULL) {
        return false;
    }
    chunk->bytes =
        bytes > CHUNK_BYTES ? (bytes + ROW_ALIGN - 1) & ~(size_t)(ROW_ALIGN - 1) : CHUNK_BYTES;
    chunk->data = aligned_alloc(ROW_ALIGN, chunk->bytes);
    if (chunk->data == NULL) {
        free(chunk);
        return false;
    }
    chunk->used = 0;
    generation->bytes += chunk->bytes + sizeof *chunk;
    /* What is larger than a chunk does not end the one that is being filled. */
    struct store_chunk *first = generation->chunks;
    if (bytes > CHUNK_BYTES && first != NULL) {
        chunk->next = first->next;
        first->next = chunk;
    } else {
        chunk->next = first;
        generation->chunks = chunk;
    }
    return true;
}

static void *take(struct store_generation *generation, size_t bytes, size_t align)
{
    struct store_chunk *chunk = generation->chunks;
    size_t at = chunk == NULL ? 0 : (chunk->used + align - 1) & ~(align - 1);
    if (chunk != NULL && at <= chunk->bytes && bytes <= chunk->bytes - at) {
        chunk->used = at + bytes;
        return chunk->data + at;
    }
    if (!chunk_add(generation, bytes)) {
        return NULL;
    }
    bool apart = bytes > CHUNK_BYTES && chunk != NULL;
    struct store_chunk *fresh = apart ? chunk->next : generation->chunks;
    fresh->used = bytes;
    return fresh->data;
}

static struct store_cells *cells_create(struct store_generation *generation)
{
    struct store_cells *cells = store_cells_create(CELLS_LEAST);
    generation->bytes += cells == NULL ? 0 : store_cells_bytes(CELLS_LEAST);
    return cells;
}

struct store_generation *store_generation_create(uint64_t begin, uint64_t digest,
                                                 struct store_generation *older,
                                                 struct proto_fault *fault)
{
    struct store_generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL) {
        no_memory(fault);
        return NULL;
    }
    generation->begin = begin;
    atomic_init(&generation->digest, digest);
    generation->older = older;
    generation->bytes = sizeof *generation;
    atomic_init(&generation->least, STORE_NO_SLOT);
    struct store_cells *slots = cells_create(generation);
    struct store_cells *texts = cells_create(generation);
    atomic_init(&generation->slots, slots);
    atomic_init(&generation->texts, texts);
    if (slots != NULL && texts != NULL) {
        return generation;
    }
    store_generation_destroy(generation);
    no_memory(fault);
    return NULL;
}

void store_generation_destroy(struct store_generation *generation)
{
    if (generation == NULL) {
        return;
    }
    store_cells_destroy(atomic_load_explicit(&generation->slots, memory_order_relaxed));
    store_cells_destroy(atomic_load_explicit(&generation->texts, memory_order_relaxed));
    store_cells_destroy(atomic_load_explicit(&generation->tolds, memory_order_relaxed));
    while (generation->chunks != NULL) {
        struct store_chunk *chunk = generation->chunks;
        generation->chunks = chunk->next;
        free(chunk->data);
        free(chunk);
    }
    free(generation);
}

static uint64_t slot_cell_hash(const void *cell)
{
    return store_slot_hash(((const struct store_slot_cell *)cell)->slot);
}

static uint64_t told_cell_hash(const void *cell)
{
    const struct store_happening *told = cell;
    return store_told_hash(told->slot, told->hash);
}

static uint64_t text_cell_hash(const void *cell)
{
    return ((const struct store_text_cell *)cell)->hash;
}

/* A place for one more. */
static bool cells_reserve(struct store_generation *generation, _Atomic(struct store_cells *) *table,
                          size_t taken, uint64_t (*hash_of)(const void *cell))
{
    size_t grown;
    bool good = store_cells_reserve(table, taken, hash_of, &grown);
    generation->bytes += grown;
    return good;
}

static bool links_add(struct store_links *links, enum store_link_kind kind, void *cell)
{
    if (links->count == links->room) {
        size_t room = links->room == 0 ? 256 : links->room * 2;
        struct store_link *list = realloc(links->list, room * sizeof *list);
        if (list == NULL) {
            return false;
        }
        links->list = list;
        links->room = room;
    }
    links->list[links->count++] = (struct store_link){kind, cell};
    return true;
}

struct store_version *store_overlay_version(struct store_generation *generation, size_t value_bytes,
                                            size_t row_bytes, uint8_t **value, uint8_t **row,
                                            struct proto_fault *fault)
{
    struct store_version *version =
        take(generation, sizeof *version, _Alignof(struct store_version));
    *value = take(generation, value_bytes, sizeof(uint64_t));
    *row = row_bytes == 0 ? NULL : take(generation, row_bytes, ROW_ALIGN);
    if (version == NULL || *value == NULL || (row_bytes > 0 && *row == NULL)) {
        no_memory(fault);
        return NULL;
    }
    *version =
        (struct store_version){.value = {*value, value_bytes}, .row = *row, .row_bytes = row_bytes};
    return version;
}

bool store_overlay_past(struct store_generation *generation, struct store_version *version,
                        struct proto_span past, struct proto_fault *fault)
{
    if (past.bytes == 0) {
        return true;
    }
    uint8_t *copy = take(generation, past.bytes, 1);
    if (copy == NULL) {
        return no_memory(fault);
    }
    memcpy(copy, past.data, past.bytes);
    version->past = (struct proto_span){copy, past.bytes};
    return true;
}

static struct store_slot_cell *slot_cell(struct store_generation *generation, uint32_t slot)
{
    struct store_slot_cell *cell = store_slot_find(generation, slot);
    if (cell != NULL) {
        return cell;
    }
    cell = take(generation, sizeof *cell, _Alignof(struct store_slot_cell));
    if (cell == NULL ||
        !cells_reserve(generation, &generation->slots, generation->slot_count, slot_cell_hash)) {
        return NULL;
    }
    cell->slot = slot;
    cell->told_count = 0;
    cell->cut_seq = 0;
    atomic_init(&cell->newest, NULL);
    atomic_init(&cell->told, NULL);
    store_cells_put(atomic_load_explicit(&generation->slots, memory_order_relaxed),
                    store_slot_hash(slot), cell);
    generation->slot_count++;
    return cell;
}

bool store_overlay_link(struct store_generation *generation, uint32_t slot,
                        struct store_version *version, struct store_links *links,
                        struct proto_fault *fault)
{
    struct store_slot_cell *cell = slot_cell(generation, slot);
    if (cell == NULL || !links_add(links, STORE_LINK_VERSION, cell)) {
        return no_memory(fault);
    }
    if (slot < atomic_load_explicit(&generation->least, memory_order_relaxed)) {
        atomic_store_explicit(&generation->least, slot, memory_order_release);
    }
    version->older = atomic_load_explicit(&cell->newest, memory_order_relaxed);
    atomic_store_explicit(&cell->newest, version, memory_order_release);
    return true;
}

static struct store_text_cell *text_cell(struct store_generation *generation, enum store_kind kind,
                                         uint64_t hash, struct proto_span text, uint32_t was)
{
    struct store_text_cell *cell = store_text_find(generation, kind, hash, text);
    if (cell != NULL) {
        return cell;
    }
    cell = take(generation, sizeof *cell, _Alignof(struct store_text_cell));
    uint8_t *copy = take(generation, text.bytes, 1);
    if (cell == NULL || copy == NULL ||
        !cells_reserve(generation, &generation->texts, generation->text_count, text_cell_hash)) {
        return NULL;
    }
    memcpy(copy, text.data, text.bytes);
    cell->hash = hash;
    cell->kind = kind;
    cell->text = (struct proto_span){copy, text.bytes};
    cell->before = was;
    atomic_init(&cell->newest, NULL);
    store_cells_put(atomic_load_explicit(&generation->texts, memory_order_relaxed), hash, cell);
    generation->text_count++;
    return cell;
}

bool store_overlay_own(struct store_generation *generation, enum store_kind kind, uint64_t hash,
                       struct proto_span text, uint32_t was, uint32_t now, uint64_t seq,
                       struct store_links *links, struct proto_fault *fault)
{
    struct store_text_cell *cell = text_cell(generation, kind, hash, text, was);
    struct store_owner *owner = take(generation, sizeof *owner, _Alignof(struct store_owner));
    if (cell == NULL || owner == NULL || !links_add(links, STORE_LINK_OWNER, cell)) {
        return no_memory(fault);
    }
    *owner = (struct store_owner){.seq = seq, .slot = now};
    owner->older = atomic_load_explicit(&cell->newest, memory_order_relaxed);
    atomic_store_explicit(&cell->newest, owner, memory_order_release);
    return true;
}

struct store_paper *store_overlay_paper(struct store_generation *generation, enum disk_table table,
                                        uint64_t key, size_t bytes, uint64_t seq, uint8_t **value,
                                        struct store_links *links, struct proto_fault *fault)
{
    struct store_paper *paper = take(generation, sizeof *paper, _Alignof(struct store_paper));
    *value = take(generation, bytes, sizeof(uint64_t));
    if (paper == NULL || *value == NULL || !links_add(links, STORE_LINK_PAPER, NULL)) {
        no_memory(fault);
        return NULL;
    }
    *paper = (struct store_paper){.seq = seq, .table = table, .key = key, .value = {*value, bytes}};
    paper->older = atomic_load_explicit(&generation->papers, memory_order_relaxed);
    atomic_store_explicit(&generation->papers, paper, memory_order_release);
    return paper;
}

/* A place in the table of events, which is made with the first. */
static bool told_reserve(struct store_generation *generation)
{
    if (atomic_load_explicit(&generation->tolds, memory_order_relaxed) == NULL) {
        struct store_cells *cells = cells_create(generation);
        if (cells == NULL) {
            return false;
        }
        atomic_store_explicit(&generation->tolds, cells, memory_order_release);
    }
    return cells_reserve(generation, &generation->tolds, generation->told_count, told_cell_hash);
}

bool store_overlay_tell(struct store_generation *generation, const struct store_happening *told,
                        struct store_links *links, struct proto_fault *fault)
{
    struct store_slot_cell *cell = slot_cell(generation, told->slot);
    struct store_happening *copy = take(generation, sizeof *copy, _Alignof(struct store_happening));
    uint8_t *event = take(generation, told->event.bytes + 1, 1);
    if (cell == NULL || copy == NULL || event == NULL || !told_reserve(generation) ||
        !links_add(links, STORE_LINK_TOLD, cell)) {
        return no_memory(fault);
    }
    *copy = *told;
    copy->event.data = event;
    if (told->cut) {
        cell->cut_seq = told->seq;
        cell->told_count = 0;
    } else {
        memcpy(event, told->event.data, told->event.bytes);
        cell->told_count++;
        store_cells_put(atomic_load_explicit(&generation->tolds, memory_order_relaxed),
                        told_cell_hash(copy), copy);
        generation->told_count++;
    }
    copy->older = atomic_load_explicit(&cell->told, memory_order_relaxed);
    atomic_store_explicit(&cell->told, copy, memory_order_release);
    return true;
}

/* Takes the newest that was told of the slot back, and counts again. */
static void told_undo(struct store_slot_cell *cell)
{
    struct store_happening *told = atomic_load_explicit(&cell->told, memory_order_relaxed);
    told->dead = true;
    atomic_store_explicit(&cell->told, told->older, memory_order_release);
    if (!told->cut) {
        cell->told_count--;
        return;
    }
    cell->cut_seq = 0;
    cell->told_count = 0;
    for (told = told->older; told != NULL; told = told->older) {
        if (told->cut) {
            cell->cut_seq = told->seq;
            return;
        }
        cell->told_count++;
    }
}

void store_overlay_undo(struct store_generation *generation, struct store_links *links)
{
    while (links->count > 0) {
        const struct store_link *link = &links->list[--links->count];
        if (link->kind == STORE_LINK_VERSION) {
            struct store_slot_cell *cell = link->cell;
            struct store_version *version =
                atomic_load_explicit(&cell->newest, memory_order_relaxed);
            atomic_store_explicit(&cell->newest, version->older, memory_order_release);
        } else if (link->kind == STORE_LINK_OWNER) {
            struct store_text_cell *cell = link->cell;
            struct store_owner *owner = atomic_load_explicit(&cell->newest, memory_order_relaxed);
            atomic_store_explicit(&cell->newest, owner->older, memory_order_release);
        } else if (link->kind == STORE_LINK_TOLD) {
            told_undo(link->cell);
        } else {
            struct store_paper *paper =
                atomic_load_explicit(&generation->papers, memory_order_relaxed);
            atomic_store_explicit(&generation->papers, paper->older, memory_order_release);
        }
    }
}
