/* SPDX-License-Identifier: Apache-2.0 */
/* Damages one file of a directory of backups at a time, verifies it and restores from it, in a
 * child. Usage: damage_backup [FLIPS [SECTORS [SEED]]]; 150 and 60 without, 10,000 and 3,000 with
 * ICP_LONG=1.
 *
 * The directory holds a base, two logs, a second base, which is taken away half of the time, and a
 * log behind it. A bit is flipped, or a
 * sector of 512 bytes holds zeros, noise, or what stands there in another file; now and then a file
 * is cut off, or is gone. A restore must come to the very contents, or be refused; what it is
 * refused for, the verification must find; where all came through, it may have found nothing.
 * Controls: sound backups are restored; and the last file, taken away, which nobody can know, must
 * be seen as another store. */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/backup/backup_restore.h"
#include "tests/damage/damage_argument.h"
#include "tests/unit/engine/engine_contents.h"
#include "tests/unit/engine/engine_fixture.h"

enum { SECTOR_BYTES = 512, FILES = 5, SECOND_BASE = 1, ACCOUNTS = 300 };
enum kind { KIND_FLIP, KIND_ZERO, KIND_NOISE, KIND_OTHER, KIND_CUT, KIND_GONE, KIND_COUNT };
enum outcome {
    OUTCOME_NONE,      /* restored, and nothing was found */
    OUTCOME_ALL_SAME,  /* restored in spite of what was found: another base and its logs */
    OUTCOME_REFUSED,   /* and found by the verification */
    OUTCOME_WRONG,     /* something else was restored */
    OUTCOME_UNNOTICED, /* refused, and the verification found nothing */
    OUTCOME_CRASHED,
    OUTCOMES
};

static const char *const kind_names[] = {"flips", "zeros", "noise", "other", "cut off", "gone"};
static const char *const outcome_names[] = {
    "no effect", "restored all the same", "refused", "WRONG", "UNNOTICED", "CRASHED"};

struct file {
    char name[BACKUP_NAME_BYTES];
    uint8_t *bytes;
    size_t count;
    bool gone;
};

struct run {
    char backups[96], restored[128];
    struct file files[FILES];
    size_t file_count;
    uint64_t digest; /* of the contents at the end */
    uint64_t seed;
    long counts[KIND_COUNT][OUTCOMES];
};

static uint64_t draw(struct run *run, uint64_t below)
{
    run->seed = run->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (run->seed >> 24) % below;
}

