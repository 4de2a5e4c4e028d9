/* SPDX-License-Identifier: Apache-2.0 */
/* The segment that is written to is the newest; whoever drops the last entry of an older one
 * deletes it, and where nothing waits the newest is emptied. A line that was cut off by a kill was
 * never answered, and is taken away at the start. */
#include "client/router/router_spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/router/router_words.h"

enum { SEGMENT_BYTES = 4 << 20, PATH_ROOM = 4096, NAME_ROOM = 32 };

struct router_spool {
    int folder;             /* of openat, with the lock */
    int file;               /* the newest segment */
    int refused;            /* -1: none yet */
    uint32_t first, newest; /* segments that there are */
    size_t file_bytes;
    size_t bytes, bytes_max; /* that wait */
    bool sync;
    struct router_entry *entries; /* from head: `count` that wait, then `fresh` to be written */
    size_t head, count, fresh, room;
    struct router_text lines; /* of the fresh ones */
};

static void segment_name(uint32_t number, char name[NAME_ROOM])
{
    (void)snprintf(name, NAME_ROOM, "%08u.ndjson", number);
}

static bool failed(struct router_fault *fault, const char *what)
{
    return router_refuse(fault, 0, 0, "%s: %s", what, strerror(errno));
}

static bool entry_put(struct router_spool *spool, struct router_entry entry,
                      struct router_fault *fault)
{
    size_t used = spool->count + spool->fresh;
    if (spool->head + used == spool->room && spool->head > spool->room / 2) {
        memmove(spool->entries, spool->entries + spool->head, used * sizeof *spool->entries);
        spool->head = 0;
    }
    if (spool->head + used == spool->room) {
        size_t room = 2 * spool->room + 256;
        struct router_entry *grown = realloc(spool->entries, room * sizeof *grown);
        if (grown == NULL) {
            return router_refuse(fault, 0, 0, "no memory for decisions that wait");
        }
        spool->entries = grown;
        spool->room = room;
    }
    spool->entries[spool->head + used] = entry;
    spool->fresh++;
    spool->bytes += entry.bytes;
    return true;
}

static bool bytes_write(int file, const char *text, size_t bytes, struct router_fault *fault)
{
    size_t done = 0;
    while (done < bytes) {
        ssize_t wrote = write(file, text + done, bytes - done);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote < 0) {
            return failed(fault, "the spool cannot be written");
        }
        done += (size_t)wrote;
    }
    return true;
}

/* Lines whole or not at all: what a full disk took of them is taken away again. */
static bool lines_write(struct router_spool *spool, const char *lines, size_t bytes,
                        struct router_fault *fault)
{
    if (!bytes_write(spool->file, lines, bytes, fault) ||
        (spool->sync && fdatasync(spool->file) != 0 &&
         !failed(fault, "the spool cannot be synced"))) {
        (void)!ftruncate(spool->file, (off_t)spool->file_bytes);
        return false;
    }
    spool->file_bytes += bytes;
    return true;
}

static bool segment_begin(struct router_spool *spool, struct router_fault *fault)
{
    char name[NAME_ROOM];
    segment_name(spool->newest + 1, name);
    int file = openat(spool->folder, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) {
        return failed(fault, name);
    }
    if (spool->file >= 0) {
        close(spool->file);
    }
    spool->file = file;
    spool->file_bytes = 0;
    spool->newest++;
    return true;
}

/* Segments that hold nothing that waits. */
static void segments_trim(struct router_spool *spool)
{
    char name[NAME_ROOM];
    uint32_t needed = spool->count > 0 ? spool->entries[spool->head].segment : spool->newest;
    for (; spool->first < needed; spool->first++) {
        segment_name(spool->first, name);
        (void)unlinkat(spool->folder, name, 0);
    }
    if (spool->count == 0 && spool->file_bytes > 0 && ftruncate(spool->file, 0) == 0) {
        spool->file_bytes = 0;
    }
}

/* The entry of that id, the newest first: what is moved was added not long ago. */
static void moved_mark(struct router_spool *spool, const char *id)
{
    for (size_t i = spool->count; i > 0; i--) {
        struct router_entry *entry = &spool->entries[spool->head + i - 1];
        if (strcmp(entry->decision->id, id) == 0) {
            entry->moved = true;
            return;
        }
    }
}

