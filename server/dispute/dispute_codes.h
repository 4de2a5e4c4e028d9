/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of accounts one after another, slots ascending: of the row where it lies, a block at a
 * time, else from the record.
 *
 * Ownership: codes are valid until the next call. Errors: those of a record that cannot be read,
 * PROTO_NOT_FOUND for a slot without an account. Threads: that of the worker. Cost: 10 ns by rows,
 * a microsecond by records. */
#ifndef DISPUTE_DISPUTE_CODES_H
#define DISPUTE_DISPUTE_CODES_H

#include "server/engine/worker.h"

struct dispute_codes {
    struct engine_worker *worker;
    const struct learn_document *document;
    struct store_rows rows;
    bool by_rows;
};

struct dispute_codes dispute_codes_begin(struct engine_worker *worker,
                                         const struct learn_document *document);
/* NULL with *fault. */
const uint8_t *dispute_codes_of(struct dispute_codes *codes, uint32_t slot,
                                struct proto_fault *fault);

#endif
