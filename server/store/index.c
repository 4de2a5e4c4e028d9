/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/index.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/pages.h"

enum {
    /* Percent of the entries that the lines have room for. */
    LOAD_NEW = 70,  /* a new table */
    LOAD_GROW = 85, /* start to fill a larger one beside it */
    LOAD_MOST = 95, /* do not go on before the larger one is ready */
    LINES_LEAST = 64,
    SLICE_LINES = 16384, /* one slice of growth: about 1 ms */
};

/* Readers may run at any time: everything is stored with release and read with acquire, in the
 * order that makes a torn entry look empty or absent, which the check of `stable` then uncovers. */
static uint64_t hash_at(const struct store_index_line *line, int i)
{
    return atomic_load_explicit(&line->hashes[i], memory_order_acquire);
}

/* An empty entry is 0 in memory: a table is begun by asking for zeroed pages, and each is made when
 * it is first written to, not all at once before the first entry. */
static uint32_t ref_at(const struct store_index_line *line, int i)
{
    return atomic_load_explicit(&line->refs[i], memory_order_acquire) ^ STORE_NO_SLOT;
}

static void ref_set(struct store_index_line *line, int i, uint32_t ref)
{
    atomic_store_explicit(&line->refs[i], ref ^ STORE_NO_SLOT, memory_order_release);
}

static void entry_set(struct store_index_line *line, int i, uint64_t hash, uint32_t ref)
{
    atomic_store_explicit(&line->hashes[i], hash, memory_order_release);
    ref_set(line, i, ref);
}

uint32_t store_index_find(const struct store_index_table *table, uint64_t hash)
{
    const struct store_index_line *line = store_index_home(table, hash);
    const struct store_index_line *end = table->lines + table->line_count;
    for (size_t probes = 0; probes < table->line_count; probes++) {
        /* Which of the five it is cannot be predicted: all are compared, and one branch decides. */
        unsigned equal = 0;
        for (int i = 0; i < STORE_LINE_ENTRIES; i++) {
            equal |= (unsigned)(hash_at(line, i) == hash) << i;
        }
        for (; equal != 0; equal &= equal - 1) {
            uint32_t ref = ref_at(line, __builtin_ctz(equal));
            if (ref != STORE_NO_SLOT) {
                return ref;
            }
        }
        if (atomic_load_explicit(&line->passed, memory_order_acquire) == 0) {
            break;
        }
        if (++line == end) {
            line = table->lines;
        }
    }
    return STORE_NO_SLOT;
}

static size_t lines_for(size_t entries)
{
    size_t lines = entries * 100 / ((size_t)LOAD_NEW * STORE_LINE_ENTRIES) + 1;
    return lines < LINES_LEAST ? LINES_LEAST : lines;
}

/* Large tables lie on huge pages where the machine has them: a probe then costs no page walk. */
static bool is_large(const struct store_index_table *table)
{
    return table->bytes >= BASE_HUGE_BYTES;
}

static struct store_index_table *table_create(size_t entries)
{
    struct store_index_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        return NULL;
    }
    table->line_count = lines_for(entries);
    table->bytes = table->line_count * sizeof *table->lines;
    if (is_large(table)) {
        table->bytes = (table->bytes + BASE_HUGE_BYTES - 1) & ~(BASE_HUGE_BYTES - 1);
        table->lines = base_pages_take(table->bytes);
    } else {
        table->lines = aligned_alloc(sizeof *table->lines, table->bytes);
    }
    if (table->lines == NULL) {
        free(table);
        return NULL;
    }
    if (!is_large(table)) {
        memset(table->lines, 0, table->bytes);
    }
    return table;
}

static void table_destroy(struct store_index_table *table)
{
    if (table == NULL) {
        return;
    }
    if (is_large(table)) {
        base_pages_give(table->lines, table->bytes);
    } else {
        free(table->lines);
    }
    free(table);
}

static size_t line_next(const struct store_index_table *table, size_t at)
{
    return at + 1 == table->line_count ? 0 : at + 1;
}

static size_t line_home(const struct store_index_table *table, uint64_t hash)
{
    return (size_t)(store_index_home(table, hash) - table->lines);
}

