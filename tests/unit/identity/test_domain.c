/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feature/feature_fixture.h"

#include "server/identity/domain.h"

struct domain_case {
    const char *text;
    enum identity_domain_kind kind;
    const char *host;
    const char *registrable;
};

static const struct domain_case emails[] = {
    {"ann@Acme.COM", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {" ann@mail.acme.co.uk\n", IDENTITY_DOMAIN_COMPANY, "mail.acme.co.uk", "acme.co.uk"},
    {"Ann Doe <ann@acme.com>", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"mailto:ann@acme.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@gmail.com", IDENTITY_DOMAIN_FREE_MAIL, "gmail.com", "gmail.com"},
    {"ann@yahoo.co.uk", IDENTITY_DOMAIN_FREE_MAIL, "yahoo.co.uk", "yahoo.co.uk"},
    {"ann@mailbox.org", IDENTITY_DOMAIN_FREE_MAIL, "mailbox.org", "mailbox.org"},
    {"ann@facebook.com", IDENTITY_DOMAIN_COMPANY, "facebook.com", "facebook.com"},
    {"ann@acme.co.za", IDENTITY_DOMAIN_COMPANY, "acme.co.za", "acme.co.za"},
    {"ann@mail.acme.com.bd", IDENTITY_DOMAIN_COMPANY, "mail.acme.com.bd", "acme.com.bd"},
    {"ann@co.za", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@host.printer.local", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@github.com", IDENTITY_DOMAIN_COMPANY, "github.com", "github.com"},
    {"ann@M\xC3\x9CNCHEN.de", IDENTITY_DOMAIN_COMPANY, "xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
    {"ann@xn--mnchen-3ya.de", IDENTITY_DOMAIN_COMPANY, "xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
    {"ann@acme.com.", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann", IDENTITY_DOMAIN_NONE, "", ""},
    {"@acme.com", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@acme", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@b@acme.com", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann doe@acme.com", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@acme..com", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@-acme.com", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@ac_me.com", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@co.uk", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@printer.local", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@192.168.1.1", IDENTITY_DOMAIN_NONE, "", ""},
    {"<>", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@\xFF.com", IDENTITY_DOMAIN_NONE, "", ""},
};

static const struct domain_case urls[] = {
    {"https://www.Acme.com/about?x=1#y", IDENTITY_DOMAIN_COMPANY, "www.acme.com", "acme.com"},
    {"http://circuithub.com", IDENTITY_DOMAIN_COMPANY, "circuithub.com", "circuithub.com"},
    {"HTTPS://user:pw@acme.com:8443/", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"//acme.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"acme.com/x", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"acme.github.io", IDENTITY_DOMAIN_COMPANY, "acme.github.io", "acme.github.io"},
    {"https://github.com/acme", IDENTITY_DOMAIN_SHARED_HOST, "github.com", "github.com"},
    {"https://www.ycombinator.com/companies/x", IDENTITY_DOMAIN_SHARED_HOST, "www.ycombinator.com",
     "ycombinator.com"},
    {"producthunt.com", IDENTITY_DOMAIN_SHARED_HOST, "producthunt.com", "producthunt.com"},
    {"https://angel.co/x", IDENTITY_DOMAIN_SHARED_HOST, "angel.co", "angel.co"},
    {"https://sites.google.com/x", IDENTITY_DOMAIN_SHARED_HOST, "sites.google.com", "google.com"},
    {"https://cloud.google.com", IDENTITY_DOMAIN_COMPANY, "cloud.google.com", "google.com"},
    {"http://gmail.com", IDENTITY_DOMAIN_FREE_MAIL, "gmail.com", "gmail.com"},
    {"", IDENTITY_DOMAIN_NONE, "", ""},
    {"http:", IDENTITY_DOMAIN_NONE, "", ""},
    {"http:acme.com", IDENTITY_DOMAIN_NONE, "", ""},
    {"https://", IDENTITY_DOMAIN_NONE, "", ""},
    {"http://localhost:8080", IDENTITY_DOMAIN_NONE, "", ""},
    {"ftp://acme.com", IDENTITY_DOMAIN_NONE, "", ""},
    {"javascript:alert(1)", IDENTITY_DOMAIN_NONE, "", ""},
    {"http://[::1]/", IDENTITY_DOMAIN_NONE, "", ""},
    {"http://10.0.0.1/", IDENTITY_DOMAIN_NONE, "", ""},
    {"coming soon.com", IDENTITY_DOMAIN_NONE, "", ""},
    {"N/A", IDENTITY_DOMAIN_NONE, "", ""},
    {"com", IDENTITY_DOMAIN_NONE, "", ""},
};

static void check(const struct domain_case *cases, size_t count,
                  enum identity_domain_kind (*from)(struct proto_span, struct identity_domain *))
{
    for (size_t i = 0; i < count; i++) {
        struct identity_domain domain;
        enum identity_domain_kind kind = from(proto_span_text(cases[i].text), &domain);
        if (kind != cases[i].kind || strcmp(domain.host, cases[i].host) != 0 ||
            strcmp(domain.registrable, cases[i].registrable) != 0) {
            fail_msg("%s: %s, host %s, domain %s", cases[i].text, identity_domain_kind_name(kind),
                     domain.host, domain.registrable);
        }
    }
}

static void emails_give_the_domain_of_the_employer(void **state)
{
    (void)state;
    check(emails, sizeof emails / sizeof emails[0], identity_domain_from_email);
}

static void urls_give_the_domain_of_the_site(void **state)
{
    (void)state;
    check(urls, sizeof urls / sizeof urls[0], identity_domain_from_url);
}

static void a_host_of_more_than_253_bytes_is_refused(void **state)
{
    (void)state;
    char text[300];
    struct identity_domain domain;
    memset(text, 'a', sizeof text);
    for (size_t i = 49; i < 250; i += 50) {
        text[i] = '.';
    }
    memcpy(text + 249, ".com", 5);
    assert_int_equal(identity_domain_from_url(proto_span_text(text), &domain),
                     IDENTITY_DOMAIN_COMPANY);
    memcpy(text + 249, "a.com", 6);
    text[199] = '.';
    assert_int_equal(identity_domain_from_url(proto_span_text(text), &domain),
                     IDENTITY_DOMAIN_NONE);
}

static const char *const tables[] = {
#define X(domain) domain,
#include "server/identity/free_mail.def"
    NULL,
#include "server/identity/shared_host.def"
    NULL,
#undef X
};

static void tables_are_sorted_and_normal(void **state)
{
    (void)state;
    size_t lists = 0;
    size_t of_no_effect = 0;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct identity_domain domain;
        if (tables[i] == NULL) {
            lists++;
            continue;
        }
        if (i > 0 && tables[i - 1] != NULL && strcmp(tables[i - 1], tables[i]) >= 0) {
            fail_msg("%s is out of order", tables[i]);
        }
        enum identity_domain_kind kind =
            identity_domain_from_url(proto_span_text(tables[i]), &domain);
        enum identity_domain_kind wanted =
            lists == 0 ? IDENTITY_DOMAIN_FREE_MAIL : IDENTITY_DOMAIN_SHARED_HOST;
        if (kind != wanted && kind != IDENTITY_DOMAIN_NONE) {
            fail_msg("%s is found as %s", tables[i], identity_domain_kind_name(kind));
        }
        /* A private suffix of the public suffix list has no registrable domain and needs no line;
         * a newer list than the one that free_mail.def was made with may have more of them. */
        if (kind == IDENTITY_DOMAIN_NONE && lists > 0) {
            fail_msg("%s has no registrable domain: its line has no effect", tables[i]);
        }
        of_no_effect += kind == IDENTITY_DOMAIN_NONE;
    }
    assert_in_range(of_no_effect, 0, sizeof tables / sizeof tables[0] / 100);
}

static bool listed(const char *name)
{
    for (size_t i = 0; tables[i] != NULL; i++) {
        if (strcmp(tables[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* What is kept by hand beside the list of the package has gone into the table, or stayed out. */
static void free_mail_follows_the_lists_kept_by_hand(void **state)
{
    (void)state;
#define X(domain) assert_true(listed(domain));
#include "tools/freemail/free_mail_own.def"
#undef X
#define X(domain) assert_false(listed(domain));
#include "tools/freemail/free_mail_not.def"
#undef X
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emails_give_the_domain_of_the_employer),
        cmocka_unit_test(urls_give_the_domain_of_the_site),
        cmocka_unit_test(a_host_of_more_than_253_bytes_is_refused),
        cmocka_unit_test(tables_are_sorted_and_normal),
        cmocka_unit_test(free_mail_follows_the_lists_kept_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
