/* SPDX-License-Identifier: Apache-2.0 */
/* Backups of a story go into a folder of the store's own folder, so that one cut hits both; while
 * batches are on their way, as those of a running server do. What reaches how far is noted once the
 * backup has ended: from then on it must be there. */
#include <stdio.h>

#include "server/backup/backup_make.h"
#include "server/backup/backup_restore.h"
#include "tests/power/power_parts.h"
#include "tests/power/power_trace.h"

enum { PATH_BYTES = 128 };

static void folder_of(const char *path, char backups[PATH_BYTES])
{
    snprintf(backups, PATH_BYTES, "%s/backups", path);
}

static bool make(struct store *store, const char *path, bool full, uint64_t *reached,
                 struct proto_fault *fault)
{
    char backups[PATH_BYTES];
    struct backup_result result;
    folder_of(path, backups);
    const struct backup_making making = {
        .store = store, .path = backups, .full = full, .now_ms = 1700000000000};
    if (!backup_make(&making, &result, fault)) {
        return false;
    }
    *reached = result.seq;
    return true;
}

void story_backup_make(struct story *story, const char *path, bool full)
{
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t reached;
    if (!make(story->store, path, full, &reached, &fault)) {
        story_broken("a backup", &fault);
    }
    power_note(STORY_BACKED, reached);
}

bool story_backup_continue(struct store *store, const char *path, uint64_t *reached,
                           struct proto_fault *fault)
{
    return make(store, path, false, reached, fault);
}

static void file_pass(void *context, const struct backup_item *item)
{
    (void)context;
    (void)item;
}

bool story_backup_restore(const char *path, const char *restored, struct proto_fault *fault)
{
    char backups[PATH_BYTES];
    struct backup_restored reached;
    folder_of(path, backups);
    const struct backup_restore_options options = {.backups = backups,
                                                   .path = restored,
                                                   .map_bytes = STORY_MAP_BYTES,
                                                   .until = {UINT64_MAX, INT64_MAX}};
    return backup_restore(&options, &reached, fault) &&
           backup_verify(backups, file_pass, NULL, fault);
}
