/* SPDX-License-Identifier: Apache-2.0 */
/* What an import has to say about a file: rows refused and keys left out, by line and column. The
 * first few are shown as they come, all go to the file of rejects, the rest is counted.
 * Ownership: borrows cli; the rejects file is its own. Threads: one. */
#ifndef CLI_IMPORT_NOTE_H
#define CLI_IMPORT_NOTE_H

#include "tools/cli/cli.h"
#include "tools/cli/csv/text_count.h"

/* Notes of each kind that are shown one by one. */
#define NOTES_SHOWN 10

struct import_notes {
    const struct cli *cli;
    const char *file;        /* for messages */
    struct out_file rejects; /* .file NULL: none was asked for */
    size_t refused;
    size_t keys_left_out;
    size_t cells_left_out;
    struct text_count shared; /* hosts that gave no key, with how often */
    bool failed;
};

struct note_place {
    size_t line;
    size_t column;     /* characters; 0: the row as a whole */
    const char *field; /* "" if none is at fault */
};

/* rejects may be NULL. Returns an exit status. */
int notes_begin(struct import_notes *notes, const struct cli *cli, const char *file,
                const char *rejects);
void notes_refuse(struct import_notes *notes, struct note_place place, const char *message);
/* A value that cannot be read; the row goes in without it. */
void notes_cell(struct import_notes *notes, struct note_place place, const char *message);
/* A key that was not made; the row goes in without it. */
void notes_key(struct import_notes *notes, struct note_place place, const char *message);
/* A key that was not made because the host is shared: counted by host. */
void notes_shared(struct import_notes *notes, struct note_place place, const char *host,
                  const char *what);
/* The summary of what was shown only in part, and the file of rejects put in place. */
int notes_end(struct import_notes *notes);
void notes_abandon(struct import_notes *notes);

#endif
