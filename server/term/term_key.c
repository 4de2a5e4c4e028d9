/* SPDX-License-Identifier: Apache-2.0 */
/* All of it is OpenSSL's. A verification that says no is asked once more: where memory ran out
 * within it, a good signature must not pass for a bad one. The queue of errors is emptied after
 * each call that failed, for it is the thread's, and TLS reads it too. */
#include "server/term/term_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

struct term_key {
    EVP_PKEY *pair;
};

static const uint8_t *data_of(struct proto_span text)
{
    static const uint8_t nothing[1] = {0};
    return text.bytes > 0 ? text.data : nothing;
}

static bool memory_out(struct proto_fault *fault)
{
    ERR_clear_error();
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a key or signature");
}

/* Takes the pair. */
static struct term_key *key_hold(EVP_PKEY *pair, struct proto_fault *fault)
{
    struct term_key *key = pair == NULL ? NULL : calloc(1, sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(pair);
        (void)memory_out(fault);
        return NULL;
    }
    key->pair = pair;
    return key;
}

struct term_key *term_key_make(struct proto_fault *fault)
{
    return key_hold(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), fault);
}

struct term_key *term_key_of(const uint8_t seed[TERM_KEY_BYTES], struct proto_fault *fault)
{
    return key_hold(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, TERM_KEY_BYTES),
                    fault);
}

struct term_key *term_key_read(FILE *file, struct proto_fault *fault)
{
    char none[] = "";
    EVP_PKEY *pair = PEM_read_PrivateKey(file, NULL, NULL, none);
    ERR_clear_error();
    if (pair == NULL || EVP_PKEY_id(pair) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(pair);
        proto_fault_set(fault, PROTO_BAD_FIELD, "key",
                        "the file holds no Ed25519 private key in PEM without a password");
        return NULL;
    }
    return key_hold(pair, fault);
}

void term_key_destroy(struct term_key *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->pair);
        free(key);
    }
}

bool term_key_write(const struct term_key *key, FILE *file, struct proto_fault *fault)
{
    if (PEM_write_PrivateKey(file, key->pair, NULL, NULL, 0, NULL, NULL) == 1 &&
        fflush(file) == 0) {
        return true;
    }
    ERR_clear_error();
    return proto_fault_set(fault, PROTO_IO, "key", "the key cannot be written");
}

bool term_key_public(const struct term_key *key, uint8_t out[TERM_KEY_BYTES],
                     struct proto_fault *fault)
{
    size_t bytes = TERM_KEY_BYTES;
    return EVP_PKEY_get_raw_public_key(key->pair, out, &bytes) == 1 || memory_out(fault);
}

bool term_key_sign(const struct term_key *key, struct proto_span text,
                   uint8_t signature[TERM_SIGNATURE_BYTES], struct proto_fault *fault)
{
    size_t bytes = TERM_SIGNATURE_BYTES;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key->pair) == 1 &&
                EVP_DigestSign(context, signature, &bytes, data_of(text), text.bytes) == 1;
    EVP_MD_CTX_free(context);
    return good || memory_out(fault);
}

/* 1: it is good; 0: it is not; below: nobody knows. */
static int verify_once(const uint8_t key[TERM_KEY_BYTES], struct proto_span text,
                       const uint8_t signature[TERM_SIGNATURE_BYTES])
{
    EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, TERM_KEY_BYTES);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int result = -1;
    if (public != NULL && context != NULL &&
        EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1) {
        result =
            EVP_DigestVerify(context, signature, TERM_SIGNATURE_BYTES, data_of(text), text.bytes);
    }
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public);
    ERR_clear_error();
    return result;
}

bool term_key_verify(const uint8_t key[TERM_KEY_BYTES], struct proto_span text,
                     const uint8_t signature[TERM_SIGNATURE_BYTES], bool *good,
                     struct proto_fault *fault)
{
    int result = verify_once(key, text, signature);
    if (result != 1) {
        result = verify_once(key, text, signature);
    }
    *good = result == 1;
    return result >= 0 || memory_out(fault);
}
