/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a file as accounts that wait to be sent, and batches of them. Ownership: a row owns its
 * keys, values and record; a batch its rows. Errors: false is "no memory". Threads: one. */
#ifndef CLI_IMPORT_ROW_H
#define CLI_IMPORT_ROW_H

#include "client/icp.h"
#include "proto/table.h"

struct import_row {
    char id[PROTO_ID_BYTES_MAX + 1]; /* empty: the look finds or makes it */
    char *keys;                      /* key_count texts, each with its zero */
    size_t keys_bytes;
    size_t keys_room;
    size_t key_count;
    uint32_t match;             /* bit k: key k finds the account */
    uint32_t address;           /* bit k: so does an address at the host of key k */
    struct icp_payload *values; /* the pairs of the map */
    uint8_t *record;            /* the same encoded, where rows are looked at; else NULL */
    size_t record_bytes;
    size_t line;
};

struct import_batch {
    struct import_row *rows;
    size_t count;
    size_t bytes;
    uint32_t request_id; /* 0: not in flight */
};

/* Adds a key; false: no memory. */
bool import_row_key(struct import_row *row, const char *key, bool match);
/* The key at a position. */
const char *import_row_key_at(const struct import_row *row, size_t index);
/* Takes row `index` out of the batch; its memory is used again. */
void import_batch_drop(struct import_batch *batch, size_t index);
void import_row_free(struct import_row *row);

#endif
