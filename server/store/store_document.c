/* SPDX-License-Identifier: Apache-2.0 */
/* A document is read by its number, unsealed, and told of as its kind says: text and number as a
 * rule, versions and reason for a switch, text and accounts for a list. What does not match its
 * check, or is not of that form, is damage. */
#include "server/store/store_document.h"

static const struct store_document_info infos[] = {
#define X(NAME, TABLE, counter, most, told, what)                                                  \
    [STORE_DOCUMENT_##NAME] = {DISK_TABLE_##TABLE, (most), STORE_TOLD_##told, what},
#include "server/store/document.def"
#undef X
};

const struct store_document_info *store_document_info(enum store_document_kind kind)
{
    return &infos[kind];
}

uint32_t store_document_last(const struct disk_state *state, enum store_document_kind kind)
{
    switch (kind) {
#define X(NAME, TABLE, counter, most, told, what)                                                  \
    case STORE_DOCUMENT_##NAME:                                                                    \
        return (uint32_t)state->counter;
#include "server/store/document.def"
#undef X
    }
    return 0;
}

void store_document_last_set(struct disk_state *state, enum store_document_kind kind,
                             uint32_t number)
{
    switch (kind) {
#define X(NAME, TABLE, counter, most, told, what)                                                  \
    case STORE_DOCUMENT_##NAME:                                                                    \
        state->counter = number;                                                                   \
        break;
#include "server/store/document.def"
#undef X
    }
}

bool store_document_change(enum store_document_kind kind, uint32_t number,
                           const struct disk_sealed *sealed, struct store_change *change)
{
    *change = (struct store_change){
        .kind = kind, .version = number, .time_ms = sealed->time_ms, .text = sealed->text};
    if (kind == STORE_DOCUMENT_SWITCH) {
        change->version = sealed->a;
        change->previous = sealed->b;
    }
    change->given_up = (kind == STORE_DOCUMENT_TAL && sealed->a == 0) ||
                       (kind == STORE_DOCUMENT_SEGMENT && sealed->text.bytes == 0);
    return kind != STORE_DOCUMENT_TAL || store_tal_split(sealed, change);
}

bool store_document_read(const struct store_sight *sight, enum store_document_kind kind,
                         uint32_t number, struct store_change *change, struct proto_fault *fault)
{
    const struct store_document_info *info = &infos[kind];
    struct proto_span value = {0};
    struct disk_sealed sealed;
    *change = (struct store_change){.kind = kind, .version = number};
    if (number == 0 || number > store_document_last(sight->state, kind)) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "", "there is no %s %u", info->what, number);
    }
    if (store_sight_get(sight, info->table, number, &value, fault) == DISK_GOT_FAULT ||
        !disk_unseal(info->table, number, value, &sealed, fault)) {
        return false;
    }
    if (store_document_change(kind, number, &sealed, change)) {
        return true;
    }
    *change = (struct store_change){.kind = kind, .version = number};
    return proto_fault_set(fault, PROTO_CORRUPT, disk_table_name(info->table),
                           "%s %u is not of the length it says", info->what, number);
}
