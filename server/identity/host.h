/* SPDX-License-Identifier: Apache-2.0 */
/* The name of a machine as DNS compares it, and whose it is.
 * Host names are in lower case and, beyond ASCII, in punycode: libpsl folds case and form
 * (psl_str_to_utf8lower, NFKC), punycode.h encodes. "München.de" and "xn--mnchen-3ya.de" are one.
 * A leading "www." names no other machine and is dropped, unless it is what was registered
 * (www.co.uk).
 * The registrable domain is the part that one organisation has for its own:
 *   below a public suffix   mail.acme.co.uk    → acme.co.uk      (https://publicsuffix.org)
 *   below a tenants' host   acme.zendesk.com   → acme.zendesk.com, tenant_host.def: Zendesk's
 *                           customers are strangers to each other
 *   the longer of the two, where both apply; a private suffix itself (github.io) is its owner's
 * No host: IP addresses, one label, labels that DNS does not allow, top-level names that the public
 * suffix list does not know (.local, .internal), public suffixes themselves (co.uk).
 * Ownership: results are copies, or lie in the text given. Errors: false. Threads: pure; the list
 * is libpsl's built-in one. Cost: about 1 µs, more for names beyond ASCII. Source: RFC 1035, 1123,
 * 3492. */
#ifndef IDENTITY_HOST_H
#define IDENTITY_HOST_H

#include "proto/span.h"

/* 253 bytes of a host, and the zero end. */
#define IDENTITY_HOST_BYTES 256

/* The host in its normal form; false if it is none. */
bool identity_host_normal(struct proto_span text, char out[IDENTITY_HOST_BYTES]);
/* Where in the normal host its registrable domain begins; NULL if nobody can register it. */
const char *identity_host_registrable(const char *host);
/* Mail there says nothing of the employer (free_mail.def). */
bool identity_host_free_mail(const char *registrable);
/* A path there is one of many organisations' pages (shared_host.def): the host, or one above it up
 * to what was registered. */
bool identity_host_shared(const char *host, const char *registrable);

#endif
