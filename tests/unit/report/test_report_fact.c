/* SPDX-License-Identifier: Apache-2.0 */
/* What stands around the sections of every page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdlib.h>

#include "server/report/report_fact.h"

struct page {
    FILE *out;
    char *text;
    size_t bytes;
};

static void page_open(struct page *page)
{
    page->text = NULL;
    page->out = open_memstream(&page->text, &page->bytes);
    assert_non_null(page->out);
}

static void page_is(struct page *page, const char *html)
{
    assert_int_equal(fclose(page->out), 0);
    assert_string_equal(page->text, html);
    free(page->text);
}

static void counts_are_grouped_and_numbers_that_name_are_not(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    report_fact_count(page.out, "Accounts", 2798);
    report_fact_number(page.out, "Sequence", 2798);
    page_is(&page, "<dt>Accounts</dt><dd>2,798</dd>\n<dt>Sequence</dt><dd>2798</dd>\n");
}

static void a_fact_of_nothing_is_left_out(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    report_fact(page.out, "Accounts where", "");
    page_is(&page, "");
}

static void what_strangers_wrote_is_neither_markup_nor_hidden(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    report_tile(page.out, "Definition", "<b>\x01");
    report_fact(page.out, "Filter", "a < 1\xe2\x80\xae");
    report_link(page.out, "path", "The path & its end");
    page_is(&page,
            "<div><dt>Definition</dt><dd>&lt;b&gt;<span class=\"ctl\">\\x01</span></dd></div>\n"
            "<dt>Filter</dt><dd>a &lt; 1<span class=\"ctl\">\\u{202e}</span></dd>\n"
            "<li><a href=\"#path\">The path &amp; its end</a></li>\n");
}

static void facts_of_a_group_stand_under_its_heading(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    report_group_open(page.out, "The list & its plan");
    report_fact(page.out, "Name", "2027");
    report_group_close(page.out);
    page_is(&page, "<div><h3>The list &amp; its plan</h3><dl class=\"facts\">\n"
                   "<dt>Name</dt><dd>2027</dd>\n</dl></div>\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_grouped_and_numbers_that_name_are_not),
        cmocka_unit_test(a_fact_of_nothing_is_left_out),
        cmocka_unit_test(what_strangers_wrote_is_neither_markup_nor_hidden),
        cmocka_unit_test(facts_of_a_group_stand_under_its_heading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
