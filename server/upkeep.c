/* SPDX-License-Identifier: Apache-2.0 */
/* Restoring, verifying backups, repairing, compacting and scrubbing from the command line of icpd.
 * What goes wrong is said in one line, and the exit code tells a script whether to look at the
 * request (64), the backup or the store that is damaged (65), what is not there (66), the directory
 * or the disk (73) or another process (69). */
#include "server/upkeep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "server/backup/backup_restore.h"
#include "server/base/clock.h"
#include "server/store/compact.h"
#include "server/store/repair.h"

/* "1 batch", "2 batches". */
static const char *plural(uint64_t count, const char *ending)
{
    return count == 1 ? "" : ending;
}

static int fail(const struct proto_fault *fault)
{
    fprintf(stderr, "icpd: %s\n", fault->message);
    switch (fault->code) {
    case PROTO_CORRUPT:
        return EX_DATAERR;
    case PROTO_NOT_FOUND:
        return EX_NOINPUT;
    case PROTO_LOCKED:
        return EX_UNAVAILABLE;
    case PROTO_NO_MEMORY:
        return EX_OSERR;
    default:
        return EX_CANTCREAT;
    }
}

/* A batch has happened at a time if that is not later: fractions of the second count whole. */
static bool moment_parse(const char *text, struct backup_moment *until)
{
    char *end;
    struct tm time = {0};
    *until = (struct backup_moment){UINT64_MAX, INT64_MAX};
    if (text == NULL) {
        return true;
    }
    errno = 0;
    uint64_t seq = strtoull(text, &end, 10);
    if (*end == '\0' && end != text && errno == 0 && text[0] != '-') {
        until->seq = seq;
        return true;
    }
    end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &time);
    if (end == NULL || *end != '\0') {
        return false;
    }
    until->time_ms = (int64_t)timegm(&time) * 1000 + 999;
    return true;
}

static void time_print(int64_t time_ms, char text[32])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    text[0] = '\0';
    if (time_ms > 0 && gmtime_r(&seconds, &parts) != NULL) {
        strftime(text, 32, ", %Y-%m-%dT%H:%M:%SZ", &parts);
    }
}

static void print_step(void *context, const char *text)
{
    (void)context;
    printf("%s\n", text);
}

int upkeep_restore(const struct base_config *config, const char *backups, const char *until)
{
    struct proto_fault fault = {0};
    struct backup_restored restored;
    char when[32];
    struct backup_restore_options options = {.backups = backups,
                                             .path = config->data,
                                             .map_bytes = config->map_bytes,
                                             .on_step = print_step};
    if (!moment_parse(until, &options.until)) {
        fprintf(stderr,
                "icpd: '%s' is no moment: a log sequence or YYYY-MM-DDTHH:MM:SSZ is wanted\n",
                until);
        return EX_USAGE;
    }
    if (!backup_restore(&options, &restored, &fault)) {
        return fail(&fault);
    }
    time_print(restored.time_ms, when);
    printf("%s is restored: %" PRIu64 " value%s, %" PRIu64 " batch%s played, up to batch %" PRIu64
           "%s\n",
           config->data, restored.entries, plural(restored.entries, "s"), restored.batches,
           plural(restored.batches, "es"), restored.seq, when);
    return EX_OK;
}

static void change_ignore(void *context, const struct store_change *change)
{
    (void)context;
    (void)change;
}

static bool store_there(const struct base_config *config, struct proto_fault *fault)
{
    char file[4200];
    snprintf(file, sizeof file, "%s/data.mdb", config->data);
    return access(file, F_OK) == 0 ||
           proto_fault_set(fault, PROTO_NOT_FOUND, "data", "no store is there: %s: %s", file,
                           strerror(errno));
}

static struct store *store_begin(const struct base_config *config, struct proto_fault *fault)
{
    struct base_clock clock = base_clock_system();
    struct store_options options = {
        .path = config->data,
        .map_bytes_max = config->map_bytes,
        .log_bytes_max = config->log_bytes_max,
        .now_ms = clock.now_ms,
        .now_context = clock.context,
        .on_change = change_ignore,
    };
    return store_there(config, fault) ? store_open(&options, fault) : NULL;
}

/* Opening brings the tables up to the log, and an old store up to this format; closing folds. */
static bool store_settle(const struct base_config *config, struct proto_fault *fault)
{
    struct store *store = store_begin(config, fault);
    if (store == NULL) {
        return false;
    }
    store_close(store);
    return true;
}

