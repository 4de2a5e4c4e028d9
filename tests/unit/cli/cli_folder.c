/* SPDX-License-Identifier: Apache-2.0 */
/* The folder goes with whatever a test, or what it ran, has left in it. */
#include "tests/unit/cli/cli_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli/cli.h"
#include "tools/cli/shell_words.h"

int folder_make(void **state)
{
    char *path = strdup("/tmp/icp-cli-XXXXXX");
    assert_non_null(path);
    assert_non_null(mkdtemp(path));
    assert_int_equal(chdir(path), 0);
    *state = path;
    return 0;
}

int folder_remove(void **state)
{
    DIR *folder = opendir(*state);
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            assert_int_equal(unlinkat(dirfd(folder), entry->d_name, 0), 0);
        }
    }
    (void)closedir(folder);
    assert_int_equal(rmdir(*state), 0);
    free(*state);
    return 0;
}

void folder_put(const char *name, const char *text)
{
    FILE *file = fopen(name, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

int folder_line(const char *command, const char *text)
{
    char *line = NULL;
    struct shell_words words;
    struct proto_fault fault = {.code = PROTO_OK};
    char program[] = "icp";
    char *arguments[SHELL_WORDS_MAX + 2] = {program};
    assert_true(asprintf(&line, "%s %s", command, text) > 0);
    assert_true(shell_words_split(line, &words, &fault));
    memcpy(arguments + 1, words.words, (size_t)words.count * sizeof *arguments);
    int status = cli_run(words.count + 1, arguments);
    shell_words_fini(&words);
    free(line);
    return status;
}
