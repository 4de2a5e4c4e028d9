/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate for tests of TLS: signed by itself, of a fresh key of P-256, good for an hour. Ends
 * the test program if a file cannot be written. */
#ifndef TESTS_UNIT_TLS_TLS_CERTIFICATE_H
#define TESTS_UNIT_TLS_TLS_CERTIFICATE_H

/* Writes both as PEM, the key with mode 600. */
void tls_certificate_make(const char *certificate, const char *key);

#endif
