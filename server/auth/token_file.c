/* SPDX-License-Identifier: Apache-2.0 */
/* Reading looks at the mode of what it reads, takes the lines apart one after another and ends at
 * the first that is wrong. A change is written aside and renamed, under a lock on the folder. */
#include "server/auth/token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/config_secret.h"

#define PATH_BYTES 4200

void auth_list_fini(struct auth_list *list)
{
    free(list->tokens);
    *list = (struct auth_list){0};
}

const struct auth_token *auth_list_find(const struct auth_list *list, struct proto_span name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (proto_span_is(name, list->tokens[i].name)) {
            return &list->tokens[i];
        }
    }
    return NULL;
}

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "tokens_file", "no memory for the tokens");
}

/* The tokens, with room for one more; NULL: no memory. Doubled when the count is a power of two, so
 * that no room need be remembered. */
static struct auth_token *list_room(struct auth_list *list)
{
    if (list->tokens == NULL || (list->count & (list->count - 1)) == 0) {
        size_t room = list->count == 0 ? 1 : list->count * 2;
        struct auth_token *tokens = realloc(list->tokens, room * sizeof *tokens);
        if (tokens == NULL) {
            return NULL;
        }
        list->tokens = tokens;
    }
    return list->tokens;
}

static bool list_add(struct auth_list *list, const struct auth_token *token,
                     struct proto_fault *fault)
{
    if (auth_list_find(list, proto_span_text(token->name)) != NULL) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "tokens_file",
                               "the name %s stands here twice; each token needs its own",
                               token->name);
    }
    if (list->count == AUTH_TOKENS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "tokens_file",
                               "more than %d tokens; take away those that have expired",
                               AUTH_TOKENS_MAX);
    }
    struct auth_token *tokens = list_room(list);
    if (tokens == NULL) {
        return no_memory(fault);
    }
    tokens[list->count++] = *token;
    return true;
}

/* The line without its end, and without blanks around it; empty for a comment. */
static struct proto_span line_trim(struct proto_span line)
{
    while (line.bytes > 0 && memchr(" \t\r", line.data[line.bytes - 1], 3) != NULL) {
        line.bytes--;
    }
    size_t blanks = 0;
    while (blanks < line.bytes && memchr(" \t", line.data[blanks], 2) != NULL) {
        blanks++;
    }
    return blanks == line.bytes || line.data[blanks] == '#' ? (struct proto_span){0} : line;
}

/* The line at the head of a text, without its end; *text becomes what follows. */
static struct proto_span line_take(struct proto_span *text)
{
    const uint8_t *end = memchr(text->data, '\n', text->bytes);
    size_t bytes = end != NULL ? (size_t)(end - text->data) : text->bytes;
    struct proto_span line = {text->data, bytes};
    bytes += end != NULL;
    *text = (struct proto_span){text->data + bytes, text->bytes - bytes};
    return line;
}

/* Says where, in front of what was said. */
static bool line_refuse(const char *path, size_t number, size_t column, struct proto_fault *fault)
{
    struct proto_fault why = *fault;
    if (why.code == PROTO_BAD_CONFIG) {
        proto_fault_set(fault, why.code, why.field, "%.256s:%zu:%zu: %.200s", path, number, column,
                        why.message);
    }
    return false;
}

bool auth_list_parse(struct proto_span text, const char *path, struct auth_list *list,
                     struct proto_fault *fault)
{
    *list = (struct auth_list){0};
    for (size_t number = 1; text.bytes > 0; number++) {
        struct auth_token token;
        size_t column = 1;
        struct proto_span line = line_trim(line_take(&text));
        if (line.bytes > 0 &&
            !(auth_token_parse(line, &token, &column, fault) && list_add(list, &token, fault))) {
            auth_list_fini(list);
            return line_refuse(path, number, column, fault);
        }
    }
    return true;
}

/* The whole file, with its mode looked at. Malloc'd. */
static uint8_t *file_read(const char *path, size_t *bytes, struct stat *status,
                          struct proto_fault *fault)
{
    FILE *in = fopen(path, "re");
    uint8_t *text = NULL;
    if (in == NULL) {
        proto_fault_set(fault, errno == ENOENT ? PROTO_NOT_FOUND : PROTO_BAD_CONFIG, "tokens_file",
                        "cannot read %.256s: %s", path, strerror(errno));
        return NULL;
    }
    if (base_secret_check_mode(in, "tokens_file", path, fault) &&
        (text = malloc(AUTH_FILE_BYTES_MAX + 1)) == NULL) {
        no_memory(fault);
    }
    if (text != NULL) {
        *bytes = fread(text, 1, AUTH_FILE_BYTES_MAX + 1, in);
        bool good = ferror(in) == 0 && fstat(fileno(in), status) == 0;
        if (!good || *bytes > AUTH_FILE_BYTES_MAX) {
            proto_fault_set(fault, PROTO_BAD_CONFIG, "tokens_file", "%.256s: %s", path,
                            good ? "the file is larger than 1 MiB" : strerror(errno));
            free(text);
            text = NULL;
        }
    }
    (void)fclose(in);
    return text;
}

