/* SPDX-License-Identifier: Apache-2.0 */
/* One page at a time: is it one, where is a node, where is its value. Each offset is held against
 * the page, each page number against the map, before it is followed. */
#include "server/disk/page.h"

enum {
    PAGE_KIND = 10,
    PAGE_LOWER = 12,
    PAGE_UPPER = 14,
    OVERFLOW_PAGES = 12,
    NODE_FLAGS = 4,
    NODE_KEY_BYTES = 6,
    KEY_BYTES = 8,
};

const uint8_t *disk_page_at(const struct disk_map *map, uint64_t number, enum disk_page_kind kind)
{
    if (number < 2 || number >= map->pages) {
        return NULL;
    }
    const uint8_t *page = map->base + number * DISK_PAGE_BYTES;
    return disk_get_u64(page) == number && disk_get_u16(page + PAGE_KIND) == kind ? page : NULL;
}

unsigned disk_page_nodes(const uint8_t *page)
{
    unsigned lower = disk_get_u16(page + PAGE_LOWER);
    bool good = lower >= DISK_PAGE_HEADER_BYTES && lower <= DISK_PAGE_BYTES && lower % 2 == 0;
    return good ? (lower - DISK_PAGE_HEADER_BYTES) / 2 : 0;
}

/* Bytes that a node takes of its page; more than a page if it cannot be one. */
static size_t node_bytes(const uint8_t *page, const uint8_t *node)
{
    size_t bytes = DISK_NODE_HEADER_BYTES + disk_get_u16(node + NODE_KEY_BYTES);
    if (disk_get_u16(page + PAGE_KIND) == DISK_PAGE_BRANCH) {
        return bytes;
    }
    bool big = (disk_get_u16(node + NODE_FLAGS) & DISK_NODE_BIG) != 0;
    return bytes + (big ? sizeof(uint64_t) : disk_get_u32(node));
}

bool disk_node_at(const uint8_t *page, unsigned index, struct disk_node *node)
{
    size_t at = disk_get_u16(page + DISK_PAGE_HEADER_BYTES + (size_t)index * 2);
    if (at < DISK_PAGE_HEADER_BYTES || at > DISK_PAGE_BYTES - DISK_NODE_HEADER_BYTES) {
        return false;
    }
    const uint8_t *from = page + at;
    if (node_bytes(page, from) > DISK_PAGE_BYTES - at) {
        return false;
    }
    size_t key_bytes = disk_get_u16(from + NODE_KEY_BYTES);
    *node = (struct disk_node){.key = {from + DISK_NODE_HEADER_BYTES, key_bytes},
                               .flags = disk_get_u16(from + NODE_FLAGS)};
    if (disk_get_u16(page + PAGE_KIND) == DISK_PAGE_BRANCH) {
        node->child = disk_get_u32(from) | (uint64_t)node->flags << 32;
        node->flags = 0;
        return true;
    }
    node->data = (struct proto_span){node->key.data + key_bytes, disk_get_u32(from)};
    return (node->flags & ~(DISK_NODE_BIG | DISK_NODE_TABLE)) == 0;
}

bool disk_node_number(const struct disk_node *node, uint64_t *key)
{
    if (node->key.bytes != KEY_BYTES) {
        *key = 0;
        return false;
    }
    *key = disk_get_u64(node->key.data);
    return true;
}

bool disk_node_value(const struct disk_map *map, const struct disk_node *node,
                     struct proto_span *value)
{
    *value = node->data;
    if (node->flags == 0) {
        return true;
    }
    if (node->flags != DISK_NODE_BIG) {
        return false;
    }
    uint64_t number = disk_get_u64(node->data.data);
    uint64_t bytes = node->data.bytes;
    uint64_t pages = (DISK_PAGE_HEADER_BYTES - 1 + bytes) / DISK_PAGE_BYTES + 1;
    const uint8_t *page = disk_page_at(map, number, DISK_PAGE_OVERFLOW);
    if (page == NULL) {
        return false;
    }
    /* A value that was written over a longer one keeps the pages of that. */
    uint64_t taken = disk_get_u32(page + OVERFLOW_PAGES);
    if (taken < pages || taken > map->pages - number) {
        return false;
    }
    *value = (struct proto_span){page + DISK_PAGE_HEADER_BYTES, (size_t)bytes};
    return true;
}

static size_t even(size_t bytes)
{
    return (bytes + 1) & ~(size_t)1;
}

static bool leads_within(const struct disk_map *map, bool branch, const struct disk_node *node)
{
    if (!branch && node->flags != DISK_NODE_BIG) {
        return node->flags == 0;
    }
    uint64_t number = branch ? node->child : disk_get_u64(node->data.data);
    return number >= 2 && number < map->pages;
}

bool disk_page_sound(const struct disk_map *map, const uint8_t *page, uint64_t low, uint64_t high)
{
    unsigned count = disk_page_nodes(page);
    size_t upper = disk_get_u16(page + PAGE_UPPER);
    bool branch = disk_get_u16(page + PAGE_KIND) == DISK_PAGE_BRANCH;
    size_t bytes = 0;
    uint64_t before = low;
    if (count == 0 || upper < DISK_PAGE_HEADER_BYTES + (size_t)count * 2 ||
        upper > DISK_PAGE_BYTES) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        struct disk_node node;
        uint64_t key;
        if (disk_get_u16(page + DISK_PAGE_HEADER_BYTES + (size_t)i * 2) < upper ||
            !disk_node_at(page, i, &node)) {
            return false;
        }
        const uint8_t *from = node.key.data - DISK_NODE_HEADER_BYTES;
        bytes += even(node_bytes(page, from));
        bool keyed = disk_node_number(&node, &key);
        if (!leads_within(map, branch, &node)) {
            return false;
        }
        if (branch && i == 0) { /* its key says nothing */
            continue;
        }
        if (!keyed || key > high || key < before || (i > (branch ? 1U : 0U) && key == before)) {
            return false;
        }
        before = key;
    }
    return bytes == DISK_PAGE_BYTES - upper;
}
