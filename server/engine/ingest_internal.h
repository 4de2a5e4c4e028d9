/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the use case of writes share (ingest.h). */
#ifndef ENGINE_INGEST_INTERNAL_H
#define ENGINE_INGEST_INTERNAL_H

#include "server/base/arena.h"
#include "server/engine/engine_internal.h"
#include "server/engine/ingest.h"

struct engine_ingest {
    struct store_batch *batch;
    struct base_arena arena;   /* keys of one account */
    struct engine_write write; /* once it is committed */
};

#endif
