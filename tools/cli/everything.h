/* SPDX-License-Identifier: Apache-2.0 */
/* A file of everything (docs/portable.md) as icp reads it: held against itself before the server
 * sees any of it. Lines, counts and sum must be what its last line says, and every line JSON, so
 * that half a file, or one that was damaged, imports nothing.
 * Ownership: whoever opens closes. Errors: exit statuses, messages printed with line and column.
 * Threads: one. Cost: reads the file once, some 100 MB/s. */
#ifndef CLI_EVERYTHING_H
#define CLI_EVERYTHING_H

#include "tools/cli/cli.h"

/* schema, icp, account, list, switch, which every export counts; challenge, identity, plan, metric,
 * segment, event, which older ones may leave out */
enum { EVERYTHING_KINDS = 11, EVERYTHING_ALWAYS = 5 };

struct everything {
    FILE *file;
    char *line; /* the one that was read, zero-terminated, with its end */
    size_t line_bytes;
    uint64_t number; /* of that line, from 1 */
    uint64_t bytes;  /* of the file, once it was checked */
    uint64_t read;   /* of them since the beginning */
    uint64_t counts[EVERYTHING_KINDS];
};

/* "-" is standard input, which is copied first. */
int everything_open(const struct cli *cli, const char *path, struct everything *everything);
void everything_close(struct everything *everything);
/* Reads it whole, and goes back to its beginning. */
int everything_check(const struct cli *cli, struct everything *everything);
/* 1: there is a line, 0: the end, -1: a message was printed. */
int everything_next(const struct cli *cli, struct everything *everything);
/* The line's first member. */
bool everything_is(const struct everything *everything, const char *name);
/* "3 schema versions, 2 ICP versions, …". */
void everything_counts(const uint64_t counts[EVERYTHING_KINDS], char *text, size_t text_bytes);

/* icp import --everything. */
int everything_import(const struct cli *cli);

#endif
