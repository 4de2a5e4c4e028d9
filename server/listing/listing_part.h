/* SPDX-License-Identifier: Apache-2.0 */
/* Segments and owners, parsed: whether one account belongs, and who is left out of a list. Parts of
 * tal_select. Threads: one. */
#ifndef LISTING_PART_H
#define LISTING_PART_H

#include "server/listing/listing_select.h"

/* A list of parts, ready to be asked about single accounts. */
struct listing_parts {
    struct engine_facts facts;
    struct filter **filters; /* NULL entries: every account */
    struct filter_rows **rows;
    const struct listing_part *parts;
    size_t count;
};

/* what: "segments" or "owners", for faults. */
bool listing_parts_open(struct listing_parts *parts, struct engine_worker *worker,
                        const struct learn_document *document, const struct listing_part *given,
                        size_t count, const char *what, struct proto_fault *fault);
void listing_parts_close(struct listing_parts *parts);
/* Whether the account, whose values are in the worker's scratch, belongs to part i. */
bool listing_part_has(struct listing_parts *parts, size_t i, const struct listing_ranked *account);

/* Slots that the request leaves out, ascending and each once; malloc'd, caller frees. Names that
 * find nobody are passed over. NULL with *fault. */
uint32_t *listing_excluded(struct engine_worker *worker, const struct listing_request *request,
                           size_t *count, struct proto_fault *fault);

/* How many were taken of each value of a field. */
struct listing_quota {
    const struct feature_field *field; /* NULL: no quota */
    uint64_t per_value;
    struct listing_count *cells; /* open addressing; a power of two */
    size_t cell_count;
};
bool listing_quota_open(struct listing_quota *quota, const struct feature_schema *schema,
                        const struct listing_request *request, struct proto_fault *fault);
void listing_quota_close(struct listing_quota *quota);
/* The count of the account's value, whose values are in the worker's scratch; NULL without quota.
 */
uint64_t *listing_quota_count(struct listing_quota *quota, const struct engine_worker *worker);

#endif
