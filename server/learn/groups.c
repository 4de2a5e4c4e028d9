/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/groups.h"

#include <stdlib.h>

#define ROWS_PER_GROUP_MIN 3
#define GROUPS_MIN 20
#define NAMING_FIELDS_MIN 2

static int u64_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Sorts the hashes and leaves each once at the front; returns how many. */
static size_t distinct_take(uint64_t *hashes, size_t count)
{
    size_t distinct = 0;
    qsort(hashes, count, sizeof *hashes, u64_order);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || hashes[i] != hashes[distinct - 1]) {
            hashes[distinct++] = hashes[i];
        }
    }
    return distinct;
}

static bool field_names_rows(struct learn_sample *sample, uint16_t field_id, size_t groups,
                             uint64_t *scratch, bool *names)
{
    for (size_t i = 0; i < sample->rows; i++) {
        if (!learn_sample_fetch(sample, i)) {
            return false;
        }
        scratch[i] = learn_value_hash(&sample->values[field_id], 0);
    }
    *names = 10 * distinct_take(scratch, sample->rows) >= 9 * groups;
    return true;
}

static bool rows_repeat(struct learn_sample *sample, size_t groups, uint64_t *scratch, bool *repeat)
{
    size_t naming = 0;
    bool ok = true;
    *repeat = false;
    if (groups < GROUPS_MIN || sample->rows < ROWS_PER_GROUP_MIN * groups) {
        return true;
    }
    for (size_t f = 0; ok && f < sample->options->field_count && naming < NAMING_FIELDS_MIN; f++) {
        bool names = false;
        ok = field_names_rows(sample, sample->options->field_ids[f], groups, scratch, &names);
        naming += names;
    }
    *repeat = naming >= NAMING_FIELDS_MIN;
    return ok;
}

static size_t position_find(const uint64_t *ascending, size_t count, uint64_t hash)
{
    const uint64_t *found = bsearch(&hash, ascending, count, sizeof hash, u64_order);
    return found == NULL ? 0 : (size_t)(found - ascending);
}

bool learn_groups_find(struct learn_sample *sample, uint32_t **groups, size_t *count,
                       struct proto_fault *fault)
{
    uint64_t *profiles = malloc((sample->rows + 1) * sizeof *profiles);
    uint64_t *scratch = malloc((sample->rows + 1) * sizeof *scratch);
    bool repeat = false;
    bool ok = profiles != NULL && scratch != NULL;
    *groups = NULL;
    *count = 0;
    if (ok && sample->rows > 0) {
        memcpy(profiles, sample->profiles, sample->rows * sizeof *profiles);
        *count = distinct_take(profiles, sample->rows);
        ok = rows_repeat(sample, *count, scratch, &repeat);
    }
    if (ok && repeat) {
        *groups = malloc((sample->rows + 1) * sizeof **groups);
        ok = *groups != NULL;
        for (size_t i = 0; ok && i < sample->rows; i++) {
            (*groups)[i] = (uint32_t)position_find(profiles, *count, sample->profiles[i]);
        }
    }
    free(profiles);
    free(scratch);
    return ok || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to compare %zu rows",
                                 sample->rows);
}
