/* SPDX-License-Identifier: Apache-2.0 */
/* TLS 1.3 on the socket of a link, with the manners of send and recv, so that a link moves bytes in
 * one way. The server shows a certificate for the host that the URI names, signed by who is
 * trusted.
 *
 * Ownership: a trust is the client's, its sessions borrow it; neither uses the client's allocator,
 * for OpenSSL has its own. Errors: as said; texts are sentences for people. Threads: its core's.
 * A session that is given up says nothing more to its peer: frames have lengths, so an end cannot
 * be taken for a whole reply, and the socket may be a parent process's too. Source: RFC 8446; RFC
 * 6125 for names. */
#ifndef CLIENT_SECURE_H
#define CLIENT_SECURE_H

#include <sys/types.h>

#include "client/uri.h"
#include "proto/span.h"

struct client_trust;
struct client_secure;

/* Files of PEM. ca NULL: whom this machine trusts; certificate and key NULL: none is shown. NULL
 * with *fault (PROTO_USAGE, the option; PROTO_NO_MEMORY). */
struct client_trust *client_trust_create(const char *ca, const char *certificate, const char *key,
                                         struct proto_fault *fault);
void client_trust_destroy(struct client_trust *trust); /* NULL is fine */

/* NULL: no memory. */
struct client_secure *client_secure_create(const struct client_trust *trust, const char *host,
                                           int fd);
void client_secure_destroy(struct client_secure *secure); /* NULL is fine */

enum client_shaken {
    CLIENT_SHAKEN,
    CLIENT_SHAKES_IN,  /* goes on when the socket can be read */
    CLIENT_SHAKES_OUT, /* when it can be written */
    CLIENT_SHAKE_FAILED,
};
/* As far as the socket allows. */
enum client_shaken client_secure_shake(struct client_secure *secure, struct proto_fault *fault);

/* As send and recv without waiting; -1 with EPROTO where the session has failed, and why with
 * client_secure_reason. */
ssize_t client_secure_send(struct client_secure *secure, struct proto_span bytes);
ssize_t client_secure_recv(struct client_secure *secure, uint8_t *to, size_t room);
const char *client_secure_reason(const struct client_secure *secure);
/* Whether client_secure_recv has something though the socket may have nothing. */
bool client_secure_waits(const struct client_secure *secure);

#endif
