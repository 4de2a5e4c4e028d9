/* SPDX-License-Identifier: Apache-2.0 */
/* How often each text occurs: the distinct values of a column with the line each was first seen on,
 * and sets of ids. Insertion order is kept. Bounded: beyond `most` distinct texts new ones are only
 * counted, in `overflow`. Ownership: copies its texts. Errors: false is "no memory". Threads: one.
 * Cost: one hash (XXH3-64) and a probe. */
#ifndef CLI_TEXT_COUNT_H
#define CLI_TEXT_COUNT_H

#include "proto/span.h"

struct text_entry {
    struct proto_span text;
    uint64_t hash;
    size_t count;
    size_t line; /* of the first occurrence */
};

struct text_count {
    struct text_entry *entries;
    size_t count;
    size_t capacity;
    uint32_t *places; /* index + 1 into entries; 0: free */
    size_t place_count;
    size_t most;
    size_t overflow; /* occurrences of texts beyond `most` */
    struct text_block *blocks;
};

void text_count_init(struct text_count *count, size_t most);
void text_count_fini(struct text_count *count);
/* Adds one occurrence; *entry (may be NULL) is the text's, valid until the next add, or NULL beyond
 * `most`. */
bool text_count_add(struct text_count *count, struct proto_span text, size_t line,
                    const struct text_entry **entry);
const struct text_entry *text_count_find(const struct text_count *count, struct proto_span text);

#endif
