/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/store_account.h"

enum {
    FLAG_DELETED = 1,
    FLAG_PAST = 2,
    FLAG_NAMED = 4,
    FLAG_FOLD = 8,
    FLAG_RUN = 16,
    BEGUN_BYTES = 8,
    RUN_BYTES = 4,
    NAMED_BYTES = 8,
    TAIL_BYTES_MAX = BEGUN_BYTES + RUN_BYTES + (int)PROTO_IDENTITY_SOURCES_MAX * 4,
    /* Offsets within a record (server/feature/record.h) that the store stamps. */
    RECORD_CHECKSUM = 8,
    RECORD_CREATED = 16,
    RECORD_CHANGED = 20,
};

/* What stands behind the record. */
static bool tail_open(struct proto_span value, size_t record_bytes, size_t tail,
                      struct store_account *account)
{
    const uint8_t *at = value.data + STORE_ACCOUNT_HEADER_BYTES + record_bytes;
    uint32_t flags = disk_get_u32(value.data + 8);
    account->entry = 0;
    account->fold = STORE_NO_SLOT;
    account->members = (struct proto_span){NULL, 0};
    account->begun = tail >= BEGUN_BYTES ? disk_get_u64(at) : 0;
    account->run = 0;
    at += BEGUN_BYTES;
    if ((flags & FLAG_RUN) != 0) {
        if (tail < BEGUN_BYTES + RUN_BYTES) {
            return false;
        }
        account->run = disk_get_u32(at);
        at += RUN_BYTES;
        tail -= RUN_BYTES;
    }
    switch (flags & (FLAG_NAMED | FLAG_FOLD)) {
    case 0:
        return tail == 0 || tail == BEGUN_BYTES;
    case FLAG_NAMED:
        if (tail != BEGUN_BYTES + NAMED_BYTES) {
            return false;
        }
        account->entry = disk_get_u32(at);
        account->fold = disk_get_u32(at + 4);
        return true;
    case FLAG_FOLD:
        if (tail < BEGUN_BYTES + 2 * sizeof(uint32_t) || tail % sizeof(uint32_t) != 0) {
            return false;
        }
        account->members = (struct proto_span){at, tail - BEGUN_BYTES};
        return true;
    default:
        return false;
    }
}

static bool value_open(uint32_t slot, struct proto_span value, struct store_account *account)
{
    if (value.bytes < STORE_ACCOUNT_HEADER_BYTES ||
        value.bytes > STORE_ACCOUNT_HEADER_BYTES + PROTO_RECORD_BYTES_MAX + TAIL_BYTES_MAX) {
        return false;
    }
    size_t rest = value.bytes - STORE_ACCOUNT_HEADER_BYTES;
    size_t bytes = disk_get_u32(value.data + 12);
    if (bytes > rest || !tail_open(value, bytes, rest - bytes, account) ||
        disk_get_u64(value.data) !=
            disk_check(DISK_TABLE_ACCOUNT, slot, value.data + 8, value.bytes - 8)) {
        return false;
    }
    account->check = disk_get_u64(value.data);
    account->value = value;
    account->deleted = (disk_get_u32(value.data + 8) & FLAG_DELETED) != 0;
    account->past = (disk_get_u32(value.data + 8) & FLAG_PAST) != 0;
    account->record = (struct proto_span){value.data + STORE_ACCOUNT_HEADER_BYTES, bytes};
    return true;
}

bool store_account_get(const struct store_sight *sight, uint32_t slot,
                       struct store_account *account, struct proto_fault *fault)
{
    struct proto_span value = {0};
    enum disk_got got = store_sight_get(sight, DISK_TABLE_ACCOUNT, slot, &value, fault);
    if (got == DISK_GOT_FAULT) {
        return false;
    }
    return (got == DISK_GOT_ONE && value_open(slot, value, account)) ||
           proto_fault_set(fault, PROTO_CORRUPT, "account",
                           "the record of slot %u does not match its checksum", slot);
}

