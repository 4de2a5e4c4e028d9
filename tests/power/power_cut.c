/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts the power of the store: power_cut [CUTS [SEED [STORY]]]. Each story is recorded once; then,
 * at random moments of it, what a disk may hold is laid out as a folder, opened by the store in a
 * process of its own, and compared with what had been acknowledged by then. One cut in eight is
 * followed by a second, while the store is being opened again.
 *
 * Found must be: nothing lost that was acknowledged, no folder that cannot be opened, nothing that
 * no batch wrote, no part of a batch. The controls count syncs for nothing, all of them or LMDB's
 * alone, and must be caught in a quarter of the cuts or more: a harness that finds nothing there
 * would find nothing anywhere. Without arguments 2,000 cuts, with ICP_LONG=1 in the environment
 * 30,000. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <dirent.h>
#include <fcntl.h>

#include "tests/power/power_platter.h"
#include "tests/power/power_story.h"

enum { CRASHED = STORY_VERDICTS, HUNG, OUTCOMES };
static const char *const outcomes[OUTCOMES] = {"good",  "unopenable", "lost",
                                               "wrong", "crashed",    "hung"};
enum { HANG_SECONDS = 60, TOLD_MAX = 12, CONTROL_CUTS = 120, COPY_BYTES = 4096 };

/* Of a hundred cuts, how many go to each story. A creation is short and everything depends on it.
 */
static const unsigned shares[STORY_KINDS] = {12, 18, 24, 9, 12, 8, 9, 8};

struct tally {
    uint64_t cuts;
    uint64_t twice; /* of them followed by a second */
    uint64_t found[OUTCOMES];
};

static uint64_t mix(uint64_t *state)
{
    uint64_t value = *state += UINT64_C(0x9E3779B97F4A7C15);
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

static bool is_lock(const char *name)
{
    return strcmp(name, "lock.mdb") == 0;
}

static bool ignores_all(const char *name)
{
    (void)name;
    return true;
}

static bool ignores_data(const char *name)
{
    return strcmp(name, "data.mdb") == 0 || strcmp(name, "data.compact") == 0;
}

static void folder_clear(int above, const char *name, bool keep)
{
    int fd = openat(above, name, O_RDONLY | O_DIRECTORY);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (folder == NULL) {
        return;
    }
    for (const struct dirent *item = readdir(folder); item != NULL; item = readdir(folder)) {
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0) {
            continue;
        }
        if (unlinkat(dirfd(folder), item->d_name, 0) != 0) {
            folder_clear(dirfd(folder), item->d_name, false);
        }
    }
    closedir(folder);
    if (!keep) {
        (void)unlinkat(above, name, AT_REMOVEDIR);
    }
}

/* In memory where that can be had: an image is looked at once. */
static void folder_make(char path[64])
{
    snprintf(path, 64, "%s/icp_power_XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(path) == NULL) {
        perror("power: a folder");
        exit(2);
    }
}

static void must(bool good, const char *what)
{
    if (!good) {
        perror(what);
        exit(2);
    }
}

/* Blocks of zeros are left out: files have holes. */
static void file_copy(int from, int to, const char *name)
{
    static const uint8_t zeros[COPY_BYTES];
    uint8_t bytes[COPY_BYTES];
    int source = openat(from, name, O_RDONLY);
    int copy = openat(to, name, O_RDWR | O_CREAT, 0600);
    must(source >= 0 && copy >= 0, name);
    off_t length = lseek(source, 0, SEEK_END);
    must(ftruncate(copy, length) == 0, name);
    for (off_t at = lseek(source, 0, SEEK_DATA); at >= 0 && at < length;) {
        ssize_t got = pread(source, bytes, sizeof bytes, at);
        must(got > 0, name);
        if (memcmp(bytes, zeros, (size_t)got) != 0) {
            must(pwrite(copy, bytes, (size_t)got, at) == got, name);
        }
        at += got;
        at = at < length ? lseek(source, at, SEEK_DATA) : length;
    }
    must(fsync(copy) == 0, name);
    close(copy);
    close(source);
}

/* A folder into an empty one, with all that is below it, synced. */
static void folder_copy(const char *from, const char *to)
{
    int target = open(to, O_RDONLY | O_DIRECTORY);
    DIR *folder = opendir(from);
    must(target >= 0 && folder != NULL, from);
    for (const struct dirent *item = readdir(folder); item != NULL; item = readdir(folder)) {
        char below[2][4096];
        struct stat file;
        if (item->d_name[0] == '.') {
            continue;
        }
        must(fstatat(dirfd(folder), item->d_name, &file, 0) == 0, item->d_name);
        if (!S_ISDIR(file.st_mode)) {
            file_copy(dirfd(folder), target, item->d_name);
            continue;
        }
        snprintf(below[0], sizeof below[0], "%s/%s", from, item->d_name);
        snprintf(below[1], sizeof below[1], "%s/%s", to, item->d_name);
        must(mkdir(below[1], 0700) == 0, below[1]);
        folder_copy(below[0], below[1]);
    }
    must(fsync(target) == 0, to);
    close(target);
    closedir(folder);
}

