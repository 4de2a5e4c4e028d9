/* SPDX-License-Identifier: Apache-2.0 */
/* One sealed generation into the tables: its accounts in the order of slots, their events and rows
 * with them, changes of ids in the order of buckets, documents in the order they came, and the
 * counters of its last commit, in one transaction. A crash before the end leaves the tables as they
 * were, and the log makes the generation again.
 *
 * What is damaged in the tables does not stop a fold: an account is written over what was there, or
 * aside where a page is damaged, a block of rows is encoded again from the accounts, a bucket that
 * cannot be read stays as it is and goes on answering that it is damaged. Each is told. A full disk
 * or a full map stops it; it is tried again. */
#include <stdlib.h>

#include "server/store/store_parts.h"

/* What a fold works with. */
struct fold {
    struct store *store;
    const struct store_generation *generation;
    struct disk_txn txn;
    struct store_slot_cell **slots; /* ascending */
    uint32_t *runs;                 /* of the history of each */
    size_t slot_count;
    uint32_t slots_before;
};

static const struct store_version *newest(const struct store_slot_cell *cell)
{
    return atomic_load_explicit(&cell->newest, memory_order_acquire);
}

static int compare_slots(const void *a, const void *b)
{
    uint32_t left = (*(struct store_slot_cell *const *)a)->slot;
    uint32_t right = (*(struct store_slot_cell *const *)b)->slot;
    return (left > right) - (left < right);
}

static bool slots_sort(struct fold *fold, struct proto_fault *fault)
{
    size_t room = fold->generation->slot_count + 1;
    fold->slots = malloc(room * sizeof(struct store_slot_cell *));
    fold->runs = malloc(room * sizeof *fold->runs);
    if (fold->slots == NULL || fold->runs == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to fold %zu accounts", room);
    }
    fold->slot_count = store_generation_slots(fold->generation, fold->slots);
    qsort(fold->slots, fold->slot_count, sizeof(struct store_slot_cell *), compare_slots);
    return true;
}

static void counters_move(struct disk_state *state, const struct store_generation *generation)
{
    const struct disk_state *after = &generation->after;
    state->seq = after->seq;
    state->accounts = after->accounts;
    state->slots = after->slots;
    state->schema_version = after->schema_version;
    state->icp_version = after->icp_version;
    state->active = after->active;
    state->previous = after->previous;
    state->switches = after->switches;
    state->tals = after->tals;
    state->identities = after->identities;
    state->terms = after->terms;
    state->metrics = after->metrics;
    state->challenges = after->challenges;
    state->segments = after->segments;
    state->sources = after->sources;
    state->folds = after->folds;
    state->chain_low = after->chain_low;
    state->chain_high = after->chain_high;
    state->outcome_low = after->outcome_low;
    state->outcome_high = after->outcome_high;
    if (state->history_seq != 0 && state->history_ms == 0) {
        state->history_ms = (uint64_t)generation->time_ms;
    }
}

static bool fold_accounts(struct fold *fold, struct proto_fault *fault)
{
    for (size_t i = 0; i < fold->slot_count; i++) {
        uint32_t slot = fold->slots[i]->slot;
        if (!store_account_put(&fold->txn, slot, slot >= fold->slots_before,
                               newest(fold->slots[i])->value, fold->runs[i], fault)) {
            return false;
        }
    }
    return true;
}

/* The row as it was encoded when the account was written, or made now. NULL with *fault untouched:
 * there is nothing to make it with. */
static bool row_fill(struct fold *fold, const struct store_version *version, uint32_t slot,
                     uint8_t *row, struct proto_fault *fault)
{
    struct store_folder *folder = &fold->store->folder;
    if (version->row != NULL && version->digest == fold->txn.state.rows_digest) {
        memcpy(row, version->row, fold->txn.state.row_bytes);
        return true;
    }
    struct proto_span record = store_account_shown(version->value);
    return store_row_make(&folder->maker, slot, record, row, fault);
}

