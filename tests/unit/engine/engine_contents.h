/* SPDX-License-Identifier: Apache-2.0 */
/* One number for what a store holds, to hold two stores against each other. All tables but those
 * that are made of the others; of accounts their records, and histories as they are read: where a
 * history lies, and in how many pieces, says when it was folded, which a restored store did at
 * other times. */
#ifndef ENGINE_ENGINE_CONTENTS_H
#define ENGINE_ENGINE_CONTENTS_H

#include "server/store/store.h"

/* 0 where something cannot be read. */
uint64_t engine_contents_digest(struct store *store);

#endif
