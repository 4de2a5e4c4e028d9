/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of its own for the tests of one program, which works in it, and a command line run
 * there. Ownership: *state is the folder's path, from folder_make to folder_remove. Errors: a test
 * that cannot be set up fails. Threads: one. */
#ifndef CLI_FOLDER_H
#define CLI_FOLDER_H

/* An empty folder, which becomes the working one; returns 0, as a set-up of cmocka does. */
int folder_make(void **state);
/* Removes it with the files that lie in it. */
int folder_remove(void **state);
/* A file in the working folder, in the place of one that was there. */
void folder_put(const char *name, const char *text);
/* The line `icp COMMAND TEXT` as one would type it, words in quotes as one; the command may be
 * empty. Returns its exit status. */
int folder_line(const char *command, const char *text);

#endif
