/* SPDX-License-Identifier: Apache-2.0 */
/* From the root down: each step asks for a page of the kind that its level must have, and finds the
 * child by halving. A key that is not found is believed only of a leaf that is sound. A walk keeps
 * the pages that it came through; one that cannot be read is told once and stepped over. */
#include "server/disk/tree.h"

#include <string.h>

enum { ROOT_DEPTH = 6, ROOT_PAGE = 40 };

static bool page_fault(const char *name, uint64_t number, struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_CORRUPT, name, "page %llu of table %s is damaged",
                           (unsigned long long)number, name);
}

bool disk_tree_open(struct disk_tree *tree, const struct disk_map *map, const char *name,
                    const uint8_t bytes[DISK_ROOT_BYTES], struct proto_fault *fault)
{
    *tree = (struct disk_tree){.map = *map,
                               .name = name,
                               .root = disk_get_u64(bytes + ROOT_PAGE),
                               .depth = disk_get_u16(bytes + ROOT_DEPTH)};
    bool empty = tree->depth == 0 && tree->root == UINT64_MAX;
    bool good = tree->depth > 0 && tree->depth < DISK_DEPTH_MAX && tree->root >= 2 &&
                tree->root < map->pages;
    return empty || good ||
           proto_fault_set(fault, PROTO_CORRUPT, name, "the root of table %s is damaged", name);
}

static const uint8_t *step_page(const struct disk_tree *tree, unsigned level, uint64_t number)
{
    bool leaf = level + 1 == tree->depth;
    return disk_page_at(&tree->map, number, leaf ? DISK_PAGE_LEAF : DISK_PAGE_BRANCH);
}

bool disk_tree_tables(const struct disk_tree *names, struct disk_tree trees[DISK_TABLE_COUNT],
                      struct proto_fault *fault)
{
    /* With their lengths: this is done for each snapshot, and most names differ by it. */
    static const struct proto_span own[DISK_TABLE_COUNT] = {
#define X(NAME, name, help) {(const uint8_t *)(name), sizeof(name) - 1},
#include "server/disk/tables.def"
#undef X
    };
    const uint8_t *page = names->depth == 1 ? step_page(names, 0, names->root) : NULL;
    unsigned count = page == NULL ? 0 : disk_page_nodes(page);
    if (count == 0) {
        return page_fault(names->name, names->root, fault);
    }
    for (size_t i = 0; i < DISK_TABLE_COUNT; i++) {
        trees[i] = (struct disk_tree){
            .map = names->map, .name = (const char *)own[i].data, .root = UINT64_MAX};
    }
    for (unsigned i = 0; i < count; i++) {
        struct disk_node node;
        if (!disk_node_at(page, i, &node) || node.flags != DISK_NODE_TABLE ||
            node.data.bytes != DISK_ROOT_BYTES) {
            return page_fault(names->name, names->root, fault);
        }
        size_t table = 0;
        while (table < DISK_TABLE_COUNT && !proto_span_equal(node.key, own[table])) {
            table++;
        }
        if (table == DISK_TABLE_COUNT) {
            return proto_fault_set(fault, PROTO_CORRUPT, names->name,
                                   "the store has a table that this program does not know");
        }
        if (!disk_tree_open(&trees[table], &names->map, trees[table].name, node.data.data, fault)) {
            return false;
        }
    }
    return true;
}

/* Index of the first node of a leaf at or above `key`, or of the child of a branch that leads to
 * it; false: a node on the way cannot be read. */