static bool line_take(struct router_spool *spool, uint32_t segment, const char *line, size_t bytes,
                      struct router_fault *fault)
{
    json_t *json = json_loadb(line, bytes, 0, NULL);
    const char *moved = json_string_value(json_object_get(json, "moved"));
    struct router_decision *decision =
        moved == NULL ? router_decision_read(json, line, bytes) : NULL;
    bool good = moved != NULL || decision != NULL;
    if (moved != NULL) {
        moved_mark(spool, moved);
    }
    json_decref(json);
    if (decision == NULL) {
        return good ||
               router_refuse(fault, 0, 0, "segment %u of the spool has a line that is no decision",
                             segment);
    }
    struct router_entry entry = {
        .decision = decision, .segment = segment, .bytes = (uint32_t)bytes + 1};
    if (!entry_put(spool, entry, fault)) {
        router_decision_drop(decision);
        return false;
    }
    spool->count++; /* it is written */
    spool->fresh--;
    return true;
}

static bool segment_read(struct router_spool *spool, uint32_t segment, struct router_fault *fault)
{
    char name[NAME_ROOM];
    char *line = NULL;
    size_t room = 0;
    ssize_t bytes;
    size_t whole = 0;
    segment_name(segment, name);
    int file = openat(spool->folder, name, O_RDWR | O_APPEND | O_CLOEXEC);
    FILE *in = file < 0 ? NULL : fdopen(file, "r");
    if (in == NULL) {
        return failed(fault, name);
    }
    bool good = true;
    while (good && (bytes = getline(&line, &room, in)) > 0 && line[bytes - 1] == '\n') {
        good = line_take(spool, segment, line, (size_t)bytes - 1, fault);
        whole += (size_t)bytes;
    }
    free(line);
    good = good && (ftruncate(file, (off_t)whole) == 0 || failed(fault, name));
    fclose(in);
    return good;
}

