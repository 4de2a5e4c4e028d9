/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of slots as ascending arrays. Threads: pure. Cost: n log n to sort, log n to ask. */
#ifndef ENGINE_SLOTS_H
#define ENGINE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ascending; slots may be NULL if there are none. */
void engine_slots_sort(uint32_t *slots, size_t count);
/* Ascending and each once; returns how many are left. */
size_t engine_slots_unique(uint32_t *slots, size_t count);
bool engine_slots_has(const uint32_t *ascending, size_t count, uint32_t slot);

#endif