static uint32_t stamp_flags(struct proto_span record, const struct store_account_stamp *stamp)
{
    if (record.bytes == 0) {
        return FLAG_DELETED;
    }
    bool named = stamp->entry != 0 || stamp->fold != STORE_NO_SLOT;
    return (stamp->past ? (unsigned)FLAG_PAST | (unsigned)FLAG_RUN : 0U) |
           (stamp->members.bytes > 0 ? FLAG_FOLD
            : named                  ? FLAG_NAMED
                                     : 0U);
}

size_t store_account_bytes(struct proto_span record, const struct store_account_stamp *stamp)
{
    uint32_t flags = stamp_flags(record, stamp);
    return STORE_ACCOUNT_HEADER_BYTES + record.bytes +
           (record.bytes == 0
                ? 0
                : BEGUN_BYTES + ((flags & FLAG_RUN) != 0 ? (size_t)RUN_BYTES : 0) +
                      ((flags & FLAG_NAMED) != 0 ? (size_t)NAMED_BYTES : 0) + stamp->members.bytes);
}

struct proto_span store_account_shown(struct proto_span value)
{
    struct proto_span record = store_account_record(value);
    uint32_t flags = record.bytes > 0 ? disk_get_u32(value.data + 8) : 0;
    size_t tail = value.bytes - STORE_ACCOUNT_HEADER_BYTES - record.bytes;
    size_t at = BEGUN_BYTES + ((flags & FLAG_RUN) != 0 ? (size_t)RUN_BYTES : 0);
    bool hidden = (flags & FLAG_NAMED) != 0 && tail == at + NAMED_BYTES &&
                  disk_get_u32(record.data + record.bytes + at + 4) != STORE_NO_SLOT;
    return hidden ? (struct proto_span){NULL, 0} : record;
}

static void tail_encode(uint8_t *at, uint32_t flags, const struct store_account_stamp *stamp)
{
    disk_set_u64(at, stamp->begun);
    at += BEGUN_BYTES;
    if ((flags & FLAG_RUN) != 0) {
        disk_set_u32(at, 0);
        at += RUN_BYTES;
    }
    if ((flags & FLAG_NAMED) != 0) {
        disk_set_u32(at, stamp->entry);
        disk_set_u32(at + 4, stamp->fold);
    } else if ((flags & FLAG_FOLD) != 0) {
        memcpy(at, stamp->members.data, stamp->members.bytes);
    }
}

void store_account_encode(uint8_t *at, uint32_t slot, struct proto_span record,
                          const struct store_account_stamp *stamp)
{
    uint32_t flags = stamp_flags(record, stamp);
    disk_set_u32(at + 8, flags);
    disk_set_u32(at + 12, (uint32_t)record.bytes);
    if (record.bytes > 0) {
        uint8_t *copy = at + STORE_ACCOUNT_HEADER_BYTES;
        memcpy(copy, record.data, record.bytes);
        disk_set_u32(copy + RECORD_CREATED, stamp->created_s);
        disk_set_u32(copy + RECORD_CHANGED, stamp->changed_s);
        disk_set_u64(copy + RECORD_CHECKSUM,
                     base_hash(copy + RECORD_CREATED, record.bytes - RECORD_CREATED, 0));
        tail_encode(copy + record.bytes, flags, stamp);
    }
    disk_set_u64(
        at, disk_check(DISK_TABLE_ACCOUNT, slot, at + 8, store_account_bytes(record, stamp) - 8));
}

/* What was there before is not judged: it goes. Its check must come out of the sum as it went in;
 * of one behind a damaged page it is not known, and the sum is wrong from then on, as a scrub
 * tells.
 */
