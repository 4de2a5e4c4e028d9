/* SPDX-License-Identifier: Apache-2.0 */
/* The label of an account: the first segment in the stored order (segments.h) that it is in. In
 * memory for every stored account, beside its raw score (scores.h) and kept by the same rules, so
 * that a lead router reads it with one load.
 *
 *   label: u8; 0: look at the record (not filled in yet, no account, changing); 1: in no segment;
 *   2 + i: segment i of the names of the state
 *
 * A segment that the schema of today cannot read labels nobody; names after ENGINE_LABELS_MAX
 * neither.
 * Ownership: counted references, part of engine_state, made anew when segments, schema or the
 * active version change; rows hold the labels. Errors: NO_MEMORY. Threads: labels any, rows one.
 * Cost: a load a label; 5 ns a condition by values, 30 by codes. How they are kept: labels_parts.h.
 */
#ifndef ENGINE_LABELS_H
#define ENGINE_LABELS_H

#include <stdatomic.h>

#include "server/engine/engine.h"
#include "server/feature/value.h"

enum {
    ENGINE_LABEL_UNKNOWN = 0,
    ENGINE_LABEL_NONE = 1,
    ENGINE_LABEL_FIRST = 2,
    ENGINE_LABELS_MAX = 250,
};

struct engine_labels;

/* Names of labels, of a state that has labels. */
struct proto_span engine_labels_name(const struct engine_labels *labels, uint8_t label);
size_t engine_labels_count(const struct engine_labels *labels);
/* The label of values, by field id. */
uint8_t engine_labels_match(const struct engine_labels *labels, const struct feature_value *values,
                            size_t slots);
/* Labels by other segments than those in force, as the schema of the state reads them, for values
 * alone: nothing of them is in memory. *labels NULL where none of them is in force, or there is no
 * schema; the caller releases it. False: NO_MEMORY. */
bool engine_labels_of_values(const struct engine_state *state, struct engine_segments *segments,
                             struct engine_labels **labels, struct proto_fault *fault);
void engine_labels_release(struct engine_labels *labels); /* NULL is fine */
/* Whether one of the segments reads the field. */
bool engine_labels_reads(const struct engine_labels *labels, uint16_t field_id);
/* Labels in memory, for who answers a run of requests at once: opened, each slot asked, and then it
 * is asked whether all that was told holds for the worker's view; if not, nothing of it may be
 * used. The worker's state has labels. */
struct engine_label_window {
    _Atomic(_Atomic uint8_t *) const *blocks;
};
#define ENGINE_LABELS_BLOCK (UINT32_C(1) << 21) /* slots */
struct engine_label_window engine_label_window(const struct engine_worker *worker);
bool engine_label_window_holds(const struct engine_worker *worker);
/* ENGINE_LABEL_UNKNOWN where the record must be looked at; slot: of an account. */
static inline uint8_t engine_label_window_at(struct engine_label_window window, uint32_t slot)
{
    const _Atomic uint8_t *block =
        atomic_load_explicit(&window.blocks[slot / ENGINE_LABELS_BLOCK], memory_order_acquire);
    return block ? atomic_load_explicit(&block[slot % ENGINE_LABELS_BLOCK], memory_order_acquire)
                 : ENGINE_LABEL_UNKNOWN;
}

/* Verdicts of the segments for rows of codes of the labels' version, for one thread: NULL without
 * memory, or where no version is active. Holds the labels. */
struct engine_label_rows;
struct engine_label_rows *engine_label_rows_create(struct engine_labels *labels);
void engine_label_rows_destroy(struct engine_label_rows *rows); /* NULL is fine */
/* The label of one row; ENGINE_LABEL_UNKNOWN where a bin does not decide. */
uint8_t engine_label_rows_match(struct engine_label_rows *rows, const uint8_t *codes);

#endif
