/* SPDX-License-Identifier: Apache-2.0 */
/* Who uses a field, in words: the newest first, no more than a few. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/schema_use.h"

static void user_add(struct schema_use *use, const char *text, uint16_t id)
{
    struct schema_user *list = realloc(use->list, (use->count + 1) * sizeof *list);
    uint16_t *ids = malloc(sizeof *ids);
    assert_non_null(list);
    assert_non_null(ids);
    *ids = id;
    use->list = list;
    use->list[use->count++] = (struct schema_user){.text = strdup(text), .ids = ids, .count = 1};
}

static void must_be(const struct schema_use *use, uint16_t id, const char *expected)
{
    const struct feature_field field = {.id = id};
    char *text = schema_use_text(use, &field);
    assert_string_equal(text, expected);
    free(text);
}

static void users_are_named_the_newest_first(void **state)
{
    (void)state;
    struct schema_use use = {.count = 0};
    must_be(&use, 3, "");
    for (int i = 1; i <= 6; i++) {
        char text[32];
        snprintf(text, sizeof text, "ICP version %d", i);
        user_add(&use, text, 3);
    }
    user_add(&use, "list one", 4);
    must_be(&use, 4, "list one");
    must_be(&use, 5, "");
    must_be(&use, 3, "ICP version 6, ICP version 5, ICP version 4, ICP version 3 and 2 more");
    schema_use_fini(&use);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(users_are_named_the_newest_first)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