static bool sum_leave(struct disk_txn *txn, uint32_t slot, struct proto_fault *fault)
{
    struct proto_span was = {0};
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_ACCOUNT, slot, &was, fault);
    if (got == DISK_GOT_ONE && was.bytes >= sizeof(uint64_t)) {
        disk_sum_change(&txn->state, DISK_TABLE_ACCOUNT, true, disk_get_u64(was.data), false, 0);
    }
    return got != DISK_GOT_FAULT || fault->code == PROTO_CORRUPT;
}

/* The run within a copy of a value, and the check anew. */
static void run_set(uint8_t *value, size_t bytes, uint32_t slot, uint32_t run)
{
    size_t at = STORE_ACCOUNT_HEADER_BYTES + disk_get_u32(value + 12) + BEGUN_BYTES;
    if ((disk_get_u32(value + 8) & FLAG_RUN) != 0 && disk_get_u32(value + at) != run) {
        disk_set_u32(value + at, run);
        disk_set_u64(value, disk_check(DISK_TABLE_ACCOUNT, slot, value + 8, bytes - 8));
    }
}

bool store_account_put(struct disk_txn *txn, uint32_t slot, bool fresh, struct proto_span value,
                       uint32_t run, struct proto_fault *fault)
{
    if (!fresh && !sum_leave(txn, slot, fault)) {
        return false;
    }
    uint8_t *at = disk_txn_put(txn, DISK_TABLE_ACCOUNT, slot, value.bytes,
                               fresh ? DISK_PUT_LAST : DISK_PUT_ANY, fault);
    if (at == NULL) {
        return false;
    }
    memcpy(at, value.data, value.bytes);
    run_set(at, value.bytes, slot, run);
    disk_sum_change(&txn->state, DISK_TABLE_ACCOUNT, false, 0, true, disk_get_u64(at));
    return true;
}

bool store_record_has(struct proto_span record, enum store_kind kind, struct proto_span text)
{
    struct feature_record parts;
    struct proto_fault ignored;
    if (!feature_record_open(record, false, &parts, &ignored)) {
        return false;
    }
    if (kind == STORE_KIND_ID) {
        return proto_span_equal(parts.id, text);
    }
    size_t at = 0;
    struct proto_span key;
    while (feature_record_key_next(&parts, &at, &key)) {
        if (proto_span_equal(key, text)) {
            return true;
        }
    }
    return false;
}

/* Of a fold: the slot of the source record that has the text, STORE_NO_SLOT if none has. */
static bool member_with(const struct store_sight *sight, struct proto_span members,
                        enum store_kind kind, struct proto_span text, uint32_t *found,
                        struct proto_fault *fault)
{
    *found = STORE_NO_SLOT;
    for (size_t i = 0; i < store_member_count(members) && *found == STORE_NO_SLOT; i++) {
        struct store_account member = {.deleted = true};
        uint32_t slot = store_member(members, i);
        if (slot >= sight->state->slots) {
            return proto_fault_set(fault, PROTO_CORRUPT, "account",
                                   "a fold names source record %u of %u", slot,
                                   sight->state->slots);
        }
        if (!store_account_get(sight, slot, &member, fault)) {
            return false;
        }
        if (!member.deleted && store_record_has(member.record, kind, text)) {
            *found = slot;
        }
    }
    return true;
}

bool store_account_named(const struct store_sight *sight, const struct store_account *account,
                         enum store_kind kind, struct proto_span text, bool *named,
                         struct proto_fault *fault)
{
    uint32_t found = STORE_NO_SLOT;
    *named = store_account_answers(account) && store_record_has(account->record, kind, text);
    if (*named || !store_account_answers(account) || kind != STORE_KIND_ID ||
        account->members.bytes == 0) {
        return true;
    }
    if (!member_with(sight, account->members, kind, text, &found, fault)) {
        return false;
    }
    *named = found != STORE_NO_SLOT;
    return true;
}