/* Whether rows of the codebook of the tables can be made. */
static bool rows_able(const struct fold *fold, const struct store_version *version)
{
    const struct disk_state *state = &fold->txn.state;
    const struct store_encoder *encoder = fold->store->folder.maker.encoder;
    if (version->row != NULL && version->digest == state->rows_digest) {
        return version->row_bytes == state->row_bytes;
    }
    return encoder != NULL && encoder->digest == state->rows_digest &&
           store_row_bytes(encoder->code_bytes) == state->row_bytes;
}

/* Rows below the mark are kept right in the same transaction. Where one cannot be made, or its
 * block is damaged, the mark goes back instead, and rows are encoded again from there. */
static bool fold_rows(struct fold *fold, struct proto_fault *fault)
{
    struct store_folder *folder = &fold->store->folder;
    struct disk_state *state = &fold->txn.state;
    bool complete = state->rows_slots == fold->slots_before;
    if (state->rows_digest == 0) {
        return true;
    }
    store_row_writer_begin(&folder->rows, &fold->txn);
    for (size_t i = 0; i < fold->slot_count; i++) {
        uint32_t slot = fold->slots[i]->slot;
        const struct store_version *version = newest(fold->slots[i]);
        if (slot >= state->rows_slots && !complete) {
            break;
        }
        if (!rows_able(fold, version)) {
            state->rows_slots = slot < state->rows_slots ? slot : state->rows_slots;
            return store_row_flush(&folder->rows, fault);
        }
        uint8_t *row = store_row_place(&folder->rows, slot, false, fault);
        if (row == NULL && fault->code == PROTO_CORRUPT) {
            store_damage(fold->store, fault);
            state->rows_slots = slot - slot % STORE_BLOCK_ROWS;
            return true;
        }
        if (row == NULL || !row_fill(fold, version, slot, row, fault)) {
            return false;
        }
        if (slot >= state->rows_slots) {
            state->rows_slots = slot + 1;
        }
    }
    return store_row_flush(&folder->rows, fault);
}

static void edits_add(struct store_edits *edits, const struct store_text_cell *cell)
{
    uint32_t kind = cell->kind == STORE_KIND_KEY ? STORE_REF_KEY : 0;
    uint32_t now = atomic_load_explicit(&cell->newest, memory_order_acquire)->slot;
    if (cell->before == now) {
        return;
    }
    if (cell->before != STORE_NO_SLOT) {
        edits->list[edits->count++] =
            (struct store_id_edit){.hash = cell->hash, .ref = cell->before | kind, .add = false};
    }
    if (now != STORE_NO_SLOT) {
        edits->list[edits->count++] =
            (struct store_id_edit){.hash = cell->hash, .ref = now | kind, .add = true};
    }
}

static bool fold_ids(struct fold *fold, struct proto_fault *fault)
{
    struct store_folder *folder = &fold->store->folder;
    size_t count = fold->generation->text_count;
    uint32_t damaged = 0;
    struct store_text_cell **cells = malloc((count + 1) * sizeof(struct store_text_cell *));
    folder->edits.count = 0;
    if (cells == NULL || !store_edits_reserve(&folder->edits, count * 2 + 1, fault)) {
        free(cells);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to fold %zu ids", count);
    }
    count = store_generation_texts(fold->generation, cells);
    for (size_t i = 0; i < count; i++) {
        edits_add(&folder->edits, cells[i]);
    }
    free(cells);
    bool good = store_bucket_edit(&fold->txn, &folder->bucket_room, folder->edits.list,
                                  folder->edits.count, &damaged, fault);
    if (good && damaged > 0) {
        store_damage(fold->store, fault);
    }
    return good;
}

/* Checks of all values of a table, as they stand there. The check of a damaged value may be damaged
 * too, so that it cannot be taken out of the sum: where one is written over, all are added anew.
 * False: a page cannot be read, and the scrub goes on telling of that. */
static bool sum_again(struct disk_txn *txn, enum disk_table table, struct disk_sum *sum)
{
    struct disk_cursor cursor;
    struct proto_fault ignored;
    enum disk_got got = DISK_GOT_FAULT;
    *sum = (struct disk_sum){0};
    if (!disk_cursor_open(&cursor, txn, table, &ignored)) {
        return false;
    }
    while ((got = disk_cursor_next(&cursor, &ignored)) == DISK_GOT_ONE &&
           cursor.value.bytes >= sizeof(uint64_t)) {
        sum->count++;
        sum->digest ^= disk_get_u64(cursor.value.data);
    }
    disk_cursor_close(&cursor);
    return got == DISK_GOT_NONE;
}