static bool page_find(const struct disk_step *step, bool leaf, uint64_t key, unsigned *index,
                      bool *equal)
{
    unsigned low = leaf ? 0 : 1;
    unsigned high = step->count;
    *equal = false;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        struct disk_node node;
        uint64_t found;
        if (!disk_node_at(step->page, middle, &node) || !disk_node_number(&node, &found)) {
            return false;
        }
        if (leaf && found == key) {
            *index = middle;
            *equal = true;
            return true;
        }
        if (leaf ? found < key : found <= key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *index = leaf ? low : low - 1;
    return true;
}

static bool step_open(const struct disk_tree *tree, unsigned level, uint64_t number, uint64_t low,
                      uint64_t high, struct disk_step *step)
{
    *step = (struct disk_step){
        .page = step_page(tree, level, number), .number = number, .low = low, .high = high};
    step->count = step->page == NULL ? 0 : disk_page_nodes(step->page);
    return step->count > 0;
}

/* The child at the index, with the keys that it may have. */
static bool step_child(const struct disk_tree *tree, unsigned level, const struct disk_step *step,
                       unsigned index, struct disk_step *child)
{
    struct disk_node node;
    struct disk_node next;
    uint64_t low = step->low;
    uint64_t high = step->high;
    child->number = step->number;
    if (!disk_node_at(step->page, index, &node) || (index > 0 && !disk_node_number(&node, &low))) {
        return false;
    }
    if (index + 1 < step->count) {
        if (!disk_node_at(step->page, index + 1, &next) || !disk_node_number(&next, &high) ||
            high == 0) {
            return false;
        }
        high--;
    }
    return step_open(tree, level + 1, node.child, low, high, child);
}

static bool step_sound(const struct disk_tree *tree, const struct disk_step *step)
{
    return disk_page_sound(&tree->map, step->page, step->low, step->high);
}

/* The leaf that has the key or would have it, at its place. On false `leaf` has the damaged page.
 */
static bool leaf_find(const struct disk_tree *tree, uint64_t key, struct disk_step *leaf,
                      bool *equal)
{
    struct disk_step child;
    bool good = step_open(tree, 0, tree->root, 0, UINT64_MAX, leaf);
    for (unsigned level = 0; good; level++) {
        bool last = level + 1 == tree->depth;
        good = page_find(leaf, last, key, &leaf->index, equal);
        if (!good || last) {
            break;
        }
        good = step_child(tree, level, leaf, leaf->index, &child);
        *leaf = child;
    }
    return good;
}

static bool leaf_value(const struct disk_tree *tree, const struct disk_step *leaf, unsigned index,
                       uint64_t *key, struct proto_span *value)
{
    struct disk_node node;
    return disk_node_at(leaf->page, index, &node) && disk_node_number(&node, key) &&
           disk_node_value(&tree->map, &node, value);
}

enum disk_got disk_tree_get(const struct disk_tree *tree, uint64_t key, struct proto_span *value,
                            struct proto_fault *fault)
{
    struct disk_step leaf;
    bool equal = false;
    uint64_t found;
    if (tree->depth == 0) {
        return DISK_GOT_NONE;
    }
    bool good = leaf_find(tree, key, &leaf, &equal);
    if (good && equal && leaf_value(tree, &leaf, leaf.index, &found, value)) {
        return DISK_GOT_ONE;
    }
    if (good && !equal && step_sound(tree, &leaf)) {
        return DISK_GOT_NONE;
    }
    page_fault(tree->name, leaf.number, fault);
    return DISK_GOT_FAULT;
}

enum disk_got disk_tree_before(const struct disk_tree *tree, uint64_t *key,
                               struct proto_span *value, struct proto_fault *fault)
{
    uint64_t most = *key;
    while (tree->depth > 0 && most > 0) {
        struct disk_step leaf;
        bool equal;
        most--;
        if (!leaf_find(tree, most, &leaf, &equal) || !step_sound(tree, &leaf)) {
            page_fault(tree->name, leaf.number, fault);
            return DISK_GOT_FAULT;
        }
        if (equal || leaf.index > 0) {
            bool good = leaf_value(tree, &leaf, leaf.index - !equal, key, value);
            if (!good) {
                page_fault(tree->name, leaf.number, fault);
            }
            return good ? DISK_GOT_ONE : DISK_GOT_FAULT;
        }
        most = leaf.low;
    }
    return DISK_GOT_NONE;
}

/* From its beginning, where the place of the key cannot be found; what is below is passed over. */
static void walk_from_first(struct disk_walk *walk, struct disk_step *step, uint64_t key)
{
    step->index = 0;
    walk->any = key > 0;
    walk->last = key - 1;
}

void disk_walk_begin(struct disk_walk *walk, const struct disk_tree *tree, uint64_t key,
                     bool thorough)
{
    bool equal;
    walk->tree = *tree;
    walk->level = -1;
    walk->any = false;
    walk->thorough = thorough;
    walk->damaged = 0;
    if (tree->depth == 0) {
        return;
    }
    struct disk_step *step = &walk->steps[0];
    if (!step_open(tree, 0, tree->root, 0, UINT64_MAX, step)) {
        walk->damaged = tree->root;
        return;
    }
    for (;;) {
        walk->level++;
        if (thorough && !step_sound(tree, step)) {
            walk->damaged = step->number;
        }
        if (!page_find(step, (unsigned)walk->level + 1 == tree->depth, key, &step->index, &equal)) {
            walk_from_first(walk, step, key);
            return;
        }
        if ((unsigned)walk->level + 1 == tree->depth) {
            return;
        }
        if (!step_child(tree, (unsigned)walk->level, step, step->index, step + 1)) {
            walk->damaged = (step + 1)->number;
            step->index++;
            return;
        }
        step++;
    }
}

static enum disk_got walk_damage(struct disk_walk *walk, uint64_t number, struct proto_fault *fault)
{
    walk->damaged = 0;
    page_fault(walk->tree.name, number, fault);
    return DISK_GOT_FAULT;
}

/* An entry of the leaf at hand. */
static enum disk_got walk_entry(struct disk_walk *walk, struct disk_step *step, uint64_t *key,
                                struct proto_span *value, struct proto_fault *fault)
{
    struct disk_node node;
    if (!disk_node_at(step->page, step->index++, &node) || !disk_node_number(&node, key) ||
        *key < step->low || *key > step->high || !disk_node_value(&walk->tree.map, &node, value)) {
        return walk_damage(walk, step->number, fault);
    }
    if (walk->any && *key <= walk->last) {
        return walk_damage(walk, step->number, fault);
    }
    walk->any = true;
    walk->last = *key;
    return DISK_GOT_ONE;
}

enum disk_got disk_walk_next(struct disk_walk *walk, uint64_t *key, struct proto_span *value,
                             struct proto_fault *fault)
{
    if (walk->damaged != 0) {
        return walk_damage(walk, walk->damaged, fault);
    }
    while (walk->level >= 0) {
        struct disk_step *step = &walk->steps[walk->level];
        if (step->index >= step->count) {
            walk->level--;
            if (walk->level >= 0) {
                walk->steps[walk->level].index++;
            }
            continue;
        }
        if ((unsigned)walk->level + 1 == walk->tree.depth) {
            return walk_entry(walk, step, key, value, fault);
        }
        struct disk_step *child = &walk->steps[walk->level + 1];
        if (!step_child(&walk->tree, (unsigned)walk->level, step, step->index, child)) {
            step->index++;
            return walk_damage(walk, child->number, fault);
        }
        walk->level++;
        if (walk->thorough && !step_sound(&walk->tree, child)) {
            return walk_damage(walk, child->number, fault);
        }
    }
    return DISK_GOT_NONE;
}

/* The value that a put replaces, a delete frees. */
static bool value_sound(const struct disk_tree *tree, const struct disk_step *leaf, uint64_t key)
{
    unsigned index;
    bool equal;
    uint64_t found;
    struct proto_span value;
    return page_find(leaf, true, key, &index, &equal) &&
           (!equal || leaf_value(tree, leaf, index, &found, &value));
}

bool disk_tree_may_put(const struct disk_tree *tree, uint64_t key, struct disk_way *way,
                       struct proto_fault *fault)
{
    bool equal;
    while (way->known > 0 &&
           (key < way->steps[way->known - 1].low || key > way->steps[way->known - 1].high)) {
        way->known--;
    }
    while (way->known < tree->depth) {
        unsigned level = way->known;
        struct disk_step *step = &way->steps[level];
        struct disk_step *above = step - 1;
        bool good = level == 0 ? step_open(tree, 0, tree->root, 0, UINT64_MAX, step)
                               : page_find(above, false, key, &above->index, &equal) &&
                                     step_child(tree, level - 1, above, above->index, step);
        if (!good || !step_sound(tree, step)) {
            return page_fault(tree->name, step->number, fault);
        }
        way->known++;
    }
    return tree->depth == 0 || value_sound(tree, &way->steps[tree->depth - 1], key) ||
           page_fault(tree->name, way->steps[tree->depth - 1].number, fault);
}

/* The pages beside the one that a step leads to. */
static bool neighbours_sound(const struct disk_tree *tree, unsigned level,
                             const struct disk_step *step)
{
    struct disk_step beside;
    bool left = step->index == 0 || (step_child(tree, level, step, step->index - 1, &beside) &&
                                     step_sound(tree, &beside));
    bool right =
        step->index + 1 >= step->count ||
        (step_child(tree, level, step, step->index + 1, &beside) && step_sound(tree, &beside));
    return left && right;
}

bool disk_tree_may_delete(const struct disk_tree *tree, uint64_t key, uint64_t *low, uint64_t *high,
                          struct proto_fault *fault)
{
    struct disk_way way = {.known = 0};
    struct disk_way beside = {.known = 0};
    *low = 0;
    *high = UINT64_MAX;
    if (!disk_tree_may_put(tree, key, &way, fault)) {
        return false;
    }
    if (tree->depth <= 1) {
        return true;
    }
    for (unsigned level = 0; level + 1 < tree->depth; level++) {
        if (!neighbours_sound(tree, level, &way.steps[level])) {
            return page_fault(tree->name, way.steps[level].number, fault);
        }
    }
    /* The leaves before and behind may hang on other branches. */
    const struct disk_step *leaf = &way.steps[tree->depth - 1];
    *low = leaf->low;
    *high = leaf->high;
    return (*low == 0 || disk_tree_may_put(tree, *low - 1, &beside, fault)) &&
           (*high == UINT64_MAX || disk_tree_may_put(tree, *high + 1, &beside, fault));
}

/* Numbers descend, as LMDB keeps them. */
static bool list_sound(const struct disk_map *map, struct proto_span value, uint64_t *pages)
{
    uint64_t count = value.bytes < 8 ? 0 : disk_get_u64(value.data);
    uint64_t before = map->pages;
    if (value.bytes < 8 || count > value.bytes / 8 - 1) {
        return false;
    }
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t number = disk_get_u64(value.data + i * 8);
        if (number < 2 || number >= before) {
            return false;
        }
        before = number;
    }
    *pages += count;
    return true;
}

bool disk_tree_free(const struct disk_tree *tree, uint64_t *pages, struct proto_fault *fault)
{
    struct disk_walk walk;
    enum disk_got got;
    uint64_t key;
    struct proto_span value;
    *pages = 0;
    disk_walk_begin(&walk, tree, 0, true);
    while ((got = disk_walk_next(&walk, &key, &value, fault)) == DISK_GOT_ONE) {
        if (!list_sound(&tree->map, value, pages)) {
            return proto_fault_set(fault, PROTO_CORRUPT, tree->name,
                                   "the list of free pages is damaged");
        }
    }
    return got == DISK_GOT_NONE;
}
