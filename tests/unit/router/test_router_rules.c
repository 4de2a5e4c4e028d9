/* SPDX-License-Identifier: Apache-2.0 */
/* A file of rules is read to the word, and what is wrong is told where it stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/router/router_rules.h"

static void all_words_are_read(void **state)
{
    static const char text[] =
        "# who\r\ndefault grade=C p=0.25\ndeadline 150\nmember territory=region segment=\"size "
        "class\"\n"
        "person \"Ann Lee\" weight=2.5 capacity=40 territory=DE,AT team=emea # on leave in May\n"
        "\n\tperson bo active=no\nconflict bo acme.com\nowner zeta bo\nowner acme \"Ann Lee\"\n"
        "rule big grade=A,B fit=70 territory=DE segment=Bank,\"Big Bank\" to=bo,\"Ann Lee\"";
    struct router_fault fault;
    struct router_rules *rules = router_rules_read(text, sizeof text - 1, &fault);
    (void)state;
    assert_string_equal(fault.message, "");
    assert_non_null(rules);
    assert_int_equal(rules->default_grade, 'C');
    assert_true(rules->default_p == 0.25);
    assert_int_equal(rules->deadline_ms, 150);
    assert_string_equal(rules->segment_member, "size class");
    assert_int_equal(rules->person_count, 2);
    assert_int_equal(rules->people[0].capacity, 40);
    assert_true(router_texts_have(&rules->people[0].territories, "AT"));
    assert_string_equal(rules->people[0].team, "emea");
    assert_false(rules->people[1].active);
    assert_int_equal(router_owner_find(rules, "acme"), 0);
    assert_int_equal(router_owner_find(rules, "zeta"), 1);
    assert_int_equal(router_owner_find(rules, "other"), 2);
    assert_string_equal(rules->rules[0].grades, "AB");
    assert_int_equal(rules->rules[0].person_count, 2);
    assert_true(router_texts_have(&rules->rules[0].segments, "Big Bank"));
    router_rules_destroy(rules);
}

static void what_is_wrong_is_told_where_it_stands(void **state)
{
    static const struct {
        const char *text;
        size_t line, column;
        const char *words;
    } cases[] = {
        {"", 0, 0, "there is no rule"},
        {"person a\nrule r\n", 2, 7, "'to=' is missing"},
        {"person a\nrule r to=b", 2, 8, "'b' is nobody"},
        {"person a\nrule r to=a,a", 2, 8, "one person twice"},
        {"person a wait=1\n", 1, 10, "'wait' is none of weight, capacity"},
        {"person a active=maybe\n", 1, 10, "yes or no"},
        {"person a weight=0\n", 1, 10, "a number of 0.001"},
        {"person a weight=1x\n", 1, 10, "a number"},
        {"person a weight=nan\n", 1, 10, "a number"},
        {"person a capacity=1.5\n", 1, 10, "whole number"},
        {"person a\nperson a\n", 2, 8, "already"},
        {"person\n", 1, 7, "a name is missing"},
        {"person \"a\n", 1, 8, "a quote"},
        {"persona a\n", 1, 1, "'persona' is none of default"},
        {"deadline\n", 1, 9, "one number of ms"},
        {"deadline 0\n", 1, 10, "a number of 1"},
        {"deadline 1.5\n", 1, 10, "whole number"},
        {"deadline=200\n", 1, 1, "deadline: a blank follows it"},
        {"person a\nowner x a now\n", 2, 11, "a word too many"},
        {"person a\nconflict a x y\n", 2, 14, "a word too many"},
        {"person a weight=-1\n", 1, 10, "weight: must be a number of 0.001 to 1e+06, not '-1'"},
        {"person a\nrule r to=a to=a", 2, 13, "to: stands twice"},
        {"person a team\n", 1, 10, "none of weight, capacity, territory, team and active"},
        {"default grade=E\n", 1, 9, "A, B, C or D"},
        {"default grade\n", 1, 9, "'grade' is none of grade and p"},
        {"person a\nrule r grade=AB to=a", 2, 8, "with commas between"},
        {"person a\nrule r grade= to=a", 2, 8, "a grade is missing"},
        {"person a\nrule r fit=101 to=a", 2, 8, "0 to 100"},
        {"person a\nrule r to=, ", 2, 8, "a list with commas"},
        {"person a\nowner x a\nowner x a\nrule r to=a", 0, 0, "'x' has two lines"},
        {"person a\x01\n", 1, 9, "control character"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct router_fault fault;
        assert_null(router_rules_read(cases[i].text, strlen(cases[i].text), &fault));
        if (fault.line != cases[i].line || fault.column != cases[i].column ||
            strstr(fault.message, cases[i].words) == NULL) {
            fail_msg("%s: %zu:%zu: %s", cases[i].text, fault.line, fault.column, fault.message);
        }
    }
}

/* Every beginning of a file is read or refused, and nothing is lost on the way (under a sanitizer).
 */
static void every_beginning_of_a_file_ends_well(void **state)
{
    static const char text[] = "person a weight=2 territory=DE\nconflict a x\nowner y a\n"
                               "rule r grade=A,B segment=\"b c\" to=a\n";
    (void)state;
    for (size_t bytes = 0; bytes < sizeof text; bytes++) {
        struct router_fault fault;
        char *copy = malloc(bytes + 1);
        memcpy(copy, text, bytes);
        router_rules_destroy(router_rules_read(copy, bytes, &fault));
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_words_are_read),
        cmocka_unit_test(what_is_wrong_is_told_where_it_stands),
        cmocka_unit_test(every_beginning_of_a_file_ends_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
