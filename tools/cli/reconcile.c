/* SPDX-License-Identifier: Apache-2.0 */
/* An array that is sorted by id once all accounts are there. */
#include "tools/cli/reconcile.h"

#include <stdlib.h>
#include <string.h>

void reconcile_fini(struct reconcile_side *side)
{
    for (size_t i = 0; i < side->count; i++) {
        free(side->accounts[i].id);
        for (size_t label = 0; label < RECONCILE_LABELS_MAX; label++) {
            free(side->accounts[i].labels[label]);
        }
    }
    free(side->accounts);
    *side = (struct reconcile_side){.count = 0};
}

struct reconcile_account *reconcile_add(struct reconcile_side *side, struct icp_text id)
{
    if (side->count == side->room) {
        size_t room = side->room * 2 + 1024;
        struct reconcile_account *grown = realloc(side->accounts, room * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        side->accounts = grown;
        side->room = room;
    }
    struct reconcile_account *account = &side->accounts[side->count];
    *account = (struct reconcile_account){.id = strndup(id.data, id.bytes)};
    if (account->id == NULL) {
        return NULL;
    }
    side->count++;
    return account;
}

static int by_id(const void *left, const void *right)
{
    const struct reconcile_account *a = left;
    const struct reconcile_account *b = right;
    return strcmp(a->id, b->id);
}

struct reconcile_account *reconcile_find(struct reconcile_side *side, struct icp_text id)
{
    if (!side->sorted && side->count > 1) {
        qsort(side->accounts, side->count, sizeof *side->accounts, by_id);
    }
    side->sorted = true;
    struct reconcile_account wanted = {.id = strndup(id.data, id.bytes)};
    struct reconcile_account *found =
        wanted.id != NULL && side->count > 0
            ? bsearch(&wanted, side->accounts, side->count, sizeof *side->accounts, by_id)
            : NULL;
    free(wanted.id);
    return found;
}