uint32_t store_account_source(const struct store_sight *sight, uint32_t slot, enum store_kind kind,
                              struct proto_span text, struct proto_fault *fault)
{
    struct store_account account = {.deleted = true};
    uint32_t found = STORE_NO_SLOT;
    if (!store_account_get(sight, slot, &account, fault)) {
        return STORE_NO_SLOT;
    }
    if (account.members.bytes == 0) {
        return slot;
    }
    if (member_with(sight, account.members, kind, text, &found, fault) && found == STORE_NO_SLOT) {
        proto_fault_set(fault, PROTO_CORRUPT, "account",
                        "none of the source records of slot %u has \"%.*s\"", slot, (int)text.bytes,
                        (const char *)text.data);
    }
    return found;
}

/* Through table id, and by the record as the tables have it: the overlay knows nothing of the text,
 * so neither has changed since. */
static bool resolve_stored(const struct disk_txn *txn, enum store_kind kind, struct proto_span text,
                           uint64_t hash, uint32_t *slot, struct proto_fault *fault)
{
    struct store_sight stored = store_sight_of(txn);
    if (txn->state.id_buckets == 0) {
        return true;
    }
    struct store_bucket bucket;
    if (!store_bucket_get(txn, store_bucket_of(hash, txn->state.id_buckets), &bucket, fault)) {
        return false;
    }
    uint32_t want = kind == STORE_KIND_KEY ? STORE_REF_KEY : 0;
    for (uint32_t i = 0; i < bucket.count; i++) {
        if (store_bucket_hash(&bucket, i) != hash ||
            (store_bucket_ref(&bucket, i) & STORE_REF_KEY) != want) {
            continue;
        }
        uint32_t found = store_bucket_ref(&bucket, i) & STORE_REF_SLOT;
        struct store_account account = {.deleted = true};
        if (found >= txn->state.slots) {
            return proto_fault_set(fault, PROTO_CORRUPT, "id", "table id names slot %u of %u",
                                   found, txn->state.slots);
        }
        if (!store_account_get(&stored, found, &account, fault)) {
            return false;
        }
        bool named;
        if (!store_account_named(&stored, &account, kind, text, &named, fault)) {
            return false;
        }
        if (named) {
            *slot = found;
            return true;
        }
    }
    return true;
}

/* Through the index, which holds what was so when the newest generation's changes began to be asked
 * for: whom it names is asked for his record. False: it proves nothing. That a text is not there is
 * for table id to say, which may be damaged where the index is not. */
static bool resolve_indexed(const struct store_sight *sight, enum store_kind kind,
                            struct proto_span text, uint64_t hash, uint32_t *slot)
{
    struct proto_span value = {0};
    struct proto_fault ignored;
    uint32_t found = store_index_find(sight->index, hash);
    if (found == STORE_NO_SLOT || found == STORE_REF_SHARED || found >= sight->state->slots ||
        store_sight_get(sight, DISK_TABLE_ACCOUNT, found, &value, &ignored) != DISK_GOT_ONE ||
        value.bytes <= STORE_ACCOUNT_HEADER_BYTES) {
        return false;
    }
    /* The id of another source record of a fold is no proof: table id will tell. */
    if (!store_record_has(store_account_shown(value), kind, text)) {
        return false;
    }
    *slot = found;
    return true;
}

bool store_resolve(const struct store_sight *sight, enum store_kind kind, struct proto_span text,
                   uint64_t hash, uint32_t *slot, struct proto_fault *fault)
{
    *slot = STORE_NO_SLOT;
    const struct store_owner *owner = NULL;
    if (sight->index == NULL) {
        owner = store_sight_owner(sight, kind, hash, text);
    } else {
        owner = store_generation_owner(sight->newest, kind, hash, text, sight->seq);
        if (owner == NULL && resolve_indexed(sight, kind, text, hash, slot)) {
            return true;
        }
        owner = owner == NULL ? store_sight_owner(sight, kind, hash, text) : owner;
    }
    if (owner == NULL) {
        return resolve_stored(sight->base, kind, text, hash, slot, fault);
    }
    *slot = owner->slot;
    return true;
}
