/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that grow as items come.
 *
 * Shapes: `array` is the address of the pointer to the first item, of whatever type; `room` and
 * `wanted` count items. Ownership: the array is the caller's to free(), also after a failure.
 * Errors: NO_MEMORY, and array and room are as they were. Threads: pure. Cost: n items are copied n
 * times in all. */
#ifndef BASE_GROW_H
#define BASE_GROW_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/fault.h"

/* Room for `wanted` items of `bytes` each: at least twice what there was, if that was too little.
 * What is new is not zeroed. what: what the items are, for the message. */
bool base_grow(void *array, size_t *room, size_t wanted, size_t bytes, const char *what,
               struct proto_fault *fault);

#endif
