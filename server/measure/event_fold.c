/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted by what an event is known by, repeats and what is taken back fall out; what is left is
 * sorted by subject and time, each event ending where the next begins. A retraction that is taken
 * back takes nothing back. Only memory can run out. */
#include "server/measure/event_fold.h"

#include <stdlib.h>

static int order_of(bool less, bool more)
{
    return (int)more - (int)less;
}

/* Account, source and id: what an event is known by. */
static int identity_order(const struct measure_event *a, uint32_t account, struct proto_span source,
                          struct proto_span id)
{
    int order = order_of(a->account<account, a->account> account);
    order = order != 0 ? order : proto_span_compare(a->event->source, source);
    return order != 0 ? order : proto_span_compare(a->event->id, id);
}

static int by_identity(const void *left, const void *right)
{
    const struct measure_event *a = left;
    const struct measure_event *b = right;
    const struct event *x = a->event;
    const struct event *y = b->event;
    int order = identity_order(a, b->account, y->source, y->id);
    order = order != 0 ? order : order_of(x->known_ms<y->known_ms, x->known_ms> y->known_ms);
    return order != 0 ? order : order_of(x->seq<y->seq, x->seq> y->seq);
}

static int by_subject(const void *left, const void *right)
{
    const struct measure_event *a = left;
    const struct measure_event *b = right;
    const struct event *x = a->event;
    const struct event *y = b->event;
    int order = order_of(a->account<b->account, a->account> b->account);
    order = order != 0 ? order : proto_span_compare(x->subject, y->subject);
    order = order != 0 ? order : order_of(x->time_ms<y->time_ms, x->time_ms> y->time_ms);
    order = order != 0 ? order : proto_span_compare(x->source, y->source);
    return order != 0 ? order : proto_span_compare(x->id, y->id);
}

/* SIZE_MAX if there is none of the account, source and id. */
static size_t find(const struct measure_event *events, size_t count, uint32_t account,
                   struct proto_span source, struct proto_span id)
{
    size_t low = 0;
    for (size_t high = count; low < high;) {
        size_t middle = low + (high - low) / 2;
        bool less = identity_order(&events[middle], account, source, id) < 0;
        low = less ? middle + 1 : low;
        high = less ? high : middle;
    }
    return low < count && identity_order(&events[low], account, source, id) == 0 ? low : SIZE_MAX;
}

/* What was known by then, each once, in the order of what it is known by. */
static size_t known_once(struct measure_event *events, size_t count, int64_t known_ms)
{
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        if (events[i].event->known_ms <= known_ms) {
            events[known++] = events[i];
        }
    }
    if (known > 0) { /* qsort takes no NULL, and nothing has none */
        qsort(events, known, sizeof *events, by_identity);
    }
    size_t kept = 0;
    for (size_t i = 0; i < known; i++) {
        const struct event *event = events[i].event;
        if (kept == 0 ||
            identity_order(&events[kept - 1], events[i].account, event->source, event->id) != 0) {
            events[kept++] = events[i];
        }
    }
    return kept;
}

/* Of each event what it takes back, and how many retractions name it that are not settled yet. */
struct naming {
    uint32_t target;
    uint32_t waits;
    bool gone;
};
#define NOTHING UINT32_MAX

/* A retraction takes back what it names unless it is taken back itself; so those that nobody names
 * are settled first, then what they name, and so on. Those of a ring, which nobody means, are never
 * settled and take nothing back. */
static void retractions_settle(const struct measure_event *events, size_t count,
                               struct naming *naming)
{
    for (size_t i = 0; i < count; i++) {
        const struct event *event = events[i].event;
        size_t target = event->type == EVENT_RETRACTION
                            ? find(events, count, events[i].account, event->source, event->retracts)
                            : SIZE_MAX;
        naming[i].target = target != SIZE_MAX ? (uint32_t)target : NOTHING;
        if (target != SIZE_MAX) {
            naming[target].waits++;
        }
    }
    for (size_t i = 0; i < count; i++) {
        /* Down the chain as far as it can be settled; what was settled waits for nobody again. */
        for (uint32_t at = (uint32_t)i; at != NOTHING && naming[at].waits == 0;) {
            uint32_t target = naming[at].target;
            naming[at].waits = NOTHING;
            if (target != NOTHING) {
                naming[target].gone |= !naming[at].gone;
                naming[target].waits--;
            }
            at = target;
        }
    }
}

