/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzzer over kept inputs, for builds without libFuzzer: each argument is a file or a folder
 * of files. Fails if it finds none, since a corpus that is not there tests nothing. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

/* Kept inputs are small; a larger one has no place in the repository. */
#define INPUT_BYTES_MAX (1U << 20)

/* The input stands in a block of its very size, so that a sanitizer sees a read past its end. */
static int file_replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    uint8_t *read = malloc(INPUT_BYTES_MAX + 1);
    size_t bytes = read != NULL ? fread(read, 1, INPUT_BYTES_MAX + 1, file) : 0;
    int result = read == NULL || bytes > INPUT_BYTES_MAX || ferror(file) != 0 ? -1 : 1;
    (void)fclose(file);
    uint8_t *input = result > 0 ? malloc(bytes > 0 ? bytes : 1) : NULL;
    if (input == NULL) {
        (void)fprintf(stderr, "%s: not read, or over %u bytes\n", path, INPUT_BYTES_MAX);
        result = -1;
    } else {
        memcpy(input, read, bytes);
        (void)LLVMFuzzerTestOneInput(input, bytes);
    }
    free(input);
    free(read);
    return result;
}

static int folder_replay(const char *path, DIR *folder)
{
    int count = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char name[4096];
        struct stat status;
        int wanted = snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (wanted < 0 || (size_t)wanted >= sizeof(name) || stat(name, &status) != 0) {
            return -1;
        }
        if (S_ISREG(status.st_mode)) {
            if (file_replay(name) < 0) {
                return -1;
            }
            count++;
        }
    }
    return count;
}

static int path_replay(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return file_replay(path);
    }
    int count = folder_replay(path, folder);
    (void)closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int count = path_replay(argv[i]);
        if (count < 0) {
            return EXIT_FAILURE;
        }
        total += count;
    }
    (void)printf("%d inputs replayed\n", total);
    return total > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