/* A start on what a cut left is recorded, and cut at a random moment of its own. */
static int second_cut(const struct story *story, const char *path, const struct story_seen *seen,
                      uint64_t drawn, bool quiet)
{
    struct power_trace trace;
    char start[64];
    char image[64];
    struct power_cut cut = {.seed = mix(&drawn),
                            .fate = (enum power_fate)(drawn % POWER_FATES),
                            .block_bytes = 4096,
                            .orderly = (drawn >> 20 & 1) != 0};
    folder_make(start);
    folder_make(image);
    power_record_begin(&trace, start);
    folder_copy(path, start);
    size_t before = trace.count;
    bool good = story_recover(story, start);
    power_record_end();
    int outcome = good ? STORY_GOOD : STORY_UNOPENABLE;
    if (good && trace.count > before) {
        size_t at = before + (size_t)(mix(&drawn) % (trace.count - before));
        struct power_platter *platter = power_platter_create(&trace, NULL);
        power_platter_image(platter, at, &cut, image);
        power_platter_destroy(platter);
        outcome = (int)story_check(story, image, seen, false, quiet);
    }
    power_trace_fini(&trace);
    folder_clear(AT_FDCWD, start, false);
    folder_clear(AT_FDCWD, image, false);
    return outcome;
}

/* In a process of its own: what is wrong with an image may end it. `second`: what a second cut is
 * drawn from; 0: there is none. */
static int image_check(const struct story *story, const char *path, const struct story_seen *seen,
                       bool again, uint64_t second, bool quiet)
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        exit(2);
    }
    if (child == 0) {
        alarm(HANG_SECONDS);
        power_syncs_leave_out(true);
        int outcome = second == 0 ? STORY_GOOD : second_cut(story, path, seen, second, quiet);
        if (outcome != STORY_GOOD) {
            _exit(outcome);
        }
        _exit((int)story_check(story, path, seen, again, quiet));
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status)) {
        return WTERMSIG(status) == SIGALRM ? HUNG : CRASHED;
    }
    return WEXITSTATUS(status) < STORY_VERDICTS ? WEXITSTATUS(status) : CRASHED;
}

static void notes_take(const struct power_trace *trace, size_t from, size_t upto,
                       struct story_seen *seen)
{
    for (size_t i = from; i < upto; i++) {
        const struct power_op *op = &trace->ops[i];
        if (op->kind == POWER_NOTE && op->at > seen->notes[op->file]) {
            seen->notes[op->file] = op->at;
        }
    }
}

static int cut_order(const void *a, const void *b)
{
    size_t left = *(const size_t *)a;
    size_t right = *(const size_t *)b;
    return left < right ? -1 : left > right;
}

static void told(const char *story, const struct power_cut *cut, size_t at, int outcome)
{
    fprintf(stderr,
            "power: %s: %s, cut at operation %zu, fate %d, blocks of %u, %s, seed %" PRIu64 "\n",
            story, outcomes[outcome], at, (int)cut->fate, cut->block_bytes,
            cut->orderly ? "orderly names" : "any names", cut->seed);
}

/* `count` cuts of a recorded story. */
static void story_cut(const struct story *story, const char *name, const struct power_trace *trace,
                      power_ignored *ignored, size_t count, uint64_t *random, struct tally *tally)
{
    char path[64];
    size_t seen_upto = 0;
    struct story_seen seen = {0};
    struct power_platter *platter = power_platter_create(trace, ignored);
    size_t *cuts = malloc((count + 1) * sizeof *cuts);
    if (cuts == NULL) {
        exit(2);
    }
    for (size_t i = 0; i < count; i++) {
        cuts[i] = (size_t)(mix(random) % trace->count);
    }
    qsort(cuts, count, sizeof *cuts, cut_order);
    folder_make(path);
    for (size_t i = 0; i < count; i++) {
        uint64_t drawn = mix(random);
        struct power_cut cut = {.seed = drawn,
                                .fate = (enum power_fate)(drawn % POWER_FATES),
                                .block_bytes = (drawn >> 8 & 1) != 0 ? 512 : 4096,
                                .orderly = (drawn >> 9 & 1) != 0};
        notes_take(trace, seen_upto, cuts[i], &seen);
        seen_upto = cuts[i];
        power_platter_image(platter, cuts[i], &cut, path);
        bool quiet = ignored != NULL || tally->found[STORY_GOOD] + TOLD_MAX < tally->cuts;
        /* Where syncs are ignored, the first cut is what is to be caught. */
        uint64_t second = ignored == NULL && (drawn >> 13 & 7) == 0 ? drawn | 1 : 0;
        int outcome = image_check(story, path, &seen, (drawn >> 10 & 3) == 0, second, quiet);
        tally->cuts++;
        tally->twice += second != 0;
        tally->found[outcome]++;
        if (outcome != STORY_GOOD && !quiet) {
            told(name, &cut, cuts[i], outcome);
        }
        folder_clear(AT_FDCWD, path, true);
    }
    folder_clear(AT_FDCWD, path, false);
    power_platter_destroy(platter);
    free(cuts);
}

