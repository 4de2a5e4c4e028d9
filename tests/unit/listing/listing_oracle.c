/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/listing/listing_oracle.h"

#include <stdio.h>
#include <stdlib.h>

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "listing oracle, line %d: %s\n", __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

void oracle_read(struct oracle *oracle, struct engine_worker *worker, const char *text)
{
    struct proto_fault fault = {0};
    const struct feature_schema *schema = worker->state->schema;
    size_t fields = schema->id_count;
    uint32_t slots = store_view_slots(worker->view);
    struct filter *filter =
        text ? filter_parse(schema, engine_fixture_span(text), &fault, NULL) : NULL;
    MUST(fields <= ORACLE_VALUES && (filter || !text));
    *oracle = (struct oracle){.accounts = calloc(slots + 1, sizeof *oracle->accounts)};
    MUST(oracle->accounts);
    for (uint32_t slot = 0; slot < slots; slot++) {
        struct oracle_account *account = &oracle->accounts[oracle->count];
        if (!engine_values(worker, slot, &account->id, &fault)) {
            MUST(fault.code == PROTO_NOT_FOUND);
            continue;
        }
        if (filter && !filter_match(filter, worker->values, fields)) {
            continue;
        }
        account->slot = slot;
        memcpy(account->values, worker->values, fields * sizeof *worker->values);
        if (worker->state->active) {
            MUST(engine_values_raw(worker, worker->state->active, &account->raw, &fault));
        }
        oracle->count++;
    }
    filter_destroy(filter);
}

static int compare(const void *a, const void *b)
{
    const struct oracle_account *x = a;
    const struct oracle_account *y = b;
    return x->raw != y->raw ? (x->raw < y->raw) - (x->raw > y->raw)
                            : proto_span_compare(x->id, y->id);
}

void oracle_rank(struct oracle *oracle)
{
    qsort(oracle->accounts, oracle->count, sizeof *oracle->accounts, compare);
}

void oracle_fini(struct oracle *oracle)
{
    free(oracle->accounts);
    *oracle = (struct oracle){0};
}
