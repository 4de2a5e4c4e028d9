/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of an import share: transfer_import.c has the request, its head and its end;
 * transfer_paper.c what comes one line at a time, documents and switches; transfer_many.c what
 * comes by the thousand, accounts, events and identity entries. For the folder's own use; the
 * contract is transfer.h. Ownership: an import borrows everything but the batch that it fills.
 * Errors: into *fault, with line and column of the file; nothing of the request is stored then.
 * Threads: the worker's. */
#ifndef TRANSFER_PARTS_H
#define TRANSFER_PARTS_H

#include "server/engine/worker.h"
#include "server/store/store_document.h"
#include "server/transfer/transfer.h"
#include "server/transfer/transfer_line.h"

struct transfer_importing {
    struct engine_worker *worker;
    const struct transfer_import *import;
    struct engine_ingest *ingest;
    uint64_t present, fresh; /* lines: stored already just so; in the batch */
    struct proto_fault *fault;
};

/* Names of the kinds, as lines begin with them and as messages count them. */
struct transfer_shelf {
    const char *name, *plural;
};
extern const struct transfer_shelf transfer_shelves[TRANSFER_KIND_COUNT];

/* Whether a document of that number is stored; one that is damaged is. */
bool transfer_stored(const struct transfer_importing *importing, enum transfer_kind kind,
                     uint32_t number, struct store_change *change);
enum store_document_kind transfer_stored_kind(enum transfer_kind kind);
/* The next line of the request, without its end; false at the end. */
bool transfer_line_next(struct proto_span lines, size_t *at, struct proto_span *line);

/* transfer_paper.c: one line each. */
bool transfer_take_schema(struct transfer_importing *importing, const struct transfer_line *line);
bool transfer_take_icp(struct transfer_importing *importing, const struct transfer_line *line);
bool transfer_take_list(struct transfer_importing *importing, const struct transfer_line *line);
bool transfer_take_switch(struct transfer_importing *importing, const struct transfer_line *line);
bool transfer_take_metric(struct transfer_importing *importing, const struct transfer_line *line);
bool transfer_take_segment(struct transfer_importing *importing, const struct transfer_line *line);
bool transfer_take_challenge(struct transfer_importing *importing,
                             const struct transfer_line *line);
bool transfer_take_term(struct transfer_importing *importing, const struct transfer_line *line);

/* transfer_many.c: all lines of the request. */
bool transfer_take_accounts(struct transfer_importing *importing);
bool transfer_take_events(struct transfer_importing *importing);
bool transfer_take_identities(struct transfer_importing *importing);

#endif
