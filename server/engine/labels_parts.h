/* SPDX-License-Identifier: Apache-2.0 */
/* Labels as they are kept in memory, for the engine alone. A label that is there is that of the
 * reader's own view, always: `filled`, `closed`, BEGIN and DONE mean what they mean for scores
 * (scores.h). Conditions are compiled to verdicts for the codes of the active version
 * (server/filter/filter_rows.h); a record is read only where a bin does not decide.
 *
 * Shapes: blocks of 2^21 slots, 2 MiB each, on huge pages. Ownership, errors: labels.h. Threads:
 * reading any; what changes labels is under the lock of the keeper of scores. Cost: a byte a slot;
 * filling some 10 ns an account and segment, and a microsecond an account where a bin does not
 * decide. */
#ifndef ENGINE_LABELS_PARTS_H
#define ENGINE_LABELS_PARTS_H

#include <assert.h>
#include <stdatomic.h>

#include "server/base/pages.h"
#include "server/engine/engine_internal.h"
#include "server/engine/labels.h"
#include "server/engine/segments.h"
#include "server/filter/filter_rows.h"

static_assert(ENGINE_LABELS_BLOCK == BASE_HUGE_BYTES, "a block is a huge page");
#define ENGINE_LABELS_BLOCKS ((PROTO_ACCOUNTS_MAX + ENGINE_LABELS_BLOCK - 1) / ENGINE_LABELS_BLOCK)

struct engine_labels {
    _Atomic int references;
    struct engine_segments *segments;
    struct feature_schema *schema;
    struct learn_document *document; /* NULL: no rows, and nothing in memory */
    size_t count;
    struct filter **filters; /* of names; NULL where the schema cannot read one */
    _Atomic uint64_t filled; /* newest commit that a label was worked out from */
    _Atomic uint64_t closed; /* last commit that is followed; UINT64_MAX while it is in force */
    _Atomic uint32_t next;   /* slots before it are worked out */
    _Atomic(_Atomic uint8_t *) blocks[ENGINE_LABELS_BLOCKS];
    /* Of whoever holds the keeper's lock. */
    struct engine_label_rows *rows;
    struct feature_value *values;
};

/* Of a state whose segments, schema and active version are set; *labels NULL if no segment is in
 * force, or there is no schema. */
bool engine_labels_create(const struct engine_state *state, struct engine_labels **labels,
                          struct proto_fault *fault);
struct engine_labels *engine_labels_retain(struct engine_labels *labels); /* NULL is fine */

static inline uint8_t engine_labels_load(const struct engine_labels *labels, uint32_t slot)
{
    if (slot >= PROTO_ACCOUNTS_MAX) {
        return ENGINE_LABEL_UNKNOWN;
    }
    _Atomic uint8_t *block =
        atomic_load_explicit(&labels->blocks[slot / ENGINE_LABELS_BLOCK], memory_order_acquire);
    return block ? atomic_load_explicit(&block[slot % ENGINE_LABELS_BLOCK], memory_order_acquire)
                 : ENGINE_LABEL_UNKNOWN;
}
/* Labels of accounts of a view; ENGINE_LABEL_UNKNOWN where the record must be looked at. Slots may
 * be STORE_NO_SLOT. */
void engine_labels_read(const struct engine_labels *labels, const struct store_view *view,
                        const uint32_t *slots, size_t count, uint8_t *found);

/* Under the keeper's lock: of a commit's slots, before it is seen and after, by a view that sees
 * it; a chunk of rows, false if there is nothing to do at the moment. */
void engine_labels_forget(struct engine_labels *labels, const struct store_commit *commit);
void engine_labels_renew(struct engine_labels *labels, struct store_view *view,
                         const struct store_commit *commit);
bool engine_labels_fill(struct engine_labels *labels, struct store_view *view);

#endif
