/* SPDX-License-Identifier: Apache-2.0 */
/* What events have in common, numbered: type, which members they have, months, and the texts that
 * many share (source, kind, label, motion, function, campaign, currency). A column of events holds
 * the number; a question is asked of each of these shapes once, not of each event. Texts that tell
 * one event from another (id, subject, person) and other numbers are not in it.
 *
 * Shapes: an event whose other members are empty or 0; numbers from 0, never taken back, at most
 * LIFECYCLE_SHAPES_MAX. Ownership: the table owns its shapes and their texts until _fini. Errors:
 * UINT32_MAX where there is no room or no memory: then events are read where they lie. Threads:
 * any; a shape whose number was got under the lock that guards what it stands in is there for good.
 * Cost: some 30 ns to find. */
#ifndef LIFECYCLE_LIFECYCLE_SHAPE_H
#define LIFECYCLE_LIFECYCLE_SHAPE_H

#include <pthread.h>

#include "server/base/arena.h"
#include "server/event/event.h"

/* Free text in labels makes many; beyond it columns are no help. */
#define LIFECYCLE_SHAPES_MAX (1u << 20)
#define LIFECYCLE_SHAPE_CHUNK 4096u
#define LIFECYCLE_SHAPE_NONE UINT32_MAX

struct lifecycle_shapes {
    pthread_mutex_t lock;
    struct event *chunks[LIFECYCLE_SHAPES_MAX / LIFECYCLE_SHAPE_CHUNK];
    uint64_t *hashes; /* by number */
    uint32_t *cells;  /* number + 1 by hash; 0: free */
    size_t cell_count;
    uint32_t count;
    struct base_arena arena;
};

void lifecycle_shapes_init(struct lifecycle_shapes *shapes);
void lifecycle_shapes_fini(struct lifecycle_shapes *shapes);
uint32_t lifecycle_shape_find(struct lifecycle_shapes *shapes, const struct event *event);
static inline const struct event *lifecycle_shape(const struct lifecycle_shapes *shapes,
                                                  uint32_t number)
{
    return &shapes->chunks[number / LIFECYCLE_SHAPE_CHUNK][number % LIFECYCLE_SHAPE_CHUNK];
}

#endif
