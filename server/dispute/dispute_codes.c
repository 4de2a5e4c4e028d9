/* SPDX-License-Identifier: Apache-2.0 */
/* A block of rows is kept until a slot lies behind it. A row that is damaged, or not there yet, is
 * made anew from its record. */
#include "server/dispute/dispute_codes.h"

#include "server/engine/walk.h"

struct dispute_codes dispute_codes_begin(struct engine_worker *worker,
                                         const struct learn_document *document)
{
    return (struct dispute_codes){
        .worker = worker, .document = document, .by_rows = engine_rows_usable(worker, document)};
}

const uint8_t *dispute_codes_of(struct dispute_codes *codes, uint32_t slot,
                                struct proto_fault *fault)
{
    struct store_rows *rows = &codes->rows;
    struct proto_fault none = {.code = PROTO_OK};
    int64_t raw;
    if (codes->by_rows && (slot < rows->slot || slot >= rows->slot + rows->count) &&
        !store_rows(codes->worker->view, slot, rows, &none)) {
        rows->count = 0;
    }
    bool there = codes->by_rows && slot >= rows->slot && slot < rows->slot + rows->count;
    unsigned i = there ? slot - rows->slot : 0;
    if (there && (rows->living >> i & 1) != 0 && (rows->damaged >> i & 1) == 0) {
        return rows->codes + i * rows->stride;
    }
    bool read = engine_values(codes->worker, slot, NULL, fault) &&
                engine_values_raw(codes->worker, codes->document, &raw, fault);
    return read ? codes->worker->codes : NULL;
}
