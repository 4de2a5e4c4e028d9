/* SPDX-License-Identifier: Apache-2.0 */
/* Two sides of a reconciliation: the accounts of the server, as one moment has them, and what the
 * rows of a file say of the same; each is looked up among the other by id.
 *
 * Ownership: init/fini; texts are copied. Errors: false without memory. Threads: one. Cost: n log
 * n; some 200 bytes an account. */
#ifndef CLI_RECONCILE_H
#define CLI_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/icp.h"

enum { RECONCILE_LABELS_MAX = 8 };

struct reconcile_account {
    char *id;
    double fit;
    char grade;
    char *labels[RECONCILE_LABELS_MAX]; /* "" where it has none */
    size_t line;                        /* of the file that has it; 0: none */
};

struct reconcile_side {
    struct reconcile_account *accounts;
    size_t count, room;
    bool sorted;
};

void reconcile_fini(struct reconcile_side *side);
/* A new one, all zero but for its id. NULL: no memory. */
struct reconcile_account *reconcile_add(struct reconcile_side *side, struct icp_text id);
/* The one of that id; NULL: there is none. Sorts at the first call, after which none is added. */
struct reconcile_account *reconcile_find(struct reconcile_side *side, struct icp_text id);

#endif
