/* SPDX-License-Identifier: Apache-2.0 */
/* Every account of a small base with its values and raw score, gathered one by one: what pages and
 * lists are compared with. Ownership: oracle_fini. Errors: a step that must not fail aborts. */
#ifndef LISTING_ORACLE_H
#define LISTING_ORACLE_H

#include "server/engine/walk.h"
#include "tests/unit/engine/engine_fixture.h"

enum { ORACLE_VALUES = 8 };

struct oracle_account {
    uint32_t slot;
    int64_t raw;
    struct proto_span id; /* borrows from the worker's view, as the values do */
    struct feature_value values[ORACLE_VALUES];
};

struct oracle {
    struct oracle_account *accounts; /* by slot, or by rank after oracle_rank */
    size_t count;
};

/* Those that the filter matches (NULL: all), scored by the active version if there is one. */
void oracle_read(struct oracle *oracle, struct engine_worker *worker, const char *filter);
/* Raw score descending, then id ascending. */
void oracle_rank(struct oracle *oracle);
void oracle_fini(struct oracle *oracle);

#endif
