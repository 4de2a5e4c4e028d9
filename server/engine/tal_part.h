/* SPDX-License-Identifier: Apache-2.0 */
/* Segments and owners, parsed: whether one account belongs, and who is left out of a list. Parts of
 * tal_select. Threads: one. */
#ifndef ENGINE_TAL_PART_H
#define ENGINE_TAL_PART_H

#include "server/engine/tal_select.h"

/* A list of parts, ready to be asked about single accounts. */
struct engine_tal_parts {
    struct engine_facts facts;
    struct filter **filters; /* NULL entries: every account */
    struct filter_rows **rows;
    const struct engine_tal_part *parts;
    size_t count;
};

/* what: "segments" or "owners", for faults. */
bool engine_tal_parts_open(struct engine_tal_parts *parts, struct engine_worker *worker,
                           const struct learn_document *document,
                           const struct engine_tal_part *given, size_t count, const char *what,
                           struct proto_fault *fault);
void engine_tal_parts_close(struct engine_tal_parts *parts);
/* Whether the account, whose values are in the worker's scratch, belongs to part i. */
bool engine_tal_part_has(struct engine_tal_parts *parts, size_t i,
                         const struct engine_ranked *account);

/* Slots that the request leaves out, ascending and each once; malloc'd, caller frees. Names that
 * find nobody are passed over. NULL with *fault. */
uint32_t *engine_tal_excluded(struct engine_worker *worker,
                              const struct engine_tal_request *request, size_t *count,
                              struct proto_fault *fault);

/* How many were taken of each value of a field. */
struct engine_tal_quota {
    const struct feature_field *field; /* NULL: no quota */
    uint64_t per_value;
    struct engine_tal_count *cells; /* open addressing; a power of two */
    size_t cell_count;
};
bool engine_tal_quota_open(struct engine_tal_quota *quota, const struct feature_schema *schema,
                           const struct engine_tal_request *request, struct proto_fault *fault);
void engine_tal_quota_close(struct engine_tal_quota *quota);
/* The count of the account's value, whose values are in the worker's scratch; NULL without quota.
 */
uint64_t *engine_tal_quota_count(struct engine_tal_quota *quota,
                                 const struct engine_worker *worker);

#endif