static bool paper_put(struct fold *fold, const struct store_paper *paper, struct proto_fault *fault)
{
    struct disk_sum sum;
    uint8_t *place = disk_txn_put(&fold->txn, paper->table, paper->key, paper->value.bytes,
                                  paper->again ? DISK_PUT_ANY : DISK_PUT_LAST, fault);
    if (place == NULL) {
        return false;
    }
    memcpy(place, paper->value.data, paper->value.bytes);
    if (!paper->again) {
        disk_sum_change(&fold->txn.state, paper->table, false, 0, true,
                        disk_get_u64(paper->value.data));
    } else if (sum_again(&fold->txn, paper->table, &sum)) {
        fold->txn.state.sums[paper->table] = sum;
    }
    return true;
}

/* The list has the newest first. */
static bool fold_papers(struct fold *fold, struct proto_fault *fault)
{
    size_t count = 0;
    const struct store_paper *last =
        atomic_load_explicit(&fold->generation->papers, memory_order_acquire);
    for (const struct store_paper *paper = last; paper != NULL; paper = paper->older) {
        count++;
    }
    const struct store_paper **papers = malloc((count + 1) * sizeof *papers);
    if (papers == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to fold %zu documents",
                               count);
    }
    size_t at = count;
    for (const struct store_paper *paper = last; paper != NULL; paper = paper->older) {
        papers[--at] = paper;
    }
    bool good = true;
    for (; at < count && good; at++) {
        good = paper_put(fold, papers[at], fault);
    }
    free(papers);
    return good;
}

/* Slots that changed, for look-alike vectors that have not seen them. */
static bool fold_touched(struct fold *fold, struct proto_fault *fault)
{
    if (!fold->store->folder.vectors.keeping || fold->slot_count == 0) {
        return true;
    }
    uint32_t *slots = malloc(fold->slot_count * sizeof *slots);
    if (slots == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to fold %zu slots",
                               fold->slot_count);
    }
    for (size_t i = 0; i < fold->slot_count; i++) {
        slots[i] = fold->slots[i]->slot;
    }
    bool good = store_vectors_touch(&fold->txn, slots, fold->slot_count, fault);
    free(slots);
    if (!good && fault->code == PROTO_CORRUPT) {
        /* Whoever reads the list comes to the same page, and builds the vectors anew. */
        store_damage(fold->store, fault);
        return true;
    }
    return good;
}

static bool fold_all(struct fold *fold, struct proto_fault *fault)
{
    fold->slots_before = fold->txn.state.slots;
    counters_move(&fold->txn.state, fold->generation);
    return slots_sort(fold, fault) &&
           store_fold_pasts(fold->store, &fold->txn, fold->slots, fold->slot_count,
                            fold->slots_before, fold->runs, fault) &&
           fold_accounts(fold, fault) &&
           store_fold_events(fold->store, &fold->txn, fold->generation, fold->slots_before,
                             fault) &&
           fold_rows(fold, fault) && fold_ids(fold, fault) && fold_papers(fold, fault) &&
           fold_touched(fold, fault) &&
           store_operations_write(&fold->store->operations, &fold->txn, fold->generation->end,
                                  fold->generation->time_ms, fault);
}

bool store_fold(struct store *store, const struct store_generation *generation,
                struct proto_fault *fault)
{
    struct fold fold = {.store = store, .generation = generation};
    disk_env_stretch(&store->env, generation->bytes);
    if (!disk_txn_write(&fold.txn, &store->env, fault)) {
        return false;
    }
    bool good = fold_all(&fold, fault);
    free(fold.slots);
    free(fold.runs);
    if (!good) {
        disk_txn_abort(&fold.txn);
        return false;
    }
    if (!store_tables_commit(store, &fold.txn, fault)) {
        return false;
    }
    store_operations_written(&store->operations, generation->end);
    atomic_store(&store->folded, generation->end);
    atomic_fetch_add(&store->turn, 1);
    return true;
}
