/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server is: icp://host:port, icps://host:port for TLS, icp+unix:/path.
 * Forms: icp://127.0.0.1, icp://db.example.com:4273, icp://[::1]:4273,
 * icp+unix:/run/icpd/icpd.sock. Several
 * hosts, separated by commas, are tried in that order: icp://a:4273,b,[::1]:4274. A trailing slash
 * is allowed, anything after it is not. Ownership: a plain value. Errors: PROTO_USAGE that names
 * the part at fault. Threads: pure. */
#ifndef CLIENT_URI_H
#define CLIENT_URI_H

#include "proto/fault.h"

#define CLIENT_HOST_BYTES_MAX 253 /* RFC 1035: a host name has at most 253 characters */
#define CLIENT_PATH_BYTES_MAX 107 /* sun_path of sockaddr_un holds 108 with its zero */

struct client_uri {
    bool is_unix;
    bool is_secure;
    uint16_t port;
    char host[CLIENT_HOST_BYTES_MAX + 1]; /* without the brackets of an IPv6 address */
    char path[CLIENT_PATH_BYTES_MAX + 1];
};

/* Hosts of one URI: enough for every replica of a cluster, and a bound on what is kept. */
#define CLIENT_HOSTS_MAX 16

/* Fills *count (1 … CLIENT_HOSTS_MAX) entries of `uris`. */
bool client_uri_parse(const char *text, struct client_uri uris[CLIENT_HOSTS_MAX], size_t *count,
                      struct proto_fault *fault);

#endif
