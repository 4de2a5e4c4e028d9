/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of one snapshot, read through server/disk/page.h: look-ups, walks that go on behind a
 * damaged page, and whether LMDB may be let near a key.
 *
 * A table is a tree of branch and leaf pages, all leaves at one depth; between two keys of a branch
 * lie the keys of its child. A page that is led to and is not what it must be damages the keys
 * between those two, and no others.
 *
 * Ownership: a tree is valid as long as the transaction that it was read for; values borrow from
 * the map. Errors: PROTO_CORRUPT, by table and page. Threads: pure. Cost: a look-up in a tree of
 * 1 M entries less than half of LMDB's 960 ns. */
#ifndef DISK_TREE_H
#define DISK_TREE_H

#include "server/disk/page.h"

#define DISK_DEPTH_MAX 12  /* at 8 keys a page 6e10 entries; LMDB goes on to 32 */
#define DISK_ROOT_BYTES 48 /* of struct MDB_db */

struct disk_tree {
    struct disk_map map;
    const char *name; /* for faults */
    uint64_t root;
    unsigned depth; /* 0: the table is empty, or not there */
};

enum disk_got { DISK_GOT_FAULT, DISK_GOT_NONE, DISK_GOT_ONE };

/* From the bytes of a struct MDB_db. */
bool disk_tree_open(struct disk_tree *tree, const struct disk_map *map, const char *name,
                    const uint8_t bytes[DISK_ROOT_BYTES], struct proto_fault *fault);
/* The trees of all tables from that of their names, which is one leaf. */
bool disk_tree_tables(const struct disk_tree *names, struct disk_tree trees[DISK_TABLE_COUNT],
                      struct proto_fault *fault);

enum disk_got disk_tree_get(const struct disk_tree *tree, uint64_t key, struct proto_span *value,
                            struct proto_fault *fault);

struct disk_step {
    const uint8_t *page;
    uint64_t number;
    unsigned index, count;
    uint64_t low, high; /* keys that the page may have */
};

/* The last entry below *key, which becomes its key. */
enum disk_got disk_tree_before(const struct disk_tree *tree, uint64_t *key,
                               struct proto_span *value, struct proto_fault *fault);

/* A walk in the order of keys. */
struct disk_walk {
    struct disk_tree tree;
    int level; /* of the page at hand; -1: at the end */
    bool thorough;
    bool any;         /* `last` is set */
    uint64_t last;    /* key that was given last */
    uint64_t damaged; /* page to be told of; 0: none */
    struct disk_step steps[DISK_DEPTH_MAX];
};

/* To the first entry at or above `key`. thorough: each page that the walk comes through is examined
 * whole. */
void disk_walk_begin(struct disk_walk *walk, const struct disk_tree *tree, uint64_t key,
                     bool thorough);
/* The next entry. DISK_GOT_FAULT: something is damaged; the call after it goes on behind that. */
enum disk_got disk_walk_next(struct disk_walk *walk, uint64_t *key, struct proto_span *value,
                             struct proto_fault *fault);

/* What was found sound on the way to a key, so that keys in order cost little. All zeros: nothing.
 */
struct disk_way {
    unsigned known; /* levels */
    struct disk_step steps[DISK_DEPTH_MAX];
};
/* Whether every page is sound that LMDB reads to put the key. */
bool disk_tree_may_put(const struct disk_tree *tree, uint64_t key, struct disk_way *way,
                       struct proto_fault *fault);
/* The same to delete it, or to step from it: the neighbours of those pages too. Then it may be done
 * with every key from *low to *high. */
bool disk_tree_may_delete(const struct disk_tree *tree, uint64_t key, uint64_t *low, uint64_t *high,
                          struct proto_fault *fault);
/* Whether LMDB's list of free pages names pages that can be free. *pages: how many. */
bool disk_tree_free(const struct disk_tree *tree, uint64_t *pages, struct proto_fault *fault);

#endif
