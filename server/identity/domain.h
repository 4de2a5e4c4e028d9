/* SPDX-License-Identifier: Apache-2.0 */
/* From what people write (an email address, a URL, a bare host) to the domain that names a company.
 * Host and registrable domain are in lower case and, for names beyond ASCII, in punycode: libpsl
 * folds case and form (psl_str_to_utf8lower, NFKC), punycode.h encodes. "München.de" and
 * "xn--mnchen-3ya.de" give the same domain.
 * Free-mail providers stand in free_mail.def (13,000 names, made by tools/freemail from a package),
 * shared hosts in shared_host.def. An address at a
 * shared host is one of its staff (a@github.com works there), a website on it is not
 * (github.com/acme). Nonsense gives NONE: IP addresses, one label, labels that DNS does not allow,
 * top-level names that the public suffix list does not know (.local, .internal), public suffixes
 * themselves. Ownership: results are copies. Errors: none but NONE. Threads: pure; the list is
 * libpsl's built-in one. Cost: about 1 µs, more for names beyond ASCII. Source:
 * https://publicsuffix.org, RFC 1035, RFC 3492. */
#ifndef IDENTITY_DOMAIN_H
#define IDENTITY_DOMAIN_H

#include "proto/span.h"

/* 253 bytes of a host, and the zero end. */
#define IDENTITY_HOST_BYTES 256
/* Longer cells are refused unread. */
#define IDENTITY_URL_BYTES_MAX 4096

enum identity_domain_kind {
    IDENTITY_DOMAIN_NONE,      /* no domain is in the text; out is empty */
    IDENTITY_DOMAIN_COMPANY,   /* registrable names an organisation */
    IDENTITY_DOMAIN_FREE_MAIL, /* registrable is a mail provider's: it says nothing of the employer
                                */
    IDENTITY_DOMAIN_SHARED_HOST, /* pages of many organisations: not the company's domain */
};

struct identity_domain {
    char host[IDENTITY_HOST_BYTES];        /* "www.acme.co.uk" */
    char registrable[IDENTITY_HOST_BYTES]; /* "acme.co.uk" */
};

/* "a@acme.com", "Ann <a@acme.com>", "mailto:a@acme.com". */
enum identity_domain_kind identity_domain_from_email(struct proto_span text,
                                                     struct identity_domain *out);
/* "https://user@www.acme.com:8080/x?y#z", "//acme.com", "acme.com/x", "acme.com." */
enum identity_domain_kind identity_domain_from_url(struct proto_span text,
                                                   struct identity_domain *out);
const char *identity_domain_kind_name(enum identity_domain_kind kind);

#endif
