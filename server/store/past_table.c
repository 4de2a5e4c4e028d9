/* SPDX-License-Identifier: Apache-2.0 */
/* A put takes the check of what was there out of the sum first; what is behind a damaged page is
 * not known, and the sum is wrong from then on, as a scrub tells. A reader goes through the
 * versions of the account from the newest to the one with which its history begins, or to the
 * tables, and gives their groups the other way round. */
#include "server/store/past_table.h"

#include <stdlib.h>

static bool piece_get(const struct disk_txn *txn, uint32_t slot, uint32_t run,
                      struct store_piece *piece, struct proto_fault *fault)
{
    uint64_t key = store_piece_key(slot, run);
    struct proto_span value = {0};
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_HISTORY, key, &value, fault);
    if (got == DISK_GOT_NONE) {
        return proto_fault_set(fault, PROTO_CORRUPT, "history",
                               "what values of slot %u were before cannot be found", slot);
    }
    return got == DISK_GOT_ONE && store_piece_open(key, value, piece, fault);
}

static bool groups_add(struct store_history *history, struct proto_span groups,
                       struct proto_fault *fault)
{
    struct store_past_group group;
    size_t at = 0;
    while (store_past_group_next(groups, true, &at, &group)) {
        if (!store_history_add(history, &group, fault)) {
            return false;
        }
    }
    return true;
}

/* A piece that the newest one lists has not changed since. */
static bool listed_get(const struct disk_txn *txn, uint32_t slot,
                       const struct store_piece_place *place, struct store_piece *piece,
                       struct proto_fault *fault)
{
    if (!piece_get(txn, slot, place->run, piece, fault)) {
        return false;
    }
    return piece->groups.bytes == place->bytes ||
           proto_fault_set(fault, PROTO_CORRUPT, "history",
                           "what values of slot %u were before is not what it was", slot);
}

bool store_past_table_get(const struct disk_txn *txn, uint32_t slot, uint32_t run,
                          struct store_history *history, struct proto_fault *fault)
{
    struct store_piece newest = {.run = 0};
    struct store_piece older = {.run = 0};
    if (!piece_get(txn, slot, run, &newest, fault)) {
        return false;
    }
    for (uint32_t i = newest.older_count; i > 0; i--) {
        if (!listed_get(txn, slot, &newest.older[i - 1], &older, fault) ||
            !groups_add(history, older.groups, fault)) {
            return false;
        }
    }
    history->lost = newest.lost;
    history->gone = newest.gone;
    history->gone_seq = newest.gone_seq;
    history->gone_known_ms = newest.gone_known_ms;
    return groups_add(history, newest.groups, fault);
}

static bool sum_leave(struct disk_txn *txn, uint64_t key, bool *there, struct proto_fault *fault)
{
    struct proto_span was = {0};
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_HISTORY, key, &was, fault);
    *there = got == DISK_GOT_ONE;
    if (*there && was.bytes >= sizeof(uint64_t)) {
        disk_sum_change(&txn->state, DISK_TABLE_HISTORY, true, disk_get_u64(was.data), false, 0);
    }
    return got != DISK_GOT_FAULT || fault->code == PROTO_CORRUPT;
}

static bool value_put(struct disk_txn *txn, uint64_t key, struct proto_span value, bool last,
                      struct proto_fault *fault)
{
    bool there;
    if (!last && !sum_leave(txn, key, &there, fault)) {
        return false;
    }
    uint8_t *at = disk_txn_put(txn, DISK_TABLE_HISTORY, key, value.bytes,
                               last ? DISK_PUT_LAST : DISK_PUT_ANY, fault);
    if (at == NULL) {
        return false;
    }
    memcpy(at, value.data, value.bytes);
    disk_sum_change(&txn->state, DISK_TABLE_HISTORY, false, 0, true, disk_get_u64(value.data));
    return true;
}

