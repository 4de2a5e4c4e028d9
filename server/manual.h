/* SPDX-License-Identifier: Apache-2.0 */
/* icpd(8), the manual page of the server, from the flags of options.c and the table of options, in
 * the man macros of troff. Ownership: borrows. Errors: those of the stream. Threads: one. */
#ifndef SERVER_MANUAL_H
#define SERVER_MANUAL_H

#include <stdio.h>

void server_manual_print(FILE *out);

#endif
