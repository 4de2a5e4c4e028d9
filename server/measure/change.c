/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted by id, what is repeated and what is taken back falls out; what is left is sorted by
 * subscription and true time and played, each change closing the stretch before it. Only memory can
 * run out. */
#include "server/measure/change.h"

#include <stdlib.h>

static int order_of(bool less, bool more)
{
    return (int)more - (int)less;
}

static int by_id(const void *left, const void *right)
{
    const struct measure_change *a = left;
    const struct measure_change *b = right;
    int order = order_of(a->id<b->id, a->id> b->id);
    order = order != 0 ? order : order_of(a->known_ms<b->known_ms, a->known_ms> b->known_ms);
    /* Two copies known at once may differ; which of them counts must not hang on their order. */
    order = order != 0 ? order : order_of(a->true_ms<b->true_ms, a->true_ms> b->true_ms);
    order = order != 0 ? order : order_of(a->kind<b->kind, a->kind> b->kind);
    return order != 0 ? order : order_of(a->amount<b->amount, a->amount> b->amount);
}

static int by_time(const void *left, const void *right)
{
    const struct measure_change *a = left;
    const struct measure_change *b = right;
    int order = order_of(a->account<b->account, a->account> b->account);
    order = order != 0
                ? order
                : order_of(a->subscription<b->subscription, a->subscription> b->subscription);
    order = order != 0 ? order : order_of(a->true_ms<b->true_ms, a->true_ms> b->true_ms);
    return order != 0 ? order : order_of(a->id<b->id, a->id> b->id);
}

static struct measure_change *find(struct measure_change *changes, size_t count, uint64_t id)
{
    size_t low = 0;
    for (size_t high = count; low < high;) {
        size_t middle = low + (high - low) / 2;
        low = changes[middle].id < id ? middle + 1 : low;
        high = changes[middle].id < id ? high : middle;
    }
    return low < count && changes[low].id == id ? &changes[low] : NULL;
}

/* What is not taken back. A retraction takes back a change, never another retraction: so the order
 * in which they came says nothing. */
static size_t standing(struct measure_change *changes, size_t count, bool *gone)
{
    for (size_t i = 0; i < count; i++) {
        struct measure_change *target = changes[i].kind == MEASURE_CHANGE_RETRACT
                                            ? find(changes, count, changes[i].retracts)
                                            : NULL;
        if (target != NULL) {
            gone[target - changes] = true;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!gone[i] && changes[i].kind != MEASURE_CHANGE_RETRACT) {
            changes[kept++] = changes[i];
        }
    }
    return kept;
}

static size_t once_each(struct measure_change *changes, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || changes[i].id != changes[kept - 1].id) {
            changes[kept++] = changes[i];
        }
    }
    return kept;
}

struct play {
    struct measure_subscription *out;
    size_t count;
    struct measure_subscription now; /* the stretch that is open */
    bool runs;
    bool paused;
};

/* Ends the open stretch; one of no length leaves nothing. */
static void close_at(struct play *play, int64_t at_ms)
{
    if (play->runs && at_ms > play->now.start_ms) {
        struct measure_subscription *out = &play->out[play->count++];
        *out = play->now;
        out->end_ms = at_ms;
        out->pause_ms = play->paused ? out->start_ms : MEASURE_NEVER;
    }
    play->now.start_ms = at_ms;
}

static void change_play(struct play *play, const struct measure_change *change)
{
    close_at(play, change->true_ms);
    switch (change->kind) {
    case MEASURE_CHANGE_SET:
        play->now = measure_subscription_open(change->account, change->true_ms, change->amount,
                                              change->term_months);
        play->paused = play->runs && play->paused;
        play->runs = true;
        break;
    case MEASURE_CHANGE_END:
        play->runs = false;
        break;
    case MEASURE_CHANGE_CANCEL:
        play->now.cancel_ms = change->true_ms;
        break;
    case MEASURE_CHANGE_PAUSE:
        play->paused = true;
        break;
    case MEASURE_CHANGE_RESUME:
        play->paused = false;
        break;
    case MEASURE_CHANGE_RETRACT:
        break; /* has fallen out */
    }
}

static size_t changes_play(const struct measure_change *changes, size_t count,
                           struct measure_subscription *out)
{
    struct play play = {.out = out};
    for (size_t i = 0; i < count; i++) {
        const struct measure_change *change = &changes[i];
        if (i == 0 || change->subscription != changes[i - 1].subscription ||
            change->account != changes[i - 1].account) {
            close_at(&play, MEASURE_NEVER);
            play = (struct play){.out = out, .count = play.count};
        }
        change_play(&play, change);
    }
    close_at(&play, MEASURE_NEVER);
    return play.count;
}

struct measure_subscription *measure_changes_fold(const struct measure_change *changes,
                                                  size_t change_count, int64_t known_ms,
                                                  size_t *count, struct proto_fault *fault)
{
    size_t room = change_count + 1;
    struct measure_change *known = calloc(room, sizeof *known);
    bool *gone = calloc(room, sizeof *gone);
    /* Each change closes one stretch at most, and each subscription's last is closed once. */
    struct measure_subscription *out = calloc(2 * room, sizeof *out);
    if (known == NULL || gone == NULL || out == NULL) {
        free(known);
        free(gone);
        free(out);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu changes", change_count);
        return NULL;
    }
    size_t kept = 0;
    for (size_t i = 0; i < change_count; i++) {
        if (changes[i].known_ms <= known_ms) {
            known[kept++] = changes[i];
        }
    }
    qsort(known, kept, sizeof *known, by_id);
    kept = once_each(known, kept);
    kept = standing(known, kept, gone);
    qsort(known, kept, sizeof *known, by_time);
    *count = changes_play(known, kept, out);
    free(known);
    free(gone);
    return out;
}
