/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of an LMDB file, read with every number checked that leads somewhere. LMDB itself follows
 * what a page says: a flipped page number ends in SIGBUS, a flipped offset in an assertion, and a
 * transaction that met one is of no use any more. What is read here is a page, a node, a value, or
 * nothing.
 *
 *   page    0 u64 its number   8 u16 -   10 u16 kind   12 u16 lower   14 u16 upper
 *          16 u16 offsets of nodes, in order of keys, up to `lower`; nodes from `upper` to the end
 *   overflow page: 0 u64 number   10 u16 kind   12 u32 pages   16 value
 *   node    0 u16 low   2 u16 high   4 u16 flags   6 u16 bytes of key   8 key, then data
 *           leaf: low and high are the bytes of data; with flag 1 the data is the u64 number of an
 *           overflow page; branch: low, high and flags are the number of the child
 *
 * Ownership: spans borrow from the map. Errors: false or NULL, which the caller calls damage.
 * Threads: pure. Cost: a page and a node some 5 ns, a whole page 100 ns. Source: mdb.c of LMDB
 * 0.9, whose format does not change any more. */
#ifndef DISK_PAGE_H
#define DISK_PAGE_H

#include "server/disk/layout.h"

/* What a snapshot may look at: pages 2 to `pages` - 1; 0 and 1 are the meta pages. */
struct disk_map {
    const uint8_t *base;
    uint64_t pages;
};

enum disk_page_kind { DISK_PAGE_BRANCH = 1, DISK_PAGE_LEAF = 2, DISK_PAGE_OVERFLOW = 4 };
enum { DISK_PAGE_HEADER_BYTES = 16, DISK_NODE_HEADER_BYTES = 8 };

struct disk_node {
    struct proto_span key;
    struct proto_span data; /* of a leaf, as it lies there */
    uint64_t child;         /* of a branch */
    uint16_t flags;
};
enum disk_node_flag { DISK_NODE_BIG = 1, DISK_NODE_TABLE = 2 };

/* The page of a number, if it can be one of the kind and says so. */
const uint8_t *disk_page_at(const struct disk_map *map, uint64_t number, enum disk_page_kind kind);
/* Nodes of a page; 0: none can be. */
unsigned disk_page_nodes(const uint8_t *page);
/* index < disk_page_nodes. */
bool disk_node_at(const uint8_t *page, unsigned index, struct disk_node *node);
/* Keys of our tables: 8 bytes; the first of a branch may have none, and then stands for all. */
bool disk_node_number(const struct disk_node *node, uint64_t *key);
/* The value of a node of a leaf, from its overflow page if it has one. */
bool disk_node_value(const struct disk_map *map, const struct disk_node *node,
                     struct proto_span *value);
/* Everything that LMDB rests on when it writes to a page: no two nodes overlap, nothing is between
 * them, keys ascend within [low, high], page numbers are of the file. What an overflow page holds
 * is asked by disk_node_value. */
bool disk_page_sound(const struct disk_map *map, const uint8_t *page, uint64_t low, uint64_t high);

#endif