/* Where the entry of a hash is: line and place; false if it is nowhere. */
static bool entry_find(const struct store_index_table *table, uint64_t hash, size_t *at, int *place)
{
    *at = line_home(table, hash);
    for (size_t probes = 0; probes < table->line_count; probes++) {
        const struct store_index_line *line = &table->lines[*at];
        for (*place = 0; *place < STORE_LINE_ENTRIES; (*place)++) {
            if (ref_at(line, *place) != STORE_NO_SLOT && hash_at(line, *place) == hash) {
                return true;
            }
        }
        if (atomic_load_explicit(&line->passed, memory_order_relaxed) == 0) {
            break;
        }
        *at = line_next(table, *at);
    }
    return false;
}

static void passed_add(struct store_index_line *line, int more)
{
    uint32_t passed = atomic_load_explicit(&line->passed, memory_order_relaxed);
    atomic_store_explicit(&line->passed, passed + (uint32_t)more, memory_order_release);
}

static void table_set(struct store_index_table *table, uint64_t hash, uint32_t ref)
{
    size_t at;
    int place;
    if (entry_find(table, hash, &at, &place)) {
        ref_set(&table->lines[at], place, ref);
        return;
    }
    /* The load limit sees to it that a free place exists. */
    for (at = line_home(table, hash);; at = line_next(table, at)) {
        for (place = 0; place < STORE_LINE_ENTRIES; place++) {
            if (ref_at(&table->lines[at], place) == STORE_NO_SLOT) {
                entry_set(&table->lines[at], place, hash, ref);
                table->entries++;
                return;
            }
        }
        passed_add(&table->lines[at], 1);
    }
}

static void table_remove(struct store_index_table *table, uint64_t hash)
{
    size_t found;
    int place;
    if (!entry_find(table, hash, &found, &place)) {
        return;
    }
    entry_set(&table->lines[found], place, 0, STORE_NO_SLOT);
    for (size_t at = line_home(table, hash); at != found; at = line_next(table, at)) {
        passed_add(&table->lines[at], -1);
    }
    table->entries--;
}

static bool table_over(const struct store_index_table *table, size_t more, size_t percent)
{
    return (table->entries + more) * 100 > table->line_count * STORE_LINE_ENTRIES * percent;
}

void store_index_fini(struct store_index *index)
{
    store_index_reclaim(index, UINT64_MAX);
    table_destroy(atomic_load(&index->table));
    table_destroy(index->growing);
}

bool store_index_begin(struct store_index *index, size_t entries)
{
    index->growing = table_create(entries);
    index->copied = 0;
    return index->growing != NULL;
}

static struct store_index_table *in_use(const struct store_index *index)
{
    return atomic_load_explicit(&index->table, memory_order_relaxed);
}

static void retire(struct store_index *index, struct store_index_table *table)
{
    /* Whoever reads the epoch after this finds the new pointer. */
    table->retired = atomic_fetch_add(&index->epoch, 1) + 1;
    table->next = index->retired;
    index->retired = table;
}

static void publish_growing(struct store_index *index)
{
    struct store_index_table *old = in_use(index);
    atomic_store(&index->table, index->growing);
    index->growing = NULL;
    if (old != NULL) {
        retire(index, old);
    }
}

void store_index_publish(struct store_index *index, uint64_t seq)
{
    publish_growing(index);
    atomic_store(&index->stable, seq);
}

/* Copies lines of the table in use into the growing one. */
static void copy_lines(struct store_index *index, size_t most)
{
    const struct store_index_table *from = in_use(index);
    for (; most > 0 && index->copied < from->line_count; most--, index->copied++) {
        const struct store_index_line *line = &from->lines[index->copied];
        for (int i = 0; i < STORE_LINE_ENTRIES; i++) {
            if (ref_at(line, i) != STORE_NO_SLOT) {
                table_set(index->growing, hash_at(line, i), ref_at(line, i));
            }
        }
    }
}

bool store_index_step(struct store_index *index)
{
    struct store_index_table *table = in_use(index);
    if (table == NULL) {
        return false;
    }
    if (index->growing == NULL) {
        if (!table_over(table, 0, LOAD_GROW)) {
            return false;
        }
        if (!store_index_begin(index, table->entries)) {
            return false; /* tried again at the next commit; up to LOAD_MOST nothing is lost */
        }
    }
    copy_lines(index, SLICE_LINES);
    if (index->copied < table->line_count) {
        return true;
    }
    publish_growing(index); /* the same entries: `stable` stays */
    return false;
}

