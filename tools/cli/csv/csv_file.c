/* SPDX-License-Identifier: Apache-2.0 */
/* The whole file is read into memory, which grows with it; a file too large, or one that cannot be
 * read, is a fault. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/cli/csv/csv_input.h"

uint8_t *csv_file_read(const char *path, size_t bytes_max, size_t *bytes, struct proto_fault *fault)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *data = NULL;
    size_t capacity = 0;
    *bytes = 0;
    if (fd < 0) {
        proto_fault_set(fault, PROTO_IO, path, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    for (;;) {
        if (capacity - *bytes < 2) {
            capacity = capacity * 2 + 65536;
            uint8_t *grown = realloc(data, capacity);
            if (grown == NULL) {
                proto_fault_set(fault, PROTO_NO_MEMORY, path, "no memory for %s", path);
                break;
            }
            data = grown;
        }
        ssize_t got = read(fd, data + *bytes, capacity - *bytes - 1);
        if (got == 0) {
            data[*bytes] = '\0'; /* a courtesy to readers of text */
            if (!is_stdin) {
                close(fd);
            }
            return data;
        }
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            proto_fault_set(fault, PROTO_IO, path, "cannot read %s: %s", path, strerror(errno));
            break;
        }
        *bytes += (size_t)got;
        if (*bytes > bytes_max) {
            proto_fault_set(fault, PROTO_TOO_LARGE, path, "%s has more than %zu bytes", path,
                            bytes_max);
            break;
        }
    }
    free(data);
    if (!is_stdin) {
        close(fd);
    }
    return NULL;
}
