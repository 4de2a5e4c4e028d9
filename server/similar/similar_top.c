/* SPDX-License-Identifier: Apache-2.0 */
#include "server/similar/similar_top.h"

#include <math.h>

static bool hit_before(const struct similar_hit *a, const struct similar_hit *b)
{
    if (a->similarity > b->similarity || a->similarity < b->similarity) {
        return a->similarity > b->similarity;
    }
    return a->id < b->id;
}

void similar_top_init(struct similar_top *top, struct similar_hit *hits, uint32_t room)
{
    *top = (struct similar_top){.hits = hits, .room = room};
}

bool similar_top_admits(const struct similar_top *top, double similarity, uint32_t id)
{
    struct similar_hit hit = {.id = id, .similarity = similarity};
    if (top->count < top->room) {
        return true;
    }
    return top->room > 0 && hit_before(&hit, &top->hits[0]);
}

/* Restores the heap below `at` for the first `count` hits. */
static void sink(struct similar_hit *hits, uint32_t count, uint32_t at)
{
    struct similar_hit moving = hits[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= count) {
            break;
        }
        if (child + 1 < count && hit_before(&hits[child], &hits[child + 1])) {
            child++;
        }
        if (!hit_before(&moving, &hits[child])) {
            break;
        }
        hits[at] = hits[child];
        at = child;
    }
    hits[at] = moving;
}

void similar_top_push(struct similar_top *top, struct similar_hit hit)
{
    if (top->count == top->room) {
        if (top->room > 0 && hit_before(&hit, &top->hits[0])) {
            top->hits[0] = hit;
            sink(top->hits, top->count, 0);
        }
        return;
    }
    uint32_t at = top->count++;
    while (at > 0 && hit_before(&top->hits[(at - 1) / 2], &hit)) {
        top->hits[at] = top->hits[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    top->hits[at] = hit;
}

void similar_top_sort(struct similar_top *top)
{
    for (uint32_t count = top->count; count > 1; count--) {
        struct similar_hit worst = top->hits[0];
        top->hits[0] = top->hits[count - 1];
        sink(top->hits, count - 1, 0);
        top->hits[count - 1] = worst;
    }
}

double similar_top_worst(const struct similar_top *top)
{
    return top->count == top->room && top->room > 0 ? top->hits[0].similarity : (double)-INFINITY;
}