size_t measure_events_stand(struct measure_event *events, size_t event_count, int64_t known_ms,
                            struct proto_fault *fault)
{
    size_t count = known_once(events, event_count, known_ms);
    struct naming *naming = calloc(count + 1, sizeof *naming);
    if (naming == NULL || count >= NOTHING) {
        free(naming);
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu events", count);
        return SIZE_MAX;
    }
    retractions_settle(events, count, naming);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!naming[i].gone && events[i].event->type != EVENT_RETRACTION) {
            events[kept++] = events[i];
        }
    }
    free(naming);
    return kept;
}

static struct measure_subscription subscription_of(const struct measure_event *item,
                                                   int64_t next_ms)
{
    const struct event *event = item->event;
    bool once = event->months == 0;
    struct measure_subscription s = measure_subscription_open(
        item->account, event->time_ms, event->amount, once ? 1 : (uint32_t)event->months);
    int64_t end_ms = (event->has & EVENT_HAS_END) != 0 ? event->end_ms : MEASURE_NEVER;
    s.end_ms = end_ms < next_ms ? end_ms : next_ms;
    s.one_off = once;
    s.trial = proto_span_is(event->kind, "trial");
    s.pause_ms = proto_span_is(event->kind, "paused") ? event->time_ms : MEASURE_NEVER;
    s.past_due_ms = proto_span_is(event->kind, "past-due") ? event->time_ms : MEASURE_NEVER;
    size_t letters = event->currency.bytes < 3 ? event->currency.bytes : 3;
    for (size_t i = 0; i < letters; i++) {
        s.currency[i] = (char)event->currency.data[i];
    }
    return s;
}

static bool same_subject(const struct measure_event *a, const struct measure_event *b)
{
    return a->account == b->account && proto_span_equal(a->event->subject, b->event->subject);
}

struct measure_subscription *measure_events_subscriptions(struct measure_event *standing,
                                                          size_t event_count, size_t *count,
                                                          struct proto_fault *fault)
{
    size_t held = 0;
    for (size_t i = 0; i < event_count; i++) {
        if (standing[i].event->type == EVENT_SUBSCRIPTION) {
            struct measure_event other = standing[held];
            standing[held++] = standing[i];
            standing[i] = other;
        }
    }
    struct measure_subscription *out = calloc(held + 1, sizeof *out);
    if (out == NULL) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu subscriptions", held);
        return NULL;
    }
    if (held > 0) {
        qsort(standing, held, sizeof *standing, by_subject);
    }
    for (size_t i = 0; i < held; i++) {
        bool followed = i + 1 < held && same_subject(&standing[i], &standing[i + 1]);
        out[i] = subscription_of(&standing[i],
                                 followed ? standing[i + 1].event->time_ms : MEASURE_NEVER);
    }
    *count = held;
    return out;
}

struct measure_subscription *measure_events_fold(const struct measure_event *events,
                                                 size_t event_count, int64_t known_ms,
                                                 size_t *count, struct proto_fault *fault)
{
    struct measure_event *kept = calloc(event_count + 1, sizeof *kept);
    if (kept == NULL) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu events", event_count);
        return NULL;
    }
    if (event_count > 0) {
        memcpy(kept, events, event_count * sizeof *kept);
    }
    size_t standing = measure_events_stand(kept, event_count, known_ms, fault);
    struct measure_subscription *out =
        standing != SIZE_MAX ? measure_events_subscriptions(kept, standing, count, fault) : NULL;
    free(kept);
    return out;
}