int upkeep_compact(const struct base_config *config)
{
    struct proto_fault fault = {0};
    struct store_compacted compacted;
    if (!store_settle(config, &fault) ||
        !store_compact(config->data, config->map_bytes, &compacted, &fault)) {
        return fail(&fault);
    }
    printf("%s is compacted: %" PRIu64 " value%s, data.mdb had %" PRIu64 " bytes on disk and has "
           "%" PRIu64 "\n",
           config->data, compacted.entries, plural(compacted.entries, "s"), compacted.bytes_before,
           compacted.bytes_after);
    return EX_OK;
}

static void repair_print(const struct base_config *config, const struct store_repaired *repaired,
                         bool yes)
{
    const char *verb = yes ? "" : "would be ";
    printf("%" PRIu64 " account%s %skept, %" PRIu64 " %sgiven up; %" PRIu64 " document%s, %" PRIu64
           " operation id%s and %" PRIu64 " batch%s of the log %sgiven up\n",
           repaired->accounts, plural(repaired->accounts, "s"), verb, repaired->accounts_lost, verb,
           repaired->documents_lost, plural(repaired->documents_lost, "s"),
           repaired->operations_lost, plural(repaired->operations_lost, "s"),
           repaired->batches_lost, plural(repaired->batches_lost, "es"), verb);
    if (repaired->timelines_lost > 0) {
        printf("of %" PRIu64 " account%s some events, or all, %sgiven up\n",
               repaired->timelines_lost, plural(repaired->timelines_lost, "s"),
               verb[0] == '\0' ? "are " : "would be ");
    }
    if (repaired->histories_lost > 0) {
        printf("of %" PRIu64
               " account%s what their values were before, or some of it, %sgiven up\n",
               repaired->histories_lost, plural(repaired->histories_lost, "s"),
               verb[0] == '\0' ? "is " : "would be ");
    }
    printf("ids and keys, rows and look-alike vectors %smade anew\n", yes ? "are " : "would be ");
    if (repaired->older) {
        printf("the tables are taken as the last fold but one left them; the log is played\n");
    }
    if (!yes) {
        printf("nothing was changed; --repair --yes does it\n");
        return;
    }
    printf("%s is repaired; what was there is kept as data.damaged%s\n", config->data,
           repaired->batches_lost > 0 ? " and log.damaged" : "");
    if (repaired->rejects[0] != '\0') {
        printf("what was given up stands in %s/%s\n", config->data, repaired->rejects);
    }
}

int upkeep_repair(const struct base_config *config, bool yes)
{
    struct proto_fault fault = {0};
    struct store_repaired repaired;
    struct base_clock clock = base_clock_system();
    const struct store_repair_options options = {.path = config->data,
                                                 .map_bytes = config->map_bytes,
                                                 .apply = yes,
                                                 .now_ms = clock.now_ms,
                                                 .now_context = clock.context,
                                                 .on_line = print_step};
    if (!store_there(config, &fault) || !store_repair(&options, &repaired, &fault)) {
        return fail(&fault);
    }
    if (repaired.sound) {
        printf("%s is sound: there is nothing to repair\n", config->data);
        return EX_OK;
    }
    repair_print(config, &repaired, yes);
    return yes ? EX_OK : EX_DATAERR;
}

static void print_item(void *context, const struct backup_item *item)
{
    char when[32];
    (void)context;
    if (item->fault.code != PROTO_OK) {
        printf("bad: %s: %s\n", item->name, item->fault.message);
        return;
    }
    time_print(item->foot.time_ms, when);
    bool base = item->head.kind == BACKUP_BASE;
    uint64_t count = base ? item->foot.entries : item->foot.batches;
    printf("good: %s: %" PRIu64 " %s%s, up to batch %" PRIu64 "%s\n", item->name, count,
           base ? "value" : "batch", plural(count, base ? "s" : "es"), item->foot.seq, when);
}

int upkeep_verify(const char *backups)
{
    struct proto_fault fault = {0};
    return backup_verify(backups, print_item, NULL, &fault) ? EX_OK : fail(&fault);
}

static void bad_tell(void *context, const char *what)
{
    (void)context;
    printf("bad: %s\n", what);
}

int upkeep_scrub(const struct base_config *config)
{
    struct proto_fault fault = {0};
    uint64_t bad = 0;
    struct store *store = store_begin(config, &fault);
    if (store != NULL) {
        bad = store_scrub(store, bad_tell, NULL, &fault);
        store_close(store);
    }
    if (fault.code != PROTO_OK) {
        fprintf(stderr, "icpd: %s: %s\n", config->data, fault.message);
        return fault.code == PROTO_LOCKED      ? EX_UNAVAILABLE
               : fault.code == PROTO_NO_MEMORY ? EX_OSERR
                                               : EX_NOINPUT;
    }
    printf("%" PRIu64 " fault%s found\n", bad, bad == 1 ? "" : "s");
    return bad == 0 ? EX_OK : EX_DATAERR;
}
