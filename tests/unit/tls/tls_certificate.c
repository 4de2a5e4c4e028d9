/* SPDX-License-Identifier: Apache-2.0 */
/* A key, a certificate of it, both to files; whatever fails ends the program. */
#include "tests/unit/tls/tls_certificate.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static FILE *file_make(const char *path)
{
    FILE *file = fopen(path, "we");
    must(file != NULL && fchmod(fileno(file), 0600) == 0);
    return file;
}

void tls_certificate_make(const char *certificate, const char *key)
{
    EVP_PKEY *made = EVP_EC_gen("P-256");
    X509 *own = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(own), 1);
    X509_gmtime_adj(X509_getm_notBefore(own), -60);
    X509_gmtime_adj(X509_getm_notAfter(own), 3600);
    X509_set_pubkey(own, made);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(own), "CN", MBSTRING_ASC,
                               (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(own, X509_get_subject_name(own));
    must(X509_sign(own, made, EVP_sha256()) > 0);
    FILE *file = file_make(certificate);
    must(PEM_write_X509(file, own) == 1 && fclose(file) == 0);
    file = file_make(key);
    must(PEM_write_PrivateKey(file, made, NULL, NULL, 0, NULL, NULL) == 1 && fclose(file) == 0);
    X509_free(own);
    EVP_PKEY_free(made);
}