static bool piece_drop(struct disk_txn *txn, uint32_t slot, uint32_t run, struct proto_fault *fault)
{
    uint64_t key = store_piece_key(slot, run);
    struct proto_fault why = {.code = PROTO_OK};
    struct disk_state before = txn->state;
    bool there = false;
    /* A value that was put aside has an older one in its place perhaps, which must not come back.
     */
    bool aside = txn->state.sums[DISK_TABLE_ASIDE].count > 0;
    if (!aside && sum_leave(txn, key, &there, &why) && (there || why.code == PROTO_OK) &&
        (!there || disk_txn_delete(txn, DISK_TABLE_HISTORY, key, &why))) {
        return true;
    }
    if (why.code != PROTO_OK && why.code != PROTO_CORRUPT) {
        *fault = why;
        return false;
    }
    txn->state = before;
    uint8_t empty[STORE_PIECE_HEADER_BYTES];
    const struct store_piece none = {.run = run};
    size_t bytes = store_piece_encode(&none, slot, empty);
    return value_put(txn, key, (struct proto_span){empty, bytes}, false, fault);
}

bool store_past_table_clear(struct disk_txn *txn, struct store_past_writer *writer, uint32_t slot,
                            uint32_t run, struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    bool known = piece_get(txn, slot, run, &writer->before, &why);
    if (!known && why.code != PROTO_CORRUPT) {
        *fault = why;
        return false;
    }
    for (uint32_t i = 0; known && i < writer->before.older_count; i++) {
        if (!piece_drop(txn, slot, writer->before.older[i].run, fault)) {
            return false;
        }
    }
    return piece_drop(txn, slot, run, fault);
}

/* The newest group of a piece of which nothing is kept is the newest that is gone. */
static bool gone_note(const struct disk_txn *txn, uint32_t slot,
                      const struct store_piece_place *place, struct store_piece *piece,
                      struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    struct store_piece dropped = {.run = 0};
    struct store_past_group group = {.seq = 0};
    size_t at = 0;
    if (!listed_get(txn, slot, place, &dropped, &why)) {
        *fault = why;
        piece->lost = true;
        return why.code == PROTO_CORRUPT;
    }
    while (store_past_group_next(dropped.groups, true, &at, &group)) {
        continue;
    }
    piece->gone = true;
    piece->gone_seq = group.seq;
    piece->gone_known_ms = group.known_ms;
    return true;
}

/* Lets go of those pieces of which nothing fits beside what is newer. */
static bool older_trim(struct disk_txn *txn, uint32_t slot, bool all, struct store_piece *piece,
                       struct proto_fault *fault)
{
    size_t bytes = piece->groups.bytes;
    uint32_t keep = 0;
    while (!all && keep < piece->older_count && bytes < PROTO_HISTORY_BYTES_MAX) {
        bytes += piece->older[keep++].bytes;
    }
    if (!all && keep < piece->older_count &&
        !gone_note(txn, slot, &piece->older[keep], piece, fault)) {
        return false;
    }
    for (uint32_t i = keep; i < piece->older_count; i++) {
        if (!piece_drop(txn, slot, piece->older[i].run, fault)) {
            return false;
        }
    }
    piece->older_count = keep;
    return true;
}

/* Behind the newest piece, which `writer->before` is: in its place where it is small, else beside
 * it. `writer->piece` has what comes. */
static void before_join(struct store_past_writer *writer, uint32_t run)
{
    const struct store_piece *before = &writer->before;
    struct store_piece *piece = &writer->piece;
    size_t bytes = before->groups.bytes;
    bool place = !piece->gone && bytes + piece->groups.bytes <= writer->least;
    if (!piece->gone) {
        piece->gone = before->gone;
        piece->gone_seq = before->gone_seq;
        piece->gone_known_ms = before->gone_known_ms;
    }
    piece->lost = before->lost;
    piece->run = place ? before->run : run;
    uint32_t first = place ? 0 : 1;
    piece->older[0] = (struct store_piece_place){before->run, (uint32_t)bytes};
    memcpy(piece->older + first, before->older, before->older_count * sizeof *before->older);
    piece->older_count = before->older_count + first;
    if (place) {
        memmove(writer->groups + bytes, writer->groups, piece->groups.bytes);
        memcpy(writer->groups, before->groups.data, bytes);
        piece->groups.bytes += bytes;
        piece->group_count += before->group_count;
    }
}