static int numbers_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The segments of the folder, read in order. */
static bool segments_read(struct router_spool *spool, struct router_fault *fault)
{
    uint32_t *numbers = NULL;
    size_t count = 0;
    size_t room = 0;
    int again = openat(spool->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = again < 0 ? NULL : fdopendir(again);
    bool good = folder != NULL || failed(fault, "the spool cannot be read");
    for (struct dirent *one; good && folder != NULL && (one = readdir(folder)) != NULL;) {
        unsigned number = 0;
        int end = 0;
        if (sscanf(one->d_name, "%8u.ndjson%n", &number, &end) != 1 || end == 0 ||
            one->d_name[end] != '\0') {
            continue;
        }
        if (count == room) {
            room = 2 * room + 64;
            uint32_t *grown = realloc(numbers, room * sizeof *grown);
            good = grown != NULL || router_refuse(fault, 0, 0, "no memory for the spool");
            numbers = good ? grown : numbers;
        }
        if (good && numbers != NULL) {
            numbers[count++] = number;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    if (count > 0) {
        qsort(numbers, count, sizeof *numbers, numbers_compare);
        spool->first = numbers[0];
        spool->newest = numbers[count - 1];
    }
    for (size_t i = 0; good && i < count; i++) {
        good = segment_read(spool, numbers[i], fault);
    }
    free(numbers);
    return good;
}

struct router_spool *router_spool_open(const char *folder, size_t bytes_max, bool sync,
                                       struct router_fault *fault)
{
    struct router_spool *spool = calloc(1, sizeof *spool);
    if (spool == NULL) {
        (void)router_refuse(fault, 0, 0, "no memory for the spool");
        return NULL;
    }
    *spool = (struct router_spool){
        .folder = -1, .file = -1, .refused = -1, .first = 1, .bytes_max = bytes_max, .sync = sync};
    bool good = mkdir(folder, 0700) == 0 || errno == EEXIST || failed(fault, folder);
    if (good) {
        spool->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        good = spool->folder >= 0 || failed(fault, folder);
    }
    if (good && flock(spool->folder, LOCK_EX | LOCK_NB) != 0) {
        good = router_refuse(fault, 0, 0, "another router has %.180s", folder);
    }
    if (!good || !segments_read(spool, fault) || !segment_begin(spool, fault)) {
        router_spool_close(spool);
        return NULL;
    }
    segments_trim(spool);
    return spool;
}

void router_spool_close(struct router_spool *spool)
{
    if (spool == NULL) {
        return;
    }
    for (size_t i = 0; i < spool->count + spool->fresh; i++) {
        router_decision_drop(spool->entries[spool->head + i].decision);
    }
    free(spool->entries);
    router_text_fini(&spool->lines);
    const int files[] = {spool->file, spool->refused, spool->folder};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (files[i] >= 0) {
            close(files[i]);
        }
    }
    free(spool);
}

bool router_spool_add(struct router_spool *spool, struct router_decision *decision,
                      struct router_fault *fault)
{
    struct router_text *lines = &spool->lines;
    size_t before = lines->bytes;
    struct router_entry entry = {.decision = decision, .bytes = decision->bytes + 1};
    if (spool->bytes + entry.bytes > spool->bytes_max) {
        return router_refuse(fault, 0, 0,
                             "the spool is full: %zu decisions of %zu bytes wait for icpd",
                             spool->count + spool->fresh, spool->bytes);
    }
    router_text_raw(lines, decision->text, decision->bytes);
    router_text_raw(lines, "\n", 1);
    if (lines->failed || !entry_put(spool, entry, fault)) {
        bool failed_text = lines->failed;
        lines->failed = false;
        lines->bytes = before;
        return failed_text ? router_refuse(fault, 0, 0, "no memory for a decision") : false;
    }
    (void)router_decision_hold(decision);
    return true;
}

static bool fresh_write(struct router_spool *spool, struct router_fault *fault)
{
    const struct router_text *lines = &spool->lines;
    bool full = spool->file_bytes + lines->bytes > SEGMENT_BYTES && spool->file_bytes > 0;
    return (!full || segment_begin(spool, fault)) &&
           lines_write(spool, lines->data, lines->bytes, fault);
}

bool router_spool_flush(struct router_spool *spool, struct router_fault *fault)
{
    if (spool->fresh == 0) {
        return true;
    }
    bool good = fresh_write(spool, fault);
    for (size_t i = 0; i < spool->fresh; i++) {
        struct router_entry *entry = &spool->entries[spool->head + spool->count + i];
        if (good) {
            entry->segment = spool->newest;
        } else {
            spool->bytes -= entry->bytes;
            router_decision_drop(entry->decision);
        }
    }
    spool->count += good ? spool->fresh : 0;
    spool->fresh = 0;
    router_text_reset(&spool->lines);
    return good;
}

size_t router_spool_fresh_bytes(const struct router_spool *spool)
{
    return spool->lines.bytes;
}

size_t router_spool_count(const struct router_spool *spool)
{
    return spool->count;
}

size_t router_spool_bytes(const struct router_spool *spool)
{
    return spool->bytes;
}

const struct router_entry *router_spool_at(const struct router_spool *spool, size_t place)
{
    return &spool->entries[spool->head + place];
}

void router_spool_drop(struct router_spool *spool, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        spool->bytes -= spool->entries[spool->head].bytes;
        router_decision_drop(spool->entries[spool->head].decision);
        spool->head++;
        spool->count--;
    }
    segments_trim(spool);
}

bool router_spool_move(struct router_spool *spool, size_t place, struct router_fault *fault)
{
    struct router_entry *entry = &spool->entries[spool->head + place];
    struct router_text line = {.data = NULL};
    router_text_open(&line, '{');
    router_text_name(&line, "moved");
    router_text_string(&line, entry->decision->id);
    router_text_raw(&line, "}\n", 2);
    bool good = line.failed ? router_refuse(fault, 0, 0, "no memory for the spool")
                            : lines_write(spool, line.data, line.bytes, fault);
    router_text_fini(&line);
    entry->moved = good;
    return good;
}

bool router_spool_refuse(struct router_spool *spool, size_t place, const char *why,
                         struct router_fault *fault)
{
    struct router_entry *entry = &spool->entries[spool->head + place];
    struct router_text line = {.data = NULL};
    if (spool->refused < 0) {
        spool->refused = openat(spool->folder, "refused.ndjson",
                                O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    if (spool->refused < 0) {
        return failed(fault, "refused.ndjson");
    }
    router_text_open(&line, '{');
    router_text_name(&line, "why");
    router_text_string(&line, why);
    router_text_name(&line, "decision");
    router_text_raw(&line, entry->decision->text, entry->decision->bytes);
    router_text_raw(&line, "}\n", 2);
    bool good = line.failed ? router_refuse(fault, 0, 0, "no memory for the spool")
                            : bytes_write(spool->refused, line.data, line.bytes, fault);
    router_text_fini(&line);
    if (good) {
        spool->bytes -= entry->bytes;
        router_decision_drop(entry->decision);
        memmove(entry, entry + 1, (spool->count + spool->fresh - place - 1) * sizeof *entry);
        spool->count--;
        segments_trim(spool);
    }
    return good;
}
