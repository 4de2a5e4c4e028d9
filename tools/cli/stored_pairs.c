/* SPDX-License-Identifier: Apache-2.0 */
/* Values are sorted, and those that stand beside each other are equal; pairs are sorted by their
 * places, and those that stand beside each other are one. Where memory is out a pair is not there,
 * and that is said. */
#include "tools/cli/stored_pairs.h"

#include <stdlib.h>
#include <string.h>

bool stored_pairs_add(struct stored_pairs *pairs, const struct stored_pair *pair)
{
    if (pairs->count == pairs->room) {
        size_t room = pairs->room == 0 ? 1024 : pairs->room * 2;
        struct stored_pair *list = realloc(pairs->list, room * sizeof *list);
        if (list == NULL) {
            return false;
        }
        pairs->list = list;
        pairs->room = room;
    }
    pairs->list[pairs->count++] = *pair;
    return true;
}

static int by_text(const void *a, const void *b)
{
    const struct stored_value *x = a;
    const struct stored_value *y = b;
    int order = strcmp(x->text, y->text);
    return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

/* Accounts from `from` to `end` have one value. */
static bool group_pair(struct stored_pairs *pairs, const struct stored_value *list, size_t from,
                       size_t end, unsigned same)
{
    if (end - from > STORED_GROUP_MOST) {
        pairs->crowds++;
        return true;
    }
    for (size_t i = from; i < end; i++) {
        for (size_t j = i + 1; j < end; j++) {
            const struct stored_pair pair = {
                .a = list[i].at, .b = list[j].at, .agree = UINT32_C(1) << same};
            if (!stored_pairs_add(pairs, &pair)) {
                return false;
            }
        }
    }
    return true;
}

bool stored_pairs_group(struct stored_pairs *pairs, struct stored_value *values, size_t count,
                        unsigned same)
{
    bool good = true;
    if (count > 0) {
        qsort(values, count, sizeof *values, by_text);
    }
    for (size_t from = 0, end; good && from < count; from = end) {
        for (end = from + 1; end < count && strcmp(values[end].text, values[from].text) == 0;) {
            end++;
        }
        good = group_pair(pairs, values, from, end, same);
    }
    return good;
}

static int by_place(const void *a, const void *b)
{
    const struct stored_pair *x = a;
    const struct stored_pair *y = b;
    int first = (x->a > y->a) - (x->a < y->a);
    return first != 0 ? first : (x->b > y->b) - (x->b < y->b);
}

static unsigned agreed(const struct stored_pair *pair)
{
    unsigned count = 0;
    for (uint32_t left = pair->agree; left != 0; left &= left - 1) {
        count++;
    }
    return count;
}

/* The likeliest first, and always in the same order. */
static int by_likeness(const void *a, const void *b)
{
    const struct stored_pair *x = a;
    const struct stored_pair *y = b;
    double left = x->score + agreed(x);
    double right = y->score + agreed(y);
    return left != right ? (left < right ? 1 : -1) : by_place(a, b);
}

void stored_pairs_join(struct stored_pairs *pairs)
{
    size_t kept = 0;
    if (pairs->count == 0) {
        return;
    }
    qsort(pairs->list, pairs->count, sizeof *pairs->list, by_place);
    for (size_t i = 0; i < pairs->count; i++) {
        struct stored_pair *pair = &pairs->list[i];
        struct stored_pair *before = kept > 0 ? &pairs->list[kept - 1] : NULL;
        if (before == NULL || by_place(before, pair) != 0) {
            pairs->list[kept++] = *pair;
            continue;
        }
        before->agree |= pair->agree;
        if (pair->score > before->score) {
            char *why = before->why;
            before->why = pair->why;
            before->score = pair->score;
            pair->why = why;
        }
        free(pair->why);
        pair->why = NULL;
    }
    pairs->count = kept;
    qsort(pairs->list, pairs->count, sizeof *pairs->list, by_likeness);
}

void stored_pairs_fini(struct stored_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->list[i].why);
    }
    free(pairs->list);
    *pairs = (struct stored_pairs){.count = 0};
}