static void copy_all(struct store_index_table *to, const struct store_index_table *from)
{
    for (size_t at = 0; at < from->line_count; at++) {
        for (int i = 0; i < STORE_LINE_ENTRIES; i++) {
            if (ref_at(&from->lines[at], i) != STORE_NO_SLOT) {
                table_set(to, hash_at(&from->lines[at], i), ref_at(&from->lines[at], i));
            }
        }
    }
}

/* Makes sure that `more` entries fit, at once: slices were not enough. */
static bool make_room(struct store_index *index, size_t more)
{
    struct store_index_table *growing = index->growing;
    if (growing != NULL && table_over(growing, more, LOAD_MOST)) {
        /* Nobody has seen it: replace it by a larger one. */
        index->growing = table_create((growing->entries + more) * 2);
        if (index->growing != NULL) {
            copy_all(index->growing, growing);
        }
        table_destroy(growing);
        if (index->growing == NULL) {
            return false;
        }
    }
    struct store_index_table *table = in_use(index);
    if (table == NULL || !table_over(table, more, LOAD_MOST)) {
        return true;
    }
    if (index->growing == NULL && !store_index_begin(index, table->entries + more)) {
        return false;
    }
    copy_lines(index, table->line_count);
    publish_growing(index);
    return !table_over(in_use(index), more, LOAD_MOST) || make_room(index, more);
}

/* Gives the index up; views that hold the table see that it is not stable any more. */
static bool abandon(struct store_index *index)
{
    struct store_index_table *table = in_use(index);
    atomic_store(&index->table, NULL);
    if (table != NULL) {
        retire(index, table);
    }
    table_destroy(index->growing);
    index->growing = NULL;
    return false;
}

bool store_index_fill(struct store_index *index, uint64_t hash, uint32_t ref)
{
    if (!make_room(index, 1)) {
        return abandon(index);
    }
    table_set(index->growing, hash, ref);
    return true;
}

/* What the hash names after the edit: a slot if one text has it, nothing if none has. */
static uint32_t named_after(uint32_t named, const struct store_id_edit *edit)
{
    uint32_t slot = edit->ref & STORE_REF_SLOT;
    if (edit->add) {
        return named == STORE_NO_SLOT ? slot : STORE_REF_SHARED;
    }
    return named == STORE_REF_SHARED ? STORE_REF_SHARED : STORE_NO_SLOT;
}

static void table_name(struct store_index_table *table, uint64_t hash, uint32_t named)
{
    if (table == NULL) {
        return;
    }
    if (named == STORE_NO_SLOT) {
        table_remove(table, hash);
    } else {
        table_set(table, hash, named);
    }
}

bool store_index_change(struct store_index *index, const struct store_id_edit *edits, size_t count,
                        uint64_t seq)
{
    if (in_use(index) == NULL) {
        return true;
    }
    atomic_store(&index->stable, STORE_INDEX_CHANGES);
    if (!make_room(index, count)) {
        return abandon(index);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t named = named_after(store_index_find(in_use(index), edits[i].hash), &edits[i]);
        table_name(in_use(index), edits[i].hash, named);
        table_name(index->growing, edits[i].hash, named);
    }
    atomic_store(&index->stable, seq);
    return true;
}

bool store_index_fill_change(struct store_index *index, const struct store_id_edit *edits,
                             size_t count)
{
    if (!make_room(index, count)) {
        return abandon(index);
    }
    for (size_t i = 0; i < count; i++) {
        table_name(index->growing, edits[i].hash,
                   named_after(store_index_find(index->growing, edits[i].hash), &edits[i]));
    }
    return true;
}

void store_index_reclaim(struct store_index *index, uint64_t least)
{
    struct store_index_table **link = &index->retired;
    while (*link != NULL) {
        struct store_index_table *table = *link;
        if (table->retired > least) {
            link = &table->next;
            continue;
        }
        *link = table->next;
        table_destroy(table);
    }
}

size_t store_index_bytes(const struct store_index *index)
{
    size_t bytes = index->growing == NULL ? 0 : index->growing->bytes;
    if (in_use(index) != NULL) {
        bytes += in_use(index)->bytes;
    }
    for (const struct store_index_table *table = index->retired; table != NULL;
         table = table->next) {
        bytes += table->bytes;
    }
    return bytes;
}

size_t store_index_entries(const struct store_index *index)
{
    return in_use(index) == NULL ? 0 : in_use(index)->entries;
}
