/* SPDX-License-Identifier: Apache-2.0 */
/* From what people write (an email address, a URL, a bare host) to the host that names a company.
 * An account is found by the most specific name that somebody has: the host first, then the names
 * above it, up to the registrable domain (host.h). So a sub-company that has a host of its own is
 * found by it, and everybody else at that domain is its parent's. Whoever is alone below a domain
 * that nobody has may stand for it, by a key of another namespace that is asked for last: whoever
 * comes with the domain itself goes before, whatever the order in which they came.
 *   x@cloud.acme.com   cloud.acme.com, acme.com
 *   x@a.zendesk.com    a.zendesk.com alone: below a tenants' host nobody else is asked for
 * An address at a shared host is one of its staff (a@github.com works there); a website with a path
 * on it is not (github.com/acme); its home page (github.com) is its own.
 * Text is taken as it is pasted (paste.h): of several addresses the first, without what stands
 * around it. Nonsense gives NONE. Ownership: results are copies. Errors: none but NONE. Threads:
 * pure. Cost: about 1 µs, more for names beyond ASCII. Source: RFC 3986, RFC 5321, RFC 6068. */
#ifndef IDENTITY_DOMAIN_H
#define IDENTITY_DOMAIN_H

#include "server/identity/host.h"

/* The namespace of the key of an account that stands for a registrable domain. */
#define IDENTITY_ABOVE_NAMESPACE "domain-above"

/* Longer cells are refused unread. */
#define IDENTITY_URL_BYTES_MAX 4096

enum identity_domain_kind {
    IDENTITY_DOMAIN_NONE,      /* no domain is in the text; out is empty */
    IDENTITY_DOMAIN_COMPANY,   /* host names an organisation */
    IDENTITY_DOMAIN_FREE_MAIL, /* registrable is a mail provider's: it says nothing of the employer
                                */
    IDENTITY_DOMAIN_SHARED_HOST, /* pages of many organisations: not the company's domain */
};

struct identity_domain {
    char host[IDENTITY_HOST_BYTES];        /* "shop.acme.co.uk", without "www." */
    char registrable[IDENTITY_HOST_BYTES]; /* "acme.co.uk" */
};

/* "a@acme.com", "Ann <a@acme.com>", "mailto:a@acme.com?subject=x", "a@acme.com; b@acme.com". */
enum identity_domain_kind identity_domain_from_email(struct proto_span text,
                                                     struct identity_domain *out);
/* "https://user@www.acme.com:8080/x?y#z", "//acme.com", "acme.com/x", "acme.com." */
enum identity_domain_kind identity_domain_from_url(struct proto_span text,
                                                   struct identity_domain *out);
/* The next name to look for: NULL gives the host, the registrable domain gives NULL. */
const char *identity_domain_above(const struct identity_domain *domain, const char *host);
/* Whoever has this host may stand for the registrable domain as long as nobody else has it. */
bool identity_domain_stands_for(const struct identity_domain *domain);
const char *identity_domain_kind_name(enum identity_domain_kind kind);

#endif
