/* SPDX-License-Identifier: Apache-2.0 */
/* The platter keeps, for each file, its content as synced and the list of operations since; an
 * image is a copy of the content on which those operations are done again, each block taking part
 * or not by a coin that is drawn from the seed, the file and the block. So an image costs what was
 * not synced, and the same seed gives the same image. */
#include "tests/power/power_platter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES 1024
#define LENGTH_BLOCK UINT64_MAX /* the length draws its coin like a block */

struct content {
    uint8_t *bytes; /* as far as something was written; zeros behind */
    size_t count, room;
    uint64_t size;
};

struct list {
    size_t *ops;
    size_t count, room;
};

struct file {
    struct content synced;
    struct list since;
};

struct entry {
    char name[POWER_NAME_BYTES];
    uint32_t file;
    bool folder;
};

struct names {
    struct entry entries[NAMES];
    size_t count;
};

struct power_platter {
    const struct power_trace *trace;
    power_ignored *ignored;
    struct file *files;
    struct names synced;
    struct list since; /* changes of names */
    size_t done;
};

static void *must(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "power: out of memory\n");
        abort();
    }
    return memory;
}

static uint64_t mix(uint64_t value)
{
    value += UINT64_C(0x9E3779B97F4A7C15);
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

static void list_add(struct list *list, size_t op)
{
    if (list->count == list->room) {
        list->room = list->room * 2 + 64;
        list->ops = must(realloc(list->ops, list->room * sizeof *list->ops));
    }
    list->ops[list->count++] = op;
}

static void content_reach(struct content *content, size_t bytes)
{
    if (bytes > content->room) {
        content->room = bytes * 2;
        content->bytes = must(realloc(content->bytes, content->room));
    }
    if (bytes > content->count) {
        memset(content->bytes + content->count, 0, bytes - content->count);
        content->count = bytes;
    }
}

static void names_set(struct names *names, const char *name, uint32_t file, bool folder)
{
    size_t i = 0;
    while (i < names->count && strcmp(names->entries[i].name, name) != 0) {
        i++;
    }
    if (i == NAMES) {
        abort();
    }
    names->count += i == names->count;
    names->entries[i] = (struct entry){.file = file, .folder = folder};
    snprintf(names->entries[i].name, sizeof names->entries[i].name, "%s", name);
}

static void names_drop(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->entries[i].name, name) == 0) {
            names->entries[i] = names->entries[--names->count];
            return;
        }
    }
}

static void names_change(struct names *names, const struct power_op *op)
{
    if (op->kind == POWER_UNLINK) {
        names_drop(names, op->name);
    } else if (op->kind == POWER_RENAME) {
        names_drop(names, op->name);
        names_set(names, op->to, op->file, false);
    } else {
        names_set(names, op->name, op->file, op->kind == POWER_FOLDER);
    }
}

/* What is drawn for a cut: a block takes part in every operation up to a moment of its own. */
struct draw {
    const struct power_cut *cut;
    size_t first, last; /* operations that may be lost */
    size_t moment;      /* POWER_ORDERED: the last one that is whole */
    size_t one;         /* POWER_ONE_LOST, POWER_ONE_KEPT: which */
};

/* Whether operation `op` of this file has reached this block (or length, or name). */
static bool reached(const struct draw *draw, size_t op, uint64_t file, uint64_t block)
{
    uint64_t coin = mix(draw->cut->seed ^ mix(file << 40 ^ block));
    switch (draw->cut->fate) {
    case POWER_DROPPED:
        return false;
    case POWER_KEPT:
        return true;
    case POWER_ORDERED:
        return op < draw->moment || (op == draw->moment && (coin & 1) != 0);
    case POWER_MIXED:
        /* A third each: as synced, as now, as at a moment in between. */
        if (coin % 3 < 2) {
            return coin % 3 == 1;
        }
        return op <= draw->first + (coin >> 8) % (draw->last - draw->first + 1);
    case POWER_ONE_LOST:
        return op != draw->one || (coin & 1) != 0;
    default:
        return op == draw->one && (coin & 1) != 0;
    }
}

/* Does a write or a cut of length on content, block by block. */
static void content_write(struct content *content, const struct power_op *op, size_t number,
                          const struct draw *draw)
{
    size_t block_bytes = draw->cut->block_bytes;
    for (size_t done = 0; done < op->bytes;) {
        uint64_t at = op->at + done;
        size_t part = block_bytes - (size_t)(at % block_bytes);
        if (part > op->bytes - done) {
            part = op->bytes - done;
        }
        if (reached(draw, number, op->file, at / block_bytes)) {
            content_reach(content, (size_t)at + part);
            memcpy(content->bytes + at, op->data + done, part);
        }
        done += part;
    }
}

