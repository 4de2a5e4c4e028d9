/* SPDX-License-Identifier: Apache-2.0 */
/* Plays batches of backed-up logs into a store that nobody serves, many at once.
 * Ownership: close waits for what was submitted and closes the store. Errors: those of the store;
 * PROTO_CORRUPT where a batch is missing or does not lead where it led. Threads: one. */
#ifndef BACKUP_PLAY_H
#define BACKUP_PLAY_H

#include "server/backup/backup_restore.h"

struct backup_player;
struct backup_player *backup_player_open(const char *path, size_t map_bytes,
                                         struct proto_fault *fault);
/* Plays one file up to the moment; `restored` counts on. */
bool backup_play(struct backup_player *player, int folder, const char *name,
                 const struct backup_moment *until, struct backup_restored *restored,
                 struct proto_fault *fault);
bool backup_player_close(struct backup_player *player, struct proto_fault *fault);

#endif
