/* SPDX-License-Identifier: Apache-2.0 */
/* Written beside its final name, then renamed; whatever fails on the way leaves nothing behind. */
#include "tools/cli/out/out_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool out_file_begin(struct out_file *output, const char *path, struct proto_fault *fault)
{
    *output = (struct out_file){0};
    if (strcmp(path, "-") == 0) {
        output->file = stdout;
        return true;
    }
    struct stat info;
    output->path = strdup(path);
    /* A device such as /dev/null must not be replaced by a file. */
    bool is_plain = stat(path, &info) != 0 || S_ISREG(info.st_mode);
    if (is_plain && asprintf(&output->temporary, "%s.%d.part", path, (int)getpid()) < 0) {
        output->temporary = NULL;
    }
    if (output->path == NULL || (is_plain && output->temporary == NULL)) {
        out_file_abandon(output);
        return proto_fault_set(fault, PROTO_NO_MEMORY, path, "no memory");
    }
    output->file = fopen(is_plain ? output->temporary : path, "we");
    if (output->file != NULL) {
        return true;
    }
    int error = errno;
    out_file_abandon(output);
    return proto_fault_set(fault, PROTO_IO, path, "cannot write %s: %s", path, strerror(error));
}

bool out_file_commit(struct out_file *output, struct proto_fault *fault)
{
    if (output->path == NULL) {
        output->file = NULL;
        return true;
    }
    bool written = ferror(output->file) == 0;
    errno = 0;
    written &= fclose(output->file) == 0;
    output->file = NULL;
    written =
        written && (output->temporary == NULL || rename(output->temporary, output->path) == 0);
    if (!written) {
        proto_fault_set(fault, PROTO_IO, output->path, "cannot write %s: %s", output->path,
                        strerror(errno));
    } else {
        free(output->temporary);
        output->temporary = NULL;
    }
    out_file_abandon(output);
    return written;
}

void out_file_abandon(struct out_file *output)
{
    if (output->file != NULL && output->path != NULL) {
        fclose(output->file);
    }
    if (output->temporary != NULL) {
        unlink(output->temporary);
    }
    free(output->temporary);
    free(output->path);
    *output = (struct out_file){0};
}
