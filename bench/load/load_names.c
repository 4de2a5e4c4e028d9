/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_names.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "bench/load/load_account.h"

/* 100 million ids of 20 bytes. */
#define FILE_BYTES_MAX ((off_t)2 << 30)
#define ROOM_FIRST 1024

static bool file_read(struct load_names *names, const char *path, size_t *bytes,
                      struct proto_fault *fault)
{
    struct stat about;
    FILE *file = fopen(path, "re");
    bool ok = file != NULL && fstat(fileno(file), &about) == 0 && about.st_size <= FILE_BYTES_MAX;
    if (ok) {
        *bytes = (size_t)about.st_size;
        names->text = malloc(*bytes + 1);
        ok = names->text != NULL && fread(names->text, 1, *bytes, file) == *bytes;
    }
    if (!ok) {
        proto_fault_set(fault, PROTO_BAD_CONFIG, "", "%s cannot be read: %s", path,
                        errno != 0 ? strerror(errno) : "it is too large");
    } else {
        names->text[*bytes] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    return ok;
}

static struct proto_span trimmed(const char *at, size_t bytes)
{
    while (bytes > 0 && (at[bytes - 1] == '\r' || at[bytes - 1] == ' ')) {
        bytes--;
    }
    return (struct proto_span){(const uint8_t *)at, bytes};
}

/* Lines `id` or `id,domain`; empty ones are passed over. */
static bool lines_split(struct load_names *names, size_t bytes, struct proto_fault *fault)
{
    size_t lines = 1;
    for (size_t i = 0; i < bytes; i++) {
        lines += names->text[i] == '\n';
    }
    names->pairs = calloc(lines, 2 * sizeof *names->pairs);
    if (names->pairs == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the names");
    }
    const char *end = names->text + bytes;
    for (const char *at = names->text; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        const char *comma = memchr(at, ',', (size_t)(stop - at));
        const char *id_end = comma != NULL ? comma : stop;
        struct proto_span id = trimmed(at, (size_t)(id_end - at));
        if (id.bytes > 0) {
            struct proto_span *pair = &names->pairs[2 * names->count++];
            pair[0] = id;
            if (comma != NULL) {
                pair[1] = trimmed(comma + 1, (size_t)(stop - comma - 1));
            }
        }
        at = stop + 1;
    }
    return names->count > 0 || proto_fault_set(fault, PROTO_BAD_CONFIG, "", "it names no account");
}

bool load_names_init(struct load_names *names, const char *path, uint64_t accounts,
                     struct proto_fault *fault)
{
    size_t bytes = 0;
    *names = (struct load_names){.count = path == NULL ? accounts : 0};
    errno = 0;
    return path == NULL ||
           (file_read(names, path, &bytes, fault) && lines_split(names, bytes, fault));
}

void load_names_fini(struct load_names *names)
{
    free(names->text);
    free(names->pairs);
    *names = (struct load_names){0};
}

static size_t copy(struct proto_span from, char *text, size_t bytes)
{
    if (from.bytes == 0 || from.bytes > bytes) {
        return 0;
    }
    memcpy(text, from.data, from.bytes);
    return from.bytes;
}

size_t load_names_id(const struct load_names *names, uint64_t number, char *text, size_t bytes)
{
    char id[LOAD_ID_BYTES + 1];
    if (names->pairs != NULL) {
        return copy(names->pairs[2 * number], text, bytes);
    }
    load_account_id(number, id);
    return copy(proto_span_text(id), text, bytes);
}

size_t load_names_domain(const struct load_names *names, uint64_t number, char *text, size_t bytes)
{
    char domain[LOAD_DOMAIN_BYTES + 1];
    if (names->pairs != NULL) {
        return copy(names->pairs[2 * number + 1], text, bytes);
    }
    load_account_domain(number, domain);
    return copy(proto_span_text(domain), text, bytes);
}

static size_t slot_of(const uint64_t *hashes, size_t room, uint64_t hash)
{
    size_t at = hash & (room - 1);
    while (hashes[at] != 0 && hashes[at] != hash) {
        at = (at + 1) & (room - 1);
    }
    return at;
}

static bool grow(struct load_numbering *numbering)
{
    size_t room = numbering->room > 0 ? 2 * numbering->room : ROOM_FIRST;
    uint64_t *hashes = calloc(room, sizeof *hashes);
    uint32_t *numbers = calloc(room, sizeof *numbers);
    if (hashes == NULL || numbers == NULL) {
        free(hashes);
        free(numbers);
        return false;
    }
    for (size_t i = 0; i < numbering->room; i++) {
        if (numbering->hashes[i] == 0) {
            continue;
        }
        size_t at = slot_of(hashes, room, numbering->hashes[i]);
        hashes[at] = numbering->hashes[i];
        numbers[at] = numbering->numbers[i];
    }
    free(numbering->hashes);
    free(numbering->numbers);
    numbering->hashes = hashes;
    numbering->numbers = numbers;
    numbering->room = room;
    return true;
}

bool load_number_of(struct load_numbering *numbering, struct proto_span text, uint32_t *number)
{
    uint64_t hash = XXH3_64bits(text.data, text.bytes) | 1;
    if (2 * (size_t)numbering->count >= numbering->room && !grow(numbering)) {
        return false;
    }
    size_t at = slot_of(numbering->hashes, numbering->room, hash);
    if (numbering->hashes[at] == 0) {
        numbering->hashes[at] = hash;
        numbering->numbers[at] = numbering->count++;
    }
    *number = numbering->numbers[at];
    return true;
}

void load_numbering_fini(struct load_numbering *numbering)
{
    free(numbering->hashes);
    free(numbering->numbers);
    *numbering = (struct load_numbering){0};
}
