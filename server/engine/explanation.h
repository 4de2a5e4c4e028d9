/* SPDX-License-Identifier: Apache-2.0 */
/* All that can be said of one score, for a person who doubts it: what each term of the scorecard
 * contributes with the cell that it was read from, sums by family, which fields are missing, stale
 * or hold a value that the version has never learned from, what the missing ones leave open, and
 * the nearest single changes that would move the grade.
 *
 * A single change gives one field another bin, everything else staying as it is, pairs with the
 * field included. Of each field the nearest bin that moves the grade is taken: of a number the one
 * fewest bins away, of anything else, and of a field without a value, the one that moves the score
 * least. No change takes a value away, none is to a value that the version does not know, and none
 * makes up one tag of an account whose tags are not known. Of several fields the one that moves the
 * score least stands first.
 *
 * Parts are in order of strength, equal ones in order of the scorecard; Σ parts + intercept =
 * answer.raw, and so do families + intercept.
 * Ownership: everything lies in the arena, the worker's scratch and the document: it dies with the
 * request, or when the worker is refreshed. Errors: those of engine_score.
 * Threads: the worker's. Cost: a record, and some 10 ns a bin of the model;
 * docs/methods/explain.md. */
#ifndef ENGINE_EXPLANATION_H
#define ENGINE_EXPLANATION_H

#include "server/base/arena.h"
#include "server/engine/worker.h"

enum engine_part_state {
    ENGINE_PART_KNOWN,
    ENGINE_PART_MISSING, /* a field of the term has no value */
    ENGINE_PART_UNSEEN,  /* it has one without a bin: too rare to learn from, or never met */
    ENGINE_PART_STALE,   /* its value is older than the schema allows */
};

struct engine_part {
    const struct model_term *term;
    uint32_t entry; /* of the scorecard's tables, and of what supports it */
    int32_t contribution;
    enum engine_part_state state;
};

struct engine_change {
    uint16_t column;
    uint8_t from, to; /* codes */
    int64_t moves;    /* what is added to raw */
    double fit;       /* after the change */
    char grade;
};

/* Families of fields, and behind them one of pairs whose fields are of two. */
enum { ENGINE_FAMILIES = FEATURE_LIFECYCLE + 2, ENGINE_FAMILY_JOINT = FEATURE_LIFECYCLE + 1 };

struct engine_explanation {
    const struct learn_document *document;
    struct engine_answer answer; /* reasons, parts and rest are not set */
    const uint8_t *codes;
    const struct feature_value *values; /* by field id */
    size_t value_slots;
    struct engine_part *parts;
    size_t part_count;
    int64_t families[ENGINE_FAMILIES];
    bool has_family[ENGINE_FAMILIES];
    struct engine_change *up, *down; /* to a better grade, to a worse one */
    size_t up_count, down_count;
    struct proto_span *unseen; /* names of fields */
    size_t unseen_count;
};

/* query: as engine_score takes it, but for reasons. changes: at most, of each direction. */
bool engine_explanation_make(struct engine_worker *worker, const struct engine_query *query,
                             size_t changes, struct base_arena *arena,
                             struct engine_explanation *explanation, struct proto_fault *fault);

/* The family of a column's field by the worker's schema; ENGINE_FAMILY_JOINT if it is retired. */
unsigned engine_column_family(const struct engine_worker *worker,
                              const struct learn_document *document, uint16_t column);

#endif