bool store_past_table_add(struct disk_txn *txn, struct store_past_writer *writer, uint32_t slot,
                          uint32_t before, struct store_history *news, uint32_t *run,
                          struct proto_fault *fault)
{
    struct store_piece *piece = &writer->piece;
    bool had = before != STORE_NO_RUN;
    if (had && !piece_get(txn, slot, before, &writer->before, fault)) {
        return false;
    }
    store_history_trim(news);
    store_piece_fill(piece, news, writer->groups);
    piece->run = txn->state.history_runs;
    bool all = piece->gone; /* of what comes, so all that is older too */
    if (had) {
        before_join(writer, piece->run);
        if (!older_trim(txn, slot, all, piece, fault)) {
            return false;
        }
    }
    *run = piece->run;
    size_t bytes = store_piece_encode(piece, slot, writer->value);
    bool last = !had || piece->run != before;
    return value_put(txn, store_piece_key(slot, piece->run),
                     (struct proto_span){writer->value, bytes}, last, fault);
}

/* The versions that a reader looks at, newest first. */
struct versions {
    const struct store_version **list;
    size_t count, room;
    bool anew; /* nothing before the last of them counts */
};

static bool versions_add(struct versions *versions, const struct store_version *version,
                         struct proto_fault *fault)
{
    if (versions->count == versions->room) {
        size_t room = versions->room == 0 ? 32 : versions->room * 2;
        const struct store_version **list = realloc(versions->list, room * sizeof *list);
        if (list == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu changes", room);
        }
        versions->list = list;
        versions->room = room;
    }
    versions->list[versions->count++] = version;
    versions->anew = version->past_anew;
    return true;
}

static bool versions_collect(const struct store_sight *sight, uint32_t slot,
                             struct versions *versions, struct proto_fault *fault)
{
    uint64_t folded = sight->base->state.seq;
    const struct store_generation *generation = sight->newest;
    while (generation != NULL && !versions->anew) {
        const struct store_version *version =
            store_generation_version(generation, slot, sight->seq);
        for (; version != NULL && version->seq > folded && !versions->anew;
             version = version->older) {
            if (!versions_add(versions, version, fault)) {
                return false;
            }
        }
        generation = store_generation_older(generation, folded);
    }
    return true;
}

/* What the tables have, if they have any of it. */
static bool base_read(const struct store_sight *sight, uint32_t slot,
                      const struct versions *versions, struct store_history *history,
                      struct proto_fault *fault)
{
    struct store_sight tables = store_sight_of(sight->base);
    struct store_account account;
    if (versions->anew || (versions->count > 0 && !versions->list[versions->count - 1]->past_had)) {
        return true;
    }
    if (!store_account_get(&tables, slot, &account, fault)) {
        return false;
    }
    if (!account.past) {
        return versions->count == 0 ||
               proto_fault_set(fault, PROTO_CORRUPT, "history",
                               "what values of slot %u were before cannot be found", slot);
    }
    return store_past_table_get(sight->base, slot, account.run, history, fault);
}

bool store_history_read(const struct store_sight *sight, uint32_t slot,
                        struct store_history *history, struct proto_fault *fault)
{
    struct versions versions = {.count = 0};
    *history = (struct store_history){.count = 0};
    bool good = versions_collect(sight, slot, &versions, fault) &&
                base_read(sight, slot, &versions, history, fault);
    for (size_t i = versions.count; good && i > 0; i--) {
        const struct store_version *version = versions.list[i - 1];
        good = store_history_add_run(history, version->past, version->seq, fault);
    }
    free(versions.list);
    store_history_trim(history);
    return good;
}