bool auth_list_read(const char *path, struct auth_list *list, struct proto_fault *fault)
{
    struct stat status;
    size_t bytes = 0;
    *list = (struct auth_list){0};
    uint8_t *text = file_read(path, &bytes, &status, fault);
    if (text == NULL) {
        if (fault->code == PROTO_NOT_FOUND) {
            fault->code = PROTO_BAD_CONFIG; /* of a configuration that names it */
        }
        return false;
    }
    bool good = auth_list_parse((struct proto_span){text, bytes}, path, list, fault);
    free(text);
    return good;
}

/* Where the line of a name begins and ends; false if there is none. */
static bool line_find(struct proto_span text, const char *name, struct proto_span *found)
{
    size_t bytes = strlen(name);
    while (text.bytes > 0) {
        const uint8_t *from = text.data;
        struct proto_span line = line_trim(line_take(&text));
        size_t at = 0;
        while (at < line.bytes && memchr(" \t", line.data[at], 2) != NULL) {
            at++;
        }
        bool begins = line.bytes > at + bytes && memcmp(line.data + at, name, bytes) == 0 &&
                      memchr(" \t", line.data[at + bytes], 2) != NULL;
        if (begins) {
            *found = (struct proto_span){from, (size_t)(text.data - from)};
            return true;
        }
    }
    return false;
}

static bool io_fault(const char *path, struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_IO, "tokens_file", "%.256s cannot be written: %s", path,
                           strerror(errno));
}

/* The new text, made from the old: `gone` is left out, `add` comes last. */
static bool text_write(FILE *out, struct proto_span old, struct proto_span gone,
                       const struct auth_token *add)
{
    size_t before = gone.bytes > 0 ? (size_t)(gone.data - old.data) : old.bytes;
    size_t behind = before + gone.bytes;
    bool good = fwrite(old.data, 1, before, out) == before &&
                fwrite(old.data + behind, 1, old.bytes - behind, out) == old.bytes - behind;
    if (add != NULL) {
        if (old.bytes > 0 && old.data[old.bytes - 1] != '\n') {
            (void)fputc('\n', out);
        }
        auth_token_print(add, out);
    }
    return good && fflush(out) == 0 && ferror(out) == 0 && fsync(fileno(out)) == 0;
}

/* `status` is of the file that is replaced; st_nlink 0: there is none. */
static bool file_replace(const char *path, const struct stat *status, struct proto_span old,
                         struct proto_span gone, const struct auth_token *add,
                         struct proto_fault *fault)
{
    char aside[PATH_BYTES];
    if (snprintf(aside, sizeof aside, "%s.XXXXXX", path) >= (int)sizeof aside) {
        errno = ENAMETOOLONG;
        return io_fault(path, fault);
    }
    int fd = mkostemp(aside, O_CLOEXEC); /* mode 600 */
    if (fd < 0) {
        return io_fault(path, fault);
    }
    bool kept = status->st_nlink == 0 || ((fchown(fd, status->st_uid, status->st_gid) == 0) &&
                                          fchmod(fd, status->st_mode & 07777) == 0);
    FILE *out = kept ? fdopen(fd, "w") : NULL;
    bool good = out != NULL && text_write(out, old, gone, add);
    if (!good) {
        io_fault(path, fault);
    }
    if (out != NULL && fclose(out) != 0 && good) {
        good = io_fault(path, fault);
    } else if (out == NULL) {
        close(fd);
    }
    if (good && rename(aside, path) != 0) {
        good = io_fault(path, fault);
    }
    if (!good) {
        unlink(aside);
    }
    return good;
}

static bool change_locked(const char *path, const char *name, const struct auth_token *add,
                          struct proto_fault *fault)
{
    struct stat status = {0};
    struct auth_list list = {0};
    struct proto_span gone = {0};
    size_t bytes = 0;
    uint8_t *text = file_read(path, &bytes, &status, fault);
    if (text == NULL && (fault->code != PROTO_NOT_FOUND || add == NULL)) {
        return false;
    }
    struct proto_span old = text != NULL ? (struct proto_span){text, bytes} : proto_span_text("");
    bool good = text == NULL || auth_list_parse(old, path, &list, fault);
    bool there = good && auth_list_find(&list, proto_span_text(name)) != NULL;
    if (good && there == (add != NULL)) {
        good = proto_fault_set(fault, there ? PROTO_CONFLICT : PROTO_NOT_FOUND, "name",
                               there ? "%.256s has a token %s already: take another name"
                                     : "%.256s has no token %s",
                               path, name);
    }
    if (good && add != NULL && list.count == AUTH_TOKENS_MAX) {
        good = proto_fault_set(fault, PROTO_BAD_CONFIG, "tokens_file",
                               "%.256s has %d tokens, the most it may", path, AUTH_TOKENS_MAX);
    }
    if (good && add == NULL) {
        (void)line_find(old, name, &gone);
    }
    good = good && file_replace(path, &status, old, gone, add, fault);
    auth_list_fini(&list);
    free(text);
    return good;
}

bool auth_file_change(const char *path, const char *name, const struct auth_token *add,
                      struct proto_fault *fault)
{
    char folder[PATH_BYTES];
    if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder) {
        errno = ENAMETOOLONG;
        return io_fault(path, fault);
    }
    int lock = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        if (lock >= 0) {
            close(lock);
        }
        return io_fault(path, fault);
    }
    bool good = change_locked(path, name, add, fault);
    close(lock);
    return good;
}
