/* SPDX-License-Identifier: Apache-2.0 */
/* A command line of `icp` run in this process against a server that answers each operation with a
 * reply that the test wrote down, as JSON or as a fault: what was printed, what was said on
 * standard error, and what the server was asked. Ownership: canned_fini frees the texts. Errors: a
 * test that cannot be set up fails. Threads: one run at a time. */
#ifndef CANNED_H
#define CANNED_H

#include <stddef.h>

#include "proto/table.h"

struct canned {
    enum proto_op op;
    /* JSON as rpc_request.h has it, with ' for "; of a fault its field and its message: "k: …" */
    const char *reply;
    enum proto_error code;
};

struct canned_run {
    int status;
    char *printed;
    char *said;
    char *asked; /* a line for each request: its operation and its payload as JSON, without
                  * deadline_ms and an operation id that the client drew; none for a ping without a
                  * reply */
};

/* The line as one would type it behind `icp`; words in quotes are one. An operation that is asked
 * more often than it has replies gets its last one again; one without any is unknown-op. */
void canned_run(struct canned_run *run, const char *line, const struct canned *replies,
                size_t count);
void canned_fini(struct canned_run *run);

/* A row of a table of command lines; texts that are NULL are not looked at. */
struct canned_row {
    const char *line;
    const struct canned *replies;
    size_t count;
    int status;
    const char *asked;
    const char *printed;
    const char *said;
};
void canned_rows(const struct canned_row *rows, size_t count);

#define CANNED(list) (list), sizeof(list) / sizeof *(list)
#define CANNED_ROWS(list) canned_rows((list), sizeof(list) / sizeof *(list))

#endif
