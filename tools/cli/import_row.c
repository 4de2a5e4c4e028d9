/* SPDX-License-Identifier: Apache-2.0 */
/* Keys lie one behind the other with their zeros; a row that leaves its batch waits behind the
 * others, so that its memory is used again. */
#include "tools/cli/import_row.h"

#include <stdlib.h>
#include <string.h>

void import_row_free(struct import_row *row)
{
    icp_payload_destroy(row->values);
    free(row->keys);
    free(row->record);
}

bool import_row_key(struct import_row *row, const char *key, bool match)
{
    size_t bytes = strlen(key) + 1;
    if (row->keys_room - row->keys_bytes < bytes) {
        size_t room = 2 * (row->keys_bytes + bytes);
        char *keys = realloc(row->keys, room);
        if (keys == NULL) {
            return false;
        }
        row->keys = keys;
        row->keys_room = room;
    }
    memcpy(row->keys + row->keys_bytes, key, bytes);
    row->keys_bytes += bytes;
    row->match |= match ? UINT32_C(1) << row->key_count : 0;
    row->key_count++;
    return true;
}

const char *import_row_key_at(const struct import_row *row, size_t index)
{
    const char *key = row->keys;
    for (; index > 0; index--) {
        key += strlen(key) + 1;
    }
    return key;
}

void import_batch_drop(struct import_batch *batch, size_t index)
{
    struct import_row row = batch->rows[index];
    memmove(batch->rows + index, batch->rows + index + 1,
            (batch->count - index - 1) * sizeof *batch->rows);
    batch->count--;
    batch->rows[batch->count] = row; /* its memory is used again */
}