static int entry_remove(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static void folder_remove(const char *path)
{
    nftw(path, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static void backup(struct run *run, struct engine_fixture *fixture, bool full)
{
    struct backup_result result;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct backup_request request = {.path = run->backups,
                                           .full = full,
                                           .on_done = engine_fixture_ended,
                                           .context = fixture,
                                           .result = &result};
    size_t before = fixture->ended_count;
    assert_true(backup_start(fixture->engine, &request, &fault) > 0);
    assert_int_equal(engine_fixture_wait(fixture, before + 1).state, ENGINE_JOB_DONE);
}

static void change(struct engine_fixture *fixture, int first, const char *industry)
{
    for (int i = first; i < ACCOUNTS; i += 7) {
        char id[16];
        snprintf(id, sizeof id, "a%d", i);
        const char *const words[] = {"industry", industry, NULL};
        fixture->now_ms += 1000;
        engine_fixture_put(fixture, id, words);
    }
    assert_true(engine_fixture_delete(fixture, first % 2 == 0 ? "a1" : "a5"));
}

static void file_keep(struct run *run, const char *name)
{
    char path[256];
    struct stat info = {0};
    assert_true(run->file_count < FILES);
    struct file *file = &run->files[run->file_count++];
    snprintf(file->name, sizeof file->name, "%s", name);
    snprintf(path, sizeof path, "%s/%s", run->backups, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    file->count = (size_t)info.st_size;
    file->bytes = malloc(file->count + 1);
    assert_non_null(file->bytes);
    assert_int_equal(read(fd, file->bytes, file->count), info.st_size);
    close(fd);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static void world_make(struct run *run)
{
    static struct engine_fixture fixture;
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(run->backups, sizeof run->backups, "%s/icpd-damage-XXXXXX", memory);
    assert_non_null(mkdtemp(run->backups));
    snprintf(run->restored, sizeof run->restored, "%s-restored", run->backups);
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, ACCOUNTS);
    engine_fixture_learn(&fixture);
    backup(run, &fixture, false);
    change(&fixture, 0, "Steel");
    backup(run, &fixture, false);
    change(&fixture, 3, "Retail");
    backup(run, &fixture, true); /* a log, and a base behind it */
    change(&fixture, 4, "Software");
    backup(run, &fixture, false);
    run->digest = engine_contents_digest(engine_store(fixture.engine));
    engine_fixture_close(&fixture);
    DIR *folder = opendir(run->backups);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strstr(entry->d_name, ".icpb") != NULL) {
            file_keep(run, entry->d_name);
        }
    }
    closedir(folder);
    qsort(run->files, run->file_count, sizeof *run->files, by_name);
    assert_int_equal(run->file_count, FILES);
}

static void files_write(const struct run *run)
{
    folder_remove(run->backups);
    folder_remove(run->restored);
    assert_int_equal(mkdir(run->backups, 0700), 0);
    for (size_t i = 0; i < run->file_count; i++) {
        char path[256];
        const struct file *file = &run->files[i];
        snprintf(path, sizeof path, "%s/%s", run->backups, file->name);
        int fd = file->gone ? -1 : open(path, O_WRONLY | O_CREAT, 0600);
        assert_true(file->gone ||
                    (fd >= 0 && write(fd, file->bytes, file->count) == (ssize_t)file->count));
        if (fd >= 0) {
            close(fd);
        }
    }
}

static void file_told(void *context, const struct backup_item *item)
{
    *(long *)context += item->fault.code != PROTO_OK;
}

static int64_t no_time(void *context)
{
    (void)context;
    return 1;
}

static void no_change(void *context, const struct store_change *change)
{
    (void)context;
    (void)change;
}

/* In the child. */
static enum outcome look(const struct run *run)
{
    long bad = 0;
    struct proto_fault fault = {.code = PROTO_OK};
    struct backup_restored restored;
    const struct backup_restore_options options = {.backups = run->backups,
                                                   .path = run->restored,
                                                   .map_bytes = (size_t)256 << 20,
                                                   .until = {UINT64_MAX, INT64_MAX}};
    bool whole = backup_verify(run->backups, file_told, &bad, &fault);
    if (!backup_restore(&options, &restored, &fault)) {
        char path[192];
        snprintf(path, sizeof path, "%s/data.mdb", run->restored);
        bool left = access(path, F_OK) == 0;
        return left ? OUTCOME_WRONG : whole ? OUTCOME_UNNOTICED : OUTCOME_REFUSED;
    }
    const struct store_options store_options = {.path = run->restored,
                                                .map_bytes_max = (size_t)256 << 20,
                                                .log_bytes_max = (size_t)1 << 20,
                                                .now_ms = no_time,
                                                .on_change = no_change};
    struct store *store = store_open(&store_options, &fault);
    if (store == NULL || engine_contents_digest(store) != run->digest ||
        store_scrub(store, NULL, NULL, &fault) != 0) {
        return OUTCOME_WRONG;
    }
    store_close(store);
    return whole ? OUTCOME_NONE : OUTCOME_ALL_SAME;
}

static enum outcome look_apart(const struct run *run)
{
    files_write(run);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        signal(SIGSEGV, SIG_DFL); /* cmocka's handlers would hide how it died */
        signal(SIGABRT, SIG_DFL);
        _exit((int)look(run));
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) < OUTCOME_CRASHED
               ? (enum outcome)WEXITSTATUS(status)
               : OUTCOME_CRASHED;
}

/* A file that is gone in the middle says nothing, so the verification need not either. */
static bool is_bad(const struct run *run, enum kind kind, const struct file *file,
                   enum outcome outcome)
{
    bool last = file == &run->files[run->file_count - 1];
    if (kind == KIND_GONE) {
        return outcome == OUTCOME_CRASHED || (outcome == OUTCOME_WRONG && !last);
    }
    return outcome >= OUTCOME_WRONG;
}

/* Returns whether what came of it is as it must be. */
static bool damage_one(struct run *run, enum kind kind)
{
    struct file *file = &run->files[draw(run, run->file_count)];
    const struct file *other = &run->files[draw(run, run->file_count)];
    const struct file kept = *file;
    struct file *second = &run->files[SECOND_BASE];
    bool alone = file != second && draw(run, 2) == 0; /* the first base, and all logs behind it */
    second->gone = alone;
    size_t count = kind == KIND_FLIP ? 1 : SECTOR_BYTES;
    size_t at = draw(run, file->count) / count * count;
    count = at + count > file->count ? file->count - at : count;
    uint8_t before[SECTOR_BYTES];
    memcpy(before, file->bytes + at, count);
    file->gone = kind == KIND_GONE;
    file->count = kind == KIND_CUT ? at : file->count;
    for (size_t i = 0; i < count && kind < KIND_CUT; i++) {
        uint8_t *byte = &file->bytes[at + i];
        *byte = kind == KIND_FLIP    ? *byte ^ (uint8_t)(1U << draw(run, 8))
                : kind == KIND_ZERO  ? 0
                : kind == KIND_NOISE ? (uint8_t)draw(run, 256)
                                     : (at + i < other->count ? other->bytes[at + i] : 0);
    }
    enum outcome outcome = look_apart(run);
    memcpy(file->bytes + at, before, count);
    *file = kept;
    second->gone = false;
    run->counts[kind][outcome]++;
    if (is_bad(run, kind, file, outcome)) {
        printf("%s: %s at byte %zu of %s\n", outcome_names[outcome], kind_names[kind], at,
               file->name);
        fflush(stdout);
        return false;
    }
    return true;
}

static bool controls(struct run *run)
{
    enum outcome sound = look_apart(run);
    struct file *last = &run->files[run->file_count - 1];
    last->gone = true;
    enum outcome shorter = look_apart(run);
    last->gone = false;
    printf("controls: sound backups %s; without the last file %s\n", outcome_names[sound],
           outcome_names[shorter]);
    return sound == OUTCOME_NONE && shorter == OUTCOME_WRONG;
}

static void report(const struct run *run)
{
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        printf("%s:", kind_names[kind]);
        for (size_t i = 0; i < OUTCOMES; i++) {
            printf(" %ld %s%s", run->counts[kind][i], outcome_names[i],
                   i + 1 < OUTCOMES ? "," : "\n");
        }
    }
}

int main(int argc, char **argv)
{
    static struct run run;
    long flips = damage_argument(argc, argv, 1, 150, 10000);
    long sectors = damage_argument(argc, argv, 2, 60, 3000);
    run.seed = (uint64_t)damage_argument(argc, argv, 3, 20, 20);
    printf("seed %llu\n", (unsigned long long)run.seed);
    world_make(&run);
    bool good = controls(&run);
    long bad = 0;
    for (long i = 0; good && i < flips; i++) {
        bad += !damage_one(&run, KIND_FLIP);
    }
    for (long i = 0; good && i < sectors; i++) {
        bad += !damage_one(&run, (enum kind)(KIND_ZERO + i % (KIND_COUNT - 1)));
    }
    report(&run);
    folder_remove(run.backups);
    folder_remove(run.restored);
    for (size_t i = 0; i < run.file_count; i++) {
        free(run.files[i].bytes);
    }
    return good && bad == 0 ? 0 : 1;
}
