/* SPDX-License-Identifier: Apache-2.0 */
/* Twice the room, or as much as is wanted. A size beyond memory, and memory itself, can end it. */
#include "server/base/grow.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 64 };

bool base_grow(void *array, size_t *room, size_t wanted, size_t bytes, const char *what,
               struct proto_fault *fault)
{
    void *items = NULL;
    if (wanted <= *room) {
        return true;
    }
    size_t more = *room <= SIZE_MAX / 2 && 2 * *room > wanted ? 2 * *room : wanted;
    more = more < LEAST ? LEAST : more;
    memcpy(&items, array, sizeof items); /* a pointer of another type */
    void *grown = more <= SIZE_MAX / bytes ? realloc(items, more * bytes) : NULL;
    if (grown == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu %s", more, what);
    }
    memcpy(array, &grown, sizeof grown);
    *room = more;
    return true;
}
