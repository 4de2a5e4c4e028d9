/* SPDX-License-Identifier: Apache-2.0 */
/* Documents by their kind: how many there are, how a stored one is read, and what is told of it.
 * The kinds are document.def; rules that one of them has beyond that stand in document_<name>.c.
 *
 * Ownership: a struct store_change borrows from the value it was made of. Errors: PROTO_NOT_FOUND,
 * PROTO_CORRUPT, PROTO_IO. Threads: reading any, each with its own sight. Cost: one mdb_get
 * and one XXH3. */
#ifndef STORE_STORE_DOCUMENT_H
#define STORE_STORE_DOCUMENT_H

#include "server/disk/seal.h"
#include "server/store/store_account.h"

enum store_told { STORE_TOLD_ALL, STORE_TOLD_LAST };

struct store_document_info {
    enum disk_table table;
    uint32_t most;
    enum store_told told;
    const char *what;
};

const struct store_document_info *store_document_info(enum store_document_kind kind);
/* The number of the last one. */
uint32_t store_document_last(const struct disk_state *state, enum store_document_kind kind);
void store_document_last_set(struct disk_state *state, enum store_document_kind kind,
                             uint32_t number);

/* Fills *change from a sealed document; false if it is not of the form that its kind has. */
bool store_document_change(enum store_document_kind kind, uint32_t number,
                           const struct disk_sealed *sealed, struct store_change *change);
/* A stored one. On a fault *change says kind and number alone. */
bool store_document_read(const struct store_sight *sight, enum store_document_kind kind,
                         uint32_t number, struct store_change *change, struct proto_fault *fault);

/* A list: a = bytes of its document, b = entries; text = document, then slots, u32 each. With this
 * bit in b: document, u32 slots given away when it was stored, then ids. Without a document (a = 0)
 * it was given up. */
#define STORE_TAL_IDS (UINT32_C(1) << 31)
/* document_tal.c: the form of a list. */
bool store_tal_split(const struct disk_sealed *sealed, struct store_change *change);
/* Ids as they are packed in commands and documents: u8 bytes and the text, one after another. False
 * at the end, or, with *at before it, where no id begins. */
bool store_ids_next(struct proto_span ids, size_t *at, struct proto_span *id);
/* Slots of the accounts that a stored list names and that are as old as it, u32 each, malloc'd;
 * what it was told with already is left. A list as it was written before there were ids has slots
 * of its own. False with *fault; PROTO_CORRUPT is told of an account that cannot be read, which is
 * left out, and then it is true. */
bool store_tal_resolve(const struct store_sight *sight, const struct store_hasher *hasher,
                       struct store_change *change, uint8_t **slots, struct proto_fault *fault);

#endif