static void content_cut(struct content *content, const struct power_op *op, size_t number,
                        const struct draw *draw)
{
    size_t block_bytes = draw->cut->block_bytes;
    for (size_t at = (size_t)op->at; at < content->count;) {
        size_t part = block_bytes - at % block_bytes;
        if (part > content->count - at) {
            part = content->count - at;
        }
        if (reached(draw, number, op->file, at / block_bytes)) {
            memset(content->bytes + at, 0, part);
        }
        at += part;
    }
}

static void content_do(struct content *content, const struct power_op *op, size_t number,
                       const struct draw *draw)
{
    bool length = reached(draw, number, op->file, LENGTH_BLOCK);
    if (op->kind == POWER_WRITE) {
        content_write(content, op, number, draw);
        if (length && op->at + op->bytes > content->size) {
            content->size = op->at + op->bytes;
        }
    } else {
        content_cut(content, op, number, draw);
        if (length) {
            content->size = op->at;
        }
    }
}

struct power_platter *power_platter_create(const struct power_trace *trace, power_ignored *ignored)
{
    struct power_platter *platter = must(calloc(1, sizeof *platter));
    platter->trace = trace;
    platter->ignored = ignored;
    platter->files = must(calloc(trace->files + 1, sizeof *platter->files));
    return platter;
}

void power_platter_destroy(struct power_platter *platter)
{
    for (uint32_t i = 0; i < platter->trace->files; i++) {
        free(platter->files[i].synced.bytes);
        free(platter->files[i].since.ops);
    }
    free(platter->files);
    free(platter->since.ops);
    free(platter);
}

static void file_sync(struct power_platter *platter, uint32_t number)
{
    static const struct power_cut all = {.fate = POWER_KEPT, .block_bytes = 4096};
    struct draw draw = {.cut = &all};
    struct file *file = &platter->files[number];
    for (size_t i = 0; i < file->since.count; i++) {
        const struct power_op *op = &platter->trace->ops[file->since.ops[i]];
        content_do(&file->synced, op, file->since.ops[i], &draw);
    }
    file->since.count = 0;
}

static bool is_in(const char *name, const char *folder)
{
    size_t bytes = strlen(folder);
    if (bytes == 0) {
        return strchr(name, '/') == NULL;
    }
    return strncmp(name, folder, bytes) == 0 && name[bytes] == '/';
}

static void folder_sync(struct power_platter *platter, const char *folder)
{
    size_t left = 0;
    for (size_t i = 0; i < platter->since.count; i++) {
        size_t number = platter->since.ops[i];
        if (is_in(platter->trace->ops[number].name, folder)) {
            names_change(&platter->synced, &platter->trace->ops[number]);
        } else {
            platter->since.ops[left++] = number;
        }
    }
    platter->since.count = left;
}

static bool is_sync(enum power_kind kind)
{
    return kind == POWER_SYNC || kind == POWER_SYNC_FOLDER || kind == POWER_NOTE;
}

static void op_take(struct power_platter *platter, size_t number)
{
    const struct power_op *op = &platter->trace->ops[number];
    bool counts = platter->ignored == NULL || !platter->ignored(op->name);
    switch (op->kind) {
    case POWER_WRITE:
    case POWER_SIZE:
        list_add(&platter->files[op->file].since, number);
        break;
    case POWER_SYNC:
        if (counts) {
            file_sync(platter, op->file);
        }
        break;
    case POWER_SYNC_FOLDER:
        if (counts) {
            folder_sync(platter, op->name);
        }
        break;
    case POWER_NOTE:
        break;
    default:
        list_add(&platter->since, number);
    }
}

void power_platter_advance(struct power_platter *platter, size_t upto)
{
    for (; platter->done < upto; platter->done++) {
        op_take(platter, platter->done);
    }
}

static size_t oldest(const struct power_platter *platter)
{
    size_t first = platter->since.count > 0 ? platter->since.ops[0] : platter->done;
    for (uint32_t i = 0; i < platter->trace->files; i++) {
        const struct list *since = &platter->files[i].since;
        if (since->count > 0 && since->ops[0] < first) {
            first = since->ops[0];
        }
    }
    return first;
}

static struct draw draw_make(const struct power_platter *platter, const struct power_cut *cut)
{
    struct draw draw = {.cut = cut, .first = oldest(platter), .last = platter->done};
    size_t span = draw.last - draw.first + 1;
    draw.moment = draw.first + (size_t)(mix(cut->seed + 1) % span);
    draw.one = draw.first + (size_t)(mix(cut->seed + 2) % span);
    /* Syncs and notes in between are nothing that could be lost. */
    while (draw.one < draw.last && is_sync(platter->trace->ops[draw.one].kind)) {
        draw.one++;
    }
    return draw;
}

