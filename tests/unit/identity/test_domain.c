/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feature/feature_fixture.h"

#include <stdio.h>

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
    {"\"Doe, Ann\" <ann@acme.com>, Bob <bob@beta.com>", IDENTITY_DOMAIN_COMPANY, "acme.com",
     "acme.com"},
    {"ann@home <ann@acme.com>", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"mailto:ann@acme.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"MAILTO:ann@acme.com?subject=a@b.com&cc=bob@beta.com", IDENTITY_DOMAIN_COMPANY, "acme.com",
     "acme.com"},
    {"SMTP:ann@acme.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"E-Mail: ann@acme.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@acme.com,", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@acme.com, bob@beta.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@acme.com; bob@beta.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@acme.com bob@beta.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@acme.com/bob@beta.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@acme.com|bob@beta.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"; n/a; ann@acme.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"'ann@acme.com'", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"\"ann@acme.com\"", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"`ann@acme.com`", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"(ann@acme.com)", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@acme.com (Ann Doe)", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"[ann@acme.com](mailto:ann@acme.com)", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"\xE2\x80\x9C"
     "ann@acme.com\xE2\x80\x9D",
     IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"\xC2\xAB"
     "ann@acme.com\xC2\xBB",
     IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@acme.com\xE2\x80\x8B", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@\xE2\x80\x8B"
     "acme.com",
     IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"\xEF\xBB\xBF"
     "ann@acme.com",
     IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"an\xC2\xADn@ac\xC2\xADme.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"\xE2\x80\xAA"
     "ann@acme.com\xE2\x80\xAC",
     IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"\xC2\xA0"
     "ann@acme.com\xE3\x80\x80",
     IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann\xEF\xBC\xA0"
     "acme\xE3\x80\x82"
     "com",
     IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@acme.com.", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@acme.com...", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@acme.com\xE2\x80\xA6", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@acme.com!", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@www.acme.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"ann@gmail.com", IDENTITY_DOMAIN_FREE_MAIL, "gmail.com", "gmail.com"},
    {"ann@yahoo.co.uk", IDENTITY_DOMAIN_FREE_MAIL, "yahoo.co.uk", "yahoo.co.uk"},
    {"ann@mailbox.org", IDENTITY_DOMAIN_FREE_MAIL, "mailbox.org", "mailbox.org"},
    {"ann@gmail.com; ann@acme.com", IDENTITY_DOMAIN_FREE_MAIL, "gmail.com", "gmail.com"},
    {"ann@facebook.com", IDENTITY_DOMAIN_COMPANY, "facebook.com", "facebook.com"},
    {"ann@acme.co.za", IDENTITY_DOMAIN_COMPANY, "acme.co.za", "acme.co.za"},
    {"ann@mail.acme.com.bd", IDENTITY_DOMAIN_COMPANY, "mail.acme.com.bd", "acme.com.bd"},
    {"ann@github.com", IDENTITY_DOMAIN_COMPANY, "github.com", "github.com"},
    {"ann@acme.onmicrosoft.com", IDENTITY_DOMAIN_COMPANY, "acme.onmicrosoft.com",
     "acme.onmicrosoft.com"},
    {"ann@acme.mail.onmicrosoft.com", IDENTITY_DOMAIN_COMPANY, "acme.mail.onmicrosoft.com",
     "acme.mail.onmicrosoft.com"},
    {"ann@eu.acme.zendesk.com", IDENTITY_DOMAIN_COMPANY, "eu.acme.zendesk.com", "acme.zendesk.com"},
    {"ann@zendesk.com", IDENTITY_DOMAIN_COMPANY, "zendesk.com", "zendesk.com"},
    {"ann@acme.myshopify.com", IDENTITY_DOMAIN_COMPANY, "acme.myshopify.com", "acme.myshopify.com"},
    {"ann@acme.uk.com", IDENTITY_DOMAIN_COMPANY, "acme.uk.com", "acme.uk.com"},
    {"ann@M\xC3\x9CNCHEN.de", IDENTITY_DOMAIN_COMPANY, "xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
    {"ann@xn--mnchen-3ya.de", IDENTITY_DOMAIN_COMPANY, "xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
    {"ann@XN--MNCHEN-3YA.DE", IDENTITY_DOMAIN_COMPANY, "xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
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
    {"ann@co.za", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@host.printer.local", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@printer.local", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@192.168.1.1", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@[192.168.1.1]", IDENTITY_DOMAIN_NONE, "", ""},
    {"<>", IDENTITY_DOMAIN_NONE, "", ""},
    {"ann@\xFF.com", IDENTITY_DOMAIN_NONE, "", ""},
    {"call Ann, she is at the fair", IDENTITY_DOMAIN_NONE, "", ""},
    {"@acme on X", IDENTITY_DOMAIN_NONE, "", ""},
};

static const struct domain_case urls[] = {
    {"https://www.Acme.com/about?x=1#y", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"http://circuithub.com", IDENTITY_DOMAIN_COMPANY, "circuithub.com", "circuithub.com"},
    {"HTTPS://user:pw@acme.com:8443/", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"HTTP://WWW.ACME.COM.:80", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"//acme.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"acme.com/x", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"acme.com, beta.com", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"\"https://acme.com\"", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"<https://acme.com>", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"https://acme.com\xE2\x80\x8B", IDENTITY_DOMAIN_COMPANY, "acme.com", "acme.com"},
    {"cloud.acme.com", IDENTITY_DOMAIN_COMPANY, "cloud.acme.com", "acme.com"},
    {"www.cloud.acme.co.uk", IDENTITY_DOMAIN_COMPANY, "cloud.acme.co.uk", "acme.co.uk"},
    {"www2.acme.com", IDENTITY_DOMAIN_COMPANY, "www2.acme.com", "acme.com"},
    {"www.com", IDENTITY_DOMAIN_FREE_MAIL, "www.com", "www.com"},
    {"www.co.uk", IDENTITY_DOMAIN_COMPANY, "www.co.uk", "www.co.uk"},
    {"https://www.B\xC3\xBC"
     "cher.example",
     IDENTITY_DOMAIN_COMPANY, "xn--bcher-kva.example", "xn--bcher-kva.example"},
    {"https://shop.xn--bcher-kva.example", IDENTITY_DOMAIN_COMPANY, "shop.xn--bcher-kva.example",
     "xn--bcher-kva.example"},
    {"acme.github.io", IDENTITY_DOMAIN_COMPANY, "acme.github.io", "acme.github.io"},
    {"acme.github.io/site", IDENTITY_DOMAIN_COMPANY, "acme.github.io", "acme.github.io"},
    {"https://github.io", IDENTITY_DOMAIN_COMPANY, "github.io", "github.io"},
    {"https://acme.wixsite.com/home", IDENTITY_DOMAIN_COMPANY, "acme.wixsite.com",
     "acme.wixsite.com"},
    {"https://www.acme.wordpress.com", IDENTITY_DOMAIN_COMPANY, "acme.wordpress.com",
     "acme.wordpress.com"},
    {"https://acme.my.salesforce.com", IDENTITY_DOMAIN_COMPANY, "acme.my.salesforce.com",
     "acme.my.salesforce.com"},
    {"https://acme.lightning.force.com", IDENTITY_DOMAIN_COMPANY, "acme.lightning.force.com",
     "acme.lightning.force.com"},
    {"https://www.zendesk.com/contact", IDENTITY_DOMAIN_COMPANY, "zendesk.com", "zendesk.com"},
    {"https://acme.medium.com/a-post", IDENTITY_DOMAIN_COMPANY, "acme.medium.com",
     "acme.medium.com"},
    {"https://medium.com/@acme", IDENTITY_DOMAIN_SHARED_HOST, "medium.com", "medium.com"},
    {"https://github.com/acme", IDENTITY_DOMAIN_SHARED_HOST, "github.com", "github.com"},
    {"https://github.com?q=acme", IDENTITY_DOMAIN_SHARED_HOST, "github.com", "github.com"},
    {"https://www.linkedin.com/company/acme", IDENTITY_DOMAIN_SHARED_HOST, "linkedin.com",
     "linkedin.com"},
    {"https://uk.linkedin.com/company/acme", IDENTITY_DOMAIN_SHARED_HOST, "uk.linkedin.com",
     "linkedin.com"},
    {"https://www.linkedin.com", IDENTITY_DOMAIN_COMPANY, "linkedin.com", "linkedin.com"},
    {"https://www.linkedin.com/", IDENTITY_DOMAIN_COMPANY, "linkedin.com", "linkedin.com"},
    {"https://www.ycombinator.com/companies/x", IDENTITY_DOMAIN_SHARED_HOST, "ycombinator.com",
     "ycombinator.com"},
    {"producthunt.com", IDENTITY_DOMAIN_COMPANY, "producthunt.com", "producthunt.com"},
    {"https://angel.co/x", IDENTITY_DOMAIN_SHARED_HOST, "angel.co", "angel.co"},
    {"https://sites.google.com/x", IDENTITY_DOMAIN_SHARED_HOST, "sites.google.com", "google.com"},
    {"https://google.com/x", IDENTITY_DOMAIN_COMPANY, "google.com", "google.com"},
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
    {"www.", IDENTITY_DOMAIN_NONE, "", ""},
    {"https://acme.com:port", IDENTITY_DOMAIN_NONE, "", ""},
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

/* An address at a sub-company's host is its own; anybody else's goes up to what was registered. */
static void names_are_asked_for_from_the_host_upwards(void **state)
{
    (void)state;
    static const char *const wanted[] = {"a.b.acme.co.uk", "b.acme.co.uk", "acme.co.uk"};
    struct identity_domain domain;
    size_t count = 0;
    (void)identity_domain_from_email(proto_span_text("x@a.b.acme.co.uk"), &domain);
    for (const char *host = identity_domain_above(&domain, NULL); host != NULL;
         host = identity_domain_above(&domain, host)) {
        assert_in_range(count, 0, 2);
        assert_string_equal(host, wanted[count++]);
    }
    assert_int_equal(count, 3);
    (void)identity_domain_from_email(proto_span_text("x@acme.zendesk.com"), &domain);
    assert_string_equal(identity_domain_above(&domain, NULL), "acme.zendesk.com");
    assert_null(identity_domain_above(&domain, "acme.zendesk.com"));
}

static void a_host_may_stand_for_its_domain_but_no_tenant_and_no_shared_page(void **state)
{
    (void)state;
    static const struct {
        const char *site;
        bool stands;
    } cases[] = {{"shop.acme.com", true},       {"acme.com", false},
                 {"www.acme.com", false},       {"acme.zendesk.com", false},
                 {"eu.acme.zendesk.com", true}, {"docs.google.com", false},
                 {"acme.github.io", false},     {"cloud.google.com", true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct identity_domain domain;
        assert_int_equal(identity_domain_from_url(proto_span_text(cases[i].site), &domain),
                         IDENTITY_DOMAIN_COMPANY);
        if (identity_domain_stands_for(&domain) != cases[i].stands) {
            fail_msg("%s", cases[i].site);
        }
    }
}

static const char *const free_mail[] = {
#define X(domain) domain,
#include "server/identity/free_mail.def"
#undef X
};
static const char *const shared_hosts[] = {
#define X(host) host,
#include "server/identity/shared_host.def"
#undef X
};
static const char *const tenant_hosts[] = {
#define X(host, kind) host,
#include "server/identity/tenant_host.def"
#undef X
};
static const char *const tenant_kinds[] = {
#define X(host, kind) #kind,
#include "server/identity/tenant_host.def"
#undef X
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void sorted(const char *const *table, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (strcmp(table[i - 1], table[i]) >= 0) {
            fail_msg("%s is out of order", table[i]);
        }
    }
}

static enum identity_domain_kind kind_of(const char *host, const char *path)
{
    char text[IDENTITY_HOST_BYTES];
    struct identity_domain domain;
    snprintf(text, sizeof text, "%s%s", host, path);
    return identity_domain_from_url(proto_span_text(text), &domain);
}

static void tables_are_sorted_and_normal(void **state)
{
    (void)state;
    size_t of_no_effect = 0;
    sorted(free_mail, COUNT(free_mail));
    sorted(shared_hosts, COUNT(shared_hosts));
    sorted(tenant_hosts, COUNT(tenant_hosts));
    /* A private suffix of the public suffix list has no registrable domain and needs no line; a
     * newer list than the one that free_mail.def was made with may have more of them. */
    for (size_t i = 0; i < COUNT(free_mail); i++) {
        of_no_effect += kind_of(free_mail[i], "") != IDENTITY_DOMAIN_FREE_MAIL;
    }
    assert_in_range(of_no_effect, 0, COUNT(free_mail) / 100);
    for (size_t i = 0; i < COUNT(shared_hosts); i++) {
        if (kind_of(shared_hosts[i], "") != IDENTITY_DOMAIN_COMPANY ||
            kind_of(shared_hosts[i], "/x") != IDENTITY_DOMAIN_SHARED_HOST) {
            fail_msg("%s is not found as a shared host", shared_hosts[i]);
        }
    }
}

/* Two customers of one host are strangers, whatever edition of the public suffix list is there. */
static void every_tenant_is_on_its_own(void **state)
{
    (void)state;
    static const char *const kinds[] = {"DIRECTORY", "DESK",    "SHOP", "SITE",
                                        "BLOG",      "HOSTING", "WORK"};
    for (size_t i = 0; i < COUNT(tenant_hosts); i++) {
        char text[IDENTITY_HOST_BYTES];
        struct identity_domain domain;
        bool known = false;
        snprintf(text, sizeof text, "x@willow.%s", tenant_hosts[i]);
        if (identity_domain_from_email(proto_span_text(text), &domain) == IDENTITY_DOMAIN_NONE ||
            strcmp(domain.registrable, text + 2) != 0) {
            fail_msg("%s belongs to %s", text, domain.registrable);
        }
        for (size_t k = 0; k < COUNT(kinds); k++) {
            known |= strcmp(tenant_kinds[i], kinds[k]) == 0;
        }
        if (!known) {
            fail_msg("%s is of the kind %s", tenant_hosts[i], tenant_kinds[i]);
        }
    }
}

static bool listed(const char *name)
{
    for (size_t i = 0; i < COUNT(free_mail); i++) {
        if (strcmp(free_mail[i], name) == 0) {
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
        cmocka_unit_test(names_are_asked_for_from_the_host_upwards),
        cmocka_unit_test(a_host_may_stand_for_its_domain_but_no_tenant_and_no_shared_page),
        cmocka_unit_test(every_tenant_is_on_its_own),
        cmocka_unit_test(tables_are_sorted_and_normal),
        cmocka_unit_test(free_mail_follows_the_lists_kept_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
