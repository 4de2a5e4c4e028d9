/* SPDX-License-Identifier: Apache-2.0 */
/* A plan: the files of a company as one document (docs/imports.md), read into steps, each a command
 * of icp with its options, in the order in which they have to run, whatever the order in which they
 * stand: the schema, accounts by id, accounts that are found by keys, events.
 *
 * Ownership: a plan owns its texts, import_plan_close, also after a fault. Errors:
 * PROTO_BAD_DOCUMENT with the member, its line and its column; PROTO_NO_MEMORY; of a file that
 * cannot be read what the system says. Threads: one. Cost: each file is read once, for its digest.
 */
#ifndef CLI_IMPORT_PLAN_H
#define CLI_IMPORT_PLAN_H

#include "tools/cli/cli.h"

#define IMPORT_PLAN_BYTES_MAX ((size_t)1 << 20)
#define IMPORT_PLAN_STEPS_MAX 256

enum import_plan_kind { IMPORT_PLAN_SCHEMA, IMPORT_PLAN_ACCOUNTS, IMPORT_PLAN_EVENTS };

struct import_plan_step {
    enum import_plan_kind kind;
    const char *file; /* the document's */
    char **words;     /* of the command line, from the command's name on */
    size_t count, room;
    bool match;  /* accounts are found by keys */
    size_t rank; /* of its source in the precedence; SIZE_MAX: it is not there */
    char id[PROTO_IMPORT_BYTES_MAX + 1]; /* of the import: the plan, the file and the options */
};

struct import_plan {
    json_t *root;
    const char *name;
    struct import_plan_step *steps;
    size_t count;
};

/* text: of the document. Digests are those of the files as they are named from here. */
bool import_plan_read(struct import_plan *plan, struct proto_span text, struct proto_fault *fault);
/* Fills the ids; false where a file cannot be read, *path is it. */
bool import_plan_ids(struct import_plan *plan, const char **path);
void import_plan_close(struct import_plan *plan);
const char *import_plan_kind_name(enum import_plan_kind kind);

#endif
