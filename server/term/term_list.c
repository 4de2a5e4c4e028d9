/* SPDX-License-Identifier: Apache-2.0 */
/* All leaves are hashed, then the root, and the way of one if it is asked for. */
#include "server/term/term_list.h"

#include <stdlib.h>

#include "server/term/term_json.h"

static bool memory_out(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the tree of a list");
}

/* malloc'd; NULL with *fault. */
static struct term_hash *leaves_make(const json_t *document, size_t *count,
                                     struct proto_fault *fault)
{
    const json_t *entries = json_object_get(document, "entries");
    *count = json_array_size(entries);
    if (*count == 0) {
        proto_fault_set(fault, PROTO_CORRUPT, "tal", "the list has no entries");
        return NULL;
    }
    struct term_hash *leaves = calloc(*count, sizeof *leaves);
    if (leaves == NULL) {
        (void)memory_out(fault);
        return NULL;
    }
    bool good = true;
    for (size_t i = 0; good && i < *count; i++) {
        size_t bytes = 0;
        char *text = term_json_print(json_array_get(entries, i), &bytes, fault);
        good = text != NULL;
        if (good) {
            leaves[i] = term_tree_leaf((struct proto_span){(const uint8_t *)text, bytes});
        }
        free(text);
    }
    if (!good) {
        free(leaves);
        return NULL;
    }
    return leaves;
}

bool term_list_root(const json_t *document, struct term_hash *root, size_t *count,
                    struct proto_fault *fault)
{
    struct term_hash *leaves = leaves_make(document, count, fault);
    if (leaves == NULL) {
        return false;
    }
    *root = term_tree_root(leaves, *count);
    free(leaves);
    return true;
}

bool term_list_prove(const json_t *document, const char *id, char **leaf, struct term_proof *proof,
                     struct term_hash *root, struct proto_fault *fault)
{
    const json_t *entries = json_object_get(document, "entries");
    size_t count = 0;
    size_t bytes = 0;
    size_t i = 0;
    for (; i < json_array_size(entries); i++) {
        const char *one = json_string_value(json_object_get(json_array_get(entries, i), "id"));
        if (one != NULL && strcmp(one, id) == 0) {
            break;
        }
    }
    if (i == json_array_size(entries)) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "account",
                               "the account \"%.200s\" is not on the list", id);
    }
    struct term_hash *leaves = leaves_make(document, &count, fault);
    if (leaves == NULL) {
        return false;
    }
    term_tree_prove(leaves, count, i, proof);
    *root = term_tree_root(leaves, count);
    free(leaves);
    *leaf = term_json_print(json_array_get(entries, i), &bytes, fault);
    return *leaf != NULL;
}