static void names_draw(const struct power_platter *platter, const struct draw *draw,
                       struct names *names)
{
    *names = platter->synced;
    for (size_t i = 0; i < platter->since.count; i++) {
        size_t number = platter->since.ops[i];
        /* Each change is a block of its own, of no file. */
        if (reached(draw, number, platter->trace->files, number)) {
            names_change(names, &platter->trace->ops[number]);
        } else if (draw->cut->orderly) {
            return;
        }
    }
}

static void file_write(int folder, const char *name, const struct content *content)
{
    int fd = openat(folder, name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    size_t count = content->count < content->size ? content->count : (size_t)content->size;
    if (fd < 0 && errno == ENOENT) {
        return; /* its folder is not there */
    }
    if (fd < 0 || ftruncate(fd, (off_t)content->size) != 0) {
        goto fail;
    }
    /* Holes stay holes: most of a file that was filled with zeros, or stretched, is one. */
    for (size_t at = 0; at < count; at += 4096) {
        static const uint8_t zeros[4096];
        size_t part = count - at < sizeof zeros ? count - at : sizeof zeros;
        if (memcmp(content->bytes + at, zeros, part) != 0 &&
            pwrite(fd, content->bytes + at, part, (off_t)at) != (ssize_t)part) {
            goto fail;
        }
    }
    close(fd);
    return;
fail:
    fprintf(stderr, "power: cannot write %s: %s\n", name, strerror(errno));
    abort();
}

static void file_draw(const struct power_platter *platter, uint32_t number, const struct draw *draw,
                      struct content *content)
{
    const struct file *file = &platter->files[number];
    *content = (struct content){.size = file->synced.size};
    content_reach(content, file->synced.count);
    if (file->synced.count > 0) {
        memcpy(content->bytes, file->synced.bytes, file->synced.count);
    }
    for (size_t i = 0; i < file->since.count; i++) {
        size_t op = file->since.ops[i];
        content_do(content, &platter->trace->ops[op], op, draw);
    }
}

void power_platter_image(struct power_platter *platter, size_t at, const struct power_cut *cut,
                         const char *path)
{
    static struct names names;
    bool under_way = at < platter->trace->count && !is_sync(platter->trace->ops[at].kind);
    power_platter_advance(platter, at + under_way);
    struct draw draw = draw_make(platter, cut);
    names_draw(platter, &draw, &names);
    int folder = open(path, O_RDONLY | O_DIRECTORY);
    if (folder < 0) {
        abort();
    }
    for (size_t i = 0; i < names.count; i++) {
        if (names.entries[i].folder) {
            (void)mkdirat(folder, names.entries[i].name, 0700);
        }
    }
    for (size_t i = 0; i < names.count; i++) {
        struct content content;
        if (names.entries[i].folder) {
            continue;
        }
        file_draw(platter, names.entries[i].file, &draw, &content);
        file_write(folder, names.entries[i].name, &content);
        free(content.bytes);
    }
    close(folder);
}

static bool file_matches(const struct content *content, int folder, const char *name)
{
    struct stat file;
    int fd = openat(folder, name, O_RDONLY);
    if (fd < 0 || fstat(fd, &file) != 0 || (uint64_t)file.st_size != content->size) {
        fprintf(stderr, "power: %s is missing or of another length than recorded\n", name);
        return false;
    }
    size_t count = content->count < content->size ? content->count : (size_t)content->size;
    uint8_t *bytes = must(malloc(count + 1));
    bool same = pread(fd, bytes, count, 0) == (ssize_t)count &&
                (count == 0 || memcmp(bytes, content->bytes, count) == 0);
    if (!same) {
        fprintf(stderr, "power: %s does not hold what was recorded\n", name);
    }
    free(bytes);
    close(fd);
    return same;
}

bool power_platter_matches(struct power_platter *platter, const char *path, power_ignored *ignored)
{
    static struct names names;
    struct power_cut cut = {.fate = POWER_KEPT, .block_bytes = 4096};
    power_platter_advance(platter, platter->trace->count);
    struct draw draw = draw_make(platter, &cut);
    names_draw(platter, &draw, &names);
    int folder = open(path, O_RDONLY | O_DIRECTORY);
    bool same = folder >= 0;
    for (size_t i = 0; same && i < names.count; i++) {
        struct content content;
        if (names.entries[i].folder || ignored(names.entries[i].name)) {
            continue;
        }
        file_draw(platter, names.entries[i].file, &draw, &content);
        same = file_matches(&content, folder, names.entries[i].name);
        free(content.bytes);
    }
    close(folder);
    return same;
}
