/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/cli/label.h"

static char *said_of(const char *text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct cli cli = {.command = &cli_commands()[0]};
    struct feature_schema *schema = feature_schema_parse(
        proto_span_text("{\"fields\": [{\"name\": \"größe\", \"type\": \"number\"}]}"), 1, NULL,
        &fault);
    int kept = dup(STDERR_FILENO);
    FILE *file = tmpfile();
    dup2(fileno(file), STDERR_FILENO);
    struct filter *filter = label_parse(&cli, schema, "label", text);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    long bytes = lseek(fileno(file), 0, SEEK_END);
    rewind(file);
    char *said = calloc((size_t)bytes + 1, 1);
    assert_int_equal(fread(said, 1, (size_t)bytes, file), bytes);
    fclose(file);
    if (filter != NULL) {
        assert_int_equal(bytes, 0);
        filter_destroy(filter);
    }
    feature_schema_release(schema);
    return said;
}

static void good_labels_say_nothing(void **state)
{
    (void)state;
    free(said_of("\"größe\" >= 10"));
}

/* The caret stands under the character, whatever its bytes. */
static void the_caret_counts_characters(void **state)
{
    (void)state;
    char *said = said_of("\"größe\" >= 'viel'");
    assert_non_null(strstr(said, "--label: column 12"));
    assert_non_null(strstr(said, "\n             ^\n"));
    free(said);
}

static void long_labels_are_shown_around_the_caret(void **state)
{
    (void)state;
    char text[1000];
    size_t used = 0;
    for (int i = 0; i < 20; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "\"größe\" = 1 or ");
    }
    snprintf(text + used, sizeof text - used, "nothing = 1");
    char *said = said_of(text);
    const char *line = strchr(said, '\n');
    assert_non_null(line);
    assert_true(strcspn(line + 1, "\n") < 200);
    assert_non_null(strstr(said, "nothing = 1"));
    assert_non_null(strstr(said, "^"));
    free(said);
}

static void names_are_split_at_commas(void **state)
{
    (void)state;
    const char *text = " Lead Quality , a,,b\\,c,  ";
    char name[16];
    assert_true(name_next(&text, name, sizeof name));
    assert_string_equal(name, "Lead Quality");
    assert_true(name_next(&text, name, sizeof name));
    assert_string_equal(name, "a");
    assert_true(name_next(&text, name, sizeof name));
    assert_string_equal(name, "b,c");
    assert_false(name_next(&text, name, sizeof name));
    text = "0123456789abcdefghij,x";
    assert_true(name_next(&text, name, sizeof name));
    assert_int_equal(strlen(name), 15);
    assert_true(name_next(&text, name, sizeof name));
    assert_string_equal(name, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_labels_say_nothing),
        cmocka_unit_test(the_caret_counts_characters),
        cmocka_unit_test(names_are_split_at_commas),
        cmocka_unit_test(long_labels_are_shown_around_the_caret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
