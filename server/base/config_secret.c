/* SPDX-License-Identifier: Apache-2.0 */
/* A file is looked at through the descriptor that is then read, so that what is judged is what is
 * taken. */
#include "server/base/config_secret.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

bool base_secret_check_mode(FILE *in, const char *name, const char *path, struct proto_fault *fault)
{
    struct stat status;
    if (fstat(fileno(in), &status) != 0) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, name, "%s: cannot look at %s: %s", name,
                               path, strerror(errno));
    }
    unsigned forbidden = status.st_uid == 0 ? 0037 : 0077;
    return (status.st_mode & forbidden) == 0 ||
           proto_fault_set(fault, PROTO_BAD_CONFIG, name,
                           "%s: others may use %s, whose mode is %04o: chmod 600 it", name, path,
                           (unsigned)status.st_mode & 07777);
}

bool base_secret_read_line(FILE *in, const char *name, const char *path, char *line, size_t room,
                           struct proto_fault *fault)
{
    size_t bytes = fread(line, 1, room - 1, in);
    line[bytes] = '\0';
    const char *end = memchr(line, '\n', bytes);
    size_t used = end != NULL ? (size_t)(end - line) : bytes;
    used -= used > 0 && line[used - 1] == '\r';
    if (used == 0) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, name,
                               "%s: the first line of %s is empty, but must be the token", name,
                               path);
    }
    if (memchr(line, '\0', used) != NULL) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, name,
                               "%s: the token in %s has a NUL, byte %zu", name, path,
                               strlen(line) + 1);
    }
    line[used] = '\0';
    return true;
}
