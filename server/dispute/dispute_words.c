/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing over a table that is never more than a quarter full. */
#include "server/dispute/dispute_words.h"

#include <stdlib.h>
#include <xxhash.h>

#include "server/dispute/dispute_column.h"

void dispute_words_fini(struct dispute_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        free(words->list[i]);
    }
    free(words->list);
    free(words->table);
    *words = (struct dispute_words){0};
}

static bool words_begin(struct dispute_words *words)
{
    if (!words->table) {
        words->table = calloc(DISPUTE_WORDS_TABLE, sizeof *words->table);
    }
    if (!words->list) {
        words->list = calloc(DISPUTE_WORDS_MAX, sizeof *words->list);
    }
    return words->table && words->list;
}

/* Where in the table a text stands, or would. */
static size_t place_find(const struct dispute_words *words, struct proto_span text)
{
    size_t at = XXH3_64bits(text.data, text.bytes) % DISPUTE_WORDS_TABLE;
    while (words->table[at] != 0 && !proto_span_is(text, words->list[words->table[at] - 1])) {
        at = (at + 1) % DISPUTE_WORDS_TABLE;
    }
    return at;
}

/* A new word at a free place of the table. */
static bool word_add(struct dispute_words *words, size_t at, struct proto_span text)
{
    char *copy = malloc(text.bytes + 1);
    if (!copy) {
        return false;
    }
    memcpy(copy, text.data, text.bytes);
    copy[text.bytes] = '\0';
    words->list[words->count++] = copy;
    words->table[at] = (uint16_t)words->count;
    return true;
}

bool dispute_words_place(struct dispute_words *words, const struct feature_value *value,
                         uint32_t *place, struct proto_fault *fault)
{
    *place = DISPUTE_MISSING;
    if (!value->present) {
        return true;
    }
    bool ok = words_begin(words);
    struct proto_span text =
        value->type == FEATURE_FLAG ? proto_span_text(value->flag ? "true" : "false") : value->text;
    size_t at = ok ? place_find(words, text) : 0;
    if (ok && words->table[at] == 0 && words->count >= DISPUTE_WORDS_MAX - 1) {
        text = proto_span_text("(other values)");
        at = place_find(words, text);
    }
    ok = ok && (words->table[at] != 0 || word_add(words, at, text));
    if (!ok) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the values of a field");
    }
    *place = DISPUTE_WORD_FIRST + (uint32_t)words->table[at] - 1;
    return true;
}
