/* SPDX-License-Identifier: Apache-2.0 */
/* Working memory of walks: made once a thread, grown when the graph has grown. */
#include "server/similar/similar_graph.h"

#include <stdlib.h>

struct similar_walk *similar_walk_create(void)
{
    struct similar_walk *walk = calloc(1, sizeof *walk);
    if (walk != NULL) {
        walk->pool = malloc((SIMILAR_GRAPH_EFFORT_MAX + 1) * sizeof *walk->pool);
        walk->visited_room = 1024;
        walk->skip = SIMILAR_NONE;
        walk->visited = malloc(walk->visited_room * sizeof *walk->visited);
        if (walk->pool == NULL || walk->visited == NULL) {
            similar_walk_destroy(walk);
            return NULL;
        }
    }
    return walk;
}

void similar_walk_destroy(struct similar_walk *walk)
{
    if (walk != NULL) {
        free(walk->pool);
        free(walk->seen);
        free(walk->visited);
        free(walk);
    }
}

bool similar_walk_reserve(struct similar_walk *walk, uint32_t vertices)
{
    if (vertices <= walk->seen_room) {
        return true;
    }
    /* All bits are zero between walks: there is nothing to keep. */
    uint64_t words = ((uint64_t)vertices + vertices / 4) / 64 + 1;
    uint64_t *seen = calloc(words, sizeof *seen);
    if (seen == NULL) {
        return false;
    }
    free(walk->seen);
    walk->seen = seen;
    walk->seen_room = words * 64 < UINT32_MAX ? (uint32_t)(words * 64) : UINT32_MAX;
    return true;
}
