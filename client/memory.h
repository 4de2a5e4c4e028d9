/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of a client, from the allocator that its options name. Each block remembers where it came
 * from, so that a reply can be given back after its client is gone.
 * Ownership: what _grow returns is the caller's, to give to _grow or _free. Errors: NULL for no
 * memory; what was there stays. Threads: as the allocator. Cost: 16 bytes a block.
 * proto's writer grows by realloc; here room is made before it is written to, so that it never has
 * to, and client_writer_fini takes the place of proto_writer_fini. */
#ifndef CLIENT_MEMORY_H
#define CLIENT_MEMORY_H

#include <stddef.h>

#include "proto/writer.h"

struct icp_allocator;

/* Resizes `memory` (NULL: a new block) to `bytes` > 0. allocator NULL means malloc. */
void *client_memory_grow(const struct icp_allocator *allocator, void *memory, size_t bytes);
void client_memory_free(void *memory); /* NULL is fine */
char *client_memory_text(const struct icp_allocator *allocator, const char *text); /* a copy */

/* Room for `bytes` more in a writer that nobody but client/ grows. */
bool client_writer_room(struct proto_writer *writer, const struct icp_allocator *allocator,
                        size_t bytes);
void client_writer_fini(struct proto_writer *writer);

#endif
