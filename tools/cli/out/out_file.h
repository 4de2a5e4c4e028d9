/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is written beside its final name and then put there, so that a reader never finds
 * half of it. Ownership: begin to commit or abandon; abandon after either does nothing. Errors: IO
 * (or NO_MEMORY) with the path in the message. Threads: one. */
#ifndef OUT_OUT_FILE_H
#define OUT_OUT_FILE_H

#include <stdio.h>

#include "proto/fault.h"

struct out_file {
    FILE *file;
    char *path;
    char *temporary; /* NULL for standard output, and for a device */
};

/* "-" is standard output. */
bool out_file_begin(struct out_file *output, const char *path, struct proto_fault *fault);
bool out_file_commit(struct out_file *output, struct proto_fault *fault);
void out_file_abandon(struct out_file *output);

#endif
