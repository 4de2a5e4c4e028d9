/* SPDX-License-Identifier: Apache-2.0 */
/* Each block carries the allocator that made it in front of it: growing asks the same one again,
 * freeing needs to be told nothing. When memory runs out NULL is returned and nothing has changed.
 */
#include "client/memory.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "client/icp.h"

#define WRITER_BYTES_FIRST 256

struct block {
    alignas(16) struct icp_allocator allocator; /* resize NULL: malloc */
};
static_assert(sizeof(struct block) % 16 == 0, "what follows a block's head is aligned");

static void *resize(const struct icp_allocator *allocator, void *memory, size_t bytes)
{
    if (allocator->resize != NULL) {
        return allocator->resize(allocator->context, memory, bytes);
    }
    if (bytes > 0) {
        return realloc(memory, bytes);
    }
    free(memory);
    return NULL;
}

void *client_memory_grow(const struct icp_allocator *allocator, void *memory, size_t bytes)
{
    struct icp_allocator from = {0};
    struct block *block = NULL;
    if (memory != NULL) {
        block = (struct block *)memory - 1;
        from = block->allocator;
    } else if (allocator != NULL) {
        from = *allocator;
    }
    if (bytes > SIZE_MAX - sizeof *block) {
        return NULL;
    }
    block = resize(&from, block, sizeof *block + bytes);
    if (block == NULL) {
        return NULL;
    }
    block->allocator = from;
    return block + 1;
}

void client_memory_free(void *memory)
{
    if (memory == NULL) {
        return;
    }
    struct block *block = (struct block *)memory - 1;
    struct icp_allocator from = block->allocator;
    (void)resize(&from, block, 0);
}

char *client_memory_text(const struct icp_allocator *allocator, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = client_memory_grow(allocator, NULL, bytes);
    if (copy != NULL) {
        memcpy(copy, text, bytes);
    }
    return copy;
}

bool client_writer_room(struct proto_writer *writer, const struct icp_allocator *allocator,
                        size_t bytes)
{
    if (writer->data != NULL && bytes <= writer->capacity - writer->bytes) {
        return true;
    }
    if (bytes > SIZE_MAX / 4 - writer->bytes) {
        return false;
    }
    size_t capacity = writer->capacity < WRITER_BYTES_FIRST ? WRITER_BYTES_FIRST : writer->capacity;
    while (capacity < writer->bytes + bytes) {
        capacity *= 2;
    }
    uint8_t *data = client_memory_grow(allocator, writer->data, capacity);
    if (data == NULL) {
        return false;
    }
    writer->data = data;
    writer->capacity = capacity;
    return true;
}

void client_writer_fini(struct proto_writer *writer)
{
    client_memory_free(writer->data);
    proto_writer_init(writer);
}