/* What the trace makes of an empty folder must be what is there: else a call went unseen. */
static void trace_verify(const struct power_trace *trace, const char *path)
{
    struct power_platter *platter = power_platter_create(trace, NULL);
    if (!power_platter_matches(platter, path, is_lock)) {
        fprintf(stderr, "power: the trace is not what happened\n");
        exit(2);
    }
    power_platter_destroy(platter);
}

struct recorded {
    struct story *story;
    struct power_trace trace;
};

static void record(struct recorded *recorded, enum story_kind kind, uint64_t seed)
{
    char path[64];
    folder_make(path);
    recorded->story = story_create(kind, seed);
    power_record_begin(&recorded->trace, path);
    story_play(recorded->story, path);
    power_record_end();
    trace_verify(&recorded->trace, path);
    folder_clear(AT_FDCWD, path, false);
}

static void tally_print(const char *what, const struct tally *tally)
{
    printf("%-24s %6" PRIu64 " cuts", what, tally->cuts);
    for (int i = 0; i < OUTCOMES; i++) {
        printf("  %" PRIu64 " %s", tally->found[i], outcomes[i]);
    }
    printf("  (%" PRIu64 " with a second cut)\n", tally->twice);
    fflush(stdout);
}

static uint64_t bad(const struct tally *tally)
{
    return tally->cuts - tally->found[STORY_GOOD];
}

/* Cuts every story by its share; with `each`, says so for each. */
static struct tally all_cut(const struct recorded *stories, size_t cuts, power_ignored *ignored,
                            uint64_t *random, bool each)
{
    struct tally sum = {0};
    for (int kind = 0; kind < STORY_KINDS; kind++) {
        struct tally tally = {0};
        if (stories[kind].story == NULL) {
            continue;
        }
        size_t count = (cuts * shares[kind] + 99) / 100;
        story_cut(stories[kind].story, story_name((enum story_kind)kind), &stories[kind].trace,
                  ignored, count, random, &tally);
        if (each) {
            tally_print(story_name((enum story_kind)kind), &tally);
        }
        sum.cuts += tally.cuts;
        sum.twice += tally.twice;
        for (int i = 0; i < OUTCOMES; i++) {
            sum.found[i] += tally.found[i];
        }
    }
    return sum;
}

static bool control(const char *what, const struct recorded *stories, power_ignored *ignored,
                    uint64_t *random)
{
    struct tally tally = all_cut(stories, CONTROL_CUTS, ignored, random, false);
    tally_print(what, &tally);
    bool caught = bad(&tally) * 4 >= tally.cuts;
    if (!caught) {
        fprintf(stderr,
                "power: the control '%s' was caught too seldom: this harness sees nothing\n", what);
    }
    return caught;
}

int main(int argc, char **argv)
{
    struct recorded stories[STORY_KINDS] = {0};
    const char *longer = getenv("ICP_LONG");
    size_t cuts = argc > 1                             ? strtoull(argv[1], NULL, 10)
                  : longer != NULL && longer[0] == '1' ? 30000
                                                       : 2000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
    uint64_t random = seed;
    printf("seed %" PRIu64 "\n", seed);
    for (int kind = 0; kind < STORY_KINDS; kind++) {
        uint64_t drawn = mix(&random);
        if (argc <= 3 || strcmp(argv[3], story_name((enum story_kind)kind)) == 0) {
            record(&stories[kind], (enum story_kind)kind, drawn);
        }
    }
    bool good = control("control: no syncs", stories, ignores_all, &random);
    good &= control("control: LMDB NOSYNC", stories, ignores_data, &random);
    struct tally sum = all_cut(stories, cuts, NULL, &random, true);
    tally_print("all", &sum);
    if (bad(&sum) == 0) {
        printf("95 %% upper bound of what a cut harms: %.4f %% (3 / cuts)\n",
               300.0 / (double)sum.cuts);
    }
    for (int kind = 0; kind < STORY_KINDS; kind++) {
        if (stories[kind].story == NULL) {
            continue;
        }
        power_trace_fini(&stories[kind].trace);
        story_destroy(stories[kind].story);
    }
    return good && bad(&sum) == 0 ? 0 : 1;
}
