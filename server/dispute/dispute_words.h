/* SPDX-License-Identifier: Apache-2.0 */
/* The different values of one category or flag field, numbered as they are met.
 * Ownership: texts are copied; dispute_words_fini frees them. Errors: PROTO_NO_MEMORY. Threads: one
 * at a time. Cost: a hash and a comparison a value. */
#ifndef DISPUTE_DISPUTE_WORDS_H
#define DISPUTE_DISPUTE_WORDS_H

#include "server/feature/value.h"

#define DISPUTE_WORDS_TABLE 4096 /* places of the hash table: four times DISPUTE_WORDS_MAX */

struct dispute_words {
    char **list;
    size_t count;
    uint16_t *table; /* 0: free, else a place in the list + 1 */
};

/* The place of a value as a cell has it: 1 if it is missing, else from 2; beyond DISPUTE_WORDS_MAX
 * different ones the last place, which is called "(other values)". */
bool dispute_words_place(struct dispute_words *words, const struct feature_value *value,
                         uint32_t *place, struct proto_fault *fault);
static inline const char *const *dispute_words_list(const struct dispute_words *words)
{
    return (const char *const *)words->list;
}
void dispute_words_fini(struct dispute_words *words);

#endif
