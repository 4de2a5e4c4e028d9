/* SPDX-License-Identifier: Apache-2.0 */
/* Lays a patch over a stored record: values of the patch replace those of the same field, its keys
 * are added, and the fields that it takes away go last. If the patch is dated, what is stored of a
 * later time stays: a value that comes late is older than what is known. Sources that no value
 * refers to any more go. Ownership: the result is the caller's (free); room is kept between calls.
 * Errors: PROTO_LIMIT (keys, sources), PROTO_TOO_LARGE, PROTO_CORRUPT, PROTO_NO_MEMORY. Threads:
 * pure. Cost: about 1 µs. */
#ifndef STORE_PATCH_H
#define STORE_PATCH_H

#include "server/disk/layout.h"
#include "server/feature/record.h"
#include "server/store/command.h"

/* Beside store_patch_flag, within the store: of two values of the same time the stored one stays.
 */
#define STORE_PATCH_YIELDS 128u

struct store_patch_room {
    struct feature_value *base;
    struct feature_value *over;
    size_t slots;
};

void store_patch_room_fini(struct store_patch_room *room);

/* NULL with *fault. */
uint8_t *store_patch(struct store_patch_room *room, struct proto_span base,
                     const struct store_command *patch, size_t *bytes, struct proto_fault *fault);

#endif
